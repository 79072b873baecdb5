//! What several formats need to show text that an attacker may have chosen.

use std::borrow::Cow;
use std::fmt::Write as _;

use bstr::{BStr, ByteSlice as _};

use super::escape;
use crate::commit::{CommitInfo, Departure};
use crate::coverage::{Coverage, Skip, SkipReason};
use crate::finding::{Finding, Place};

/// The text with everything that steers a terminal, a parser or the direction of writing spelled out.
///
/// Line breaks too: what comes back is one line, and every character of it is legal in XML.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if steers(char) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(char));
            }
            _ => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

/// A line of a snippet: tabs are kept as spaces, the rest as [`visible`] has it.
pub(super) fn visible_code(text: &str) -> String {
    visible(&text.replace('\t', "    ")).into_owned()
}

fn steers(char: char) -> bool {
    // The last two are not legal in XML.
    escape::is_unsafe(char) || matches!(char, '\u{fffe}' | '\u{ffff}')
}

/// The path as a person can read it, on one line.
pub(super) fn path(place: &Place) -> String {
    let path = file(place);
    let lossy = path.to_str_lossy();
    let path = lossy.strip_prefix("./").unwrap_or(&lossy);
    visible(path).into_owned()
}

/// The path of the file, for formats that others look files up with.
///
/// What Git holds lies below the root of the repository. Trees made to harm have names such as `..` and `/etc`,
/// which lead elsewhere; those are written as `%2E%2E` and `%/etc`.
pub(super) fn file(place: &Place) -> Cow<'_, BStr> {
    let is_up = |part: &[u8]| matches!(part, b"." | b"..");
    let path = place.path.as_bstr();
    let leads_elsewhere = path.starts_with(b"/") || path.split_str("/").any(is_up);
    if place.object.is_none() || !leads_elsewhere {
        return Cow::Borrowed(path);
    }
    let part = |part: &[u8]| match is_up(part) {
        true => b"%2E".repeat(part.len()),
        false => part.to_vec(),
    };
    let parts: Vec<Vec<u8>> = path.split_str("/").map(part).collect();
    let mut inside = parts.join(&b'/');
    if inside.starts_with(b"/") {
        inside.insert(0, b'%');
    }
    Cow::Owned(inside.into())
}

/// `path:line:column`.
pub(super) fn spot(place: &Place) -> String {
    format!(
        "{}:{}:{}",
        path(place),
        place.position.line,
        place.position.column
    )
}

/// What the list of a finding's places adds to a place that has the key ID of a pair without the secret.
pub(super) fn id_only(finding: &Finding, place: &Place) -> &'static str {
    if finding.is_whole_at(place) {
        ""
    } else {
        " (key ID only)"
    }
}

/// A place in the list of a finding's places.
pub(super) fn listed(finding: &Finding, place: &Place) -> String {
    format!("{}{}", spot(place), id_only(finding, place))
}

/// The day of a commit's date, as its author's clock had it.
pub(super) fn day(date: &str) -> String {
    visible(date.get(..10).unwrap_or(date)).into_owned()
}

/// The first digits of an object id.
pub(super) fn short(id: &gix::ObjectId) -> String {
    id.to_hex_with_len(10).to_string()
}

/// Says which commit brought a finding in, and which took it away:
/// `entered with 0123456789 on 2024-05-01, left HEAD with 89abcdef01 on 2024-05-03`.
pub(super) fn entered(finding: &Finding, commit: &CommitInfo) -> String {
    let left = finding.departure();
    sentence(commit, finding.is_in_head(), left, "left HEAD with")
}

/// The same of one of its places, which may have gone from there while `HEAD` has it elsewhere.
pub(super) fn entered_there(commit: &CommitInfo) -> String {
    let left = commit.left.as_ref();
    sentence(commit, commit.in_head, left, "left that path with")
}

fn sentence(
    commit: &CommitInfo,
    in_head: bool,
    left: Option<&Departure>,
    left_with: &str,
) -> String {
    let state = if in_head {
        "still in HEAD"
    } else if let Some(left) = left {
        let (id, day) = (short(&left.commit_id), day(&left.date));
        &format!("{left_with} {id} on {day}")
    } else if commit.refs.is_empty() {
        "reachable from no branch or tag"
    } else {
        "no longer in HEAD"
    };
    format!(
        "entered with {} on {}, {state}",
        short(&commit.commit_id),
        day(&commit.date)
    )
}

/// The rest of a sentence about a finding that stands in several places; empty for one.
pub(super) fn elsewhere(finding: &Finding) -> String {
    match finding.places.len() {
        0 | 1 => String::new(),
        2 => " (and in one more place)".to_owned(),
        count => format!(" (and in {} more places)", count - 1),
    }
}

/// The reasons for which something was skipped, with how often, in the order in which they are shown.
pub(super) fn skipped(coverage: &Coverage) -> impl Iterator<Item = (SkipReason, u64)> + '_ {
    SkipReason::ALL.iter().filter_map(|reason| {
        let count = coverage.skipped.get(reason).copied().unwrap_or_default();
        (count > 0).then_some((*reason, count))
    })
}

/// Whether a reason makes this coverage incomplete.
pub(super) fn is_hole(coverage: &Coverage, reason: SkipReason) -> bool {
    reason.is_incomplete() && !coverage.accepted.contains(&reason)
}

/// `reason: count` for everything that makes the coverage incomplete.
pub(super) fn holes(coverage: &Coverage) -> String {
    skipped(coverage)
        .filter(|(reason, _)| is_hole(coverage, *reason))
        .map(|(reason, count)| format!("{}: {count}", reason.name()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A skip as one line: subject and what the system said.
pub(super) fn skip(skip: &Skip) -> String {
    let subject = skip.subject.to_str_lossy();
    let line = match &skip.detail {
        Some(detail) => format!("{subject}: {detail}"),
        None => subject.into_owned(),
    };
    visible(&line).into_owned()
}

/// Whether a reference is an address that may become a link.
pub(super) fn is_web(address: &str) -> bool {
    address.starts_with("https://") && address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `1 file`, `2 files`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number of bytes in the unit that keeps it short.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return count(bytes, "byte");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// Year, month and day of a time in seconds since the epoch (Hinnant's `civil_from_days`).
pub(super) fn civil(seconds: i64) -> (i64, u32, u32) {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// Seconds since the epoch of the first moment of a month; the inverse of [`civil`].
pub(super) fn month_start(year: i64, month: u32) -> i64 {
    let month = i64::from(month);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) * 86_400
}

/// `YYYY-MM-DDThh:mm:ss` in UTC.
pub(super) fn timestamp(seconds: i64) -> String {
    let (year, month, day) = civil(seconds);
    let rest = seconds.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Base64 with padding, RFC 4648 section 4.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0u32, |group, (at, byte)| {
            group | u32::from(*byte) << (16 - 8 * at)
        });
        for at in 0..4 {
            if at <= chunk.len() {
                let index = group >> (18 - 6 * at) & 63;
                text.push(char::from(ALPHABET[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_spelled_out_and_the_rest_is_left_alone() {
        assert_eq!(visible("häß/文.txt"), "häß/文.txt");
        assert_eq!(
            visible("a\nb\u{1b}[31m\u{202e}c\u{9b}\u{ffff}"),
            "a\\nb\\u{1b}[31m\\u{202e}c\\u{9b}\\u{ffff}"
        );
        assert_eq!(visible_code("\tx\r"), "    x\\r");
    }

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59");
        assert_eq!(timestamp(1_709_209_845), "2024-02-29T12:30:45");
        assert_eq!(timestamp(4_102_444_800), "2100-01-01T00:00:00");
        for year in 1960..2110 {
            for month in 1..=12 {
                assert_eq!(civil(month_start(year, month)), (year, month, 1));
            }
        }
    }

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn numbers_are_short_and_plain() {
        assert_eq!(grouped(1), "1");
        assert_eq!(grouped(262_343), "262,343");
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(8_100_000_000), "8.1 GB");
        assert_eq!(size(999_999), "1.0 MB");
        assert_eq!(count(1, "file"), "1 file");
    }
}
