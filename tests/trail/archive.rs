//! Archives of CloudTrail logs, made up from a seed.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::Keys;

/// An account, a user of it, and events in order of time.
pub struct Log {
    pub keys: Keys,
    pub account: String,
    clock: i64,
    number: u64,
}

impl Log {
    pub fn new(seed: u64) -> Self {
        let mut keys = Keys::new(seed);
        let account = keys.text(b"0123456789", 12);
        Self {
            keys,
            account,
            clock: 1_700_000_000 + (seed as i64 % 1000) * 100_000,
            number: 0,
        }
    }

    /// The ARN of a user.
    pub fn user(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:user/{name}", self.account)
    }

    /// The time of the last event.
    pub fn now(&self) -> String {
        jiff::Timestamp::from_second(self.clock)
            .expect("a time")
            .to_string()
    }

    /// Lets seconds pass.
    pub fn wait(&mut self, seconds: i64) {
        self.clock += seconds;
    }

    /// A call of a user with a key.
    pub fn call(&mut self, user: &str, key: &str, name: &str) -> Value {
        self.clock += 7;
        self.number += 1;
        let tail = self.keys.hex(12);
        json!({
            "eventVersion": "1.08",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": format!("AIDA{}", self.keys.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)),
                "arn": self.user(user),
                "accountId": self.account,
                "accessKeyId": key,
                "userName": user,
            },
            "eventTime": self.now(),
            "eventSource": "iam.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2.15",
            "requestParameters": null,
            "responseElements": null,
            "eventID": format!("00000000-0000-4000-8000-{:06}{}", self.number, &tail[..6]),
            "readOnly": true,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        })
    }

    /// A console sign-in, which has no key.
    pub fn sign_in(&mut self, user: &str) -> Value {
        let mut event = self.call(user, "", "ConsoleLogin");
        event["userIdentity"]
            .as_object_mut()
            .expect("an identity")
            .remove("accessKeyId");
        event
    }
}

/// A delivered file, in the order of fields that CloudTrail writes: `serde_json` alone would sort them.
pub fn delivered(events: &[Value]) -> Vec<u8> {
    let records: Vec<String> = events.iter().map(record).collect();
    format!("{{\"Records\":[{}]}}", records.join(",")).into_bytes()
}

/// A record with `userIdentity` first, and in it the principal before the key.
pub fn record(event: &Value) -> String {
    let mut fields = Vec::new();
    let object = event.as_object().expect("an object");
    let identity = &object["userIdentity"];
    let order = [
        "type",
        "principalId",
        "arn",
        "accountId",
        "accessKeyId",
        "userName",
        "sessionContext",
        "invokedBy",
    ];
    let inner: Vec<String> = order
        .iter()
        .filter_map(|name| Some(format!("\"{name}\":{}", identity.get(*name)?)))
        .collect();
    fields.push(format!("\"userIdentity\":{{{}}}", inner.join(",")));
    for (name, value) in object.iter().filter(|(name, _)| *name != "userIdentity") {
        fields.push(format!("\"{name}\":{value}"));
    }
    format!("{{{}}}", fields.join(","))
}

/// Makes the answer of `lookup-events`.
pub fn looked_up(events: &[Value]) -> Vec<u8> {
    let events: Vec<Value> = events
        .iter()
        .map(|event| json!({"EventId": event["eventID"], "CloudTrailEvent": record(event)}))
        .collect();
    serde_json::to_vec_pretty(&json!({"Events": events, "NextToken": "x"})).expect("JSON")
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("written")
}

/// Writes events below `directory` in all forms that logs have, in files of a few events each.
pub fn write(directory: &Path, events: &[Value], keys: &mut Keys) {
    for (number, chunk) in events.chunks(5).enumerate() {
        let file = |name: &str, bytes: Vec<u8>| {
            let directory = directory.join(format!("AWSLogs/{}", number % 3));
            std::fs::create_dir_all(&directory).expect("a directory");
            std::fs::write(directory.join(format!("{number:04}{name}")), bytes).expect("a file");
        };
        match keys.below(7) {
            0 => file(".json", delivered(chunk)),
            1 => file(".json", looked_up(chunk)),
            2 => {
                let lines: Vec<String> = chunk.iter().map(|event| record(event) + "\n").collect();
                file(".jsonl", lines.concat().into_bytes());
            }
            3 => {
                let wrapped: Vec<String> = chunk
                    .iter()
                    .map(|event| {
                        format!("{{\"source\":\"aws.iam\",\"detail\":{}}}\n", record(event))
                    })
                    .collect();
                file(".jsonl.gz", gzip(&wrapped.concat().into_bytes()));
            }
            4 => {
                let (a, b) = chunk.split_at(chunk.len() / 2);
                file(
                    ".json.gz",
                    [gzip(&delivered(a)), gzip(&delivered(b))].concat(),
                );
            }
            5 => {
                let list: Vec<String> = chunk.iter().map(record).collect();
                file(".json", format!("[{}]\n", list.join(",\n")).into_bytes());
            }
            _ => file(".json.gz", gzip(&delivered(chunk))),
        }
    }
}
