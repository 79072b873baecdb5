//! Days and moments of the Gregorian calendar, in UTC.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// A day. An entry that expires is good until its day is over in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(civil::Date);

impl Date {
    /// Reads `YYYY-MM-DD`; `None` for anything else and for days that do not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let is_form = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        is_form.then(|| text.parse().ok().map(Self)).flatten()
    }

    /// Returns the day of a time in seconds since the epoch. Years before -9999 and after 9999 are those years.
    pub fn of_epoch(seconds: i64) -> Self {
        Self(civil(seconds).date())
    }

    /// Returns year, month and day.
    pub fn parts(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns the first moment of a month in seconds since the epoch; `None` for a month or year that does not exist.
pub fn month_start(year: i16, month: i8) -> Option<i64> {
    let day = civil::Date::new(year, month, 1).ok()?;
    let moment = day.to_zoned(TimeZone::UTC).ok()?;
    Some(moment.timestamp().as_second())
}

/// Writes a time in seconds since the epoch as `YYYY-MM-DDThh:mm:ss`.
pub fn timestamp(seconds: i64) -> String {
    civil(seconds).to_string()
}

/// Writes a time in seconds since the epoch as RFC 3339 has it: `2015-08-30T12:36:00Z`.
pub fn rfc3339(seconds: i64) -> String {
    format!("{}Z", timestamp(seconds))
}

/// Reads a moment as RFC 3339 has it, with `Z` or an offset: seconds since the epoch. `None` for anything else.
pub fn moment(text: &str) -> Option<i64> {
    let moment: Timestamp = text.parse().ok()?;
    Some(moment.as_second())
}

/// Reads a moment as Java and the console write it in English: `Jul 10, 2023, 12:31:14 PM`, with or without the second
/// comma, and `July 10, 2023, 21:31:14 (UTC+09:00)`. Without an offset it is UTC.
pub fn spoken_moment(text: &str) -> Option<i64> {
    // Newer Java puts a narrow space before AM and PM.
    let text = text.replace(['\u{202f}', '\u{a0}', ','], " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (text, offset) = match text.split_once(" (UTC") {
        None => (text.as_str(), 0),
        Some((before, zone)) => (before, offset(zone.strip_suffix(')')?)?),
    };
    let forms = [
        "%b %d %Y %I:%M:%S %p",
        "%B %d %Y %I:%M:%S %p",
        "%b %d %Y %H:%M:%S",
        "%B %d %Y %H:%M:%S",
    ];
    let time = forms
        .iter()
        .find_map(|form| civil::DateTime::strptime(form, text).ok())?;
    let moment = time.to_zoned(TimeZone::UTC).ok()?;
    Some(moment.timestamp().as_second() - offset)
}

/// Seconds of `+09:00`; none of nothing.
fn offset(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let seconds = hours.parse::<u8>().ok()? as i64 * 3600 + minutes.parse::<u8>().ok()? as i64 * 60;
    match text.as_bytes()[0] {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn civil(seconds: i64) -> civil::DateTime {
    let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let moment = Timestamp::from_second(seconds.clamp(least, most));
    let moment = moment.expect("a number between the least and the most");
    TimeZone::UTC.to_datetime(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_700_000_000, "2023-11-14"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Date::of_epoch(seconds).to_string(), date);
            assert_eq!(Date::parse(date), Some(Date::of_epoch(seconds)));
        }
        for wrong in [
            "2023-02-29",
            "2100-02-29",
            "2023-13-01",
            "2023-1-1",
            "2023-00-10",
            "+023-01-01",
            "",
        ] {
            assert_eq!(Date::parse(wrong), None, "{wrong}");
        }
        assert!(Date::parse("2024-02-29") < Date::parse("2024-03-01"));
    }

    #[test]
    fn moments_are_read_as_programs_write_them() {
        for (text, time) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2015-08-30T12:36:00Z", Some(1_440_938_160)),
            ("2015-08-30T12:36:00+00:00", Some(1_440_938_160)),
            ("2015-08-30T21:36:00.123456+09:00", Some(1_440_938_160)),
            ("2015-08-30T12:36:00", None),
            ("2015-08-30", None),
            ("2015-02-30T12:36:00Z", None),
            ("2015-08-30T24:00:00Z", None),
            ("N/A", None),
            ("", None),
        ] {
            assert_eq!(moment(text), time, "{text}");
        }
        assert_eq!(rfc3339(1_440_938_160), "2015-08-30T12:36:00Z");
    }

    #[test]
    fn moments_are_read_as_people_read_them() {
        for (text, time) in [
            ("Jul 10, 2023, 12:31:14 PM", Some("2023-07-10T12:31:14Z")),
            ("Jul 10, 2023 12:23:06 AM", Some("2023-07-10T00:23:06Z")),
            (
                "Jul 1, 2023, 1:31:14\u{202f}PM",
                Some("2023-07-01T13:31:14Z"),
            ),
            (
                "July 10, 2023, 21:31:14 (UTC+09:00)",
                Some("2023-07-10T12:31:14Z"),
            ),
            (
                "July 10, 2023, 09:31:14 PM (UTC-01:30)",
                Some("2023-07-10T23:01:14Z"),
            ),
            ("May 10, 2023, 21:31:14 (UTC)", Some("2023-05-10T21:31:14Z")),
            ("Jul 32, 2023, 12:31:14 PM", None),
            ("July 10, 2023, 21:31:14 (UTC?)", None),
            ("", None),
        ] {
            assert_eq!(spoken_moment(text), time.and_then(moment), "{text}");
        }
    }

    #[test]
    fn moments_in_utc() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59");
        assert_eq!(timestamp(1_709_209_845), "2024-02-29T12:30:45");
        assert_eq!(timestamp(4_102_444_800), "2100-01-01T00:00:00");
        assert_eq!(timestamp(i64::MAX), "9999-12-30T22:00:00");
        for year in 1960..2110 {
            for month in 1..=12 {
                let start = month_start(year, month).expect("a month");
                assert_eq!(Date::of_epoch(start).parts(), (year, month, 1));
            }
        }
        assert_eq!(month_start(2024, 13), None);
    }
}
