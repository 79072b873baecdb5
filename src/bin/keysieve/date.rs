//! Dates as people write them: `2024-05-31`, `2024-05-31T10:00:00Z`, `@1700000000`, `30d`, `2 weeks ago`.

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
}
