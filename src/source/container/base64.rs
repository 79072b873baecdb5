//! Runs of base64 in a text that hold something packed: EC2 user data, Helm releases.

use crate::text::base64::value;

/// The format as steps name it.
pub(super) const KIND: &str = "base64";

/// Fewer characters hold nothing.
const SHORTEST: usize = 32;

/// Decodes the run that begins at a place; gives where it ends too. It may be broken into lines, by line breaks or by
/// `\\n`, with white space in front of each.
pub(super) fn decode(bytes: &[u8], start: usize) -> Option<(Vec<u8>, usize)> {
    let mut decoded = Vec::new();
    let (mut group, mut count, mut at) = (0_u32, 0, start);
    loop {
        if let Some(value) = bytes.get(at).and_then(|byte| value(*byte)) {
            group = group << 6 | u32::from(value);
            count += 1;
            at += 1;
            if count % 4 == 0 {
                decoded.extend_from_slice(&group.to_be_bytes()[1..]);
                group = 0;
            }
            continue;
        }
        match line_break(bytes, at) {
            Some(next) => at = next,
            None => break,
        }
    }
    match count % 4 {
        2 => decoded.push((group >> 4) as u8),
        3 => decoded.extend_from_slice(&(group >> 2).to_be_bytes()[2..]),
        _ => {}
    }
    (count >= SHORTEST).then_some((decoded, at))
}

/// Returns the place where a run goes on after a line break.
fn line_break(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let is_escape = |rest: &[u8]| rest.starts_with(b"\\n") || rest.starts_with(b"\\r");
    let length = match rest {
        rest if is_escape(rest) => 2 + 2 * usize::from(is_escape(rest.get(2..)?)),
        rest => {
            let space = rest
                .iter()
                .take(200)
                .take_while(|byte| byte.is_ascii_whitespace());
            let length = space.count();
            rest.get(..length)?.contains(&b'\n').then_some(length)?
        }
    };
    value(*rest.get(length)?).map(|_| at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_may_be_broken_into_lines() {
        let text = b"x: aGVsbG8gaGVsbG8gaGVs\n   bG8gaGVsbG8gaGVsbG8\\ngaGVsbG8h\" y";
        let (decoded, end) = decode(text, 3).expect("a run");
        assert_eq!(decoded, b"hello hello hello hello hello hello!");
        assert_eq!(text.get(end), Some(&b'"'));
        assert_eq!(decode(b"aGVsbG8", 0), None);
    }

    #[test]
    fn what_is_left_of_a_group_counts() {
        let text = |tail: &str| format!("{}{tail}", "YWJj".repeat(10));
        for (tail, decoded) in [("", ""), ("ZA==", "d"), ("ZGU=", "de"), ("ZGVm", "def")] {
            let text = text(tail);
            let (found, _) = decode(text.as_bytes(), 0).expect("a run");
            assert_eq!(
                found,
                ["abc".repeat(10).as_bytes(), decoded.as_bytes()].concat()
            );
        }
    }
}
