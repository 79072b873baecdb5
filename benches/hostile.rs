//! Texts that are made to be slow: each in one size and in twice the size, which may take 2.2 times as long.
//!
//! `cargo bench --bench hostile`; the figures of `…/1` and `…/2` are those to compare.

#[path = "../tests/support/keys.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "written for the tests, which use the rest"
)]
mod keys;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use keysieve::engine::{Engine, Scratch};
use keysieve::rule::RuleSet;

use keys::Keys;

/// A text of `size` units.
type Make = fn(&mut Keys, usize) -> String;

/// Every text by its name.
const TEXTS: &[(&str, Make)] = &[
    ("ids_and_secrets", |keys, size| {
        (0..5000 * size)
            .map(|_| format!("{} {}\n", keys.id(), keys.secret()))
            .collect()
    }),
    ("ids_and_secrets_on_one_line", |keys, size| {
        (0..5000 * size)
            .map(|_| format!("{} {} ", keys.id(), keys.secret()))
            .collect()
    }),
    ("ids_then_secrets", |keys, size| {
        let ids: String = (0..5000 * size).map(|_| keys.id() + "\n").collect();
        let secrets: String = (0..5000 * size).map(|_| keys.secret() + "\n").collect();
        ids + &secrets
    }),
    ("values_of_others", |keys, size| {
        let token = |keys: &mut Keys| format!("okta_token: {}\n", keys.secret());
        let ids: String = (0..100).map(|_| keys.id() + "\n").collect();
        let half: String = (0..5000 * size).map(|_| token(keys)).collect();
        format!("{half}{ids}{half}")
    }),
    ("secrets_then_values_of_others_on_one_line", |keys, size| {
        let secrets: String = (0..2000 * size)
            .map(|_| format!("secret_key={} ", keys.secret()))
            .collect();
        let others: String = (0..2000 * size)
            .map(|_| format!("okta_token={} ", keys.secret()))
            .collect();
        format!("{} {secrets}{others}", keys.id())
    }),
    ("ids_then_values_in_doubt", |keys, size| {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let ids: String = (0..5000 * size).map(|_| keys.id() + "\",\"").collect();
        let values: String = (0..5000 * size)
            .map(|_| keys.text(LETTERS, 40) + "\",\"")
            .collect();
        format!("keys: [\"{ids}\"]\ndata: [\"{values}{}\"]\n", keys.secret())
    }),
    ("one_line_of_50_mb", |keys, size| {
        let half = "a1(b,22);".repeat(2_800_000 * size);
        format!("{half}k=\"{}\",s=\"{}\"{half}", keys.id(), keys.secret())
    }),
    ("prefixes_only", |_, size| {
        ["AK", "IA"].concat().repeat(1_250_000 * size)
    }),
    ("nested_base64", |keys, size| {
        let mut text = format!("{} {}", keys.id(), keys.secret());
        for _ in 0..8 {
            text = base64(text.as_bytes());
        }
        format!("QUtJQ{text}\n").repeat(500 * size)
    }),
    ("literals_of_base64", |_, size| {
        "QUtJQ".repeat(400_000 * size)
    }),
    ("literals_of_base64_in_words", |_, size| {
        "QUtJQ ".repeat(700_000 * size)
    }),
    ("names", |_, size| "secret_key = \"".repeat(500_000 * size)),
    ("quotes", |keys, size| {
        format!("{} {}", keys.id(), "\"".repeat(2_000_000 * size))
    }),
    ("backslashes", |keys, size| {
        format!("{} {}", keys.id(), "\\".repeat(2_000_000 * size))
    }),
    ("literals_to_join", |keys, size| {
        (0..100 * size)
            .map(|_| format!("{} {}\n", keys.id(), "\"abcd\" + ".repeat(1000)))
            .collect()
    }),
    ("braces", |keys, size| {
        let line =
            |keys: &mut Keys| format!("{} {}\"{}\" ", keys.id(), "{".repeat(500), keys.secret());
        (0..1000 * size).map(|_| line(keys)).collect()
    }),
    ("secrets_alone", |keys, size| {
        let hundred = |keys: &mut Keys| {
            let secrets: String = (0..100).map(|_| keys.secret() + " ").collect();
            format!("boto secret_key {secrets}")
        };
        (0..400 * size).map(|_| hundred(keys)).collect()
    }),
    ("rows_of_secrets", |keys, size| {
        let row = |keys: &mut Keys| {
            let cells: String = (0..8).map(|_| format!("\t{}", keys.secret())).collect();
            format!("boto secret_key{cells}\n")
        };
        (0..3000 * size).map(|_| row(keys)).collect()
    }),
    ("tokens", |keys, size| {
        (0..2000 * size).map(|_| keys.token(900) + " ").collect()
    }),
    ("comments", |keys, size| {
        "# boto\n".repeat(150_000 * size) + &keys.secret()
    }),
    ("headers_of_keys", |_, size| {
        ["-----BEG", "IN PRIVATE KEY-----"]
            .concat()
            .repeat(20_000 * size)
    }),
    ("headers_of_keys_in_base64", |_, size| {
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0t".repeat(16_000 * size)
    }),
    ("keywords_ghp", |_, size| "ghp_".repeat(128_000 * size)),
    ("keywords_akcp", |_, size| "AKCp".repeat(128_000 * size)),
    ("keywords_discord", |_, size| {
        "discord MN".repeat(52_000 * size)
    }),
    ("keywords_twilio", |_, size| {
        "twilio_token".repeat(43_000 * size)
    }),
    ("keywords_sendgrid", |_, size| "SG.".repeat(174_000 * size)),
    ("keywords_ops", |_, size| "ops_eyJ".repeat(75_000 * size)),
    ("keywords_mailgun", |_, size| {
        "mailgun key-".repeat(43_000 * size)
    }),
];

/// Base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0u32, |group, at| {
            group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let digit = char::from(ALPHABET[(group >> (18 - 6 * at) & 63) as usize]);
            text.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

fn hostile(criterion: &mut Criterion) {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let mut scratch = Scratch::default();
    for (name, make) in TEXTS {
        let mut group = criterion.benchmark_group(format!("hostile/{name}"));
        for size in [1, 2] {
            let text = make(&mut Keys::new(size as u64), size);
            group
                .throughput(Throughput::Bytes(text.len() as u64))
                .sample_size(10)
                .warm_up_time(Duration::from_millis(200))
                .measurement_time(Duration::from_secs(1));
            group.bench_function(size.to_string(), |bench| {
                bench.iter(|| engine.scan(black_box(text.as_bytes()), &mut scratch).len());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, hostile);
criterion_main!(benches);
