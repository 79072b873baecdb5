//! A plan as files: programs for a shell, words for people, and a draft of the answer to AWS.

mod reply;
mod shell;

use std::io;

use super::case::{self, View};
use super::markdown::inert;
use crate::text::words::Lang;
use crate::triage::Case;
use crate::triage::plan::Plan;

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFile {
    /// Its name.
    pub name: String,
    /// Content of the file.
    pub text: String,
}

/// The files of a plan for the keys of `case`, which are all of one account.
pub fn files(plan: &Plan, case: &Case, lang: Lang) -> io::Result<Vec<PlanFile>> {
    let file = |name: String, text: String| PlanFile { name, text };
    let mut files = vec![file("README.md".to_owned(), readme(plan, case, lang))];
    files.push(file("00-check.sh".to_owned(), shell::check(plan, lang)));
    for step in &plan.steps {
        files.push(file(format!("{}.sh", step.id), shell::step(step, lang)));
    }
    let view = View::new(case, lang);
    for (name, write) in [
        (
            "report.md",
            case::write_markdown as fn(&mut dyn io::Write, &View) -> io::Result<()>,
        ),
        ("report.html", case::write_html),
    ] {
        let mut text = Vec::new();
        write(&mut text, &view)?;
        files.push(file(
            name.to_owned(),
            String::from_utf8_lossy(&text).into_owned(),
        ));
    }
    let mut json = Vec::new();
    case::write_json(&mut json, case)?;
    files.push(file(
        "case.json".to_owned(),
        String::from_utf8_lossy(&json).into_owned(),
    ));
    files.push(file(
        "support-reply.txt".to_owned(),
        reply::text(plan, case, lang),
    ));
    Ok(files)
}

fn readme(plan: &Plan, case: &Case, lang: Lang) -> String {
    let word = |code: &str| lang.word(&format!("readme.{code}"));
    let account = plan.account_id.as_deref().unwrap_or("?");
    let mut text = format!(
        "# {}\n\n",
        lang.say("readme.title", &[("account", account)])
    );
    for key in &case.keys {
        let owner = key.owner.name.as_deref().unwrap_or(key.owner.kind);
        text.push_str(&format!(
            "- `{}` ({}): {}\n",
            key.key_id,
            key.priority.level,
            inert(owner)
        ));
    }
    for code in ["who", "how", "order"] {
        text.push_str(&format!("\n{}\n", word(code)));
    }
    text.push_str(&format!(
        "\n| | |\n|---|---|\n| `00-check.sh` | {} |\n",
        lang.word("step.00-check")
    ));
    for step in &plan.steps {
        let about = lang.word(&format!("step.{}", step.id));
        text.push_str(&format!("| `{}.sh` | {about} |\n", step.id));
    }
    for name in [
        "report.md",
        "report.html",
        "support-reply.txt",
        "case.json",
        "evidence.sha256",
    ] {
        text.push_str(&format!(
            "| `{name}` | {} |\n",
            lang.word(&format!("file.{name}"))
        ));
    }
    text.push_str(&format!("\n{}\n", word("again")));
    text
}
