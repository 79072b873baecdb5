//! Loose objects and alternates: what is well made is read, what is not is named.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use gix::objs::Kind;

use super::git;
use super::input::Input;
use super::pack::{self, Object, Objects};

const MOST: usize = 24;

/// Makes loose objects of an input and scans them.
pub fn run(data: &[u8]) {
    static DIR: OnceLock<Mutex<tempfile::TempDir>> = OnceLock::new();
    let dir = git::emptied(&DIR);
    let git_dir = dir.path().join(".git");

    let mut input = Input::new(data);
    let threads = 1 + usize::from(input.rarely());
    let mut is_broken = false;
    if input.rarely() {
        // Names anything, itself among it. What it names beside this is not known here.
        git::write(&git_dir.join("objects/info/alternates"), input.chunk());
        is_broken = true;
    }
    let mut objects: Objects = BTreeMap::new();
    while !input.is_empty() && objects.len() < MOST {
        let known: Vec<_> = objects.keys().copied().collect();
        let (kind, content) = pack::object(&mut input, &known);
        put(&mut input, &git_dir, kind, content, &mut objects);
    }
    pack::refer(&objects, &git_dir);
    pack::check(dir.path(), &objects, is_broken, threads);
}

/// Writes an object, or what an input makes of it.
fn put(
    input: &mut Input<'_>,
    git_dir: &std::path::Path,
    kind: Kind,
    content: Vec<u8>,
    objects: &mut Objects,
) {
    let id = git::id_of(kind, &content);
    if objects.contains_key(&id) {
        return;
    }
    let level = [0, 1, 6, 12][input.below(4)];
    let mut object = git::loose(kind, &content);
    let mut is_good = true;
    let lie = if input.rarely() { input.below(9) } else { 255 };
    match lie {
        0 => object.truncate(object.len() / 2),
        1 => object.extend_from_slice(input.chunk()),
        2 => {
            let size = u64::from(input.number()) << input.below(40);
            object = format!("{kind} {size}\0").into_bytes();
            object.extend_from_slice(&content);
        }
        3 => object = input.chunk().to_vec(),
        4 => object
            .splice(0..1, input.chunk().iter().copied())
            .for_each(drop),
        _ => {}
    }
    let mut stream = git::deflate(&object, level);
    match lie {
        5 => stream.truncate(input.number() as usize % stream.len()),
        6 => {
            let at = input.number() as usize % stream.len();
            stream[at] ^= input.byte() | 1;
        }
        7 => stream = input.chunk().to_vec(),
        8 => stream.extend_from_slice(input.chunk()),
        _ => {}
    }
    if lie != 255 {
        is_good = false;
    }
    git::write(&git::loose_path(git_dir, id), &stream);
    let object = Object {
        kind,
        content: is_good.then_some(content),
        is_told: false,
        may_be_tree: kind == Kind::Tree || lie != 255,
    };
    objects.insert(id, object);
}
