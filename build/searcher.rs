//! The literals of all built-in rules, and the tables by which the searcher finds them. Which four bytes of a literal
//! it looks for depends on what is common in text: `build/frequencies`, which `examples/frequencies.rs` makes.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::Path;

use crate::literal::fingerprint::{Effort, Model, choose};
use crate::literal::tables::{Entry, GROUP, Group, Tables};
use crate::rules::{Keyword, PACKED, form};

/// Bytes of the text in which the frequencies were counted.
const COUNTED_IN: f32 = 100_000_000.0;

/// Writes `searcher.rs` into `out`: for the keywords of each rule, in the order of the rules.
pub(crate) fn write(out: &Path, keywords: &[Vec<Keyword>]) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build/frequencies");
    println!("cargo:rerun-if-changed=src/engine/literal");
    let mut literals: Vec<Vec<u8>> = Vec::new();
    let mut forms: Vec<String> = Vec::new();
    let mut rules: Vec<Vec<usize>> = Vec::new();
    for (rule, keywords) in keywords.iter().enumerate() {
        for keyword in keywords {
            let known = literals.iter().position(|one| **one == *keyword.bytes);
            let at = known.unwrap_or(literals.len());
            if known.is_none() {
                literals.push(keyword.bytes.to_vec());
                forms.push("Form::Plain".to_owned());
                rules.push(Vec::new());
            }
            let form = form(keyword);
            if form != "Form::Plain" {
                forms[at] = form;
            }
            if rules[at].last() != Some(&rule) {
                rules[at].push(rule);
            }
        }
    }
    for packed in PACKED {
        if literals.iter().all(|one| one != packed) {
            literals.push(packed.to_vec());
            forms.push("Form::Plain".to_owned());
            rules.push(Vec::new());
        }
    }
    let model = Model::new(frequencies(&fs::read("build/frequencies")?)?);
    let choice = choose(&literals, &[], 2 * GROUP, &model, Effort::MUCH);
    let tables = Tables::new(&literals, &choice.fingerprints);
    fs::write(out.join("searcher.rs"), text(&tables, &forms, &rules)?)?;
    Ok(())
}

/// Reads the frequency of runs of four bytes, per byte of text.
fn frequencies(table: &[u8]) -> Result<HashMap<[u8; 4], f32>, Box<dyn Error>> {
    let mut found = HashMap::new();
    let mut bytes = table.iter().copied();
    let mut run: u32 = 0;
    while let Some(first) = bytes.next() {
        let mut distance = u32::from(first & 0x7f);
        let mut shift = 7;
        let mut last = first;
        while last >= 0x80 {
            last = bytes.next().ok_or("the frequencies are cut off")?;
            distance |= u32::from(last & 0x7f) << shift;
            shift += 7;
        }
        run += distance;
        let level = bytes.next().ok_or("the frequencies are cut off")?;
        let count = (f32::from(level) / 2.0).exp2();
        found.insert(run.to_be_bytes(), count / COUNTED_IN);
    }
    Ok(found)
}

fn text(tables: &Tables, forms: &[String], rules: &[Vec<usize>]) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    let mut literals = Vec::new();
    for (number, (form, rules)) in forms.iter().zip(rules).enumerate() {
        array(&mut text, &format!("RULES_{number}"), "RuleIndex", rules)?;
        literals.push(format!(
            "Literal {{ bytes: Cow::Borrowed(b\"{}\"), form: {form}, rules: Cow::Borrowed(&RULES_{number}) }}",
            tables.literal(number).escape_ascii()
        ));
    }
    let count = literals.len();
    writeln!(
        text,
        "pub(super) static LITERALS: [Literal; {count}] = [{}];",
        literals.join(",\n")
    )?;
    array(&mut text, "TEXT", "u8", &tables.text)?;
    array(&mut text, "ENDS", "u32", &tables.ends)?;
    array(&mut text, "KNOWN", "u64", &tables.known)?;
    array(&mut text, "SLOTS", "u32", &tables.slots)?;
    // Both print as they are written.
    let entries: &[Entry] = &tables.entries;
    array(&mut text, "ENTRIES", "Entry", entries)?;
    let groups: &[Group] = &tables.groups;
    array(&mut text, "GROUPS", "Group", groups)?;
    writeln!(
        text,
        "pub(super) static TABLES: Tables = Tables {{ text: Cow::Borrowed(&TEXT), ends: Cow::Borrowed(&ENDS), \
         known: Cow::Borrowed(&KNOWN), slots: Cow::Borrowed(&SLOTS), entries: Cow::Borrowed(&ENTRIES), \
         groups: Cow::Borrowed(&GROUPS), longest: {}, reach: {} }};",
        tables.longest, tables.reach
    )?;
    Ok(text)
}

/// Appends a constant array of things that print as they are written.
fn array<T: Debug>(text: &mut String, name: &str, of: &str, items: &[T]) -> std::fmt::Result {
    let count = items.len();
    writeln!(text, "static {name}: [{of}; {count}] = {items:?};")
}
