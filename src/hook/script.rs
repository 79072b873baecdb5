//! Scripts that are installed, and the marks that distinguish them from others.

use std::path::Path;

use super::{Error, Kind};

/// In a script of ours there is a line with this and the kind after it.
const ID: &str = "# keysieve-hook-id: 7d1c52e0-";

/// The line of a script that the path of the program is put into.
const PROGRAM_LINE: &str = "program=''";

/// Returns the script of a kind, as in `hooks/`.
fn template(kind: Kind) -> &'static str {
    match kind {
        Kind::PreCommit => include_str!("../../hooks/pre-commit"),
        Kind::PreMergeCommit => include_str!("../../hooks/pre-merge-commit"),
        Kind::CommitMsg => include_str!("../../hooks/commit-msg"),
        Kind::PrePush => include_str!("../../hooks/pre-push"),
        Kind::PreReceive => include_str!("../../hooks/pre-receive"),
    }
}

/// The script of a kind with the path of the program filled in; without one it takes the program from PATH.
pub(super) fn script(kind: Kind, program: Option<&Path>) -> Vec<u8> {
    let mut filled = b"program=".to_vec();
    filled.extend(quote(&program.map(path_bytes).unwrap_or_default()));
    let mut text = Vec::new();
    for line in template(kind).lines() {
        if line == PROGRAM_LINE {
            text.extend_from_slice(&filled);
        } else {
            text.extend_from_slice(line.as_bytes());
        }
        text.push(b'\n');
    }
    text
}

/// A path as the shell that runs hooks writes it: with `/`, on Windows too.
fn path_bytes(path: &Path) -> Vec<u8> {
    gix::path::to_unix_separators_on_windows(gix::path::into_bstr(path).unwrap_or_default())
        .into_owned()
        .into()
}

/// Quotes for a POSIX shell.
fn quote(bytes: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in bytes {
        if *byte == b'\'' {
            quoted.extend_from_slice(b"'\\''");
        } else {
            quoted.push(*byte);
        }
    }
    quoted.push(b'\'');
    quoted
}

/// Returns true if a script was written by us, whatever its version.
pub(super) fn is_ours(text: &[u8], kind: Kind) -> bool {
    let id = format!("{ID}{}", kind.name());
    text.split(|byte| *byte == b'\n')
        .any(|line| line.trim_ascii_end() == id.as_bytes())
}

/// The block that husky's script of a kind gets.
fn block(kind: Kind) -> Result<&'static str, Error> {
    match kind {
        Kind::PreCommit => Ok(include_str!("../../hooks/husky/pre-commit")),
        Kind::PreMergeCommit => Ok(include_str!("../../hooks/husky/pre-merge-commit")),
        Kind::CommitMsg => Ok(include_str!("../../hooks/husky/commit-msg")),
        Kind::PrePush => Ok(include_str!("../../hooks/husky/pre-push")),
        Kind::PreReceive => Err(Error::NotWithHusky { kind }),
    }
}

/// `text` with the block in it, once and up to date.
///
/// The block comes first, after what makes the file a script: it must see the standard input that Git
/// gives, and run even if what follows ends with `exec` or `exit`.
pub(super) fn with_block(text: &str, kind: Kind) -> Result<String, Error> {
    let block = block(kind)?;
    let text = without_block(text, kind);
    let mut before = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n').take(5) {
        at += line.len();
        if line.starts_with("#!") || line.contains("/husky.sh") {
            before = at;
        }
    }
    let (head, tail) = text.split_at(before);
    Ok(format!("{head}{block}{tail}"))
}

/// `text` without the block.
pub(super) fn without_block(text: &str, kind: Kind) -> String {
    let name = kind.name();
    let begin = format!("# >>> keysieve 7d1c52e0-{name} >>>");
    let end = format!("# <<< keysieve 7d1c52e0-{name} <<<");
    let mut is_inside = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        is_inside |= line.starts_with(&begin);
        if !is_inside {
            kept.push_str(line);
        }
        is_inside &= line.trim_end() != end;
    }
    kept
}

/// Returns true if the text has the block, of whatever version.
pub(super) fn has_block(text: &str, kind: Kind) -> bool {
    without_block(text, kind) != text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_known_as_ours_and_takes_the_path() {
        for kind in Kind::ALL {
            let text = script(*kind, Some(Path::new("/it's here/keysieve")));
            assert!(is_ours(&text, *kind));
            let line = br"program='/it'\''s here/keysieve'";
            assert!(text.split(|byte| *byte == b'\n').any(|found| found == line));
            assert!(!is_ours(b"#!/bin/sh\nkeysieve staged\n", *kind));
        }
    }

    #[test]
    fn a_block_comes_once_and_goes_without_a_trace() {
        let scripts = [
            "",
            "npm test\n",
            "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\nexec npx lint-staged",
        ];
        for text in scripts {
            let with = with_block(text, Kind::PrePush).expect("a block");
            assert!(has_block(&with, Kind::PrePush) && !has_block(text, Kind::PrePush));
            assert_eq!(with_block(&with, Kind::PrePush).expect("a block"), with);
            assert_eq!(without_block(&with, Kind::PrePush), text);
        }
        let with = with_block(scripts[2], Kind::PreCommit).expect("a block");
        assert!(with.starts_with("#!/usr/bin/env sh\n. "));
        assert!(with.ends_with("exec npx lint-staged"));
    }
}
