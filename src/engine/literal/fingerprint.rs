//! Chooses what the searcher looks for: four bytes of each literal, and which literals share a bucket.
//! Literals in, fingerprints out; safe code, run once per set of rules. The build script does it for the built-in
//! rules, so this uses nothing but the standard library.
//!
//! The vector code of the first stage knows of a bucket, for each of the four bytes, only a set of low halves (bits 0
//! to 3) and a set of high halves (bits 3 to 6), and lets through every byte whose halves are in both. So ten literals
//! in a bucket let through many texts beside their own. The cost of that depends on which four bytes of a literal are
//! taken and on who shares the bucket with whom, and is estimated here with a small model of text; the assignment that
//! lets least through wins.
//!
//! The model is a mixture: code and prose, UPPER_CASE, base64, numbers, binary; and runs of one byte, of
//! which indentation and rulers are made. One table of byte frequencies does not do: it takes four
//! capitals in a row for a thousand times rarer than they are and puts all of them into one bucket.
//!
//! A literal's own four bytes cost more than a candidate that the second stage drops: if their frequency in text is
//! known, it counts [`OWN_COST`] times.

use std::collections::HashMap;

/// Number of consecutive bytes of a literal that are its fingerprint.
pub const WINDOW: usize = 4;

/// Four bytes of a literal that the first stage looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The bytes.
    pub window: [u8; WINDOW],
    /// Their offset in the literal.
    pub offset: usize,
    /// The bucket it is in.
    pub bucket: usize,
}

/// One fingerprint per literal, and how many candidates they are expected to let through per byte of text.
#[derive(Debug)]
pub struct Choice {
    /// In the order of the literals.
    pub fingerprints: Vec<Fingerprint>,
    /// The places per byte of text that the first stage is expected to let through.
    pub per_byte: f32,
}

/// Amount of work put into a choice.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Number of windows of a literal that are weighed against each other, the rarest first.
    pub windows: usize,
    /// Number of times that each literal is taken out again and put where it costs least.
    pub rounds: usize,
}

impl Effort {
    /// For a choice while a program runs.
    pub const LITTLE: Self = Self {
        windows: 4,
        rounds: 1,
    };
    /// For a choice while the program is built: three times as long, for a tenth fewer candidates.
    pub const MUCH: Self = Self {
        windows: 8,
        rounds: 3,
    };
}

/// Ratio of the cost of comparing a literal to that of dropping a candidate.
const OWN_COST: f32 = 10.0;

/// Chooses windows and buckets. Every literal has at least [`WINDOW`] bytes. One whose fingerprint is `given` keeps it.
pub fn choose(
    literals: &[Vec<u8>],
    given: &[Option<Fingerprint>],
    buckets: usize,
    model: &Model,
    effort: Effort,
) -> Choice {
    let windows: Vec<Vec<usize>> = literals
        .iter()
        .enumerate()
        .map(|(at, literal)| match given.get(at) {
            Some(Some(given)) => vec![given.offset],
            _ => rarest_windows(literal, model, effort.windows),
        })
        .collect();
    let mut table: Vec<Bucket> = (0..buckets).map(|_| Bucket::default()).collect();
    let mut chosen: Vec<Option<Fingerprint>> = vec![None; literals.len()];
    for (at, given) in given.iter().enumerate() {
        if let Some(given) = given.filter(|given| given.bucket < buckets) {
            table[given.bucket].add(&given.window, model);
            chosen[at] = Some(given);
        }
    }
    let mut order: Vec<usize> = (0..literals.len())
        .filter(|at| chosen[*at].is_none())
        .collect();
    // Those that have no choice come first, so that the others can go where they cost nothing.
    order.sort_by_key(|literal| (windows[*literal].len(), *literal));
    for round in 0..=effort.rounds {
        for literal in &order {
            if let Some(old) = chosen[*literal].take() {
                let rest = chosen
                    .iter()
                    .flatten()
                    .filter(|other| other.bucket == old.bucket);
                table[old.bucket] = Bucket::of(rest, model);
            }
            let best = cheapest(&literals[*literal], &windows[*literal], &table, model);
            table[best.bucket].add(&best.window, model);
            chosen[*literal] = Some(best);
        }
        if round == 0 && buckets >= literals.len() {
            break;
        }
    }
    Choice {
        fingerprints: chosen.into_iter().flatten().collect(),
        per_byte: table.iter().map(|bucket| bucket.cost).sum(),
    }
}

/// The rarest window of each literal, all in one bucket: for a search that has no buckets.
pub fn rarest(literals: &[Vec<u8>], model: &Model) -> Vec<Fingerprint> {
    let rarest = |literal: &Vec<u8>| {
        let offset = rarest_windows(literal, model, 1)[0];
        Fingerprint {
            window: as_window(&literal[offset..offset + WINDOW]),
            offset,
            bucket: 0,
        }
    };
    literals.iter().map(rarest).collect()
}

/// Offsets of the windows that text holds least often. Those that are plain ASCII are preferred, because
/// one that is not makes the search of all of them slower.
fn rarest_windows(literal: &[u8], model: &Model, count: usize) -> Vec<usize> {
    let mut windows: Vec<(bool, f32, usize)> = literal
        .windows(WINDOW)
        .enumerate()
        .map(|(offset, window)| {
            let mut alone = Bucket::default();
            alone.add(&as_window(window), model);
            let cost = alone.cost + model.own(&as_window(window));
            (!window.is_ascii(), cost, offset)
        })
        .collect();
    windows.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    let ascii = windows.first().is_some_and(|first| !first.0);
    windows
        .into_iter()
        .filter(|(not_ascii, _, _)| !(ascii && *not_ascii))
        .take(count)
        .map(|(_, _, offset)| offset)
        .collect()
}

fn cheapest(literal: &[u8], offsets: &[usize], table: &[Bucket], model: &Model) -> Fingerprint {
    let mut best = None;
    let mut least = f32::INFINITY;
    for offset in offsets {
        let window = as_window(&literal[*offset..*offset + WINDOW]);
        let mut empty = false;
        for (index, bucket) in table.iter().enumerate() {
            // One empty bucket is as good as another.
            if bucket.is_empty() && std::mem::replace(&mut empty, true) {
                continue;
            }
            let more = bucket.cost_with(&window, model) - bucket.cost + model.own(&window);
            if more < least {
                least = more;
                best = Some(Fingerprint {
                    window,
                    offset: *offset,
                    bucket: index,
                });
            }
        }
    }
    best.expect("a literal of four bytes has a window, and there is a bucket")
}

fn as_window(bytes: &[u8]) -> [u8; WINDOW] {
    bytes.try_into().expect("a slice of four bytes")
}

/// Bits 0 to 3: what the first shuffle looks at.
pub fn low_half(byte: u8) -> usize {
    usize::from(byte & 0x0f)
}

/// Bits 3 to 6: what the second shuffle looks at. Bit 3 is in both, which tells more pairs apart than
/// bit 7 would: text has none.
pub fn high_half(byte: u8) -> usize {
    usize::from((byte >> 3) & 0x0f)
}

/// A number from 0 to 127 that all four bytes have a part in: what one more look-up of the first stage goes by. The
/// vector code computes it of every place, with additions alone.
pub fn key(window: &[u8; WINDOW]) -> usize {
    let sum = window
        .iter()
        .rev()
        .fold(0_u8, |sum, byte| sum.wrapping_mul(2).wrapping_add(*byte));
    usize::from(sum & 0x7f)
}

/// Texts that a bucket lets through.
#[derive(Clone, Default)]
struct Bucket {
    /// One bit for each [`key`].
    keys: u128,
    low: [u16; WINDOW],
    high: [u16; WINDOW],
    shares: [Shares; WINDOW],
    /// Expected candidates per byte of text.
    cost: f32,
}

impl Bucket {
    fn is_empty(&self) -> bool {
        self.low[0] == 0
    }

    fn of<'f>(fingerprints: impl Iterator<Item = &'f Fingerprint>, model: &Model) -> Self {
        let mut bucket = Self::default();
        for fingerprint in fingerprints {
            bucket.add(&fingerprint.window, model);
        }
        bucket
    }

    fn add(&mut self, window: &[u8; WINDOW], model: &Model) {
        self.cost = self.cost_with(window, model);
        self.keys |= 1 << key(window);
        for (position, byte) in window.iter().enumerate() {
            self.low[position] |= 1 << low_half(*byte);
            self.high[position] |= 1 << high_half(*byte);
            self.shares[position] = model.shares(self.low[position], self.high[position]);
        }
    }

    fn cost_with(&self, window: &[u8; WINDOW], model: &Model) -> f32 {
        let mut product = MODE_SHARE;
        let mut all_low = u16::MAX;
        let mut all_high = u16::MAX;
        // Plain loops here and in the model: they run some ten thousand times when a program starts, and
        // iterators make an unoptimised build wait for them.
        let mut position = 0;
        while position < WINDOW {
            let low = self.low[position] | 1 << low_half(window[position]);
            let high = self.high[position] | 1 << high_half(window[position]);
            all_low &= low;
            all_high &= high;
            let same = low == self.low[position] && high == self.high[position];
            let shares = if same {
                self.shares[position]
            } else {
                model.shares(low, high)
            };
            let mut mode = 0;
            while mode < MODES {
                product[mode] *= shares[mode];
                mode += 1;
            }
            position += 1;
        }
        let keys = (self.keys | 1 << key(window)).count_ones();
        let mut cost: f32 = product.iter().sum::<f32>() * keys as f32 / 128.0;
        if all_low != 0 && all_high != 0 {
            for (byte, share) in RUNS {
                if all_low >> low_half(*byte) & all_high >> high_half(*byte) & 1 == 1 {
                    cost += share;
                }
            }
        }
        cost
    }
}

/// Kinds of text.
const MODES: usize = 5;
/// A number for each kind of text.
type Shares = [f32; MODES];

/// Shares of the kinds of scanned text: code and prose, UPPER_CASE, base64, numbers and punctuation, binary.
const MODE_SHARE: Shares = [0.72, 0.08, 0.10, 0.08, 0.02];

/// Bytes that come in runs, and how much of the text these runs are.
const RUNS: &[(u8, f32)] = &[
    (b' ', 0.1),
    (0, 0.02),
    (b'-', 0.004),
    (b'=', 0.003),
    (b'*', 0.003),
    (b'/', 0.002),
    (b'#', 0.002),
    (b'0', 0.003),
    (b'\t', 0.003),
    (b'A', 0.002),
    (b'_', 0.001),
    (b'.', 0.001),
    (b'x', 0.0005),
    (b'f', 0.0005),
    (b'F', 0.0005),
];

/// Letters of English in percent, `a` to `z`.
const LETTERS: [f32; 26] = [
    8.2, 1.5, 2.8, 4.3, 12.7, 2.2, 2.0, 6.1, 7.0, 0.2, 0.8, 4.0, 2.4, 6.7, 7.5, 1.9, 0.1, 6.0, 6.3,
    9.1, 2.8, 1.0, 2.4, 0.2, 2.0, 0.1,
];

/// The model of text: the share of every set of halves in every kind of text.
pub struct Model {
    /// Frequency of four bytes in text, per byte, where it is known.
    own: HashMap<[u8; WINDOW], f32>,
    /// By high half and set of low halves that go with it (bit 3 is shared, so there are eight).
    shares: Vec<[Shares; 256]>,
}

impl Model {
    /// Makes a model; `own` has common runs of four bytes, with their frequency per byte of text.
    pub fn new(own: HashMap<[u8; WINDOW], f32>) -> Self {
        let bytes = byte_shares();
        let mut shares = vec![[Shares::default(); 256]; 16];
        for (high, sets) in shares.iter_mut().enumerate() {
            for set in 1..256_usize {
                // One more byte than the set without its lowest member, which has been summed before.
                let lowest = set.trailing_zeros() as usize;
                let mut sum = sets[set & (set - 1)];
                for (sum, share) in sum.iter_mut().zip(bytes[high << 3 | lowest]) {
                    *sum += share;
                }
                sets[set] = sum;
            }
        }
        Self { own, shares }
    }

    /// Returns the cost of the window itself occurring in text.
    fn own(&self, window: &[u8; WINDOW]) -> f32 {
        OWN_COST * self.own.get(window).copied().unwrap_or(0.0)
    }

    /// The share of bytes whose halves are in both sets.
    fn shares(&self, low: u16, high: u16) -> Shares {
        let mut sum = Shares::default();
        let mut rest = high;
        while rest != 0 {
            let half = rest.trailing_zeros() as usize;
            let shares = &self.shares[half][usize::from(low >> (8 * (half & 1)) & 0xff)];
            let mut mode = 0;
            while mode < MODES {
                sum[mode] += shares[mode];
                mode += 1;
            }
            rest &= rest - 1;
        }
        sum
    }
}

/// Returns the frequency of each ASCII byte in each kind of text.
fn byte_shares() -> [Shares; 128] {
    let mut shares = [Shares::default(); 128];
    for (byte, share) in (0_u8..).zip(shares.iter_mut()) {
        let letter = |first: u8| LETTERS[usize::from(byte - first)] / 100.0;
        *share = match byte {
            b'a'..=b'z' => {
                let often = letter(b'a');
                [
                    0.7 * often,
                    0.08 * often,
                    1.0 / 64.0,
                    0.1 * often,
                    1.0 / 256.0,
                ]
            }
            b'A'..=b'Z' => {
                let often = letter(b'A');
                [
                    0.06 * often,
                    0.7 * often,
                    1.0 / 64.0,
                    0.05 * often,
                    1.0 / 256.0,
                ]
            }
            b'0'..=b'9' => [0.002, 0.004, 1.0 / 64.0, 0.05, 1.0 / 256.0],
            b'_' => [0.03, 0.10, 0.001, 0.02, 1.0 / 256.0],
            b' ' => [0.08, 0.06, 0.001, 0.15, 1.0 / 256.0],
            b'\n' => [0.02, 0.02, 0.01, 0.03, 1.0 / 256.0],
            b'+' | b'/' => [0.004, 0.002, 1.0 / 64.0, 0.01, 1.0 / 256.0],
            b'!'..=b'~' => [0.004, 0.003, 0.0002, 0.01, 1.0 / 256.0],
            0 => [0.000_01, 0.000_01, 0.000_01, 0.000_01, 0.4],
            _ => [0.000_1, 0.000_1, 0.000_1, 0.000_1, 1.0 / 256.0],
        };
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(literals: &[&str], buckets: usize) -> Vec<Fingerprint> {
        let literals: Vec<Vec<u8>> = literals.iter().map(|one| one.as_bytes().to_vec()).collect();
        let model = Model::new(HashMap::new());
        let choice = choose(&literals, &[], buckets, &model, Effort::LITTLE);
        for (literal, fingerprint) in literals.iter().zip(&choice.fingerprints) {
            assert!(literal[fingerprint.offset..].starts_with(&fingerprint.window));
            assert!(fingerprint.bucket < buckets);
        }
        choice.fingerprints
    }

    #[test]
    fn the_rarest_part_is_taken() {
        let alone = rarest(&[b"-----BEGIN".to_vec()], &Model::new(HashMap::new()));
        assert_eq!((alone[0].window, alone[0].offset), (*b"---B", 2));
        assert_eq!(chosen(&["-----BEGIN"], 8)[0].window, *b"---B");
        assert_eq!(chosen(&["    amzn.mws."], 8)[0].window, *b"mzn.");
        assert!(chosen(&["etet_\u{e4}\u{e4}"], 8)[0].window.is_ascii());
    }

    #[test]
    fn what_is_common_in_text_is_avoided_and_what_is_given_is_kept() {
        let literals = [b"vault.example".to_vec(), b"AKIA".to_vec()];
        let common = literals[0].windows(WINDOW).enumerate();
        let common = common.filter(|(offset, _)| *offset != 7);
        let own = common
            .map(|(_, window)| (as_window(window), 0.01))
            .collect();
        let model = Model::new(own);
        let found = choose(&literals, &[], 8, &model, Effort::MUCH).fingerprints;
        assert_eq!((found[0].offset, &found[0].window), (7, b"xamp"));
        let given = Fingerprint {
            window: *b"ault",
            offset: 1,
            bucket: 5,
        };
        let found = choose(&literals, &[Some(given)], 8, &model, Effort::LITTLE);
        assert_eq!(found.fingerprints[0], given);
        assert_eq!(found.fingerprints[1].window, *b"AKIA");
    }

    #[test]
    fn literals_with_a_common_part_share_it() {
        let chosen = chosen(&["tAccessK", "accessKeyId", "AccessKeyId", "AKIA"], 2);
        assert_eq!(chosen[0].window, chosen[1].window);
        assert_eq!(chosen[1].window, chosen[2].window);
        assert_eq!(chosen[0].bucket, chosen[2].bucket);
    }

    #[test]
    fn a_bucket_costs_what_its_sets_let_through() {
        let model = Model::new(HashMap::new());
        let mut bucket = Bucket::default();
        let mut last = 0.0;
        for window in [b"AKIA", b"ASIA", b"boto", b"    "] {
            let cost = bucket.cost_with(window, &model);
            assert!(cost > last, "{cost} after {last}");
            bucket.add(window, &model);
            assert_eq!(bucket.cost, cost);
            assert_eq!(bucket.cost_with(window, &model), cost);
            last = cost;
        }
        assert!(last > 0.1, "indentation is a tenth of all text");
    }

    #[test]
    fn the_model_adds_up() {
        let everything = Model::new(HashMap::new()).shares(u16::MAX, u16::MAX);
        for (kind, share) in everything.into_iter().enumerate() {
            assert!((0.6..1.4).contains(&share), "kind {kind}: {share}");
        }
    }
}
