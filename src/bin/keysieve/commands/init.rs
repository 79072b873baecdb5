//! `keysieve init`: a configuration to begin with.

use std::io::Write as _;
use std::path::Path;

use keysieve::policy::config::discover::{FILE_NAME, is_bare, root_of};
use keysieve::report::escape;

use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::output::say;

/// Everything is a comment: what is not said is as the program does it by itself.
const TEMPLATE: &str = include_str!("init.toml");

const NEXT: &str = "next:\n  \
                    keysieve scan            what is there today\n  \
                    keysieve baseline write  accept it, so that only new findings count\n";

/// In a repository.
const HOOK: &str = "  keysieve hook install    look at every commit before it is made\n";

/// Runs the command.
pub(crate) fn run() -> Result<Exit, Failure> {
    let fail = |what: &Path, error| {
        let message = format!("cannot write {}", what.display());
        Failure::new(Kind::System, message, error)
    };
    let here = Path::new(".");
    let root = root_of(here).map_err(|error| fail(here, error))?;
    if is_bare(&root) {
        let message = format!("{} is a bare repository", root.display());
        return Err(Failure::bare(Kind::Usage, message)
            .hint("its configuration is what HEAD has: write it in a clone, and push"));
    }
    let hook = if root.join(".git").exists() { HOOK } else { "" };
    let path = root.join(FILE_NAME);
    let name = path.display().to_string();
    let name = escape::terminal(&name);
    // A file that is there is never touched, nor what a link points to.
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path);
    let said = match made {
        Ok(mut file) => {
            if let Err(error) = file.write_all(TEMPLATE.as_bytes()) {
                // Half a file would be taken for the user's own.
                let _ = std::fs::remove_file(&path);
                return Err(fail(&path, error));
            }
            format!("wrote {name}\n")
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            format!("{name} is there already and stays as it is\n")
        }
        Err(error) => return Err(fail(&path, error)),
    };
    say(&format!("{said}{NEXT}{hook}"))?;
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use keysieve::policy::config::ConfigFile;

    use super::*;

    #[test]
    fn the_template_sets_nothing_and_every_comment_is_right() {
        let (file, faults) = ConfigFile::parse("t", TEMPLATE);
        assert!(faults.is_empty(), "{faults:?}");
        assert!(file.fail_on.is_none() && file.allow.is_empty());
        // Lines that begin with `#` and no space are settings.
        let lines = TEMPLATE.lines().map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let (file, faults) = ConfigFile::parse("t", &text);
        assert!(faults.is_empty(), "{faults:?}");
        assert!(file.fail_on.is_some() && file.allow.len() == 2 && !file.levels.is_empty());
    }
}
