//! A case for a terminal.

use std::io;

use super::view::{Row, View};
use crate::report::escape;
use crate::text::width;

/// Writes the case.
pub fn write(out: &mut dyn io::Write, view: &View) -> io::Result<()> {
    let mut lines = vec![view.headline.clone()];
    for section in &view.sections {
        lines.push(String::new());
        lines.push(format!("{}   {}", section.name, section.title));
        rows(&mut lines, &section.rows);
    }
    lines.push(String::new());
    lines.push(view.limits_title.clone());
    rows(&mut lines, &view.limits);
    lines.push(String::new());
    lines.extend(view.foot.iter().cloned());
    for line in lines {
        writeln!(out, "{}", escape::inert(&escape::terminal(&line)))?;
    }
    Ok(())
}

fn rows(lines: &mut Vec<String>, rows: &[Row]) {
    let width = rows
        .iter()
        .map(|row| width::of(&row.label))
        .max()
        .unwrap_or_default();
    for row in rows {
        for (index, line) in row.lines.iter().enumerate() {
            let label = if index == 0 { row.label.as_str() } else { "" };
            let pad = " ".repeat(width - width::of(label));
            lines.push(format!("  {label}{pad}  {line}"));
        }
    }
}
