//! Whatever AWS exports: every reader of a document, recognised by its shape.

use keysieve::evidence::{Kind, documents};

use super::text::expand;

/// Reads an input as a file of evidence.
pub fn run(data: &[u8]) {
    let text = expand(data, 1 << 16);
    let Ok(read) = documents(&text) else {
        return;
    };
    assert!(!read.is_empty(), "a file that was read holds something");
    assert_eq!(
        documents(&text).ok().as_ref(),
        Some(&read),
        "the same every time"
    );
    for (_, kind) in &read {
        match kind {
            Kind::Authorization(details) => {
                for user in details.users.keys() {
                    assert!(details.permissions(user).is_some());
                }
            }
            Kind::Mail(notice) => assert!(!notice.keys.is_empty()),
            Kind::History(events) => {
                for event in events {
                    let text = event.to_string();
                    let event = keysieve::aws::cloudtrail::Event::parse(text.as_bytes());
                    assert!(event.is_ok_and(|event| event.is_some()));
                }
            }
            _ => {}
        }
    }
}
