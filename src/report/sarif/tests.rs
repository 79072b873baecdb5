//! The format, read back.

use super::super::sample::{self, HOSTILE, Sample};
use super::*;

fn parsed(sample: &Sample) -> Value {
    sample::parsed(sample, write)
}

/// Holds a log against what the schema and GitHub require of the parts that are written here.
#[track_caller]
fn is_valid(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "keysieve");
    let rules = driver["rules"].as_array().expect("rules");
    for rule in rules {
        has_only(
            rule,
            &[
                "id",
                "shortDescription",
                "fullDescription",
                "help",
                "helpUri",
                "defaultConfiguration",
                "properties",
            ],
        );
    }
    let levels = ["none", "note", "warning", "error"];
    for result in run["results"].as_array().expect("results") {
        has_only(
            result,
            &[
                "ruleId",
                "ruleIndex",
                "level",
                "message",
                "locations",
                "relatedLocations",
                "partialFingerprints",
                "suppressions",
                "properties",
            ],
        );
        assert!(levels.contains(&result["level"].as_str().expect("level")));
        let index = result["ruleIndex"].as_u64().expect("index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        for print in result["partialFingerprints"]
            .as_object()
            .expect("prints")
            .values()
        {
            assert!(print.is_string());
        }
        assert_eq!(result["locations"].as_array().map(Vec::len), Some(1));
        let related = result["relatedLocations"].as_array().expect("related");
        for location in related.iter().chain([&result["locations"][0]]) {
            is_valid_location(location);
        }
        for suppression in result["suppressions"].as_array().expect("suppressions") {
            let kind = suppression["kind"].as_str().expect("kind");
            assert!(["inSource", "external"].contains(&kind));
        }
    }
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
}

#[track_caller]
fn is_valid_location(location: &Value) {
    has_only(location, &["physicalLocation", "message"]);
    let physical = &location["physicalLocation"];
    has_only(physical, &["artifactLocation", "region", "contextRegion"]);
    let uri = physical["artifactLocation"]["uri"].as_str().expect("uri");
    assert!(
        uri.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%:".contains(&byte))
    );
    let region = &physical["region"];
    let number = |name: &str| region[name].as_u64().expect("a number");
    assert!(number("startLine") >= 1 && number("startColumn") >= 1);
    assert!(number("endLine") >= number("startLine"));
    assert!(
        number("endLine") > number("startLine") || number("endColumn") >= number("startColumn")
    );
}

#[track_caller]
fn has_only(value: &Value, names: &[&str]) {
    for name in value.as_object().expect("an object").keys() {
        assert!(names.contains(&name.as_str()), "unexpected {name}");
    }
}

fn decoded(uri: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(&tail[..2]).expect("hex");
            bytes.push(u8::from_str_radix(hex, 16).expect("hex"));
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    bytes
}

#[test]
fn a_log_has_the_structure_that_the_schema_requires() {
    for mut sample in [Sample::clean(), Sample::ordinary(), Sample::hostile()] {
        let accepted = sample.findings.iter().filter(|it| it.accepted.is_some());
        let accepted = accepted.count();
        for (is_asked, left_out) in [(false, accepted), (true, 0)] {
            sample.options.include_accepted = is_asked;
            let log = parsed(&sample);
            is_valid(&log);
            assert_eq!(
                log["runs"][0]["results"].as_array().map(Vec::len),
                Some(sample.findings.len() - left_out)
            );
            // They stay counted.
            let summary = &log["runs"][0]["properties"]["summary"];
            assert_eq!(summary["accepted"], accepted);
        }
        // For a look with the published schema and other people's programs.
        if let Some(dir) = std::env::var_os("KEYSIEVE_TEST_KEEP") {
            let name = format!("{}.sarif", sample.findings.len());
            let path = std::path::Path::new(&dir).join(name);
            std::fs::write(path, sample::written(&sample, write)).expect("a file");
        }
    }
}

#[test]
fn hostile_paths_come_back_byte_for_byte_and_names_of_people_do_not() {
    let mut hostile = Sample::hostile();
    hostile.options.include_accepted = true;
    let log = parsed(&hostile);
    for (result, path) in log["runs"][0]["results"]
        .as_array()
        .expect("results")
        .iter()
        .zip(HOSTILE)
    {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(decoded(place["uri"].as_str().expect("uri")), *path);
        assert_eq!(place["uriBaseId"], "%SRCROOT%");
        assert!(
            !result["message"]["text"]
                .as_str()
                .expect("text")
                .contains("[click](")
        );
    }
    let text = parsed(&Sample::ordinary()).to_string();
    assert!(!text.contains("Ada") && !text.contains('@'));
}

#[test]
fn a_path_below_the_root_is_relative_whatever_was_typed() {
    let mut place = sample::place("/home/ada/repo/src/a.env", 1, 1, true);
    place.object = None;
    place.file = Some("src/a.env".into());
    assert_eq!(
        artifact(&PlaceRow::new(&place, true)),
        json!({ "uri": "src/a.env", "uriBaseId": "%SRCROOT%" })
    );
}

#[test]
fn absolute_paths_are_addresses_of_files() {
    let artifact = |path: &str| {
        let mut place = sample::place(path, 1, 1, true);
        place.object = None;
        artifact(&PlaceRow::new(&place, true))
    };
    assert_eq!(artifact("/tmp/a b"), json!({ "uri": "file:///tmp/a%20b" }));
    assert_eq!(artifact("C:\\x\\y"), json!({ "uri": "file:///C:/x/y" }));
    assert_eq!(
        artifact("././a"),
        json!({ "uri": "a", "uriBaseId": "%SRCROOT%" })
    );
}

#[test]
fn paths_of_git_stay_below_the_root() {
    for (path, uri) in [
        ("a b", "a%20b"),
        ("..a/.git/b..", "..a/.git/b.."),
        ("/etc/x", "%25/etc/x"),
        ("C:/x", "C%3A/x"),
        ("../..", "%252E%252E/%252E%252E"),
        ("a/./b//c", "a/%252E/b//c"),
    ] {
        let mut place = sample::place(path, 1, 1, true);
        place.object = Some((
            crate::provenance::ObjectKind::Blob,
            gix::ObjectId::null(gix::hash::Kind::Sha1),
        ));
        let expected = json!({ "uri": uri, "uriBaseId": "%SRCROOT%" });
        assert_eq!(artifact(&PlaceRow::new(&place, true)), expected, "{path}");
    }
}

#[test]
fn an_incomplete_scan_is_not_a_successful_one() {
    let log = parsed(&Sample::hostile());
    let run = &log["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let told = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .expect("told");
    assert_eq!(told.len(), HOSTILE.len() + 1);
    assert_eq!(run["properties"]["coverage"]["complete"], false);
    assert_eq!(
        run["properties"]["coverage"]["skipped"]["unreadable"],
        HOSTILE.len()
    );

    let mut sample = Sample::hostile();
    sample.coverage.accepted.insert(SkipReason::Unreadable);
    let log = parsed(&sample);
    assert_eq!(
        log["runs"][0]["invocations"][0]["executionSuccessful"],
        true
    );
}

#[test]
fn skips_beyond_the_kept_ones_are_told_by_number() {
    let mut sample = Sample::clean();
    sample.coverage.skipped.insert(SkipReason::Corrupt, 7);
    let log = parsed(&sample);
    let told = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(told[0]["message"]["text"], "not read (corrupt): 7 more");
}

#[test]
fn accepted_findings_are_suppressed_and_the_others_say_that_they_are_not() {
    let mut sample = Sample::ordinary();
    sample.options.include_accepted = true;
    let log = parsed(&sample);
    let results = &log["runs"][0]["results"];
    assert_eq!(results[0]["suppressions"], json!([]));
    assert_eq!(results[2]["suppressions"][0]["kind"], "external");
    assert_eq!(
        results[2]["suppressions"][0]["justification"],
        "revoked in March"
    );
}

#[test]
fn the_halves_and_the_other_places_are_related_locations() {
    let log = parsed(&Sample::ordinary());
    let related = log["runs"][0]["results"][0]["relatedLocations"]
        .as_array()
        .expect("related")
        .clone();
    assert_eq!(related.len(), 2);
    assert_eq!(related[0]["message"]["text"], "its key ID");
    assert_eq!(
        related[1]["physicalLocation"]["artifactLocation"]["uri"],
        "deploy/legacy.env"
    );
}

#[test]
fn the_line_hash_is_the_one_of_the_codeql_action() {
    // Vectors from the tests of that action.
    assert_eq!(line_hash(""), "c129715d7a2bc9a3:1");
    assert_eq!(line_hash(" d"), "a23a3dc5e078b07b:1");
    assert_eq!(line_hash(" End"), "e6ceba753e1a442:1");
    assert_eq!(line_hash(" a\nb\n  \t\tc\n d"), "271789c17abda88f:1");
    assert_ne!(line_hash("ks1:00"), line_hash("ks1:01"));
    assert_eq!(line_hash(" a\tb"), line_hash("ab"));
}

#[test]
fn it_refuses_to_show_secrets() {
    sample::refuses_secrets(write);
}
