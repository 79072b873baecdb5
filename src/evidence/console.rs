//! The table that the console of CloudTrail downloads. AWS documents no header, so columns are found by several names.

use serde_json::{Value, json};

use super::Error;
use crate::text::date;

/// A field, and the names of its column in letters alone.
const COLUMNS: [(&str, &[&str]); 9] = [
    ("eventTime", &["eventtime", "eventtimeutc", "time"]),
    ("eventName", &["eventname"]),
    (
        "accessKeyId",
        &["awsaccesskey", "awsaccesskeyid", "accesskey", "accesskeyid"],
    ),
    ("eventID", &["eventid"]),
    ("userName", &["username", "user"]),
    ("eventSource", &["eventsource", "service"]),
    ("awsRegion", &["awsregion", "region"]),
    (
        "sourceIPAddress",
        &["sourceipaddress", "sourceip", "ipaddress"],
    ),
    ("errorCode", &["errorcode", "error"]),
];

/// Columns without which a table is something else: the first three.
const NEEDED: usize = 3;

/// Returns true if a text begins with such a header.
pub(super) fn is_table(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().from_reader(line);
    reader.headers().is_ok_and(|header| {
        let places = places(header);
        places[..NEEDED].iter().all(Option::is_some)
    })
}

/// Reads the table as records of CloudTrail with the fields that it has.
pub(super) fn read(text: &[u8]) -> Result<Vec<Value>, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let damaged =
        |error: csv::Error| Error::Damaged(format!("the table of events cannot be read: {error}"));
    let header = reader.headers().map_err(damaged)?;
    let (width, places) = (header.len(), places(header));
    let mut events = Vec::new();
    for row in reader.records() {
        let row = row.map_err(damaged)?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |name: &str| {
            let at = COLUMNS
                .iter()
                .position(|(found, _)| *found == name)
                .and_then(|at| places[at]);
            at.and_then(|at| row.get(at))
                .map(str::trim)
                .unwrap_or_default()
                .to_owned()
        };
        let time = cell("eventTime");
        let time = date::moment(&time).or_else(|| date::spoken_moment(&time));
        let Some(time) = time.filter(|_| row.len() == width) else {
            let what = format!(
                "line {line} of the table of events is not whole, or its time is not understood"
            );
            return Err(Error::Damaged(what));
        };
        let mut event = json!({
            "eventTime": date::rfc3339(time), "eventName": cell("eventName"), "eventID": cell("eventID"), "eventSource": cell("eventSource"),
            "awsRegion": cell("awsRegion"), "sourceIPAddress": cell("sourceIPAddress"),
            "userIdentity": {"userName": cell("userName"), "accessKeyId": cell("accessKeyId")},
        });
        let error = cell("errorCode");
        if !error.is_empty() {
            event["errorCode"] = Value::String(error);
        }
        events.push(event);
    }
    Ok(events)
}

fn places(header: &csv::StringRecord) -> Vec<Option<usize>> {
    let header: Vec<String> = header
        .iter()
        .map(|name| {
            name.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_lowercase()
        })
        .collect();
    COLUMNS
        .iter()
        .map(|(_, names)| {
            header
                .iter()
                .position(|found| names.contains(&found.as_str()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_any_of_their_names() {
        let id = ["AKIA", "RZPUZDIKGB2VALC6"].concat();
        for head in [
            "\u{feff}Event ID,Event time,User name,Event name,AWS access key,Source IP address,AWS region,Event source,Error code",
            "EventId,EventTime,Username,EventName,AccessKeyId,SourceIPAddress,Region,EventSource,ErrorCode",
        ] {
            assert!(is_table(head.as_bytes()), "{head}");
            let text = format!(
                "{head}\ne1,\"July 10, 2023, 21:31:14 (UTC+09:00)\",deploy,RunInstances,{id},192.0.2.1,us-east-1,ec2.amazonaws.com,AccessDenied\n"
            );
            let events = read(text.as_bytes()).expect("events");
            assert_eq!(events[0]["eventTime"], "2023-07-10T12:31:14Z");
            assert_eq!(events[0]["userIdentity"]["accessKeyId"], id);
            assert_eq!(events[0]["errorCode"], "AccessDenied");
            assert!(read(text.replace("July", "Foo").as_bytes()).is_err());
            assert!(read(&text.as_bytes()[..text.len() - 20]).is_err());
        }
        assert!(!is_table(b"a,b,c\n"));
        assert!(!is_table(b""));
    }
}
