//! Escaping for terminals: nothing that steers one is left, and nothing else is touched.

use std::borrow::Cow;
use std::sync::OnceLock;

use keysieve::report::escape;
use regex::Regex;

/// Escapes an input in every way.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let escaped = escape::terminal(&text);
    calm(&escaped);
    assert_eq!(escape::terminal(&escaped), escaped, "once is enough");
    assert_eq!(escape::terminal_bytes(data), escaped);
    let is_safe = !text.chars().any(escape::is_unsafe);
    assert_eq!(is_safe, matches!(escaped, Cow::Borrowed(_)));
    if is_safe {
        assert_eq!(escaped, text);
    }
    assert_eq!(read_back(&text, &escaped), Some(()), "something was lost");

    let lines = escape::terminal_lines(&text);
    assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
    lines.split('\n').for_each(calm);
    static COMMAND: OnceLock<Regex> = OnceLock::new();
    let command =
        COMMAND.get_or_init(|| Regex::new(r"^\s*::([^:]|$)|##[A-Za-z]*\[").expect("a regex"));
    for (line, original) in lines.split('\n').zip(text.split('\n')) {
        let plain = escape::terminal(original);
        assert!(!command.is_match(line), "{line}");
        assert_eq!(command.is_match(&plain), line != plain);
        assert_eq!(read_back(&plain, line), Some(()), "something was lost");
    }
}

/// Panics if `text` holds a control, a separator of lines, or a mark of direction.
pub fn calm(text: &str) {
    static UNSAFE: OnceLock<Regex> = OnceLock::new();
    // By the categories of Unicode, not by the list that is tested.
    let pattern = r"[\p{Cc}\p{Zl}\p{Zp}\u{61c}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2064}\u{2066}-\u{206f}\u{feff}]";
    let is_unsafe = UNSAFE.get_or_init(|| Regex::new(pattern).expect("a regex"));
    let found = is_unsafe.find(text);
    assert!(
        found.is_none(),
        "{:?} in {text:?}",
        found.map(|it| it.as_str())
    );
}

/// Follows the original through its escaped form: each character is there, or one of its escapes.
fn read_back(text: &str, escaped: &str) -> Option<()> {
    let mut rest = escaped;
    for c in text.chars() {
        if let Some(after) = rest.strip_prefix(c) {
            rest = after;
            continue;
        }
        let code = u32::from(c);
        let forms = [
            c.escape_debug().to_string(),
            format!("\\x{code:02x}"),
            format!("\\u{{{code:x}}}"),
        ];
        rest = forms
            .iter()
            .find_map(|form| rest.strip_prefix(form.as_str()))?;
    }
    rest.is_empty().then_some(())
}
