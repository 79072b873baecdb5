//! A case from hostile evidence: it ends, and nothing in it steers a terminal, markup or a shell.
//!
//! An input is documents, each behind a byte 30, and a log behind a byte 31.

use keysieve::aws::cloudtrail::Event;
use keysieve::aws::cloudtrail::record::Splitter;
use keysieve::evidence::{AsOf, Exhibit, documents};
use keysieve::report::case::{self, View};
use keysieve::report::{escape, plan as files};
use keysieve::text::words::Lang;
use keysieve::triage::subject::Subjects;
use keysieve::triage::{Question, assess, plan};

use super::text::expand;

/// Makes a case of an input, and everything that is written of it.
pub fn run(data: &[u8]) {
    let text = expand(data, 1 << 14);
    let (texts, log) = match text.iter().position(|byte| *byte == 31) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text.as_slice(), &[][..]),
    };
    let exhibits: Vec<Exhibit> = texts
        .split(|byte| *byte == 30)
        .filter_map(|text| documents(text).ok())
        .flatten()
        .map(|(as_of, kind)| Exhibit {
            path: "evidence".into(),
            as_of: AsOf {
                time: as_of.unwrap_or(1_700_000_000),
                is_of_file: as_of.is_none(),
            },
            kind,
        })
        .collect();
    let mut events = Vec::new();
    // What comes before the damage counts.
    let _ = Splitter::default().advance(log, |range| {
        events.extend(Event::parse(&log[range]).ok().flatten());
    });
    events.sort_by(|a, b| (&a.time, &a.id).cmp(&(&b.time, &b.id)));
    let mut subjects = Subjects::new();
    for key in events.iter().flat_map(Event::key_ids).take(3) {
        subjects.entry(*key).or_default();
    }
    let case = assess(&Question {
        subjects: &subjects,
        leaked_at: Some(1_700_000_000),
        known: &[],
        exhibits: &exhibits,
        events: &events,
        coverage: None,
        is_bounded: false,
        now: 1_700_100_000,
    });
    assert_eq!(case.keys.len(), subjects.len());
    let lang = if data.len().is_multiple_of(2) {
        Lang::En
    } else {
        Lang::Ja
    };
    let mut shown = Vec::new();
    case::write_text(&mut shown, &View::new(&case, lang)).expect("a vector takes everything");
    calm(&shown);
    for plan in plan::plans(&case) {
        for file in files::files(&plan, &case, lang).expect("vectors take everything") {
            calm(file.text.as_bytes());
            if file.name == "report.html" {
                assert!(!file.text.contains("<script") && !file.text.contains("onerror=\""));
            }
        }
    }
}

fn calm(text: &[u8]) {
    let text = std::str::from_utf8(text).expect("UTF-8");
    let steers = text.chars().find(|c| *c != '\n' && escape::is_unsafe(*c));
    assert_eq!(steers, None);
}
