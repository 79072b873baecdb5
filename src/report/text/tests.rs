//! The format, read back.

use super::*;
use crate::report::sample;

/// Key IDs are replaced with words of the same length: the expected text contains none.
fn page(sample: &sample::Sample) -> String {
    let mut out = Vec::new();
    sample.write_with(|report| write(&mut out, report)).unwrap();
    let mut text = String::from_utf8(out).unwrap();
    for (index, finding) in sample.findings.iter().enumerate() {
        if let Some(key_id) = &finding.key_id {
            text = text.replace(key_id, &format!("(the key id of {index:>3}.)"));
        }
    }
    text
}

/// `KEYSIEVE_BLESS=1` writes the golden files anew; look at their diff.
fn assert_golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("KEYSIEVE_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, golden, "{} differs", path.display());
}

#[test]
fn pages_are_those_of_the_golden_files() {
    assert_golden("clean.txt", &page(&sample::Sample::clean()));
    let mut ordinary = sample::Sample::ordinary();
    assert_golden("ordinary.txt", &page(&ordinary));
    ordinary.options.show_accepted = true;
    ordinary.options.color = true;
    ordinary.options.width = Some(120);
    assert_golden("ordinary-wide-colour.txt", &page(&ordinary));
    assert_golden("busy.txt", &page(&sample::Sample::busy()));
}

#[test]
fn hostile_input_cannot_steer_a_terminal_or_forge_a_line() {
    let hostile = sample::Sample::hostile();
    let text = page(&hostile);
    let unsafe_char = |c: char| c != '\n' && escape::is_unsafe(c);
    assert!(!text.contains(unsafe_char), "{text:?}");
    assert_golden("hostile.txt", &text);
}

#[test]
fn secrets_are_shown_on_request_only() {
    let mut sample = sample::Sample::ordinary();
    let secret = sample.findings[0].secret.clone().unwrap();
    let secret = String::from_utf8(secret.expose().to_vec()).unwrap();
    assert!(!page(&sample).contains(&secret));
    sample.options.show_secrets = true;
    assert!(page(&sample).contains(&format!(" = secret: {secret}\n")));
}

#[test]
fn an_incomplete_scan_is_told_even_quietly_and_a_complete_one_is_not() {
    let mut sample = sample::Sample::clean();
    sample.options.quiet = true;
    assert_eq!(page(&sample), "");
    sample.coverage.skip(crate::coverage::Skip::with_detail(
        SkipReason::Unreadable,
        "a/b",
        "Permission denied",
    ));
    let text = page(&sample);
    assert!(text.starts_with("incomplete:"), "{text}");
    assert!(
        text.contains("unreadable: a/b: Permission denied"),
        "{text}"
    );
    sample.coverage.accepted.insert(SkipReason::Unreadable);
    assert!(page(&sample).starts_with("incomplete, as allowed:"));
}
