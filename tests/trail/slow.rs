//! The slow truth of `trail find`: every file is inflated, everything is parsed, and every string is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

/// The answer without a lineage: a line for each event, as [`canonical`] writes it.
pub fn find(directory: &Path, key: &str) -> Vec<String> {
    // By time, ID and text: of several copies the first file.
    let mut found: BTreeMap<(String, String, String), (PathBuf, Value)> = BTreeMap::new();
    for (path, record) in records(directory) {
        if !holds(&record, key) {
            continue;
        }
        let of = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        found
            .entry((of("eventTime"), of("eventID"), record.to_string()))
            .or_insert((path, record));
    }
    let mut ids = BTreeSet::new();
    let mut lines = Vec::new();
    for ((time, id, _), (path, record)) in found {
        if !id.is_empty() && !ids.insert(id.clone()) {
            continue;
        }
        let is_signer = record["userIdentity"]["accessKeyId"] == key;
        let relation = if is_signer { "by" } else { "about" };
        let line = json!({
            "time": time, "id": id, "relation": relation, "key": key, "depth": 0,
            "file": Path::new(".").join(path), "event": redacted(record),
        });
        lines.push(line.to_string());
    }
    lines
}

/// Lines of JSON with their fields in one order, so that equal ones are equal byte for byte.
pub fn canonical(out: &str) -> Vec<String> {
    let line = |line| {
        serde_json::from_str::<Value>(line)
            .expect("a line of JSON")
            .to_string()
    };
    out.lines().map(line).collect()
}

/// The events of an answer.
pub fn events(out: &str) -> Vec<Value> {
    let event = |line| serde_json::from_str::<Value>(line).expect("a line of JSON")["event"].take();
    out.lines().map(event).collect()
}

/// Some of the keys that the records of a folder hold.
pub fn keys(directory: &Path, count: usize) -> Vec<String> {
    let mut keys = BTreeSet::new();
    for (_, record) in records(directory) {
        let key = record["userIdentity"]["accessKeyId"]
            .as_str()
            .unwrap_or_default();
        if key.len() == 20 && (key.starts_with("AKIA") || key.starts_with("ASIA")) {
            keys.insert(key.to_owned());
        }
    }
    let step = keys.len().div_ceil(count).max(1);
    keys.into_iter().step_by(step).collect()
}

/// Returns true if the key is in one of a value's strings, names of fields included, with no letter or digit beside it.
pub fn holds(value: &Value, key: &str) -> bool {
    let in_text = |text: &str| {
        text.match_indices(key).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + key.len()..].chars().next();
            [before, after]
                .iter()
                .flatten()
                .all(|c| !c.is_ascii_alphanumeric())
        })
    };
    match value {
        Value::String(text) => in_text(text),
        Value::Array(values) => values.iter().any(|value| holds(value, key)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| in_text(name) || holds(value, key)),
        _ => false,
    }
}

/// Every record below a folder, with the path of its file in the folder, in order of paths.
fn records(directory: &Path) -> Vec<(PathBuf, Value)> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => directories.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let mut bytes = std::fs::read(&path).expect("a file");
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let packed = std::mem::take(&mut bytes);
            MultiGzDecoder::new(packed.as_slice())
                .read_to_end(&mut bytes)
                .expect("gzip");
        }
        let path = path.strip_prefix(directory).expect("a path below it");
        for document in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
            let Ok(document) = document else { break };
            let mut records = Vec::new();
            unwrap(document, &mut records);
            all.extend(records.into_iter().map(|record| (path.to_owned(), record)));
        }
    }
    all
}

fn unwrap(mut document: Value, records: &mut Vec<Value>) {
    if let Value::Array(items) = document {
        items.into_iter().for_each(|item| unwrap(item, records));
        return;
    }
    for list in ["Records", "Events"] {
        if let Some(Value::Array(items)) = document.get_mut(list).map(Value::take) {
            items.into_iter().for_each(|item| unwrap(item, records));
            return;
        }
    }
    if let Some(text) = document["CloudTrailEvent"].as_str() {
        records.push(serde_json::from_str(text).expect("a record"));
    } else if document["detail"]["eventSource"].is_string() {
        records.push(document["detail"].take());
    } else if document["eventSource"].is_string() && document["eventID"].is_string() {
        records.push(document);
    }
}

fn redacted(value: Value) -> Value {
    let is_secret = |name: &str| {
        ["sessiontoken", "secretaccesskey", "password"].contains(&&*name.to_lowercase())
    };
    match value {
        Value::Array(values) => values.into_iter().map(redacted).collect(),
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| match &value {
                Value::String(text) if is_secret(&name) && !text.is_empty() => {
                    (name, json!("[redacted]"))
                }
                _ => (name, redacted(value)),
            };
            Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>())
        }
        value => value,
    }
}
