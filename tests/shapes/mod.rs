//! Every shape in which a key pair occurs, in every variant, through every path.
//!
//! The tables beside this file hold one text for each shape. Expectations are exact: what is found, joined how, where.

mod cuts;
mod encodings;
mod layouts;
mod lists;
mod paths;
mod random;
mod template;
mod variant;

use std::sync::Arc;

use keysieve::engine::{self, Engine, Scratch};
use keysieve::rule::RuleSet;

use crate::support::Keys;
use template::{Filled, Part, Row, Shape};
use variant::Case;

/// Printed with every failure; another seed is another set of keys.
const SEED: u64 = 20_26;

const TABLES: &[&str] = &[
    include_str!("python.txt"),
    include_str!("cli.txt"),
    include_str!("shell.txt"),
    include_str!("container.txt"),
    include_str!("ci.txt"),
    include_str!("infrastructure.txt"),
    include_str!("languages.txt"),
    include_str!("data.txt"),
    include_str!("text.txt"),
];

/// All shapes.
fn shapes() -> Vec<Shape> {
    TABLES
        .iter()
        .flat_map(|table| template::parse(table))
        .collect()
}

/// All shapes in all variants.
fn cases(keys: &mut Keys) -> Vec<Case> {
    shapes()
        .iter()
        .flat_map(|shape| variant::of(shape, keys))
        .collect()
}

fn engine() -> Engine {
    Engine::new(Arc::new(RuleSet::builtin()))
}

/// Returns the findings of the engine, in comparable form.
fn found(engine: &Engine, matches: &[engine::Match]) -> Vec<Row> {
    let part = |part: &Option<engine::Part>| -> Part {
        let part = part.as_ref()?;
        let span = (!part.span.is_empty()).then_some((part.span.start, part.span.end));
        Some((
            String::from_utf8_lossy(part.value.expose()).into_owned(),
            span,
        ))
    };
    let mut rows: Vec<Row> = matches
        .iter()
        .map(|found| Row {
            level: found.level.name().to_owned(),
            rule: engine.rules().rules[found.rule].id.to_string(),
            parts: [part(&found.key_id), part(&found.secret), part(&found.token)],
            context: found.context.clone().unwrap_or_default(),
        })
        .collect();
    rows.sort();
    rows
}

/// Gathers what is wrong, so that one run shows all of it.
#[derive(Default)]
struct Wrong {
    cases: usize,
    messages: Vec<String>,
}

impl Wrong {
    /// Compares; where the expectation names no context, any will do.
    fn compare(
        &mut self,
        name: &str,
        expected: &[Row],
        mut found: Vec<Row>,
        in_context: bool,
        text: &Filled,
    ) {
        self.cases += 1;
        let mut expected = expected.to_vec();
        let by_parts =
            |a: &Row, b: &Row| (&a.level, &a.rule, &a.parts).cmp(&(&b.level, &b.rule, &b.parts));
        expected.sort_by(by_parts);
        found.sort_by(by_parts);
        for (at, row) in expected.iter_mut().enumerate() {
            if !in_context || row.context.is_empty() {
                row.context.clear();
                if let Some(found) = found.get_mut(at) {
                    found.context.clear();
                }
            }
        }
        if expected != found {
            let text = String::from_utf8_lossy(&text.bytes);
            let text: String = text.chars().take(600).collect();
            self.messages.push(format!(
                "{name}\n  expected {expected:#?}\n  found {found:#?}\n{text}"
            ));
        }
    }

    #[track_caller]
    fn none(self, at_least: usize) {
        assert!(self.cases >= at_least, "only {} cases", self.cases);
        let names: Vec<&str> = self
            .messages
            .iter()
            .filter_map(|one| one.lines().next())
            .collect();
        assert!(
            self.messages.is_empty(),
            "seed {SEED}: {} of {} are wrong:\n{}\n\n{}",
            self.messages.len(),
            self.cases,
            names.join("\n"),
            self.messages[..self.messages.len().min(200)].join("\n\n")
        );
    }
}

#[test]
fn there_are_all_shapes() {
    let shapes = shapes();
    for number in 1..=99 {
        let number = format!("2.{number} ");
        assert!(
            shapes.iter().any(|shape| shape.title.starts_with(&number)),
            "{number}"
        );
    }
}

#[test]
fn every_shape_and_variant_is_found_in_a_slice() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    for case in cases(&mut Keys::new(SEED)) {
        let matches = engine.scan(&case.filled.bytes, &mut scratch);
        let rows = found(&engine, matches);
        let expected = case.shape.rows(&case.filled);
        wrong.compare(
            &case.name,
            &expected,
            rows,
            case.is_in_context,
            &case.filled,
        );
    }
    wrong.none(2000);
}
