//! Layouts in which names, rows and neighbours show which halves belong together: each id with its own secret, in any
//! surroundings.
//!
//! In the table `<I1>` is a key id, `<S1>` its secret, `<E1>` the last letters of one, `<D1>` forty characters and
//! `<W1>` twenty of another system.

use std::collections::BTreeMap;

use keysieve::engine::Scratch;

use super::{engine, found};
use crate::support::Keys;

const TABLE: &str = include_str!("layouts.table");
const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Number of times that each layout is filled.
const ROUNDS: u64 = 40;

/// Fills a layout; gives the values by their names.
fn fill(layout: &str, keys: &mut Keys) -> (String, BTreeMap<String, String>) {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut text = String::new();
    let mut rest = layout;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest.get(1..3).unwrap_or_default();
        let is_value =
            rest.get(3..4) == Some(">") && name.ends_with(|last: char| last.is_ascii_digit());
        if !is_value {
            text.push('<');
            rest = &rest[1..];
            continue;
        }
        let value = values
            .entry(name.to_owned())
            .or_insert_with(|| match &name[..1] {
                "I" => keys.id(),
                "S" => keys.secret(),
                "E" => keys.text(ALNUM, 24),
                "D" => keys.text(ALNUM, 40),
                _ => keys.text(UPPER, 20),
            });
        text.push_str(value);
        rest = &rest[4..];
    }
    text.push_str(rest);
    (text, values)
}

#[test]
fn each_id_has_its_own_secret() {
    let (engine, mut scratch) = (engine(), Scratch::default());
    let mut faults = Vec::new();
    let mut count = 0;
    for layout in TABLE.split("#### ").skip(1) {
        let (title, layout) = layout.split_once('\n').expect("a title and a text");
        let layout = layout.trim_end_matches('\n').to_owned() + "\n";
        count += 1;
        for seed in 0..ROUNDS {
            let (text, values) = fill(&layout, &mut Keys::new(seed));
            let mut expected: BTreeMap<String, Option<String>> = BTreeMap::new();
            for (name, id) in values.iter().filter(|(name, _)| name.starts_with('I')) {
                let number = &name[1..];
                // What the table says of the first letters holds for all of the secret.
                let secret = match values.get(&format!("E{number}")) {
                    Some(end) => Some(format!("nUv5L41xsFXApiUC{end}")),
                    None => values.get(&format!("S{number}")).cloned(),
                };
                expected.insert(id.clone(), secret);
            }
            let matches = engine.scan(text.as_bytes(), &mut scratch);
            let rows = found(&engine, matches);
            let mut joined: BTreeMap<String, Option<String>> = BTreeMap::new();
            let mut alone = Vec::new();
            for row in &rows {
                match &row.parts {
                    [Some(id), secret, _] => {
                        joined.insert(id.0.clone(), secret.as_ref().map(|one| one.0.clone()));
                    }
                    // What a person would look at is no error.
                    _ if row.level == "error" => alone.push(format!("{row:?}")),
                    _ => {}
                }
            }
            if joined != expected || !alone.is_empty() {
                faults.push(format!("{title}, seed {seed}: {alone:?}\n{text}{joined:?}"));
            }
        }
    }
    assert!(count > 50, "{count} layouts");
    assert!(
        faults.is_empty(),
        "{}\n{}",
        faults.len(),
        faults[..faults.len().min(12)].join("\n\n")
    );
}
