//! Changes that change no answer: order of keys, names, types and calls around values, quotes, indentation,
//! other lines between. From random trees; a failure prints its text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::tree::{self, MODELS, MORE_NAMINGS, Model, NAMINGS, Naming, Pair, Tree};
use super::write::{MORE, NOTATIONS, Notation, Style};
use super::{Finding, Joiner, errors};
use crate::support::{Keys, TestRepo};

/// Number of random trees that each law is held to.
const ROUNDS: u64 = 300;

/// A random tree in a notation.
#[derive(Clone)]
struct Sample {
    pairs: Vec<Pair>,
    naming: Naming,
    tree: Tree,
    notation: Notation,
    style: Style,
}

impl Sample {
    fn new(keys: &mut Keys) -> Self {
        let namings = [&NAMINGS[..], &MORE_NAMINGS].concat();
        let models: Vec<Model> = MODELS.iter().map(|(_, model)| *model).collect();
        let models = [&models[..], &[tree::sections]].concat();
        loop {
            let pairs = tree::pairs(1 + keys.below(5), keys);
            let naming = namings[keys.below(namings.len())];
            let tree = models[keys.below(models.len())](&pairs, naming);
            let all = [&NOTATIONS[..], &MORE].concat();
            let notation = all[keys.below(all.len())];
            let style = Style::default();
            if (notation.write)(&tree, style).is_some() {
                return Self {
                    pairs,
                    naming,
                    tree,
                    notation,
                    style,
                };
            }
        }
    }

    fn text(&self) -> Option<String> {
        (self.notation.write)(&self.tree, self.style)
    }
}

/// Holds random samples to a law: `change` gives the text whose joins must be those of the sample's pairs, or
/// `None` where the notation has no such change.
#[track_caller]
fn law(seed: u64, change: impl Fn(&mut Sample, &mut Keys) -> Option<String>) {
    let mut joiner = Joiner::new();
    let (mut held, mut faults): (u64, Vec<(String, String)>) = (0, Vec::new());
    for round in 0.. {
        let mut keys = Keys::new(seed * 10_000 + round);
        let mut sample = Sample::new(&mut keys);
        let Some(text) = change(&mut sample, &mut keys) else {
            assert!(round < ROUNDS * 20, "few samples can be changed");
            continue;
        };
        let found = joiner.findings(text.as_bytes());
        if found != errors(&sample.pairs) {
            faults.push((text, fault(&sample, &found)));
        }
        held += 1;
        if held == ROUNDS {
            break;
        }
    }
    // The shortest texts say most.
    faults.sort_by_key(|(text, _)| text.len());
    let mut report = format!("{} of {ROUNDS} do not hold\n", faults.len());
    for (text, fault) in faults.iter().take(8) {
        writeln!(report, "{fault}\n{text}").expect("a string takes it");
    }
    assert!(faults.is_empty(), "{report}");
}

/// The notation, and what is missing or too much.
fn fault(sample: &Sample, found: &BTreeSet<Finding>) -> String {
    let want = errors(&sample.pairs);
    let missing: Vec<_> = want.difference(found).collect();
    let more: Vec<_> = found.difference(&want).collect();
    format!(
        "#### {}\n  missing {missing:?}\n  more {more:?}",
        sample.notation.name
    )
}

#[test]
fn any_arrangement_of_one_to_five_people_is_joined() {
    law(1, |sample, _| sample.text());
}

#[test]
fn the_order_of_keys_changes_nothing() {
    law(2, |sample, keys| {
        sample.tree = sample.tree.clone().shuffled(keys);
        sample.text()
    });
}

#[test]
fn names_that_change_in_step_change_nothing() {
    law(3, |sample, keys| {
        const PREFIXES: [&str; 4] = ["", "prod_", "backup_", "my_"];
        const PLACES: [&str; 4] = ["accounts", "users", "cfg", "storage"];
        let people = [
            ["alice", "bob", "carol", "dave", "erin"],
            ["north", "south", "east", "west", "centre"],
            ["u1", "u2", "u3", "u4", "u5"],
            ["dev", "test", "staging", "prod", "demo"],
        ];
        let (prefix, place) = (PREFIXES[keys.below(4)], PLACES[keys.below(4)]);
        let others = people[keys.below(people.len())];
        let rename = |name: &str| {
            let mut name = match name {
                "accounts" => place.to_owned(),
                _ => name.to_owned(),
            };
            for (person, other) in people[0].iter().zip(others) {
                name = match name.strip_prefix(person) {
                    Some(rest) => format!("{other}{rest}"),
                    None => name,
                };
            }
            format!("{prefix}{name}")
        };
        sample.tree = sample.tree.clone().renamed(&rename);
        sample.text()
    });
}

#[test]
fn types_and_calls_around_the_values_change_nothing() {
    law(4, |sample, keys| {
        let wraps = sample.notation.wraps;
        if wraps.is_empty() {
            return None;
        }
        sample.style.wrap = Some(wraps[keys.below(wraps.len())]);
        sample.text()
    });
}

#[test]
fn quotes_and_indentation_change_nothing() {
    law(5, |sample, keys| {
        const INDENTS: [&str; 5] = ["", " ", "    ", "        ", "\t"];
        sample.style.indent = INDENTS[keys.below(INDENTS.len())];
        if sample.notation.name == "YAML" {
            // There it is structure.
            sample.style.indent = ["  ", "    "][keys.below(2)];
        }
        if sample.notation.has_quotes {
            sample.style.quote = ['"', '\''][keys.below(2)];
        }
        let text = sample.text()?;
        Some(match keys.below(2) {
            0 => text,
            _ => text.replace('\n', "\r\n"),
        })
    });
}

#[test]
fn other_settings_between_change_nothing() {
    law(6, |sample, keys| {
        sample.tree = sample.tree.clone().with_settings(sample.naming, keys);
        sample.text()
    });
}

#[test]
fn remarks_and_empty_lines_between_change_nothing() {
    law(7, |sample, keys| {
        const REMARKS: [&str; 4] = ["see the other page", "---", "TODO: rotate", "x = 1"];
        let (before, behind) = sample.notation.remark?;
        let text = sample.text()?;
        let mut made = String::new();
        for line in text.lines() {
            made.push_str(line);
            made.push('\n');
            for _ in 0..keys.below(3) {
                let remark = REMARKS[keys.below(REMARKS.len())];
                let indent: String = line.chars().take_while(|one| one.is_whitespace()).collect();
                match keys.below(2) {
                    0 => made.push('\n'),
                    _ => made.push_str(&format!("{indent}{before}{remark}{behind}\n")),
                }
            }
        }
        Some(made)
    });
}

#[test]
fn other_text_around_changes_nothing() {
    law(8, |sample, keys| {
        let text = sample.text()?;
        let line = |keys: &mut Keys| {
            let word = keys.text(b"abcdefghijklmnopqrstuvwxyz", 8);
            format!("{word} = {}\n", keys.below(1000))
        };
        let lines =
            |count: usize, keys: &mut Keys| -> String { (0..count).map(|_| line(keys)).collect() };
        let (before, behind) = (keys.below(40), keys.below(40));
        let before = lines(before, keys);
        Some(format!("{before}\n{text}\n{}", lines(behind, keys)))
    });
}

#[test]
fn marks_before_each_line_change_nothing() {
    law(9, |sample, keys| {
        const MARKS: [&str; 6] = ["# ", "+", "-", "> ", " * ", "    "];
        let mark = MARKS[keys.below(MARKS.len())];
        let text = sample.text()?;
        Some(text.lines().map(|line| format!("{mark}{line}\n")).collect())
    });
}

#[test]
fn a_text_in_a_string_of_another_changes_nothing() {
    law(10, |sample, _| {
        let text = sample.text()?;
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        let text = text.replace('\n', "\\n").replace('\t', "\\t");
        Some(format!("{{\"name\": \"notes\", \"body\": \"{text}\"}}\n"))
    });
}

#[test]
fn two_texts_in_one_file_are_joined_each_for_itself() {
    law(11, |sample, keys| {
        let other = Sample::new(keys);
        let fence = |of: &Sample| Some(format!("```{}\n{}```\n", of.notation.ending, of.text()?));
        let text = format!("# One\n\n{}\n# Other\n\n{}", fence(sample)?, fence(&other)?);
        sample.pairs.extend(other.pairs);
        Some(text)
    });
}

#[test]
fn a_text_gives_the_same_as_a_file_as_a_staged_blob_and_in_a_history() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(9);
    let mut expected = BTreeSet::new();
    for at in 0..60 {
        let sample = Sample::new(&mut keys);
        let text = sample.text().expect("a notation that can say it");
        let path = format!("dir{at}/config.{}", sample.notation.ending);
        repo.stage(&path, text);
        for (_, id, secret) in errors(&sample.pairs) {
            expected.insert((path.clone(), id, secret));
        }
    }
    let joins = |args: &[&str]| {
        let json = ["--format", "json", "--show-secrets"];
        let report = repo.keysieve(&[args, &json].concat()).status(1).json();
        let mut joins = BTreeSet::new();
        for finding in report["findings"].as_array().expect("a list") {
            let text = |name: &str| finding[name].as_str().map(str::to_owned);
            for place in finding["places"].as_array().expect("a list") {
                let path = place["path"].as_str().expect("a path").to_owned();
                joins.insert((path, text("key_id"), text("secret_key")));
            }
        }
        joins
    };
    assert_eq!(joins(&["staged"]), expected, "staged");
    assert_eq!(joins(&["scan"]), expected, "as files");
    repo.commit("all of them");
    for at in 0..60 {
        std::fs::remove_dir_all(repo.join(format!("dir{at}"))).expect("it is there");
    }
    assert_eq!(joins(&["history"]), expected, "in the history");
}
