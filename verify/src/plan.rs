//! `--dry-run`: what would be asked, where, and how often. Nothing is sent.

use std::collections::BTreeMap;

use keysieve::aws::verify::{Service, USER_AGENT, not_asked};

use crate::args::Args;
use crate::failure::Failure;
use crate::output::line;
use crate::place::Places;
use crate::run::Key;

/// Says it.
pub(crate) fn show(args: &Args, keys: &[Key], places: &Places) -> Result<(), Failure> {
    let is_asked = |key: &&Key| {
        let id = key.found.id.as_str();
        not_asked(id).is_none() && (!args.with_found_secret || key.can_sign())
    };
    let asked: Vec<&Key> = keys.iter().filter(is_asked).collect();
    let mut hosts: BTreeMap<String, usize> = BTreeMap::new();
    let mut add = |host: String| *hosts.entry(host).or_default() += 1;
    let (mut least, mut most) = (0, 0);
    if args.with_found_secret {
        for key in &asked {
            let partitions = places.of_key(&key.found.id);
            least += 1;
            // A secret that is refused is tried a second time.
            most += 1;
            for host in partitions
                .into_iter()
                .flat_map(|it| places.hosts_of_found(it))
            {
                most += 1;
                add(host);
            }
        }
    } else if !asked.is_empty() {
        // Who asks; then for each key perhaps its account, its last use, the keys of its user; once the summary.
        least += 1;
        most += 2 + 3 * asked.len();
        add(places.host(Service::Sts, places.own));
        add(places.host(Service::Iam, places.own));
    }
    let whose = match args.with_found_secret {
        true => "each with its own found secret",
        false => "with your own credentials",
    };
    let (asked, all) = (asked.len(), keys.len());
    line(&format!(
        "{asked} of {all} keys would be asked about, {whose}"
    ))?;
    line(&format!(
        "{least} to {most} requests without repeats, at most {} in all and {} a second",
        args.max_requests, args.rate
    ))?;
    for host in hosts.keys() {
        line(&format!("  {host}"))?;
    }
    for key in keys {
        if let Some(reason) = not_asked(&key.found.id) {
            line(&format!("  not asked: {}: {reason}", key.found.id))?;
        } else if args.with_found_secret && !key.can_sign() {
            let what = "its secret, or the token of a temporary key, is not known";
            line(&format!("  not asked: {}: {what}", key.found.id))?;
        }
    }
    if args.with_found_secret {
        line(&trace())?;
    }
    line("nothing was sent")
}

/// Describes the traces that a request with a found pair leaves behind.
pub(crate) fn trace() -> String {
    format!(
        "note: each request is recorded in the CloudTrail of the key's owner (event GetCallerIdentity, user agent \
         {USER_AGENT}, your address) and can trip alarms; a canary of an account that is not known as one is tripped too"
    )
}
