//! Columns that text takes in a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns the columns of one character: 0 for combining marks, 2 for wide ones. Control characters, which are escaped
/// before they are shown, count as 1.
pub fn of_char(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// Returns the columns of a text. Characters that a terminal joins, as in emoji of several parts, count once.
pub fn of(text: &str) -> usize {
    text.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_of_what_source_files_hold() {
        for (text, columns) in [
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            ("\u{1f511}", 2),
            ("\u{2705}", 2),
            ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", 2),
            ("ﾊﾝｶｸ", 4),
        ] {
            assert_eq!(of(text), columns, "{text}");
        }
        assert_eq!((of_char('a'), of_char('日'), of_char('\u{301}')), (1, 2, 0));
    }
}
