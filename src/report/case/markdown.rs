//! A case in Markdown.

use std::io;

use super::view::{Row, View};
use crate::report::markdown::inert;

/// Writes the case.
pub fn write(out: &mut dyn io::Write, view: &View) -> io::Result<()> {
    writeln!(out, "# {}\n", inert(&view.title))?;
    writeln!(out, "{}", inert(&view.headline))?;
    for section in &view.sections {
        writeln!(
            out,
            "\n## {}\n\n{}\n",
            inert(&section.name),
            inert(&section.title)
        )?;
        table(out, &section.rows)?;
    }
    writeln!(out, "\n## {}\n", inert(&view.limits_title))?;
    table(out, &view.limits)?;
    for line in &view.foot {
        writeln!(out, "\n{}", inert(line))?;
    }
    Ok(())
}

fn table(out: &mut dyn io::Write, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "| | |\n|---|---|")?;
    for row in rows {
        let lines: Vec<String> = row.lines.iter().map(|line| inert(line)).collect();
        writeln!(out, "| {} | {} |", inert(&row.label), lines.join("<br>"))?;
    }
    Ok(())
}
