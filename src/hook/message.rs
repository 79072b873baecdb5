//! The file with a commit's message, as Git gives it to `commit-msg`.

use bstr::ByteSlice as _;

/// The line below which `git commit --verbose` shows the change.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

/// The part of the file that becomes the message; the change that Git may show below it does not.
///
/// Git explains its line in comments right below it. Without them it is text like other text, and so is what follows.
/// Comments stay: whether they are taken out depends on settings that a hook does not see.
pub fn written_part(file: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut lines = file.lines_with_terminator().peekable();
    while let Some(line) = lines.next() {
        // The mark of a comment is `#` unless `core.commentChar` says otherwise.
        let mark = line.trim_ascii_end().strip_suffix(SCISSORS);
        let is_mark = |mark: &&[u8]| {
            let explains = |next: &&[u8]| next.starts_with(&[mark, b" ".as_slice()].concat());
            !mark.is_empty() && mark.len() <= 4 && lines.peek().is_some_and(explains)
        };
        if mark.as_ref().is_some_and(is_mark) {
            break;
        }
        end += line.len();
    }
    file.get(..end).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_below_the_scissors_is_no_part_of_the_message() {
        let scissors = "# ------------------------ >8 ------------------------\n";
        let file = format!("subject\n# comment\n{scissors}# Do not modify\ndiff --git a b\n");
        assert_eq!(written_part(file.as_bytes()), b"subject\n# comment\n");
        let file = format!("subject\n{scissors}quoted, as with `git commit --file`\n");
        assert_eq!(written_part(file.as_bytes()), file.as_bytes());
        let file = "subject\n\n ------------------------ >8 ------------------------\nmore\n";
        assert_eq!(written_part(file.as_bytes()), file.as_bytes());
        assert_eq!(written_part(b""), b"");
    }
}
