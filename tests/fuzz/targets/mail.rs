//! Mails about keys, as a mail program saves them.

use keysieve::evidence::mail;

use super::text::expand;

/// Reads an input as a mail.
pub fn run(data: &[u8]) {
    let text = expand(data, 1 << 15);
    let Some(notice) = mail::read(&text) else {
        return;
    };
    assert!(!notice.keys.is_empty(), "a notice names a key");
    for (at, key) in notice.keys.iter().enumerate() {
        assert!(
            key.id.len() == 20 || !key.is_whole() && key.id.len() == 14,
            "{}",
            key.id
        );
        assert!(
            notice.keys[..at].iter().all(|other| other.id != key.id),
            "a key twice"
        );
    }
    assert_eq!(mail::read(&text), Some(notice), "the same every time");
}
