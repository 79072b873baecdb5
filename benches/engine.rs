//! The engine and its parts on shared samples and on clean text.
//!
//! `cargo bench --bench engine -- literal` is the searcher alone. `KEYSIEVE_BENCH_TEXT` names a folder of
//! sources to search instead of the crates that cargo has unpacked.

#![allow(unreachable_pub, reason = "a bench has no outside")]

mod samples;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aho_corasick::packed;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use keysieve::engine::literal::LiteralSearcher;
use keysieve::engine::{Engine, Scratch};
use keysieve::rule::RuleSet;

/// Text that every match of a rule about AWS has a part of, encodings included.
const AWS: &[&str] = &[
    "AKIA",
    "ASIA",
    "QUtJQ",
    "FLSU",
    "BS0lB",
    "QVNJQ",
    "FTSU",
    "BU0lB",
    "A\0K\0I\0A",
    "A\0S\0I\0A",
    "aws_secret",
    "AWS_SECRET",
    "AWSSecret",
    "awsSecret",
    "t_access_k",
    "T_ACCESS_K",
    "tAccessK",
    "TAccessK",
    "t-access-k",
    "secret_k",
    "SECRET_K",
    "secretK",
    "SecretK",
    "secret-k",
    "boto",
    "amazonaws",
    "amzn.mws.",
    "ABSK",
    "bedrock-api-key-",
    "oJb3JpZ2lu",
    "oGZXIvYXdz",
    "aws_session",
    "AWS_SESSION",
    "SessionToken",
    "sessionToken",
    "session_token",
    "aws_access",
    "AWS_ACCESS",
    "accessKeyId",
    "AccessKeyId",
];

/// The same for tokens of other vendors.
const VENDORS: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "sk_live_",
    "rk_live_",
    "sk_test_",
    "whsec_",
    "AIza",
    "GOCSPX-",
    "AccountKey=",
    "npm_",
    "pypi-AgE",
    "dop_v1_",
    "doo_v1_",
    "shpat_",
    "shpss_",
    "hvs.",
    "hvb.",
    "atlasv1.",
    "dckr_pat_",
    "dapi",
    "glsa_",
    "NRAK-",
    "PMAK-",
    "lin_api_",
    "sntrys_",
    "hooks.slack.com",
    "discord.com/api/webhooks",
    "key-",
    "-----BEGIN",
    "sk-ant-",
    "sk-proj-",
    "T3BlbkFJ",
    "AGE-SECRET-KEY-",
    "rubygems_",
    "FLWSECK",
    "PKCS8",
    "sq0csp-",
    "EAAA",
    "private_key\"",
];

fn searcher(literals: &[&str]) -> LiteralSearcher {
    let literals: Vec<Vec<u8>> = literals.iter().map(|one| one.as_bytes().to_vec()).collect();
    LiteralSearcher::new(&literals).expect("long enough and all different")
}

/// Counts all occurrences.
fn count(searcher: &LiteralSearcher, text: &[u8]) -> usize {
    let mut found = 0;
    searcher.find_each(black_box(text), &mut |_, _| found += 1);
    found
}

/// The searcher on up to 117 MB of sources, beside those of the crates that do the same.
fn literal_on_clean_text(criterion: &mut Criterion) {
    let text = samples::clean_text(117_000_000);
    let mut group = criterion.benchmark_group("literal/clean_text");
    few_samples(&mut group, &text);

    one_needle(&mut group, &text);
    let all: Vec<&str> = AWS.iter().chain(VENDORS).copied().collect();
    for (name, literals) in [("aws", AWS), ("all", &all)] {
        let searcher = searcher(literals);
        group.bench_function(format!("{name}_{}", literals.len()), |bench| {
            bench.iter(|| count(&searcher, &text));
        });
    }
    for size in [16, 48] {
        let packed = packed::Searcher::new(&VENDORS[..size]);
        // It gives none where it has no vector instructions for so many.
        if let Some(packed) = packed {
            group.bench_function(format!("aho_corasick_packed_{size}"), |bench| {
                bench.iter(|| packed.find_iter(black_box(&text)).count());
            });
        }
    }
}

/// The searcher with all literals on every sample.
fn literal_on_samples(criterion: &mut Criterion) {
    let all: Vec<&str> = AWS.iter().chain(VENDORS).copied().collect();
    let searcher = searcher(&all);
    let mut group = criterion.benchmark_group("literal/sample");
    for sample in samples::all() {
        few_samples(&mut group, &sample.bytes);
        group.bench_function(sample.name, |bench| {
            bench.iter(|| count(&searcher, &sample.bytes));
        });
    }
}

/// The whole engine on sources, beside the search for one needle.
fn engine_on_clean_text(criterion: &mut Criterion) {
    let text = samples::clean_text(117_000_000);
    let mut group = criterion.benchmark_group("engine/clean_text");
    few_samples(&mut group, &text);
    one_needle(&mut group, &text);
    let mut scratch = Scratch::default();
    for (name, rules) in rules() {
        let engine = Engine::new(Arc::new(rules));
        group.bench_function(name, |bench| {
            bench.iter(|| engine.scan(black_box(&text), &mut scratch).len());
        });
    }
}

/// Measures one needle, as the yardstick of a group.
fn one_needle(group: &mut BenchmarkGroup<'_, WallTime>, text: &[u8]) {
    let needle = memchr::memmem::Finder::new("AKIA");
    group.bench_function("memmem_1", |bench| {
        bench.iter(|| needle.find_iter(black_box(text)).count());
    });
}

/// The rules about AWS, and all.
fn rules() -> [(&'static str, RuleSet); 2] {
    let all = RuleSet::builtin();
    let mut aws = all.clone();
    aws.rules.to_mut().retain(|rule| rule.kind.is_aws());
    [("aws", aws), ("all", all)]
}

/// The whole engine on every sample: with the rules for AWS only, and with all.
fn engine_on_samples(criterion: &mut Criterion) {
    let mut scratch = Scratch::default();
    for (name, rules) in rules() {
        let engine = Engine::new(Arc::new(rules));
        let mut group = criterion.benchmark_group(format!("engine/{name}"));
        for sample in samples::all() {
            few_samples(&mut group, &sample.bytes);
            group.bench_function(sample.name, |bench| {
                bench.iter(|| engine.scan(black_box(&sample.bytes), &mut scratch).len());
            });
        }
    }
}

/// Measures the making of the searcher when a program starts.
fn literal_build(criterion: &mut Criterion) {
    let all: Vec<&str> = AWS.iter().chain(VENDORS).copied().collect();
    criterion.bench_function("literal/build", |bench| {
        bench.iter(|| searcher(black_box(&all)));
    });
}

/// Whole texts are long enough to be measured by a few runs.
fn few_samples(group: &mut BenchmarkGroup<'_, WallTime>, text: &[u8]) {
    group
        .throughput(Throughput::Bytes(text.len() as u64))
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
}

criterion_group!(
    benches,
    literal_on_clean_text,
    literal_on_samples,
    literal_build,
    engine_on_clean_text,
    engine_on_samples
);
criterion_main!(benches);
