//! Dates as people write them: `2024-05-31`, `2024-05-31T10:00:00Z`, `@1700000000`, `30d`, `2 weeks ago`; and lengths
//! of time: `500ms`, `7d`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::failure::{Failure, Kind};

/// Seconds since the epoch; `SOURCE_DATE_EPOCH` has the last word.
pub(crate) fn now() -> Result<Option<i64>, Failure> {
    if let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let parsed = value.to_str().and_then(|text| text.parse::<i64>().ok());
        return match parsed {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Failure::bare(
                Kind::Usage,
                "SOURCE_DATE_EPOCH is not a number of seconds",
            )),
        };
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(since
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok()))
}

/// Seconds since the epoch; `now` is what the past is counted from.
pub(crate) fn parse(text: &str, now: Option<i64>) -> Option<i64> {
    let text = text.trim();
    if let Some(seconds) = length(text) {
        return now?.checked_sub(seconds);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    // A number alone could be anything: a year, seconds.
    if text.parse::<i64>().is_ok() {
        return None;
    }
    gix::date::parse(text, None).ok().map(|time| time.seconds)
}

/// `30d`, `2 weeks`, `2 weeks ago`, in seconds.
fn length(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(end);
    let count: i64 = digits.parse().ok()?;
    let unit = unit.trim_start();
    let unit = unit.strip_suffix(" ago").unwrap_or(unit);
    let days = match unit {
        "h" | "hour" | "hours" => return count.checked_mul(3600),
        "d" | "day" | "days" => 1,
        "w" | "week" | "weeks" => 7,
        "m" | "month" | "months" => 30,
        "y" | "year" | "years" => 365,
        _ => return None,
    };
    count.checked_mul(days * 86_400)
}

/// Reads `4s`, `500ms`, `2m`; a number alone is seconds. `None` if it is none of these, or no time at all.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let number: u64 = digits.parse().ok()?;
    let milliseconds = match unit.trim() {
        "" | "s" => number.checked_mul(1000)?,
        "ms" => number,
        "m" | "min" => number.checked_mul(60_000)?,
        _ => return None,
    };
    // A day is more than any server waits.
    (1..=86_400_000)
        .contains(&milliseconds)
        .then(|| Duration::from_millis(milliseconds))
}

/// Reads `7d`, `12h` or `2 weeks`, in seconds.
pub(crate) fn parse_age(text: &str) -> Option<i64> {
    // 136 years: more is a slip of the hand.
    length(text.trim()).filter(|age| (1..=1 << 32).contains(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_lengths_of_time() {
        assert_eq!(parse("2024-05-31", None), Some(1_717_113_600));
        assert_eq!(parse("2024-05-31T10:00:00Z", None), Some(1_717_149_600));
        assert_eq!(parse("@17", None), Some(17));
        assert_eq!(parse("1d", Some(100_000)), Some(13_600));
        assert_eq!(parse("2 weeks ago", Some(2_000_000)), Some(790_400));
        for wrong in ["", "soon", "2024", "2 fortnights ago", "2024-13-01"] {
            assert_eq!(parse(wrong, Some(0)), None, "{wrong}");
        }
    }

    #[test]
    fn times_have_units() {
        let read = |text| parse_time(text).map(|time| time.as_millis());
        assert_eq!(read("4"), Some(4000));
        assert_eq!(read("4s"), Some(4000));
        assert_eq!(read("500ms"), Some(500));
        assert_eq!(read("2m"), Some(120_000));
        for bad in [
            "",
            "0",
            "0ms",
            "s",
            "4h",
            "-1",
            "1.5s",
            "99999999999999999999",
            "90000s",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn ages_are_lengths_of_time() {
        assert_eq!(parse_age("7d"), Some(7 * 86_400));
        assert_eq!(parse_age("12h"), Some(12 * 3600));
        for wrong in ["", "7", "0d", "2024-05-31", "@5", "soon"] {
            assert_eq!(parse_age(wrong), None, "{wrong}");
        }
    }
}
