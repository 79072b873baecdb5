//! No pair is lost at the edges of what the engine looks at, and the first stage loses nothing.

use keysieve::engine::Scratch;

use super::template::{self, Filled};
use super::{SEED, Wrong, engine, found, variant};
use crate::support::Keys;

/// Text without a line break and without a value.
fn one_line(length: usize, keys: &mut Keys) -> Vec<u8> {
    let mut text = Vec::with_capacity(length + 20);
    while text.len() < length {
        text.extend_from_slice(format!("a{}(b,{});", keys.below(100), keys.below(1000)).as_bytes());
    }
    text.truncate(length);
    text
}

const SHAPE: &str =
    "#### one line\n= error ID SECRET\n{accessKeyId:\"{ID}\",secretAccessKey:\"{SECRET}\"}\n";

/// Both halves on one line of many kilobytes, the first of them at every place around a multiple of the reach.
#[test]
fn at_every_place_of_a_long_line() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    let keys = &mut Keys::new(SEED + 30);
    let shape = &template::parse(SHAPE)[0];
    let line = one_line(64 << 10, keys);
    let mut places: Vec<usize> = (0..200).collect();
    for edge in [
        512, 1024, 1500, 2048, 4096, 8192, 10_240, 16_384, 20_480, 65_536,
    ] {
        places.extend(
            (edge - 90..edge + 90)
                .step_by(3)
                .filter(|place| *place <= line.len()),
        );
    }
    for place in places {
        let text = shape.fill(keys).between(&line[..place], &line[..12 << 10]);
        let rows = found(&engine, engine.scan(&text.bytes, &mut scratch));
        wrong.compare(
            &format!("at {place}"),
            &shape.rows(&text),
            rows,
            false,
            &Filled::default(),
        );
    }
    wrong.none(500);
}

/// The halves from nothing to eight kilobytes apart, on one line and on several.
#[test]
fn at_every_distance_between_the_halves() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    let keys = &mut Keys::new(SEED + 31);
    let shape = &template::parse(SHAPE)[0];
    for distance in (0..8000).step_by(41) {
        for is_swapped in [false, true] {
            let (id, secret) = (keys.id(), keys.secret());
            let mut halves = [
                ("ID", id, "accessKeyId:\""),
                ("SECRET", secret, "\",secretAccessKey:\""),
            ];
            if is_swapped {
                halves.reverse();
            }
            let mut text = Filled {
                bytes: one_line(20 << 10, keys),
                marks: Vec::new(),
            };
            for (slot, value, name) in &halves {
                text.bytes.extend_from_slice(name.as_bytes());
                text.append(&Filled::of(slot, value, "\";"));
                text.bytes.extend(one_line(distance, keys));
            }
            text.bytes.extend(one_line(20 << 10, keys));
            let rows = found(&engine, engine.scan(&text.bytes, &mut scratch));
            let name = format!("{distance} apart, swapped {is_swapped}");
            wrong.compare(&name, &shape.rows(&text), rows, false, &Filled::default());
        }
    }
    wrong.none(300);
}

/// The first stage loses nothing: its findings are those of a full examination.
#[test]
fn the_first_stage_loses_nothing() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    let mut keys = Keys::new(SEED + 32);
    for case in super::cases(&mut keys) {
        let with = found(&engine, engine.scan(&case.filled.bytes, &mut scratch));
        let without = found(&engine, engine.scan_all(&case.filled.bytes, &mut scratch));
        wrong.compare(&case.name, &without, with, true, &case.filled);
    }
    wrong.none(2000);
}

/// The same on random text with planted names, ids, secrets and noise, and against a plain search.
#[test]
fn random_text_against_a_plain_search() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    let keys = &mut Keys::new(SEED + 33);
    for round in 0..400 {
        let text = random_text(keys);
        let with = found(&engine, engine.scan(&text, &mut scratch));
        let ids: Vec<_> = with.iter().filter_map(|row| row.parts[0].clone()).collect();
        // Each id that a plain search finds is found once, and no other.
        let mut plain = plain_ids(&text);
        let mut places: Vec<(usize, usize)> = ids.iter().filter_map(|(_, span)| *span).collect();
        places.sort_unstable();
        plain.sort_unstable();
        assert_eq!(
            places,
            plain,
            "round {round}, seed {SEED}: {}",
            String::from_utf8_lossy(&text)
        );
        // A secret is used once.
        let mut secrets: Vec<_> = with
            .iter()
            .filter_map(|row| row.parts[1].clone()?.1)
            .collect();
        let count = secrets.len();
        secrets.sort_unstable();
        secrets.dedup();
        assert_eq!(secrets.len(), count, "round {round}: {with:#?}");
        // Without the first stage bare secrets far from any id are seen as well; what has an id is the same.
        let has_id = |rows: Vec<template::Row>| -> Vec<template::Row> {
            rows.into_iter()
                .filter(|row| row.parts[0].is_some())
                .collect()
        };
        let without = found(&engine, engine.scan_all(&text, &mut scratch));
        let text = Filled {
            bytes: text,
            marks: Vec::new(),
        };
        wrong.compare(
            &format!("round {round}"),
            &has_id(without),
            has_id(with),
            true,
            &text,
        );
    }
    wrong.none(400);
}

/// Key ids by the plainest of searches: prefix, alphabet, neighbours.
fn plain_ids(text: &[u8]) -> Vec<(usize, usize)> {
    let is_value = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let prefixes = [["AK", "IA"].concat(), ["AS", "IA"].concat()];
    (0..text.len().saturating_sub(19))
        .filter(|at| {
            let id = &text[*at..at + 20];
            prefixes
                .iter()
                .any(|prefix| id.starts_with(prefix.as_bytes()))
                && id[4..]
                    .iter()
                    .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
                && !is_value(text.get(at + 20))
                && (*at == 0 || !is_value(text.get(at - 1)))
        })
        .map(|at| (at, at + 20))
        .collect()
}

fn random_text(keys: &mut Keys) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..keys.below(60) {
        let value = match keys.below(9) {
            0 => keys.id(),
            1 => keys.temporary_id(),
            2 | 3 => keys.secret(),
            4 => keys.hex(40),
            5 => keys.token(400),
            _ => keys.text(b"abcdefghij", 8),
        };
        let name = [
            "access_key",
            "secret_key",
            "aws_secret_access_key",
            "x",
            "commit",
            "DEV_KEY",
            "",
        ][keys.below(7)];
        let line = match keys.below(5) {
            0 => format!("{name} = {value}\n"),
            1 => format!("\"{name}\": \"{value}\", "),
            2 => format!("f({value}, \"{name}\")\n"),
            3 => format!("{value} "),
            _ => format!("{name}: '{value}'\n"),
        };
        text.extend_from_slice(line.as_bytes());
        if keys.below(20) == 0 {
            text.extend(variant::padding(keys.below(20_000), keys));
        }
    }
    text
}
