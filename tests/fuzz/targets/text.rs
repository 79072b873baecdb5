//! Makes texts of inputs: control bytes encode key material, so that no corpus contains any.
//!
//! | byte, then a number | becomes |
//! |---|---|
//! | 1 | a key id |
//! | 2 | a secret access key |
//! | 3 | a temporary key id |
//! | 4 | a session token |
//! | 5 | an example of a built-in rule, good or bad |
//! | 6 | blanks, 16 times the number |
//! | 7 | empty lines, as many as the number |

use std::sync::OnceLock;

use keysieve::rule::RuleSet;
use keysieve::rule::example;

pub use crate::support::Keys;

/// Expands an input to its text, cut to `limit` bytes.
pub fn expand(data: &[u8], limit: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(data.len() * 2);
    let mut bytes = data.iter();
    while let Some(&byte) = bytes.next() {
        if text.len() >= limit {
            break;
        }
        if !(1..=7).contains(&byte) {
            text.push(byte);
            continue;
        }
        let number = bytes.next().copied().unwrap_or(0);
        match byte {
            6 => text.extend(std::iter::repeat_n(b' ', 16 * usize::from(number))),
            7 => text.extend(std::iter::repeat_n(b'\n', usize::from(number))),
            _ => text.extend(material(byte, number).bytes()),
        }
    }
    text.truncate(limit);
    text
}

/// Returns the material of a control byte and a number.
fn material(kind: u8, number: u8) -> String {
    let mut keys = Keys::new(u64::from(kind) << 8 | u64::from(number));
    match kind {
        1 => keys.id(),
        2 => keys.secret(),
        3 => keys.temporary_id(),
        4 => keys.token(400),
        _ => {
            let all = examples();
            all[usize::from(number) % all.len()].clone()
        }
    }
}

/// The examples of all built-in rules that are not long, shuffled so that 256 of them are of all rules.
fn examples() -> &'static [String] {
    static EXAMPLES: OnceLock<Vec<String>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let rules = RuleSet::builtin();
        let cases = rules.rules.iter().flat_map(example::cases);
        let mut texts: Vec<String> = cases
            .map(|case| case.text)
            .filter(|text| text.len() < 2000)
            .collect();
        let mut keys = Keys::new(5);
        for at in (1..texts.len()).rev() {
            texts.swap(at, keys.below(at + 1));
        }
        texts
    })
}
