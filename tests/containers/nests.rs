//! Containers in containers, in any order.

use keysieve::source::container::Limits;

use super::{ids, open, pair, scan, unread};
use crate::support::Keys;
use crate::support::archive::{FORMS, wrap};

/// A pair in containers that lie in each other, the number of forms and the forms themselves by `seed`.
fn nest(seed: u64) -> (String, Vec<usize>, Vec<u8>) {
    let mut keys = Keys::new(seed);
    let (id, text) = pair(&mut keys);
    let mut content = text.into_bytes();
    let depth = 1 + keys.below(6);
    // Every form is innermost and outermost often enough.
    let mut forms = vec![seed as usize % FORMS];
    while forms.len() < depth {
        forms.push(keys.below(FORMS));
    }
    let is_long = keys.below(8) == 0;
    for form in &forms {
        let name = match is_long {
            true => format!("{}/app.env", "deep".repeat(40)),
            false => "etc/app.env".to_owned(),
        };
        content = wrap(*form, &mut keys, &name, content);
    }
    (id, forms, content)
}

#[test]
fn a_pair_is_found_in_a_thousand_nests() {
    let mut missed = Vec::new();
    for seed in 0..1000 {
        let (id, forms, bytes) = nest(seed);
        // An rpm package is a container with a cpio archive in it.
        let deep = forms.len() + forms.iter().filter(|form| *form % FORMS == 10).count();
        if deep > Limits::DEPTH {
            continue;
        }
        let outcome = scan(&bytes, Limits::default());
        if ids(&outcome) != [id] || !unread(&outcome).is_empty() {
            missed.push((seed, forms, unread(&outcome)));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_byte_of_a_nest_is_shown_once() {
    for seed in 0..300 {
        let (_, forms, bytes) = nest(seed);
        let seen = open(&bytes, Limits::default());
        assert!(!seen.opened.is_empty(), "{forms:?}");
    }
}
