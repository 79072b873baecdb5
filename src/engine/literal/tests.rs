//! The searcher, held against a naive one.

use proptest::prelude::*;

use super::*;

type Found = Vec<(usize, usize)>;

fn present() -> impl Iterator<Item = Instructions> {
    Instructions::ALL
        .iter()
        .copied()
        .filter(|instructions| instructions.present())
}

fn searchers(literals: &[Vec<u8>]) -> Vec<LiteralSearcher> {
    present()
        .map(|instructions| LiteralSearcher::with(literals, instructions).unwrap())
        .collect()
}

fn find(searcher: &LiteralSearcher, haystack: &[u8]) -> Found {
    let mut found = Vec::new();
    searcher.find_each(haystack, &mut |literal, offset| {
        found.push((offset, literal));
    });
    found
}

/// Every literal at every place.
fn naive(literals: &[Vec<u8>], haystack: &[u8]) -> Found {
    let mut found = Vec::new();
    for offset in 0..haystack.len() {
        for (index, literal) in literals.iter().enumerate() {
            if haystack[offset..].starts_with(literal) {
                found.push((offset, index));
            }
        }
    }
    found
}

fn automaton(literals: &[Vec<u8>], haystack: &[u8]) -> Found {
    let automaton = aho_corasick::AhoCorasick::new(literals).unwrap();
    let mut found: Found = automaton
        .find_overlapping_iter(haystack)
        .map(|found| (found.start(), found.pattern().as_usize()))
        .collect();
    found.sort_unstable();
    found
}

fn check(literals: &[Vec<u8>], searchers: &[LiteralSearcher], haystack: &[u8]) {
    let expected = naive(literals, haystack);
    for searcher in searchers {
        assert_eq!(
            find(searcher, haystack),
            expected,
            "{searcher:?}, {literals:?} in {haystack:?}"
        );
        assert_eq!(searcher.is_match(haystack), !expected.is_empty());
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// SplitMix64.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 1) as usize
}

fn random_bytes(state: &mut u64, alphabet: &[u8], length: usize) -> Vec<u8> {
    (0..length)
        .map(|_| alphabet[random(state) % alphabet.len()])
        .collect()
}

fn random_literals(state: &mut u64, alphabet: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut literals: Vec<Vec<u8>> = (0..count)
        .map(|_| {
            let length = SHORTEST + random(state) % 9;
            random_bytes(state, alphabet, length)
        })
        .collect();
    literals.sort();
    literals.dedup();
    literals.reverse();
    literals
}

const ALPHABETS: &[&[u8]] = &[b"AK", b"aA_\0", b"AKIS\x80", b"\0\xff\x7f\x80", b" aZ09-/+"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 48 }))]

    #[test]
    fn finds_what_a_naive_search_and_an_automaton_find(
        seed in any::<u64>(),
        alphabet in 0..ALPHABETS.len(),
        count in 1_usize..40,
        length in 0_usize..400,
        start in 0_usize..64,
    ) {
        let mut state = seed;
        let alphabet = ALPHABETS[alphabet];
        let literals = random_literals(&mut state, alphabet, count);
        let bytes = random_bytes(&mut state, alphabet, start + length);
        let haystack = &bytes[start..];
        check(&literals, &searchers(&literals), haystack);
        prop_assert_eq!(naive(&literals, haystack), automaton(&literals, haystack));
    }

    #[test]
    fn finds_many_arbitrary_literals_in_arbitrary_bytes(
        mut literals in prop::collection::vec(prop::collection::vec(any::<u8>(), 4..12), 1..60),
        noise in prop::collection::vec(any::<u8>(), 0..300),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..20), 0..20),
    ) {
        literals.sort();
        literals.dedup();
        let mut haystack = Vec::new();
        let mut noise = noise.into_iter();
        for (pick, gap) in picks {
            haystack.extend(noise.by_ref().take(gap));
            haystack.extend_from_slice(pick.get::<Vec<u8>>(&literals));
        }
        haystack.extend(noise);
        check(&literals, &searchers(&literals), &haystack);
    }
}

#[test]
fn finds_a_literal_at_every_place_of_every_length() {
    let literals = texts(&["AKIA", "A\0K\0I\0A", "aws_secret", "\0\0\0\0"]);
    let searchers = searchers(&literals);
    let lengths = if cfg!(miri) { 60..70 } else { 0..200 };
    for length in lengths {
        for literal in &literals {
            for place in 0..(length + 1_usize).saturating_sub(literal.len()) {
                let mut haystack = vec![b'x'; length];
                haystack[place..place + literal.len()].copy_from_slice(literal);
                check(&literals, &searchers, &haystack);
                if cfg!(miri) && place > 3 {
                    break;
                }
            }
        }
    }
}

#[test]
fn finds_every_overlap_at_every_alignment() {
    let mut state = 3;
    for alphabet in ALPHABETS {
        let literals = random_literals(&mut state, alphabet, 6);
        let searchers = searchers(&literals);
        let lengths = if cfg!(miri) { 64..69 } else { 0..200 };
        for length in lengths {
            let start = random(&mut state) % 64;
            let bytes = random_bytes(&mut state, alphabet, start + length);
            check(&literals, &searchers, &bytes[start..]);
        }
    }
}

#[test]
fn zeros_behind_the_end_are_not_part_of_the_text() {
    let literals = vec![b"ab\0\0".to_vec(), vec![0; 6]];
    for searcher in searchers(&literals) {
        for length in 2..140 {
            let mut haystack = vec![b'x'; length];
            haystack[length - 2..].copy_from_slice(b"ab");
            assert_eq!(find(&searcher, &haystack), [], "{searcher:?}");
        }
    }
}

#[test]
fn sixteen_buckets_find_what_eight_find() {
    let mut state = 7;
    let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').collect();
    let literals = random_literals(&mut state, &alphabet, 300);
    let searchers = searchers(&literals);
    #[cfg(target_arch = "x86_64")]
    if !cfg!(miri) {
        assert!(format!("{searchers:?}").contains("buckets: 16"));
    }
    let mut haystack = random_bytes(&mut state, &alphabet, if cfg!(miri) { 200 } else { 3000 });
    for literal in &literals {
        haystack.extend_from_slice(literal);
        haystack.push(b'.');
        if cfg!(miri) && haystack.len() > 400 {
            break;
        }
    }
    check(&literals, &searchers, &haystack);
}

#[test]
fn occurrences_come_by_offset_whatever_part_is_the_fingerprint() {
    let literals = texts(&[
        "amazonaws",
        "maz\u{0}",
        "amazo",
        "onaws.com",
        "azon",
        "zona",
    ]);
    let haystack = "amazonaws.com ".repeat(20);
    check(&literals, &searchers(&literals), haystack.as_bytes());
}

#[test]
fn dense_text_is_found_whole() {
    let literals = texts(&["AKIA", "KIAA", "AKIAAKIA"]);
    let haystack = b"AKIA".repeat(if cfg!(miri) { 40 } else { 500 });
    check(&literals, &searchers(&literals), &haystack);
}

#[test]
fn nothing_is_found_for_no_literals() {
    let searcher = LiteralSearcher::new(&[]).unwrap();
    assert_eq!(find(&searcher, b"whatever there is to read"), []);
    assert!(!searcher.is_match(b"whatever"));
    assert_eq!(searcher.longest(), 0);
}

#[test]
fn short_and_equal_literals_are_refused() {
    let short = LiteralSearcher::new(&texts(&["AKIA", "AKI"]));
    assert_eq!(short.unwrap_err(), Error::TooShort(1));
    let equal = LiteralSearcher::new(&texts(&["AKIA", "ASIA", "AKIA"]));
    assert_eq!(equal.unwrap_err(), Error::Duplicate(0, 2));
}
