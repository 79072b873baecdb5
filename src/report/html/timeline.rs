//! The timeline: one lane for each finding, from the commit that brought it in to the one that took it away.
//!
//! Places along the axis are percentages in presentation attributes: the lanes fit any width, and the
//! content security policy allows no style attribute.

use std::fmt::Write as _;

use super::super::row::{CommitRow, Row};
use super::{escaped, put, table};
use crate::text::date::{Date, month_start};

/// More lanes than this tell nobody anything; the table has the rest.
const LANES: usize = 60;

/// Dots in one lane.
const DOTS: usize = 50;

/// Most labels that fit along the axis.
const TICKS: usize = 7;

const DAY: i64 = 86_400;

/// Years 1 to 9999: a commit can bear any date.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

struct Lane<'a> {
    number: usize,
    finding: &'a Row<'a>,
    /// Times of its introductions, earliest first.
    times: Vec<i64>,
    first: &'a CommitRow<'a>,
    end: End,
}

/// Fate of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// `HEAD` still has it.
    InHead,
    /// It left the history of `HEAD` then.
    Left(i64),
    /// It never was there: another branch has it, or nothing reaches it.
    Elsewhere,
}

impl Lane<'_> {
    /// Every time that has a mark.
    fn times(&self) -> impl Iterator<Item = i64> + '_ {
        let left = match self.end {
            End::Left(time) => Some(time),
            End::InHead | End::Elsewhere => None,
        };
        self.times.iter().copied().chain(left)
    }
}

/// Writes the section, if any finding has a commit.
pub(super) fn section(page: &mut String, findings: &[Row<'_>]) {
    let mut lanes: Vec<Lane<'_>> = findings
        .iter()
        .enumerate()
        .filter_map(|(at, finding)| lane(at + 1, finding))
        .collect();
    lanes.sort_by_key(|lane| (lane.times.first().copied(), lane.number));
    let left_out = lanes.len().saturating_sub(LANES);
    lanes.truncate(LANES);
    let Some(axis) = Axis::new(&lanes) else {
        return;
    };
    page.push_str(
        "<section class=\"timeline\">\n<h2>When they entered and left</h2>\n\
         <p class=\"legend\"><svg class=\"key\" width=\"34\" height=\"14\" aria-hidden=\"true\">\
         <line class=\"in\" x1=\"6\" x2=\"34\" y1=\"7\" y2=\"7\"/><circle cx=\"6\" cy=\"7\" r=\"5\"/></svg> still in HEAD \
         <svg class=\"key\" width=\"34\" height=\"14\" aria-hidden=\"true\">\
         <line class=\"in\" x1=\"6\" x2=\"20\" y1=\"7\" y2=\"7\"/><line class=\"out\" x1=\"20\" x2=\"34\" y1=\"7\" y2=\"7\"/>\
         <circle cx=\"6\" cy=\"7\" r=\"5\"/><line class=\"left\" x1=\"20\" x2=\"20\" y1=\"2\" y2=\"12\"/></svg> \
         left HEAD, still in the history \
         <svg class=\"key\" width=\"34\" height=\"14\" aria-hidden=\"true\">\
         <line class=\"out\" x1=\"6\" x2=\"34\" y1=\"7\" y2=\"7\"/><circle class=\"out\" cx=\"6\" cy=\"7\" r=\"4.5\"/></svg> \
         never in HEAD</p>\n<ol class=\"lanes\">\n",
    );
    for lane in &lanes {
        write_lane(page, lane, &axis);
    }
    write_axis(page, &axis);
    page.push_str("</ol>\n");
    if left_out > 0 {
        put!(
            page,
            "<p class=\"more\">The table has {left_out} more.</p>\n"
        );
    }
    page.push_str("</section>\n");
}

fn lane<'a>(number: usize, finding: &'a Row<'a>) -> Option<Lane<'a>> {
    let first = finding.commits().min_by_key(|commit| commit.rank)?;
    let times = finding.commits().map(|commit| clamped(commit.time));
    let mut times: Vec<i64> = times.collect();
    times.sort_unstable();
    times.dedup();
    times.truncate(DOTS);
    let end = match &finding.left {
        _ if finding.in_head => End::InHead,
        Some(left) => End::Left(clamped(left.time)),
        None => End::Elsewhere,
    };
    Some(Lane {
        number,
        finding,
        times,
        first,
        end,
    })
}

fn clamped(time: i64) -> i64 {
    time.clamp(*TIMES.start(), *TIMES.end())
}

fn write_lane(page: &mut String, lane: &Lane<'_>, axis: &Axis) {
    let path = lane.finding.first_place().path();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let what = lane.finding.key_id.unwrap_or(lane.finding.rule);
    let label = lane.finding.entered(lane.first);
    put!(
        page,
        "<li class=\"{}\"><a href=\"#f{}\" title=\"{}\"><b>{}</b> <code>{}</code></a>\
         <svg width=\"100%\" height=\"24\" role=\"img\" aria-label=\"{label}\"><title>{label}</title>",
        table::class(lane.finding),
        lane.number,
        escaped(&path),
        escaped(name),
        escaped(what),
        label = escaped(&label),
    );
    for (at, _) in &axis.ticks {
        put!(
            page,
            "<line class=\"tick\" x1=\"{at}%\" x2=\"{at}%\" y1=\"0\" y2=\"24\"/>"
        );
    }
    let start = lane
        .times
        .first()
        .map(|time| axis.place(*time))
        .unwrap_or_default();
    let mut line = |class: &str, from: &str, to: &str| {
        put!(
            page,
            "<line class=\"{class}\" x1=\"{from}%\" x2=\"{to}%\" y1=\"12\" y2=\"12\"/>"
        );
    };
    match lane.end {
        End::InHead => line("in", &start, "100"),
        End::Elsewhere => line("out", &start, "100"),
        End::Left(time) => {
            let at = axis.place(time);
            line("in", &start, &at);
            line("out", &at, "100");
            put!(
                page,
                "<line class=\"left\" x1=\"{at}%\" x2=\"{at}%\" y1=\"5\" y2=\"19\"/>"
            );
        }
    }
    for time in &lane.times {
        let class = match lane.end {
            End::Elsewhere => " class=\"out\"",
            End::InHead | End::Left(_) => "",
        };
        put!(
            page,
            "<circle{class} cx=\"{}%\" cy=\"12\" r=\"5\"/>",
            axis.place(*time)
        );
    }
    page.push_str("</svg></li>\n");
}

fn write_axis(page: &mut String, axis: &Axis) {
    page.push_str(
        "<li class=\"axis\" aria-hidden=\"true\"><span></span><svg width=\"100%\" height=\"20\">",
    );
    for (at, label) in &axis.ticks {
        put!(page, "<text x=\"{at}%\" y=\"14\">{label}</text>");
    }
    page.push_str("</svg></li>\n");
}

/// Times to places, and the labels between.
struct Axis {
    start: i64,
    end: i64,
    /// Place in per cent, and label.
    ticks: Vec<(String, String)>,
}

impl Axis {
    fn new(lanes: &[Lane<'_>]) -> Option<Self> {
        let times = || lanes.iter().flat_map(Lane::times);
        let (start, end) = (times().min()?, times().max()?);
        // A single day still needs an axis to stand on.
        let room = (20 * DAY - (end - start)).max(0) / 2;
        let mut axis = Self {
            start: start - room,
            end: end + room,
            ticks: Vec::new(),
        };
        axis.ticks = axis
            .labels()
            .into_iter()
            .map(|(time, label)| (axis.place(time), label))
            .collect();
        Some(axis)
    }

    /// Per cent of the width, with room for a dot on the left and for a line on the right.
    fn place(&self, time: i64) -> String {
        let part = (time - self.start) as f64 / (self.end - self.start) as f64;
        format!("{:.2}", 2.0 + 90.0 * part)
    }

    /// The finest labels of which not too many fall on the axis.
    fn labels(&self) -> Vec<(i64, String)> {
        for step in [1, 2, 7, 14] {
            if (self.end - self.start) / (step * DAY) < TICKS as i64 {
                return self.days(step);
            }
        }
        let mut months = 1;
        for step in [1, 3, 6, 12, 24, 60, 120, 600, 1200, 6000, 12_000] {
            months = step;
            if (self.end - self.start) / (step * 30 * DAY) < TICKS as i64 {
                break;
            }
        }
        self.months(months)
    }

    fn days(&self, step: i64) -> Vec<(i64, String)> {
        let first = self.start.div_euclid(DAY) + 1;
        let last = self.end.div_euclid(DAY);
        (first..=last)
            .filter(|day| day.rem_euclid(step) == 0)
            .map(|day| (day * DAY, Date::of_epoch(day * DAY).to_string()))
            .collect()
    }

    fn months(&self, step: i64) -> Vec<(i64, String)> {
        const NAMES: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let count = |time| {
            let (year, month, _) = Date::of_epoch(time).parts();
            i64::from(year) * 12 + i64::from(month) - 1
        };
        let first = count(self.start).div_euclid(step) * step;
        (first..=count(self.end))
            .step_by(step as usize)
            .filter_map(|month| {
                let (year, of_year) = (month.div_euclid(12), month.rem_euclid(12));
                let of_era = (i16::try_from(year), i8::try_from(of_year + 1));
                let time = month_start(of_era.0.ok()?, of_era.1.ok()?)?;
                let label = if step >= 12 {
                    year.to_string()
                } else {
                    format!("{} {year}", NAMES[of_year as usize])
                };
                (self.start..=self.end)
                    .contains(&time)
                    .then_some((time, label))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::{self, Sample};
    use super::*;
    use crate::finding::Finding;

    fn rows(findings: &[Finding]) -> Vec<Row<'_>> {
        let options = crate::report::Options::default();
        let rows = findings.iter().map(|finding| Row::new(finding, &options));
        rows.collect()
    }

    fn lanes_of<'a>(findings: &'a [Row<'a>]) -> Vec<Lane<'a>> {
        findings
            .iter()
            .enumerate()
            .filter_map(|(at, finding)| lane(at + 1, finding))
            .collect()
    }

    #[test]
    fn any_span_of_time_has_a_few_labels_and_every_place_is_on_the_axis() {
        let mut findings = Sample::ordinary().findings;
        findings.truncate(2);
        for span in [
            0,
            3600,
            5 * DAY,
            40 * DAY,
            200 * DAY,
            900 * DAY,
            20_000 * DAY,
            i64::MAX / 4,
        ] {
            for (finding, time) in findings.iter_mut().zip([-span, span]) {
                for place in &mut finding.places {
                    let commit = place.commit.as_mut().expect("a commit");
                    commit.time = time;
                    if let Some(left) = &mut commit.left {
                        left.time = -time;
                    }
                }
            }
            let rows = rows(&findings);
            let lanes = lanes_of(&rows);
            let axis = Axis::new(&lanes).expect("an axis");
            assert!(
                (1..=TICKS + 3).contains(&axis.ticks.len()),
                "{span}: {:?}",
                axis.ticks
            );
            for lane in &lanes {
                for time in lane.times() {
                    let place: f64 = axis.place(time).parse().expect("a number");
                    assert!((2.0..=92.0).contains(&place), "{span}: {place}");
                }
            }
        }
    }

    #[test]
    fn findings_without_a_commit_have_no_lane_and_many_are_cut() {
        let mut page = String::new();
        section(&mut page, &[]);
        let mut work_tree = sample::finding(1, crate::level::Level::Error, "a");
        work_tree.places[0].commit = None;
        section(&mut page, &rows(&[work_tree]));
        assert_eq!(page, "");

        let many: Vec<Finding> = (1..=70)
            .map(|seed| sample::finding(seed, crate::level::Level::Error, "a"))
            .collect();
        section(&mut page, &rows(&many));
        assert_eq!(page.matches("href=\"#f").count(), LANES);
        assert!(page.contains("The table has 10 more."));
    }
}
