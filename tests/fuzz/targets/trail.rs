//! CloudTrail logs: cut into records in any pieces, searched and parsed alike, and printed as JSON that steers nothing;
//! indexes of them.

use std::collections::BTreeSet;

use keysieve::aws::cloudtrail::record::Splitter;
use keysieve::aws::cloudtrail::{Event, GivenSearcher, Hit, KeySearcher, Lineage, json};
use keysieve::evidence::trail::Index;

use super::text::expand;

/// Reads an input as the size of the pieces and a log, and as an index.
pub fn run(data: &[u8]) {
    let Some((size, rest)) = data.split_first() else {
        return;
    };
    let text = expand(rest, 1 << 16);
    let mut whole = Splitter::default();
    let mut records: Vec<Vec<u8>> = Vec::new();
    let end = whole.advance(&text, |range| records.push(text[range].to_vec()));
    let in_pieces = pieces(&text, usize::from(*size) + 1);
    assert_eq!(in_pieces.0, records, "the same records in pieces");
    assert_eq!(in_pieces.1, end.is_ok(), "the same damage in pieces");
    let searcher = KeySearcher::new();
    let mut events = Vec::new();
    for record in &records {
        events.extend(event(&searcher, record));
    }
    let keys = events.iter().flat_map(Event::key_ids).copied().take(3);
    let mut lineage = Lineage::new(keys.collect::<BTreeSet<_>>());
    for _ in 0..2 {
        events.iter().for_each(|event| lineage.learn(event));
    }
    for event in &events {
        if event
            .signer()
            .is_some_and(|key| lineage.descent(&key).is_some())
        {
            assert!(lineage.relation(event).is_some());
        }
    }
    if let Ok(index) = Index::from_bytes(rest) {
        assert_eq!(Index::from_bytes(&index.to_bytes()), Ok(index));
    }
}

fn pieces(text: &[u8], size: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut splitter, mut buffer, mut records) = (Splitter::default(), Vec::new(), Vec::new());
    for piece in text.chunks(size) {
        buffer.extend_from_slice(piece);
        if splitter
            .advance(&buffer, |range| records.push(buffer[range].to_vec()))
            .is_err()
        {
            return (records, false);
        }
        let done = splitter.forget();
        buffer.drain(..done);
    }
    (records, true)
}

/// Parses a record, and holds what the raw search says of it against its decoded strings.
fn event(searcher: &KeySearcher, record: &[u8]) -> Option<Event> {
    let (mut ids, mut is_escaped) = (BTreeSet::new(), false);
    searcher.each(record, |_, hit| match hit {
        Hit::Id(id) => ids.extend([id]),
        Hit::Escaped => is_escaped = true,
        Hit::Beside(number) => panic!("text {number} was not given"),
    });
    let event = Event::parse(record).ok()??;
    let decoded = event.key_ids();
    // Inside a look-up's event the text is escaped twice; an escape of an escape is only seen when it is decoded.
    let is_nested = memchr::memmem::find(record, b"CloudTrailEvent").is_some();
    if !is_escaped && !is_nested {
        assert!(
            decoded.iter().all(|id| ids.contains(id)),
            "{decoded:?} in {ids:?}"
        );
    }
    for id in decoded.iter().filter(|_| !is_nested).take(3) {
        let mut hits = 0;
        GivenSearcher::new([*id])
            .expect("one ID")
            .each(record, |_| hits += 1);
        assert!(hits > 0, "{id}");
    }
    assert!(!event.text.contains(|c: char| c.is_control()));
    let printed: serde_json::Value = serde_json::from_str(&event.text).expect("JSON");
    assert!(printed.is_object());
    assert_eq!(
        json::printable(&event.text),
        event.text,
        "printed once, printed for good"
    );
    Some(event)
}
