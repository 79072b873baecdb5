//! Searching and indexing CloudTrail logs, beside inflating the same files and dropping the text.
//!
//! `cargo bench --bench trail` makes 200 MB of logs from a seed; `cargo bench --bench trail -- LOGS KEY_ID` takes others.
//! Work of different kinds takes turns on one thread, and its processor time is compared, so that other work on the
//! machine matters little. Processor time is read from Linux.

#![allow(unreachable_pub, reason = "a bench has no outside")]
#![allow(clippy::print_stdout, reason = "its result")]

#[path = "../tests/support/keys.rs"]
#[allow(dead_code, reason = "written for the tests, which use the rest")]
mod keys;

use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use keys::Keys;
use keysieve::aws::cloudtrail::LogKeyId;
use keysieve::evidence::trail::{self, Index, Options};
use libdeflater::Decompressor;

/// Bytes of text that are made.
const TEXT: usize = 200_000_000;

/// Turns that each kind of work has.
const TURNS: usize = 15;

type Work<'w> = (&'static str, Box<dyn FnMut() + 'w>);

fn main() {
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let made = tempfile::tempdir().expect("a directory");
    let (logs, key) = match given.as_slice() {
        [logs, key] => (PathBuf::from(logs), key.clone()),
        _ => (made.path().to_owned(), make(made.path())),
    };
    let key = LogKeyId::parse(&key).expect("a key ID");
    let keys = BTreeSet::from([key]);
    let one = Options { threads: 1 };
    let (files, _) = trail::list(std::slice::from_ref(&logs));
    let packed: u64 = files.iter().map(|file| file.size).sum();
    println!("{} files, {:.1} MB", files.len(), packed as f64 / 1e6);
    let list = || trail::list(std::slice::from_ref(&logs)).0;
    let mut work: [Work<'_>; 5] = [
        ("inflate", Box::new(|| _ = black_box(inflate(&list())))),
        (
            "search",
            Box::new(|| {
                drop(black_box(trail::find(
                    &keys,
                    &list(),
                    &mut Index::default(),
                    false,
                    one,
                )))
            }),
        ),
        (
            "index",
            Box::new(|| drop(black_box(trail::index(&mut Index::default(), &list(), one)))),
        ),
        (
            "lineage",
            Box::new(|| {
                drop(black_box(trail::find(
                    &keys,
                    &list(),
                    &mut Index::default(),
                    true,
                    one,
                )))
            }),
        ),
        (
            "coverage",
            Box::new(|| drop(black_box(trail::coverage(&list(), one)))),
        ),
    ];
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); work.len()];
    for _ in 0..TURNS {
        for ((_, work), times) in work.iter_mut().zip(&mut times) {
            let before = processor_time();
            work();
            times.push(processor_time() - before);
        }
    }
    for ((name, _), taken) in work.iter().zip(&times) {
        // Pairs of one turn: what slows the machine down slows both.
        let ratios = taken
            .iter()
            .zip(&times[0])
            .map(|(time, inflate)| time / inflate);
        println!(
            "{name:<9} {:.3} s at best, {:.3} of inflating (median of {TURNS} turns)",
            taken.iter().copied().fold(f64::INFINITY, f64::min),
            median(ratios.collect())
        );
    }
}

/// Reads and inflates the files one after the other into the same buffers; the number of bytes.
fn inflate(files: &[trail::Listed]) -> usize {
    let (mut raw, mut text, mut all) = (Vec::new(), Vec::new(), 0);
    let mut decompressor = Decompressor::new();
    for file in files {
        raw.clear();
        let mut file = fs::File::open(&file.path).expect("a file");
        std::io::Read::read_to_end(&mut file, &mut raw).expect("its bytes");
        let length: [u8; 4] = raw.last_chunk().copied().expect("a length");
        let length = u32::from_le_bytes(length) as usize;
        if text.len() < length {
            text.resize(length, 0);
        }
        all += decompressor
            .gzip_decompress(&raw, &mut text)
            .expect("gzip of one member");
    }
    all
}

/// Seconds that this thread had a processor.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds: f64 = text
        .split(' ')
        .next()
        .and_then(|first| first.parse().ok())
        .expect("a number");
    nanoseconds / 1e9
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Writes logs as CloudTrail delivers them, one record in a thousand by the key that is returned.
fn make(directory: &Path) -> String {
    let mut keys = Keys::new(25);
    let wanted = keys.id();
    let others: Vec<String> = (0..2000).map(|_| keys.id()).collect();
    let (mut written, mut number) = (0, 0);
    while written < TEXT {
        let records: Vec<String> = (0..80)
            .map(|_| {
                let key = match keys.below(1000) {
                    0 => &wanted,
                    _ => &others[keys.below(others.len())],
                };
                record(&mut keys, key)
            })
            .collect();
        let text = format!("{{\"Records\":[{}]}}", records.join(","));
        written += text.len();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("written");
        let bytes = encoder.finish().expect("written");
        fs::write(directory.join(format!("{number:05}.json.gz")), bytes).expect("a file");
        number += 1;
    }
    wanted
}

/// A record of an API call; every third was made with a session, and every tenth answers with a session.
fn record(keys: &mut Keys, key: &str) -> String {
    const SERVICES: [(&str, &str); 6] = [
        ("ec2", "DescribeInstances"),
        ("s3", "GetBucketAcl"),
        ("kms", "Decrypt"),
        ("sts", "GetCallerIdentity"),
        ("ssm", "GetParameter"),
        ("iam", "ListAttachedRolePolicies"),
    ];
    let (service, name) = SERVICES[keys.below(SERVICES.len())];
    let (account, user) = ("123456789012", format!("user-{}", keys.below(300)));
    let second = keys.below(86_400);
    let time = format!(
        "2023-07-{:02}T{:02}:{:02}:{:02}Z",
        1 + keys.below(28),
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    let identity = if keys.below(3) == 0 {
        format!(
            "{{\"type\":\"AssumedRole\",\"principalId\":\"AROA{}:{user}\",\"arn\":\"arn:aws:sts::{account}:assumed-role/app/{user}\",\
             \"accountId\":\"{account}\",\"accessKeyId\":\"{}\",\"sessionContext\":{{\"sessionIssuer\":{{\"type\":\"Role\",\
             \"principalId\":\"AROA{}\",\"arn\":\"arn:aws:iam::{account}:role/app\",\"accountId\":\"{account}\",\"userName\":\"app\"}},\
             \"webIdFederationData\":{{}},\"attributes\":{{\"creationDate\":\"{time}\",\"mfaAuthenticated\":\"false\"}}}}}}",
            keys.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17),
            keys.temporary_id(),
            keys.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17),
        )
    } else {
        format!(
            "{{\"type\":\"IAMUser\",\"principalId\":\"AIDA{}\",\"arn\":\"arn:aws:iam::{account}:user/{user}\",\
             \"accountId\":\"{account}\",\"accessKeyId\":\"{key}\",\"userName\":\"{user}\"}}",
            keys.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17),
        )
    };
    let answer = if keys.below(10) == 0 {
        format!(
            "{{\"credentials\":{{\"accessKeyId\":\"{}\",\"expiration\":\"Jul 10, 2023, 12:31:14 PM\",\"sessionToken\":\"{}\"}}}}",
            keys.temporary_id(),
            keys.token(300)
        )
    } else {
        "null".to_owned()
    };
    format!(
        "{{\"eventVersion\":\"1.08\",\"userIdentity\":{identity},\"eventTime\":\"{time}\",\"eventSource\":\"{service}.amazonaws.com\",\
         \"eventName\":\"{name}\",\"awsRegion\":\"us-east-1\",\"sourceIPAddress\":\"192.0.2.{}\",\"userAgent\":\"APN/1.0 HashiCorp/1.0 \
         Terraform/1.5.2 (+https://www.terraform.io) terraform-provider-aws/5.7.0 aws-sdk-go/1.44.299 (go1.19.8; linux; amd64)\",\
         \"requestParameters\":{{\"name\":\"item-{}\",\"filterSet\":{{\"items\":[{{\"name\":\"vpc-id\",\"valueSet\":{{\"items\":[{{\"value\":\
         \"vpc-{}\"}}]}}}}]}}}},\"responseElements\":{answer},\"requestID\":\"{}\",\"eventID\":\"{}-{}-4{}-a{}-{}\",\"readOnly\":true,\
         \"eventType\":\"AwsApiCall\",\"managementEvent\":true,\"recipientAccountId\":\"{account}\",\"eventCategory\":\"Management\",\
         \"tlsDetails\":{{\"tlsVersion\":\"TLSv1.2\",\"cipherSuite\":\"ECDHE-RSA-AES128-GCM-SHA256\",\"clientProvidedHostHeader\":\
         \"{service}.us-east-1.amazonaws.com\"}}}}",
        keys.below(256),
        keys.below(5000),
        keys.hex(17),
        keys.hex(32),
        keys.hex(8),
        keys.hex(4),
        keys.hex(3),
        keys.hex(3),
        keys.hex(12),
    )
}
