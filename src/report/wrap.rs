//! Prose in the width of a terminal.

use crate::text::width;

/// Breaks `text` into lines at spaces; `first` and `rest` columns are taken on the first line and the others.
pub fn lines(text: &str, width: usize, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = first;
    for word in text.split(' ') {
        let length = width::of(word);
        let is_empty = lines.last().is_none_or(String::is_empty);
        if used + length + usize::from(!is_empty) > width && !(is_empty && lines.len() > 1) {
            lines.push(String::new());
            used = rest;
        }
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_at_spaces_and_long_words_stay_whole() {
        assert_eq!(lines("aa bb cc", 6, 0, 2), ["aa bb", "cc"]);
        assert_eq!(lines("aaaaaaaa bb", 4, 2, 2), ["", "aaaaaaaa", "bb"]);
        assert_eq!(lines("", 4, 0, 0), [""]);
    }
}
