//! Packs: those that are well made are read as they were made, those that are not cost no more than what is
//! damaged, and are never taken for clean.
//!
//! The input is a program: it makes entries, some on others, and says where to lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;
use keysieve::attribution::{Options, locate_after};
use keysieve::coverage::SkipReason;
use keysieve::engine::Scratch;
use keysieve::git::odb::Database;
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::provenance::{ObjectKind, Provenance};
use keysieve::scan::EngineProbe;
use keysieve::source::history::History;

use super::git::{self, Indexed};
use super::input::Input;
use super::sink::{self, Recorder, Seen};
use super::text;

/// More than any object here has; a lie about a size is more than this, or cannot be.
const MAX_OBJECT_SIZE: u64 = 1 << 20;
const MOST_ENTRIES: usize = 40;
const LONGEST: usize = 4 << 10;

/// An entry that was made.
struct Entry {
    id: ObjectId,
    kind: Kind,
    /// Its content; `None` if the entry or one below it is damaged.
    content: Option<Vec<u8>>,
    /// True if its checksum shows that it is damaged.
    is_told: bool,
    /// True if it is a tree, which is not searched, or a lie may have made one of it.
    may_be_tree: bool,
    offset: u64,
    crc: u32,
}

/// A pack made of an input.
#[derive(Default)]
struct Made {
    pack: Vec<u8>,
    entries: Vec<Entry>,
    /// True if more than entries is damaged.
    is_broken: bool,
}

/// Makes a pack of an input and scans it.
pub fn run(data: &[u8]) {
    static DIR: OnceLock<Mutex<tempfile::TempDir>> = OnceLock::new();
    let dir = git::emptied(&DIR);
    let git_dir = dir.path().join(".git");
    let mut input = Input::new(data);
    let threads = 1 + usize::from(input.rarely());
    let mut made = Made::default();
    make(&mut input, &mut made);
    finish(&mut input, &mut made, &git_dir);
    check(dir.path(), &made.objects(), made.is_broken, threads);
}

/// An object that was made.
pub struct Object {
    /// Kind as it was made.
    pub kind: Kind,
    /// Its content; `None` if it is damaged.
    pub content: Option<Vec<u8>>,
    /// True if a checksum shows that it is damaged.
    pub is_told: bool,
    /// True if it is a tree, which is not searched, or a lie may have made one of it.
    pub may_be_tree: bool,
}

/// Objects by ID.
pub type Objects = BTreeMap<ObjectId, Object>;

impl Made {
    fn objects(&self) -> Objects {
        let object = |entry: &Entry| Object {
            kind: entry.kind,
            content: entry.content.clone(),
            is_told: entry.is_told,
            may_be_tree: entry.may_be_tree,
        };
        let objects = self.entries.iter();
        objects.map(|entry| (entry.id, object(entry))).collect()
    }
}

fn make(input: &mut Input<'_>, made: &mut Made) {
    made.pack.extend(b"PACK\0\0\0\x02\0\0\0\0");
    while !input.is_empty() && made.entries.len() < MOST_ENTRIES {
        let choice = input.below(8);
        match (choice, made.entries.len()) {
            (0..3, _) | (_, 0) => whole(input, made),
            (choice, count) => {
                let base = count - 1 - input.below(count.min(256));
                delta(input, made, base, choice == 7);
            }
        }
    }
}

/// An entry that is an object by itself.
fn whole(input: &mut Input<'_>, made: &mut Made) {
    let (kind, content) = object(
        input,
        &made.entries.iter().map(|it| it.id).collect::<Vec<_>>(),
    );
    let number = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    put(
        input,
        made,
        kind,
        number,
        Vec::new(),
        content.clone(),
        Some(content),
    );
}

/// An object that may refer to others.
pub fn object(input: &mut Input<'_>, known: &[ObjectId]) -> (Kind, Vec<u8>) {
    let kinds = [Kind::Blob, Kind::Blob, Kind::Commit, Kind::Tree, Kind::Tag];
    let kind = kinds[input.below(kinds.len())];
    let is_odd = input.rarely();
    let pick = |input: &mut Input<'_>| {
        let at = input.below(256);
        known.get(at % known.len().max(1)).copied()
    };
    let null = ObjectId::null(gix::hash::Kind::Sha1);
    let content = match kind {
        Kind::Commit if !is_odd => {
            let tree = pick(input).unwrap_or(null);
            let parents: Vec<ObjectId> = (0..input.below(3)).filter_map(|_| pick(input)).collect();
            let time = 1_700_000_000 + u32::from(input.byte());
            git::commit(tree, &parents, time, &text::expand(input.chunk(), LONGEST))
        }
        Kind::Tree if !is_odd => {
            let mut names = ["a", "b", "c.txt", "d"].iter();
            let count = input.below(4);
            let entries: Vec<(&str, ObjectId)> = (0..count)
                .filter_map(|_| Some((*names.next()?, pick(input)?)))
                .collect();
            git::tree(&entries)
        }
        Kind::Tag if !is_odd => {
            let id = pick(input).unwrap_or(null);
            let kind = ["commit", "blob", "tree", "tag"][input.below(4)];
            let mut tag = format!("object {id}\ntype {kind}\ntag t\n\n").into_bytes();
            tag.extend(text::expand(input.chunk(), LONGEST));
            tag
        }
        _ => text::expand(input.chunk(), LONGEST),
    };
    (kind, content)
}

/// An entry that is built on an earlier one.
fn delta(input: &mut Input<'_>, made: &mut Made, base: usize, by_id: bool) {
    let base = &made.entries[base];
    let content = base.content.clone();
    let source = content.clone().unwrap_or_default();
    let mut instructions = Vec::new();
    let mut result = Vec::new();
    for _ in 0..input.below(8) {
        if input.byte().is_multiple_of(2) && !source.is_empty() {
            let from = input.number() as usize % source.len();
            let length = (1 + input.number() as usize % 600).min(source.len() - from);
            instructions.push(0xff);
            instructions.extend((from as u32).to_le_bytes());
            instructions.extend(&(length as u32).to_le_bytes()[..3]);
            result.extend_from_slice(&source[from..from + length]);
        } else {
            let inserted = text::expand(input.chunk(), LONGEST);
            for piece in inserted.chunks(127) {
                instructions.push(piece.len() as u8);
                instructions.extend_from_slice(piece);
            }
            result.extend(inserted);
        }
    }
    let (mut base_size, mut size) = (source.len() as u64, result.len() as u64);
    let mut content = content.map(|_| result);
    if input.rarely() {
        content = None;
        match input.below(5) {
            0 => base_size += 1 + u64::from(input.byte()),
            1 => size = u64::from(input.number()),
            2 => size += 1,
            3 => instructions.extend_from_slice(input.chunk()),
            _ => instructions = input.chunk().to_vec(),
        }
    }
    let mut bytes = git::size(base_size);
    bytes.extend(git::size(size));
    bytes.extend(instructions);
    let mut distance = made.pack.len() as u64 - base.offset;
    let mut base_id = base.id;
    let kind = base.kind;
    let mut may_be_tree = base.may_be_tree;
    if input.rarely() {
        content = None;
        may_be_tree = true;
        match input.below(4) {
            0 => distance = 0,
            1 => distance = u64::from(input.number()),
            2 => base_id = ObjectId::from_bytes_or_panic(&[input.byte(); 20]),
            // Itself, once it has its id: a cycle. Or one that comes later.
            _ => base_id = pending_id(made.entries.len() + input.below(3)),
        }
    }
    let head = match by_id {
        true => base_id.as_slice().to_vec(),
        false => git::distance(distance),
    };
    let number = 6 + u8::from(by_id);
    put(input, made, kind, number, head, bytes, content);
    if let Some(entry) = made.entries.last_mut() {
        entry.may_be_tree |= may_be_tree;
    }
}

/// The id that a damaged entry gets: no content has it.
fn pending_id(number: usize) -> ObjectId {
    git::checksum(format!("entry {number}").as_bytes())
}

/// Writes an entry, or what an input makes of it.
fn put(
    input: &mut Input<'_>,
    made: &mut Made,
    kind: Kind,
    mut number: u8,
    head: Vec<u8>,
    inflated: Vec<u8>,
    mut content: Option<Vec<u8>>,
) {
    let level = [0, 1, 6, 12][input.below(4)];
    let mut stream = git::deflate(&inflated, level);
    let mut size = inflated.len() as u64;
    let mut flip = None;
    let mut may_be_tree = false;
    if input.rarely() {
        content = None;
        match input.below(8) {
            0 => size += 1,
            1 => size = u64::from(input.number()) << input.below(30),
            2 => stream.truncate(stream.len() / 2),
            3 => stream = input.chunk().to_vec(),
            4 => {
                number = [0, 5, 1, 2, 3, 4, 6, 7][input.below(8)];
                may_be_tree = true;
            }
            5 => flip = Some(input.number()),
            6 => {
                let at = input.number() as usize % stream.len();
                stream[at] ^= 1 << input.below(8);
            }
            _ => stream.clear(),
        }
    }
    let mut bytes = git::entry_header(number, size);
    bytes.extend(head);
    bytes.extend(stream);
    let id = match &content {
        Some(content) => git::id_of(kind, content),
        None => pending_id(made.entries.len()),
    };
    if made.entries.iter().any(|entry| entry.id == id) {
        return;
    }
    made.entries.push(Entry {
        id,
        kind,
        content,
        is_told: flip.is_some_and(|flip| flip != 0),
        may_be_tree: may_be_tree || kind == Kind::Tree,
        offset: made.pack.len() as u64,
        crc: crc32fast::hash(&bytes) ^ flip.unwrap_or(0),
    });
    made.pack.extend(bytes);
}

/// Writes the pack and its index, or what an input makes of them.
fn finish(input: &mut Input<'_>, made: &mut Made, git_dir: &Path) {
    let mut version = 2 - u8::from(input.byte() == 1);
    // Of an index without checksums per entry a wrong one tells nothing.
    if made.entries.iter().any(|entry| entry.content.is_none()) {
        version = 2;
    }
    let mut count = made.entries.len() as u32;
    let mut indexed: Vec<Indexed> = made
        .entries
        .iter()
        .map(|it| Indexed {
            id: it.id,
            crc: it.crc,
            offset: it.offset,
        })
        .collect();
    indexed.sort_by_key(|it| it.id);
    let breakage = if input.rarely() { input.below(10) } else { 255 };
    made.is_broken = breakage != 255;
    let lasts = input.clone();
    match breakage {
        0 => count += 1,
        1 => {
            indexed.pop();
        }
        2 if !indexed.is_empty() => {
            let at = input.below(indexed.len());
            indexed[at].offset = u64::from(input.number()) << input.below(32);
        }
        3 if indexed.len() > 1 => {
            let (a, b) = (input.below(indexed.len()), input.below(indexed.len()));
            let offset = indexed[a].offset;
            indexed[a].offset = indexed[b].offset;
            indexed[b].offset = offset;
        }
        4 => indexed.reverse(),
        5 if !indexed.is_empty() => indexed.push(indexed[0]),
        _ => {}
    }
    made.pack[8..12].copy_from_slice(&count.to_be_bytes());
    let checksum = git::checksum(&made.pack);
    let mut pack = made.pack.clone();
    pack.extend_from_slice(checksum.as_slice());
    let mut index = git::pack_index(version, &indexed, checksum);
    let mut input = lasts;
    match breakage {
        6 => pack.truncate(input.number() as usize % pack.len()),
        7 => index.truncate(input.number() as usize % index.len()),
        8 | 9 => {
            let file = if breakage == 8 { &mut index } else { &mut pack };
            for _ in 0..=input.below(3) {
                let at = input.number() as usize % file.len();
                file[at] ^= input.byte() | 1;
            }
        }
        _ => {}
    }
    let packs = git_dir.join("objects/pack");
    git::write(&packs.join("pack-1.pack"), &pack);
    git::write(&packs.join("pack-1.idx"), &index);
    refer(&made.objects(), git_dir);
}

/// Lets a branch and a tag name something.
pub fn refer(objects: &Objects, git_dir: &Path) {
    let branch = git_dir.join("refs/heads/main");
    let commit = objects.iter().find(|(_, it)| it.kind == Kind::Commit);
    match commit {
        Some((id, _)) => git::write(&branch, format!("{id}\n").as_bytes()),
        None => drop(std::fs::remove_file(&branch)),
    }
    let tag = git_dir.join("refs/tags/t");
    match objects.last_key_value() {
        Some((id, _)) => git::write(&tag, format!("{id}\n").as_bytes()),
        None => drop(std::fs::remove_file(&tag)),
    }
}

/// Scans a repository in every way and holds what is seen against what was made.
pub fn check(root: &Path, objects: &Objects, is_broken: bool, threads: usize) {
    let git_dir = root.join(".git");
    let history = History::new(git_dir.join("objects"), gix::hash::Kind::Sha1)
        .threads(threads)
        .max_object_size(MAX_OBJECT_SIZE);
    let (whole, _) = scanned(&history, false);
    complete(objects, &whole, is_broken);
    let (probed, scanned) = scanned(&history, true);
    cleared(&whole, &probed, is_broken);
    if !is_broken && is_good(objects) {
        let recorder = Recorder::default();
        history
            .scan_plainly(&mut recorder.clone())
            .expect("a good pack");
        assert_eq!(recorder.finish().shown, whole.shown, "the plain way");
    }
    single(root, objects, is_broken);
    origins(root, objects, scanned);
}

/// Returns true if nothing is damaged.
fn is_good(objects: &Objects) -> bool {
    objects.values().all(|object| object.content.is_some())
}

fn scanned(history: &History, with_probe: bool) -> (Seen, Database) {
    let probe = EngineProbe::new(sink::engine(), Default::default(), false);
    let probe = with_probe.then_some(&probe as &dyn keysieve::source::Probe);
    let recorder = Recorder::default();
    let scanned = history
        .scan(&mut recorder.clone(), probe)
        .expect("a directory");
    let seen = recorder.finish();
    assert!(seen.twice.is_empty(), "shown twice: {:?}", seen.twice);
    (seen, scanned)
}

/// Good objects are shown as they were made; all others are named.
fn complete(objects: &Objects, seen: &Seen, is_broken: bool) {
    let named: BTreeSet<&BString> = seen
        .skips
        .iter()
        .filter(|skip| skip.reason.is_incomplete())
        .map(|skip| &skip.subject)
        .collect();
    for (id, object) in objects {
        let Object { kind, content, .. } = object;
        let from = provenance(*kind, *id);
        let shown = from.as_ref().and_then(|from| seen.shown.get(from));
        let is_named = named.contains(&BString::from(id.to_string()));
        let is_fine = match (content, shown) {
            (Some(content), Some(shown)) => content == shown || is_broken,
            (Some(_), None) if from.is_none() => true,
            // That something is wrong with the pack or its index is enough.
            (_, None) if is_broken => is_named || !named.is_empty(),
            (_, None) => content.is_none() && is_named,
            (None, Some(_)) => true,
        };
        // What is damaged may have become of another kind.
        let others = [ObjectKind::Blob, ObjectKind::Commit, ObjectKind::Tag];
        let is_other = content.is_none()
            && others.iter().any(|kind| {
                let from = Provenance::Object {
                    kind: *kind,
                    id: *id,
                };
                seen.shown.contains_key(&from)
            });
        let is_tree = content.is_none() && object.may_be_tree;
        let is_silent = object.is_told && !is_named && !is_broken;
        assert!(
            (is_fine || is_other || is_tree) && !is_silent,
            "{kind} {id}: {content:?}, shown {shown:?}, skips {:?}",
            seen.skips
        );
    }
    if !is_broken && is_good(objects) {
        let allowed = [SkipReason::Missing, SkipReason::Corrupt, SkipReason::Lfs];
        for skip in &seen.skips {
            assert!(allowed.contains(&skip.reason), "{skip:?}");
        }
    }
}

fn provenance(kind: Kind, id: ObjectId) -> Option<Provenance> {
    let kind = match kind {
        Kind::Blob => ObjectKind::Blob,
        Kind::Commit => ObjectKind::Commit,
        Kind::Tag => ObjectKind::Tag,
        Kind::Tree => return None,
    };
    Some(Provenance::Object { kind, id })
}

/// With the engine's first stage, what is not shown has no finding, and all of it is counted.
fn cleared(whole: &Seen, probed: &Seen, is_broken: bool) {
    let engine = sink::engine();
    let mut scratch = Scratch::default();
    for (from, bytes) in &whole.shown {
        match probed.shown.get(from) {
            Some(shown) => assert_eq!(shown, bytes),
            None => {
                let found = engine.scan(bytes, &mut scratch);
                assert!(
                    found.is_empty() || is_broken,
                    "{from:?} was cleared: {found:?}"
                );
            }
        }
    }
    let clean = probed.clean;
    let count = probed.shown.len() as u64 + clean.blobs + clean.commits + clean.tags;
    assert_eq!(count, whole.shown.len() as u64);
    let incomplete = |seen: &Seen| -> BTreeSet<BString> {
        let skips = seen.skips.iter().filter(|skip| skip.reason.is_incomplete());
        skips.map(|skip| skip.subject.clone()).collect()
    };
    // Alternates may name directories that change from one moment to the next.
    assert!(is_broken || incomplete(whole) == incomplete(probed));
}

/// One by one, as `staged` and ranges read them.
fn single(root: &Path, objects: &Objects, is_broken: bool) {
    let environment = GitEnvironment::default();
    let repository =
        repository::open_with_limit(root, &environment, MAX_OBJECT_SIZE).expect("a repository");
    let mut buffer = Vec::new();
    for (id, Object { kind, content, .. }) in objects {
        let found = repository.find_object(id, &mut buffer);
        match (content, found) {
            (Some(content), Ok(Some(found))) if !is_broken => {
                assert_eq!((found, &buffer), (*kind, content), "{id}");
            }
            (Some(_), other) if !is_broken => panic!("{kind} {id}: {other:?}"),
            _ => {}
        }
        // A base, what is made of it, and the deltas.
        assert!(buffer.len() as u64 <= 3 * MAX_OBJECT_SIZE);
    }
}

/// Looks up the commits of all objects: any answer is accepted, but it must end.
fn origins(root: &Path, objects: &Objects, scanned: Database) {
    let environment = GitEnvironment::default();
    let repository = repository::open(root, &environment).expect("a repository");
    let wanted: Vec<ObjectId> = objects.keys().copied().collect();
    let stop = AtomicBool::new(false);
    let options = Options {
        threads: 1,
        stop: &stop,
        within: None,
        stage: &|_| {},
    };
    if let Ok(located) = locate_after(&repository, Some(scanned), &wanted, options) {
        for id in located.places.keys() {
            assert!(objects.contains_key(id));
        }
    }
}
