//! Unit tests of the room as a whole, with matches made by hand.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bstr::BString;

use super::*;
use crate::blob::Span;
use crate::coverage::Coverage;
use crate::engine::{Match, Part};
use crate::finding::{Scanned, SnippetLine};
use crate::level::Level;
use crate::policy::Policy;
use crate::rule::compile::RuleSource;
use crate::rule::{AwsRule, Kind, RuleSet};
use crate::secret::Secret;
use crate::text::paths::Base;

/// Two rules of a user's file, in order of their ids; the engine is not asked here.
fn rules() -> RuleSet {
    let rule = |id: &str, description: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\ndescription = \"{description}\"\nadvice = \"Rotate it.\"\n\
             level = \"error\"\nkeywords = [\"QQQQ\"]\nregex = \"(?P<secret>QQQQ)\"\nexamples = [\"QQQQ\"]\n\
             negative_examples = [\"none\"]\n"
        )
    };
    let text = [
        rule("aws-access-key-pair", "A pair. It opens an account."),
        rule("vendor-token", "A vendor's token. It opens the vendor."),
    ]
    .concat();
    let source = RuleSource {
        name: "test",
        text: &text,
    };
    let rules = RuleSet::load(&[source]).expect("well-formed rules");
    let ours = ["aws-access-key-pair", "vendor-token"].map(str::to_owned);
    let mut rules = rules.select(&ours).expect("they were loaded");
    // A user's rule of that id would be none that code decides for.
    rules.rules.to_mut()[0].kind = Kind::Aws(AwsRule::AccessKeyPair);
    rules
}

fn span_of(text: &[u8], piece: &[u8]) -> Span {
    let at = memchr::memmem::find(text, piece).expect("the piece is in the text");
    Span::new(at, at + piece.len())
}

fn part(text: &[u8], piece: &[u8]) -> Part {
    Part {
        span: span_of(text, piece),
        value: Secret::new(piece),
    }
}

fn found(rule: usize, key_id: Option<Part>, secret: Option<Part>, token: Option<Part>) -> Match {
    let spans = [&key_id, &secret, &token].into_iter().flatten();
    let spans: Vec<Span> = spans.map(|part| part.span).collect();
    Match {
        span: Span::new(
            spans.iter().map(|span| span.start).min().unwrap(),
            spans.iter().map(|span| span.end).max().unwrap(),
        ),
        rule,
        level: Level::Error,
        key_id,
        secret,
        token,
        context: None,
        reasons: Vec::new(),
        possible: None,
    }
}

fn build(text: &[u8], matches: &[Match], redact: &[Span]) -> Vec<Finding> {
    let provenance = Provenance::File {
        path: "a.py".into(),
    };
    let blob = Blob {
        bytes: text,
        provenance: &provenance,
    };
    findings_of(blob, matches, redact, &rules(), &Options::default()).findings
}

fn lines(finding: &Finding) -> Vec<(usize, String, Option<String>)> {
    let show = |line: &SnippetLine| {
        let marked = line.mark.map(|(a, b)| line.text[a..b].to_owned());
        (line.number, line.text.clone(), marked)
    };
    finding.first_place().snippet.iter().map(show).collect()
}

/// Sixteen characters of an id with an account in it, and a secret: shapes, not credentials.
fn pair() -> (String, String) {
    let id = ["AK", "IA", "Y34FZKBO", "KMUTVV7A"].concat();
    let secret: String = "aB3/".chars().cycle().take(40).collect();
    (id, secret)
}

#[test]
fn a_pair_becomes_one_finding_with_positions_and_a_redacted_snippet() {
    let (id, secret) = pair();
    let text = format!("s = Session(\n  key=\"{id}\",\n  sec=\"{secret}\",\n)\nrest\n");
    let text = text.as_bytes();
    let mut one = found(
        0,
        Some(part(text, id.as_bytes())),
        Some(part(text, secret.as_bytes())),
        None,
    );
    one.context = Some("boto3 call".to_owned());
    let findings = build(text, &[one], &[]);
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!(finding.account_id.as_deref(), Some("609629065308"));
    assert_eq!(
        finding.message,
        format!("AWS access key {id} of account 609629065308 with its secret, in a boto3 call")
    );
    let place = finding.first_place();
    let key_id = place.key_id.unwrap();
    assert_eq!((key_id.line, key_id.column), (2, 8));
    assert_eq!((key_id.end_line, key_id.end_column), (2, 28));
    assert_eq!(place.secret, Some(place.position));
    assert_eq!((place.position.line, place.position.column), (3, 8));
    assert_eq!(
        lines(finding),
        [
            (1, "s = Session(".to_owned(), None),
            (2, format!("  key=\"{id}\","), Some(id.clone())),
            (
                3,
                "  sec=\"[secret]\",".to_owned(),
                Some("[secret]".to_owned())
            ),
            (4, ")".to_owned(), None),
        ]
    );
}

#[test]
fn candidates_repetitions_and_neighbours_are_cut_from_a_snippet() {
    let (id, secret) = pair();
    let other = "Zz9+".repeat(10);
    let text = format!("# was {other}\n{id} {secret} # copy: {secret}\n# {secret}\n");
    let text = text.as_bytes();
    let one = found(
        0,
        Some(part(text, id.as_bytes())),
        Some(part(text, secret.as_bytes())),
        None,
    );
    let findings = build(text, &[one], &[span_of(text, other.as_bytes())]);
    let shown: Vec<String> = lines(&findings[0]).into_iter().map(|line| line.1).collect();
    assert_eq!(
        shown,
        [
            "# was [secret]".to_owned(),
            format!("{id} [secret] # copy: [secret]"),
            "# [secret]".to_owned()
        ]
    );
}

#[test]
fn a_secret_over_many_lines_leaves_no_line_of_itself() {
    let body: String = (0..20)
        .map(|n| format!("LINE{n:02}{}\n", "x".repeat(58)))
        .collect();
    let text = format!("a\nBEGIN\n{body}END\nb\n");
    let text = text.as_bytes();
    let one = found(1, None, Some(part(text, body.as_bytes())), None);
    let findings = build(text, &[one], &[]);
    let shown = format!("{:?}", findings[0].first_place().snippet);
    assert!(!shown.contains("LINE"), "{shown}");
    assert!(shown.contains("BEGIN") && shown.contains("END"), "{shown}");
    assert!(shown.matches("[secret]").count() <= 2, "{shown}");
}

#[test]
fn utf_16_is_shown_as_text() {
    let (id, secret) = pair();
    for little in [true, false] {
        let encode = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16();
            units
                .flat_map(|unit| match little {
                    true => unit.to_le_bytes(),
                    false => unit.to_be_bytes(),
                })
                .collect()
        };
        let text = encode(&format!(
            "\u{feff}eins\r\nkey={id}\r\nsec={secret}\r\nvier\r\n"
        ));
        let one = found(
            0,
            Some(part(&text, &encode(&id))),
            Some(part(&text, &encode(&secret))),
            None,
        );
        let shown = lines(&build(&text, &[one], &[])[0]);
        assert_eq!(shown[0], (1, "eins".to_owned(), None));
        assert_eq!(shown[1], (2, format!("key={id}"), Some(id.clone())));
        assert_eq!(shown[2].1, "sec=[secret]");
        assert_eq!(shown[3], (4, "vier".to_owned(), None));
    }
}

#[test]
fn a_dense_line_is_cut_to_what_is_listed_and_the_rest_counted() {
    let (id, secret) = pair();
    let row = format!("{{\"k\":\"{id}\",\"s\":\"{secret}\"}},é");
    let text = row.repeat(5000);
    let text = text.as_bytes();
    let matches: Vec<Match> = (0..5000)
        .map(|n| {
            let mut one = found(
                0,
                Some(part(row.as_bytes(), id.as_bytes())),
                Some(part(row.as_bytes(), secret.as_bytes())),
                None,
            );
            let shift =
                |span: Span| Span::new(span.start + n * row.len(), span.end + n * row.len());
            one.span = shift(one.span);
            for part in [&mut one.key_id, &mut one.secret].into_iter().flatten() {
                part.span = shift(part.span);
            }
            one
        })
        .collect();
    let options = Options {
        max_findings: 4000,
        ..Options::default()
    };
    let provenance = Provenance::File { path: "a".into() };
    let blob = Blob {
        bytes: text,
        provenance: &provenance,
    };
    let built = findings_of(blob, &matches, &[], &rules(), &options);
    assert_eq!((built.findings.len(), built.beyond), (4000, 1000));
    let last = built.findings.last().unwrap().first_place();
    let columns = row.chars().count();
    assert_eq!(last.key_id.unwrap().column, 3999 * columns + 7);
    assert!(last.snippet[0].text.chars().count() <= 162);
    assert!(!last.snippet[0].text.contains(&secret));
}

#[test]
fn the_limit_keeps_the_heaviest_and_only_keeps_the_named_rules() {
    let text = b"aaaaaaaa bbbbbbbb cccccccc";
    let mut matches: Vec<Match> = [&text[0..8], &text[9..17], &text[18..26]]
        .iter()
        .map(|piece| found(1, None, Some(part(text, piece)), None))
        .collect();
    matches[0].level = Level::Note;
    let provenance = Provenance::Stdin { path: "-".into() };
    let blob = Blob {
        bytes: text,
        provenance: &provenance,
    };
    let mut options = Options {
        max_findings: 2,
        ..Options::default()
    };
    let built = findings_of(blob, &matches, &[], &rules(), &options);
    let offsets: Vec<usize> = built
        .findings
        .iter()
        .map(|finding| finding.first_place().position.offset)
        .collect();
    assert_eq!((offsets, built.beyond), (vec![9, 18], 1));
    options.only = Some(["aws-access-key-pair".to_owned()].into());
    let built = findings_of(blob, &matches, &[], &rules(), &options);
    assert!(built.findings.is_empty() && built.beyond == 0);
}

#[test]
fn shares_are_joined_and_one_that_is_not_is_told() {
    let engine = Arc::new(Engine::new(Arc::new(rules())));
    let counters = Arc::new(Counters::default());
    let options = Options {
        counters: Arc::clone(&counters),
        excludes: Globs::new(["*.min"]).unwrap(),
        ..Options::default()
    };
    let mut scanner = Scanner::new(Arc::clone(&engine), options.clone());
    let mut shares = [(); 4].map(|()| scanner.clone());
    std::thread::scope(|scope| {
        for worker in &mut shares {
            scope.spawn(|| {
                for n in 0..100 {
                    let path = BString::from(format!("{n}{}", if n == 7 { ".min" } else { "" }));
                    let provenance = Provenance::File { path };
                    let blob = Blob {
                        bytes: b"nothing",
                        provenance: &provenance,
                    };
                    assert!(worker.blob(blob).is_continue());
                }
            });
        }
    });
    scanner.clean(Clean {
        blobs: 3,
        bytes: 5,
        ..Clean::default()
    });
    shares.into_iter().for_each(|share| scanner.join(share));
    let coverage = scanner.finish().coverage;
    assert_eq!((coverage.files, coverage.blobs), (396, 3));
    assert_eq!(coverage.bytes, 396 * 7 + 5);
    assert_eq!(coverage.skipped.get(&SkipReason::Excluded), Some(&4));
    assert!(coverage.is_complete());
    assert_eq!(counters.blobs.load(Ordering::Relaxed), 399);

    let scanner = Scanner::new(engine, options);
    drop(scanner.clone());
    let coverage = scanner.finish().coverage;
    assert_eq!(coverage.skipped.get(&SkipReason::Internal), Some(&1));
}

#[test]
fn findings_beyond_the_limit_of_all_are_counted_and_make_the_scan_incomplete() {
    let engine = Arc::new(Engine::new(Arc::new(rules())));
    let counted = |max_total: usize| {
        let options = Options {
            max_total,
            ..Options::default()
        };
        let mut scanner = Scanner::new(Arc::clone(&engine), options);
        for name in ["a", "b", "c"] {
            let provenance = Provenance::File { path: name.into() };
            let blob = Blob {
                bytes: b"QQQQ",
                provenance: &provenance,
            };
            assert!(scanner.blob(blob).is_continue());
        }
        let outcome = scanner.finish();
        let places: usize = outcome.findings.iter().map(|one| one.places.len()).sum();
        let coverage = outcome.coverage;
        let beyond = coverage.skipped.get(&SkipReason::Findings).copied();
        (places, beyond.unwrap_or(0) as usize, coverage.is_complete())
    };
    let (all, _, _) = counted(1000);
    assert!(all >= 3, "each file has one at least");
    assert_eq!(counted(all), (all, 0, true));
    assert_eq!(counted(all - 1), (all - 1, 1, false));
    assert_eq!(counted(0), (0, all, false));
}

#[test]
fn a_signal_ends_the_scan_and_makes_it_incomplete() {
    let engine = Arc::new(Engine::new(Arc::new(rules())));
    let options = Options::default();
    let stop = Arc::clone(&options.stop);
    let mut scanner = Scanner::new(engine, options);
    stop.store(true, Ordering::Relaxed);
    let provenance = Provenance::File { path: "a".into() };
    let blob = Blob {
        bytes: b"x",
        provenance: &provenance,
    };
    assert!(scanner.blob(blob).is_break());
    assert!(!scanner.finish().coverage.is_complete());
}

#[test]
fn secrets_found_anywhere_are_cut_from_every_string() {
    let (id, secret) = pair();
    let text = format!("{id} {secret}");
    let text = text.as_bytes();
    let one = found(
        0,
        Some(part(text, id.as_bytes())),
        Some(part(text, secret.as_bytes())),
        None,
    );
    let mut findings = build(text, &[one], &[]);
    let place = &mut findings[0].places[0];
    place.path = format!("dir/{secret}/a").into();
    place.snippet[0].text = format!("{secret} {id}");
    place.snippet[0].mark = Some((41, 61));
    let mut scanned = Scanned::new(findings, Coverage::default());
    scanned.skip(Skip::with_detail(
        SkipReason::Unreadable,
        format!("x{secret}"),
        format!("cannot open x{secret}"),
    ));
    let engine = Engine::new(Arc::new(rules()));
    let (judged, _) = Policy::default().judge(scanned.in_place(&Base::Root));
    let outcome = redact(&engine, judged);
    let place = outcome.findings()[0].first_place();
    assert_eq!(place.path, "dir/[secret]/a");
    assert_eq!(place.snippet[0].text, format!("[secret] {id}"));
    assert_eq!(place.snippet[0].mark, Some((9, 29)));
    assert_eq!(outcome.coverage().skips[0].subject, "x[secret]");
    assert_eq!(
        outcome.coverage().skips[0].detail.as_deref(),
        Some("cannot open x[secret]")
    );
}

#[test]
fn a_secret_in_a_path_is_cut_however_its_slashes_were_written() {
    let (id, _) = pair();
    let secret = "ab/cd+ef".repeat(5);
    let text = format!("{id} {secret}");
    let text = text.as_bytes();
    let one = found(
        0,
        Some(part(text, id.as_bytes())),
        Some(part(text, secret.as_bytes())),
        None,
    );
    for (slash, plus) in [("/", "+"), ("_", "-"), ("-", "_"), ("-", "+")] {
        let mut findings = build(text, std::slice::from_ref(&one), &[]);
        let written = secret.replace('/', slash).replace('+', plus);
        findings[0].places[0].path = format!("dir/{written}.env").into();
        let scanned = Scanned::new(findings, Coverage::default());
        let (judged, _) = Policy::default().judge(scanned.in_place(&Base::Root));
        let redacted = redact(&Engine::new(Arc::new(rules())), judged);
        let place = redacted.findings()[0].first_place();
        assert_eq!(place.path, "dir/[secret].env", "{slash} {plus}");
        assert_eq!(place.file.as_ref(), Some(&place.path), "{slash} {plus}");
    }
}

proptest::proptest! {
    /// In any surroundings and with any line breaks no byte of a secret gets into a snippet, and what is marked as the
    /// key id is the key id.
    #[test]
    fn no_secret_gets_into_a_snippet(
        before in "[a-zé日\n\t ]{0,400}",
        between in "[a-zé日\n ]{0,400}",
        after in "[a-z\r\n ]{0,5000}",
        secret_lines in 1usize..4,
        secret_length in 1usize..3000,
        width in 10usize..200,
        context in 0usize..3,
    ) {
        let line = "§".repeat(secret_length / secret_lines + 1);
        let secret = vec![line; secret_lines].join("\n");
        let id = "#".repeat(20);
        let text = format!("{before}{id}{between}{secret}{after}");
        let text = text.as_bytes();
        let one = found(
            0,
            Some(part(text, id.as_bytes())),
            Some(part(text, secret.as_bytes())),
            None,
        );
        let provenance = Provenance::File { path: "a".into() };
        let blob = Blob { bytes: text, provenance: &provenance };
        let options = Options { width, context, ..Options::default() };
        let built = findings_of(blob, &[one], &[], &rules(), &options);
        let snippet = &built.findings[0].first_place().snippet;
        let mut has_id = false;
        for line in snippet {
            proptest::prop_assert!(!line.text.contains('§'), "{}", line.text);
            proptest::prop_assert!(!line.text.contains('\n'));
            proptest::prop_assert!(line.text.chars().count() <= width + 2);
            if let Some((start, end)) = line.mark {
                let marked = line.text.get(start..end);
                proptest::prop_assert!(marked.is_some(), "{:?}", line);
                has_id |= marked.is_some_and(|marked| marked.contains('#'));
            }
        }
        proptest::prop_assert!(has_id);
    }
}
