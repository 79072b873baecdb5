//! Values that people make up: letters in the order of the alphabet or of the keyboard, one piece over and over, words.
//!
//! Each test is bounded from above in the tests below, for uniform characters: of true secrets fewer than one in 10^7
//! is lost to them, of true key IDs fewer than one in 10^7 as well. A simulation of many millions holds the bounds.

use std::sync::LazyLock;

/// The letters as they follow each other in the alphabet, and on the keyboard row by row.
const ORDERS: [&[u8; 26]; 2] = [b"abcdefghijklmnopqrstuvwxyz", b"qwertyuiopasdfghjklzxcvbnm"];

/// Least number of letters of a secret that follow the letter before them in one order, digits and signs left out.
const STEPS: usize = 12;

/// Least number of characters that are equal to the one a fixed distance before them.
const REPEATS: usize = 10;

/// Longest piece that counts as repeated: half a secret.
const LONGEST_PIECE: usize = 20;

/// Least number of the 16 characters behind `AKIA` that words and rows of letters cover.
const COVERED: usize = 10;

/// Shortest row of letters that counts as one.
const ROW: usize = 4;

/// Words that people write where an ID should go, or that follow `ASIA` in a text without blanks.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("invented.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// Says why a value of the form of a secret is made up, if that shows.
pub fn secret(value: &[u8]) -> Option<&'static str> {
    if ORDERS.iter().any(|order| is_in_order(value, order)) {
        return Some("made up: letters in the order of the alphabet or of the keyboard");
    }
    (1..=LONGEST_PIECE)
        .any(|distance| repeats(value, distance) >= REPEATS)
        .then_some("made up: one piece over and over")
}

/// Returns true if so many letters follow each other in an order, forwards or backwards. The end is followed by the
/// start, so that of uniform letters each follows the one before with 1 in 26, whatever the others do.
fn is_in_order(value: &[u8], order: &[u8; 26]) -> bool {
    let place = |byte: &u8| {
        let letter = byte.to_ascii_lowercase();
        order.iter().position(|one| *one == letter)
    };
    let (mut forwards, mut backwards, mut before) = (0, 0, None);
    for at in value.iter().filter_map(place) {
        if let Some(before) = before {
            forwards += usize::from((before + 1) % 26 == at);
            backwards += usize::from((at + 1) % 26 == before);
        }
        before = Some(at);
    }
    forwards.max(backwards) >= STEPS
}

fn repeats(value: &[u8], distance: usize) -> usize {
    let later = value.get(distance..).unwrap_or_default();
    value.iter().zip(later).filter(|(a, b)| a == b).count()
}

/// Returns true if words and rows of letters cover most of the characters after `AKIA`.
pub fn is_id(body: &[u8]) -> bool {
    // The most that is covered of the characters up to each place.
    let mut covered = vec![0; body.len() + 1];
    for end in 1..=body.len() {
        covered[end] = covered[end - 1];
        let text = &body[..end];
        let pieces = WORDS
            .iter()
            .filter(|word| text.ends_with(word.as_bytes()))
            .map(|word| word.len());
        for length in pieces.chain(row_before(text)) {
            covered[end] = covered[end].max(covered[end - length] + length);
        }
    }
    covered[body.len()] >= COVERED
}

/// Length of the longest row of letters at the end of a text: in the order of the alphabet or of the keyboard, in either
/// direction, or of one letter.
fn row_before(text: &[u8]) -> Option<usize> {
    let follows = |order: &[u8; 26], a: u8, b: u8| {
        order
            .windows(2)
            .any(|two| two[0].eq_ignore_ascii_case(&a) && two[1].eq_ignore_ascii_case(&b))
    };
    let length = |is_next: &dyn Fn(u8, u8) -> bool| {
        let steps = text.windows(2).rev();
        1 + steps.take_while(|two| is_next(two[0], two[1])).count()
    };
    let rows = ORDERS.iter().flat_map(|order| {
        [
            length(&|a, b| follows(order, a, b)),
            length(&|a, b| follows(order, b, a)),
        ]
    });
    rows.chain([length(&|a, b| a == b)])
        .max()
        .filter(|length| *length >= ROW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{key_id, secret_key};

    /// Bound of the loss among true secrets and true IDs.
    const LOSS: f64 = 1e-7;

    /// Choices of `k` of `n`.
    fn choose(n: usize, k: usize) -> f64 {
        (0..k).fold(1.0, |product, at| {
            product * (n - at) as f64 / (at + 1) as f64
        })
    }

    /// Share of draws in which at least `least` of `count` independent events of one chance happen.
    fn tail(count: usize, chance: f64, least: usize) -> f64 {
        (least..=count)
            .map(|hits| {
                let rest = (count - hits) as i32;
                choose(count, hits) * chance.powi(hits as i32) * (1.0 - chance).powi(rest)
            })
            .sum()
    }

    /// Differences of independent uniform letters are independent and uniform, and so is whether characters a fixed
    /// distance apart are equal: the tails are exact, and their sum is an upper bound of the loss.
    fn loss_of_secrets() -> (f64, f64) {
        let length = secret_key::LENGTH;
        let letters = 52.0 / 64.0;
        let in_order: f64 = (0..=length)
            .map(|count| {
                let share = choose(length, count)
                    * f64::powi(letters, count as i32)
                    * f64::powi(1.0 - letters, (length - count) as i32);
                share * tail(count.saturating_sub(1), 1.0 / 26.0, STEPS)
            })
            .sum();
        let repeated = (1..=LONGEST_PIECE)
            .map(|distance| tail(length - distance, 1.0 / 64.0, REPEATS))
            .sum();
        (2.0 * ORDERS.len() as f64 * in_order, repeated)
    }

    /// Expected number of ways in which words and rows cover enough of a uniform body: an upper bound of the share of
    /// bodies that have one.
    fn loss_of_ids() -> f64 {
        let length = key_id::LENGTH - 4;
        let mut pieces = vec![0.0; length + 1];
        for word in WORDS.iter() {
            pieces[word.len()] += 1.0;
        }
        for (of, count) in pieces.iter_mut().enumerate().skip(ROW) {
            // Each order in both directions, and 32 characters of which one is repeated.
            *count += 2.0 * ORDERS.len() as f64 * (27 - of) as f64 + 32.0;
        }
        // ways[covered], for each prefix.
        let mut ways = vec![vec![0.0; length + 1]; length + 1];
        ways[0][0] = 1.0;
        for end in 1..=length {
            for covered in 0..=end {
                let mut sum = ways[end - 1][covered];
                for of in 1..=covered.min(end) {
                    sum += ways[end - of][covered - of] * pieces[of] / f64::powi(32.0, of as i32);
                }
                ways[end][covered] = sum;
            }
        }
        ways[length][COVERED..].iter().sum()
    }

    #[test]
    fn the_bounds_of_what_is_lost_are_below_one_in_ten_million() {
        let (in_order, repeated) = loss_of_secrets();
        // As docs/accuracy.md has them.
        let figures = [in_order, repeated, loss_of_ids()].map(|loss| format!("{loss:.1e}"));
        assert_eq!(figures, ["5.8e-9", "1.4e-9", "2.2e-9"]);
        assert!(in_order > 0.0 && repeated > 0.0 && in_order + repeated < LOSS);
        assert!(loss_of_ids() > 0.0 && loss_of_ids() < LOSS);
    }

    #[test]
    fn bounds_with_fewer_steps_would_be_above_what_is_promised() {
        // The bound tells thresholds apart: with half the steps it is far above.
        let letters = 32;
        assert!(tail(letters, 1.0 / 26.0, STEPS / 2) > LOSS);
        assert!((tail(10, 0.5, 0) - 1.0).abs() < 1e-12);
        assert!((tail(3, 0.5, 2) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn made_up_values_are_known() {
        let halves = ["Ab3dEf5hIj7lMnOpQ9sT", "q8Wz2Rv/Lk"];
        for value in [
            ["A1b2C3d4E5f6G7h8I9j0", "K1l2M3n4O5p6Q7r8S9t0"].concat(),
            ["Qw1Er2Ty3Ui4Op5As6Df", "7Gh8Jk9Lz0Xc1Vb2Nm3+"].concat(),
            ["Zy9Xw8Vu7Ts6Rq5Po4Nm", "3Lk2Ji1Hg0Fe9Dc8Ba7/"].concat(),
            halves[1].repeat(4),
            [&halves[0][..20], &halves[0][..20]].concat(),
        ] {
            assert_eq!(value.len(), secret_key::LENGTH, "{value}");
            assert!(secret(value.as_bytes()).is_some(), "{value}");
        }
        for body in [
            "TESTKEYTESTKEY22",
            "QWERTYUIOPASDFGH",
            "ZYXWVUTSRQPONMLK",
            "XXXXXXXXXXTEST23",
        ] {
            assert!(is_id(body.as_bytes()), "{body}");
        }
        for body in ["Y34FZKBOKMUTVV7A", "TESTZ4KEYQ7LXP2B", "QNZGKIQY56JQ7WML"] {
            assert!(!is_id(body.as_bytes()), "{body}");
        }
    }

    /// Values drawn from a seeded generator (SplitMix64).
    fn draw<const LENGTH: usize>(state: &mut u64, alphabet: &[u8]) -> [u8; LENGTH] {
        std::array::from_fn(|_| {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            // Alphabets of 32 and of 64: the upper bits are uniform.
            alphabet[(z >> 32) as usize % alphabet.len()]
        })
    }

    #[test]
    #[ignore = "50 million draws; run with --release --ignored"]
    fn of_fifty_million_draws_hardly_one_is_taken_for_made_up() {
        const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut state, mut secrets, mut ids) = (7, 0, 0);
        let draws = 50_000_000;
        for _ in 0..draws {
            secrets += usize::from(secret(&draw::<40>(&mut state, BASE64)).is_some());
            ids += usize::from(is_id(&draw::<16>(&mut state, BASE32)));
        }
        // With a chance of one in 10^7 five are expected; more than 15 come about once in 10^4 such runs.
        assert!(secrets <= 15 && ids <= 15, "{secrets} {ids}");
    }
}
