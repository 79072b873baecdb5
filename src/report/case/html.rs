//! A case as one self-contained page: nothing is loaded, and no script runs.

use std::io;

use sha2::{Digest, Sha256};

use super::view::{Row, View};
use crate::report::display;
use crate::text::base64::STANDARD as BASE64;

const STYLE: &str = include_str!("style.css");

/// Writes the case.
pub fn write(out: &mut dyn io::Write, view: &View) -> io::Result<()> {
    // A checkout with CRLF would change the bytes that the browser hashes: it reads them as LF.
    let style = STYLE.replace('\r', "");
    let hash = BASE64.encode(&Sha256::digest(style.as_bytes()));
    write!(
        out,
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n<h1>{}</h1>\n<p>{}</p>\n",
        view.lang.code(),
        markup(&view.title),
        markup(&view.title),
        markup(&view.headline),
    )?;
    for section in &view.sections {
        let class = section.level.to_ascii_lowercase();
        let (name, title) = (markup(&section.name), markup(&section.title));
        writeln!(
            out,
            "<section class=\"{class}\">\n<h2>{name}</h2>\n<p>{title}</p>"
        )?;
        table(out, &section.rows)?;
        writeln!(out, "</section>")?;
    }
    writeln!(out, "<section>\n<h2>{}</h2>", markup(&view.limits_title))?;
    table(out, &view.limits)?;
    writeln!(out, "</section>")?;
    for line in &view.foot {
        writeln!(out, "<p>{}</p>", markup(line))?;
    }
    writeln!(out, "</body>\n</html>")
}

fn table(out: &mut dyn io::Write, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "<table>")?;
    for row in rows {
        let lines: Vec<String> = row.lines.iter().map(|line| markup(line)).collect();
        let (label, lines) = (markup(&row.label), lines.join("<br>"));
        writeln!(
            out,
            "<tr><th scope=\"row\">{label}</th><td>{lines}</td></tr>"
        )?;
    }
    writeln!(out, "</table>")
}

/// Text for an element: one line, no markup, nothing that reorders it.
fn markup(text: &str) -> String {
    crate::report::html::markup(&display::visible(text))
}
