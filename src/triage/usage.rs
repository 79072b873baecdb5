//! Callers, calls and origins: counts of events, and values that are new after a leak.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::aws::cloudtrail::{Event, Field};

/// Different values that are kept apart; events with further ones are counted together.
const MAX_VALUES: usize = 1000;

/// Characters of a value that are kept.
const MAX_VALUE: usize = 128;

/// Number of events with each value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    values: BTreeMap<String, u64>,
    /// Events whose value is none of those.
    rest: u64,
}

impl Tally {
    fn add(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        let value: String = value.chars().take(MAX_VALUE).collect();
        if self.values.len() < MAX_VALUES || self.values.contains_key(&value) {
            *self.values.entry(value).or_default() += 1;
        } else {
            self.rest += 1;
        }
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The values with the most events first.
    pub fn by_count(&self) -> Vec<(&str, u64)> {
        let mut counts: Vec<_> = self
            .values
            .iter()
            .map(|(value, count)| (value.as_str(), *count))
            .collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        counts
    }

    /// Events with further values.
    pub fn rest(&self) -> u64 {
        self.rest
    }
}

impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A name that no address, region, service or agent has.
        let rest = (self.rest > 0).then_some(("(others)", self.rest));
        let length = self.values.len() + usize::from(rest.is_some());
        let mut map = serializer.serialize_map(Some(length))?;
        for (value, count) in self
            .values
            .iter()
            .map(|(v, c)| (v.as_str(), *c))
            .chain(rest)
        {
            map.serialize_entry(value, &count)?;
        }
        map.end()
    }
}

/// Some events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Use {
    /// Number of events, each event ID once.
    pub events: u64,
    /// Number of those that failed.
    pub failed: u64,
    /// Number of those from networks that are known.
    pub known: u64,
    /// The time of the first.
    pub from: Option<String>,
    /// The time of the last.
    pub to: Option<String>,
    /// Source addresses, or names of services.
    pub addresses: Tally,
    /// Families of user agents.
    pub agents: Tally,
    /// Regions.
    pub regions: Tally,
    /// Services.
    pub services: Tally,
    /// Errors.
    pub errors: Tally,
}

impl Use {
    /// Adds an event; events come in order of time.
    pub fn add(&mut self, event: &Event, is_known: bool) {
        self.events += 1;
        self.known += u64::from(is_known);
        self.failed += u64::from(!event.succeeded());
        self.from.get_or_insert_with(|| event.time.clone());
        self.to = Some(event.time.clone());
        self.addresses.add(event.get(Field::Address));
        self.agents.add(agent_family(event.get(Field::Agent)));
        self.regions.add(event.get(Field::Region));
        self.services.add(service_of(event));
        self.errors.add(event.get(Field::Error));
    }

    /// Events from elsewhere than networks that are known.
    pub fn foreign(&self) -> u64 {
        self.events - self.known
    }
}

/// Values of some events that others lack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct New {
    /// Source addresses.
    pub addresses: Vec<String>,
    /// Families of user agents.
    pub agents: Vec<String>,
    /// Regions.
    pub regions: Vec<String>,
    /// Services.
    pub services: Vec<String>,
}

impl New {
    /// Returns the values that `after` has and `before` lacks.
    pub fn of(before: &Use, after: &Use) -> Self {
        let new = |before: &Tally, after: &Tally| {
            let values = after
                .values()
                .filter(|value| !before.values.contains_key(*value));
            values.map(str::to_owned).collect()
        };
        Self {
            addresses: new(&before.addresses, &after.addresses),
            agents: new(&before.agents, &after.agents),
            regions: new(&before.regions, &after.regions),
            services: new(&before.services, &after.services),
        }
    }

    /// Returns true if an event has any of it.
    pub fn is_in(&self, event: &Event) -> bool {
        let has = |values: &[String], value: &str| {
            let value: String = value.chars().take(MAX_VALUE).collect();
            values.contains(&value)
        };
        has(&self.addresses, event.get(Field::Address))
            || has(&self.agents, agent_family(event.get(Field::Agent)))
            || has(&self.regions, event.get(Field::Region))
            || has(&self.services, service_of(event))
    }
}

/// The first product of a user agent, without its version; S3 writes brackets around.
pub fn agent_family(agent: &str) -> &str {
    let agent = agent.trim_start_matches('[');
    let end = agent.find(['/', ' ', ']']).unwrap_or(agent.len());
    &agent[..end]
}

/// `iam` of `iam.amazonaws.com`.
pub fn service_of(event: &Event) -> &str {
    let source = event.get(Field::Source);
    source.strip_suffix(".amazonaws.com").unwrap_or(source)
}

/// A network: an address and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    length: u32,
    is_v4: bool,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let expected = || "expected a network such as 203.0.113.0/24 or 2001:db8::/32".to_owned();
        let address: IpAddr = address.parse().map_err(|_not_shown| expected())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => most,
            Some(text) => text.parse().map_err(|_not_shown| expected())?,
        };
        if length > most {
            return Err(expected());
        }
        Ok(Self {
            bits: bits(address),
            length,
            is_v4: address.is_ipv4(),
        })
    }
}

impl Network {
    /// Returns true if an address, as text, is in it.
    pub fn holds(&self, address: &str) -> bool {
        let Ok(address) = address.parse::<IpAddr>() else {
            return false;
        };
        let free = if self.is_v4 { 32 } else { 128 } - self.length;
        let cut = |bits: u128| bits.checked_shr(free).unwrap_or(0);
        address.is_ipv4() == self.is_v4 && cut(bits(address)) == cut(self.bits)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, address, is) in [
            ("203.0.113.0/24", "203.0.113.7", true),
            ("203.0.113.0/24", "203.0.114.7", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("0.0.0.0/0", "198.51.100.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("203.0.113.0/24", "ec2.amazonaws.com", false),
        ] {
            let network: Network = network.parse().expect("a network");
            assert_eq!(network.holds(address), is, "{network:?} {address}");
        }
        for wrong in ["", "203.0.113.0/33", "x/8", "203.0.113/24", "::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn agents_are_of_families() {
        for (agent, family) in [
            ("aws-cli/2.0 Python/3.11", "aws-cli"),
            ("[aws-cli/2.0 Python/3.11]", "aws-cli"),
            ("Boto3", "Boto3"),
            ("[S3Console]", "S3Console"),
            ("AWS Internal", "AWS"),
            ("", ""),
        ] {
            assert_eq!(agent_family(agent), family);
        }
    }

    #[test]
    fn values_beyond_the_bound_are_counted() {
        let mut tally = Tally::default();
        for value in 0..MAX_VALUES + 5 {
            tally.add(&value.to_string());
        }
        tally.add("3");
        assert_eq!((tally.values().count(), tally.rest()), (MAX_VALUES, 5));
        assert_eq!(tally.by_count()[0], ("3", 2));
        assert_eq!(serde_json::to_value(&tally).expect("JSON")["(others)"], 5);
    }
}
