//! A list of key ids beside a list of secrets, one of which only its place tells from a class name.

use keyfence::engine::Scratch;

use super::{SEED, engine, found};
use crate::support::Keys;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Each id of a Python file of two lists with the secret that was joined with it.
fn joined(ids: &[String], secrets: &[String], break_lines: bool) -> Vec<(String, Option<String>)> {
    let between = if break_lines { "\",\n  \"" } else { "\", \"" };
    let text = format!(
        "keys = [\"{}\"]\nsecrets = [\"{}\"]\n",
        ids.join(between),
        secrets.join(between)
    );
    let (engine, mut scratch) = (engine(), Scratch::default());
    let matches = engine.scan(text.as_bytes(), &mut scratch);
    let mut pairs: Vec<_> = found(&engine, matches)
        .into_iter()
        .filter_map(|row| {
            let [id, secret, _] = row.parts;
            Some((id?.0, secret.map(|secret| secret.0)))
        })
        .collect();
    pairs.sort();
    pairs
}

/// Letters only, as 5 of 10,000 secrets are: without a name beside it that is taken for a class name.
fn letters(keys: &mut Keys) -> String {
    loop {
        let value = keys.text(LETTERS, 40);
        let is_upper = |byte: u8| byte.is_ascii_uppercase();
        let changes = value
            .as_bytes()
            .windows(2)
            .filter(|two| is_upper(two[0]) != is_upper(two[1]));
        if changes.count() >= 14 && value.bytes().filter(|byte| is_upper(*byte)).count() >= 14 {
            return value;
        }
    }
}

#[test]
fn a_secret_that_only_its_place_tells_keeps_its_place() {
    let keys = &mut Keys::new(SEED + 30);
    for length in 2..6 {
        for odd in 0..length {
            let ids: Vec<String> = (0..length).map(|_| keys.id()).collect();
            let mut secrets: Vec<String> = (0..length).map(|_| keys.secret()).collect();
            secrets[odd] = letters(keys);
            let mut expected: Vec<_> = ids
                .iter()
                .cloned()
                .zip(secrets.iter().cloned().map(Some))
                .collect();
            expected.sort();
            for break_lines in [false, true] {
                assert_eq!(joined(&ids, &secrets, break_lines), expected);
            }
        }
    }
}

#[test]
fn in_a_list_of_another_length_it_is_a_class_name() {
    let keys = &mut Keys::new(SEED + 31);
    let ids = [keys.id()];
    let secrets = [keys.secret(), letters(keys)];
    let expected = vec![(ids[0].clone(), Some(secrets[0].clone()))];
    assert_eq!(joined(&ids, &secrets, false), expected);
}
