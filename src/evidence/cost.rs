//! Costs by day, service and region: from Cost Explorer's answers, and from cost and usage reports of any length.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Serialize;
use serde_json::Value;

use super::Error;

/// Sums that are kept apart. A year of 300 services in 30 regions has more, and no incident needs them.
const MAX_SUMS: usize = 1_000_000;

/// A sum that is kept apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// As the export names it: `Amazon Elastic Compute Cloud - Compute`, or `AmazonEC2`.
    pub service: String,
    /// The region; empty if the export does not say.
    pub region: String,
    /// `USD`, mostly.
    pub unit: String,
}

/// Costs out of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Where they come from.
    pub source: CostSource,
    /// In thousand millionths of the unit.
    pub sums: BTreeMap<Cell, i64>,
}

/// Where costs come from. Each source tells all costs, so sums of two are not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostSource {
    /// Cost Explorer. Two answers may tell the same day twice.
    CostExplorer,
    /// A cost and usage report. Its files are parts, each with other rows.
    CostReport,
}

impl CostSource {
    /// The name of its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::CostExplorer => "cost.explorer",
            Self::CostReport => "cost.report",
        }
    }
}

impl Costs {
    fn new(source: CostSource) -> Self {
        let sums = BTreeMap::new();
        Self { source, sums }
    }

    fn add(&mut self, cell: Cell, amount: &str) -> Option<()> {
        let amount: f64 = amount.trim().parse().ok()?;
        if !amount.is_finite() {
            return None;
        }
        let sum = self.sums.entry(cell).or_default();
        *sum = sum.saturating_add((amount * 1e9).round() as i64);
        Some(())
    }
}

/// Reads the answer to `ce get-cost-and-usage`; `None` if it is none.
pub(super) fn of_answer(value: &Value) -> Option<Result<Costs, Error>> {
    let days = value.get("ResultsByTime")?.as_array()?;
    let read = || {
        let groups = value.get("GroupDefinitions").and_then(Value::as_array);
        let names: Vec<&str> = groups
            .into_iter()
            .flatten()
            .filter_map(|group| group.get("Key")?.as_str())
            .collect();
        let place = |name: &str| names.iter().position(|found| *found == name);
        let (service, region) = (place("SERVICE"), place("REGION"));
        let mut costs = Costs::new(CostSource::CostExplorer);
        for day in days {
            let start = day.get("TimePeriod")?.get("Start")?.as_str()?;
            let mut add = |keys: &[&str], metrics: &Value| {
                let cost = [
                    "UnblendedCost",
                    "NetUnblendedCost",
                    "BlendedCost",
                    "AmortizedCost",
                ]
                .iter()
                .find_map(|name| metrics.get(name))?;
                let word =
                    |at: Option<usize>| at.and_then(|at| keys.get(at)).copied().unwrap_or_default();
                let cell = Cell {
                    day: start.get(..10)?.to_owned(),
                    service: word(service).to_owned(),
                    region: word(region).to_owned(),
                    unit: cost
                        .get("Unit")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                };
                costs.add(cell, cost.get("Amount")?.as_str()?)
            };
            let groups = day.get("Groups").and_then(Value::as_array);
            let groups = groups.map(Vec::as_slice).unwrap_or_default();
            for group in groups {
                let keys = group.get("Keys")?.as_array()?;
                let keys: Option<Vec<&str>> = keys.iter().map(Value::as_str).collect();
                add(&keys?, group.get("Metrics")?)?;
            }
            if groups.is_empty()
                && let Some(total) = day
                    .get("Total")
                    .filter(|total| total.get("UnblendedCost").is_some())
            {
                add(&[], total)?;
            }
        }
        Some(costs)
    };
    Some(read().ok_or_else(|| Error::Damaged("the costs lack a day or an amount".to_owned())))
}

/// Returns true if a text begins as a cost and usage report does.
pub(super) fn is_report(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |word: &str| memchr::memmem::find(line, word.as_bytes()).is_some();
    has("lineItem/UnblendedCost") || has("line_item_unblended_cost")
}

/// Reads a cost and usage report, row by row: six of its hundreds of columns.
pub(super) fn of_report(text: impl Read) -> Result<Costs, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let odd =
        |error: csv::Error| Error::Damaged(format!("the cost report cannot be read: {error}"));
    let header = reader.byte_headers().map_err(odd)?.clone();
    let column = |names: [&str; 2]| {
        header
            .iter()
            .position(|found| names.iter().any(|name| name.as_bytes() == found))
    };
    let needed = |names: [&str; 2]| {
        let missing = || Error::Damaged(format!("the cost report has no column {}", names[0]));
        column(names).ok_or_else(missing)
    };
    let amount = needed(["line_item_unblended_cost", "lineItem/UnblendedCost"])?;
    let start = needed(["line_item_usage_start_date", "lineItem/UsageStartDate"])?;
    let service = needed(["line_item_product_code", "lineItem/ProductCode"])?;
    let region = column(["product_region_code", "product/regionCode"])
        .or(column(["product_region", "product/region"]));
    let unit = column(["line_item_currency_code", "lineItem/CurrencyCode"]);
    let mut costs = Costs::new(CostSource::CostReport);
    let mut row = csv::ByteRecord::new();
    while reader.read_byte_record(&mut row).map_err(odd)? {
        let line = row.position().map_or(0, csv::Position::line);
        let cell =
            |at: usize| String::from_utf8_lossy(row.get(at).unwrap_or_default()).into_owned();
        let optional = |at: Option<usize>| at.map(cell).unwrap_or_default();
        let day = cell(start).get(..10).map(str::to_owned).unwrap_or_default();
        let is_row = crate::text::date::Date::parse(&day).is_some();
        let sum = Cell {
            day,
            service: cell(service),
            region: optional(region),
            unit: optional(unit),
        };
        if !is_row || costs.add(sum, &cell(amount)).is_none() {
            let what = format!("line {line} of the cost report has no day or no amount");
            return Err(Error::Damaged(what));
        }
        if costs.sums.len() > MAX_SUMS {
            return Err(Error::Damaged(
                "the cost report has more services, regions and days than are kept apart"
                    .to_owned(),
            ));
        }
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(costs: &Costs) -> Vec<(&str, &str, &str, i64)> {
        let cells = costs.sums.iter();
        cells
            .map(|(cell, sum)| {
                (
                    cell.day.as_str(),
                    cell.service.as_str(),
                    cell.region.as_str(),
                    *sum,
                )
            })
            .collect()
    }

    #[test]
    fn both_forms_give_the_same_sums() {
        let group = |keys: [&str; 2], amount: &str| json!({"Keys": keys, "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}});
        let answer = json!({
            "GroupDefinitions": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "REGION"}],
            "ResultsByTime": [
                {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-02"}, "Groups": [group(["AmazonEC2", "us-east-1"], "1.5")]},
                {"TimePeriod": {"Start": "2026-11-02", "End": "2026-11-03"}, "Groups": [
                    group(["AmazonEC2", "us-east-1"], "3"), group(["AmazonS3", "us-west-2"], "0.0000001")]},
            ],
        });
        let answer = of_answer(&answer).expect("an answer").expect("costs");
        for (head, row) in [
            (
                "line_item_usage_start_date,x,line_item_unblended_cost,line_item_product_code,product_region_code,line_item_currency_code",
                "2026-11-02 00:00:00",
            ),
            (
                "lineItem/UsageStartDate,x,lineItem/UnblendedCost,lineItem/ProductCode,product/region,lineItem/CurrencyCode",
                "2026-11-02T00:00:00Z",
            ),
        ] {
            assert!(is_report(head.as_bytes()));
            let text = format!(
                "{head}\n2026-11-01T01:00:00Z,\"a,b\",1.5,AmazonEC2,us-east-1,USD\n{row},,1,AmazonEC2,us-east-1,USD\n{row},,2.0,AmazonEC2,us-east-1,USD\n\
                 {row},,1.0E-7,AmazonS3,us-west-2,USD\n"
            );
            let report = of_report(text.as_bytes()).expect("costs");
            assert_eq!(shown(&report), shown(&answer));
            let cut = &text[..text.len() - 30];
            assert!(of_report(cut.as_bytes()).is_err(), "{cut}");
        }
        assert_eq!(
            shown(&answer)[2],
            ("2026-11-02", "AmazonS3", "us-west-2", 100)
        );
    }

    #[test]
    fn what_is_not_whole_is_said() {
        assert!(of_answer(&json!({"x": 1})).is_none());
        assert!(
            of_answer(&json!({"ResultsByTime": [{"Groups": []}]}))
                .expect("an answer")
                .is_err()
        );
        assert!(of_report("lineItem/UnblendedCost\n1\n".as_bytes()).is_err());
        assert!(of_report("lineItem/UnblendedCost,lineItem/UsageStartDate,lineItem/ProductCode\nNaN,2026-11-01,x\n".as_bytes()).is_err());
    }
}
