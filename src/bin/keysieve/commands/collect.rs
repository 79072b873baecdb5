//! `keysieve collect`: prints the script that collects what AWS knows about keys, and the policy for it. Runs neither.

use keysieve::aws::cloudtrail::LogKeyId;
use keysieve::text::date::Date;

use crate::args::CollectArgs;
use crate::date::now;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::output;

/// Everything but what depends on what was asked for.
const SCRIPT: &str = include_str!("collect.sh");

/// IAM policy of the script: read only.
const POLICY: &str = include_str!("collect.json");

/// Days before today for which costs are asked.
const COST_DAYS: i64 = 30;

/// Runs the command.
pub(crate) fn run(args: &CollectArgs) -> Result<Exit, Failure> {
    if args.policy {
        output::to_stdout(|out| out.write_all(POLICY.as_bytes()))?;
        return Ok(Exit::Clean);
    }
    let now = now()?
        .ok_or_else(|| Failure::bare(Kind::System, "the clock of this machine says nothing"))?;
    for (number, id) in args.key_ids.iter().enumerate() {
        if LogKeyId::parse(id).is_none() {
            // What was typed may be a secret.
            let message = format!("argument {} is no access key ID", number + 1);
            return Err(
                Failure::bare(Kind::Usage, message).hint("an ID is AKIA or ASIA and 16 characters")
            );
        }
    }
    // One day more: the end is not part of the time that is asked for.
    let day = |days: i64| Date::of_epoch(now + days * 86_400).to_string();
    let settings = [
        ("keys", args.key_ids.join(" ")),
        ("users", args.user.join(" ")),
        ("account", args.account.clone().unwrap_or_default()),
        ("regions", args.region.join(" ")),
        ("trail", args.trail.clone().unwrap_or_default()),
        ("cost_from", day(-COST_DAYS)),
        ("cost_to", day(1)),
    ];
    // All values are of forms that a shell takes as they are; quotes all the same.
    let lines = settings
        .map(|(name, value)| format!("{name}='{value}'\n"))
        .concat();
    let (before, after) = SCRIPT
        .split_once("# SETTINGS\n")
        .expect("the script has a place for them");
    output::to_stdout(|out| write!(out, "{before}{lines}{after}"))?;
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_only_reads() {
        let policy: serde_json::Value = serde_json::from_str(POLICY).expect("JSON");
        let actions = policy["Statement"][0]["Action"].as_array().expect("a list");
        for action in actions {
            let (_, name) = action
                .as_str()
                .and_then(|it| it.split_once(':'))
                .expect("a service");
            let verbs = ["Get", "List", "Describe", "Lookup", "Generate"];
            assert!(verbs.iter().any(|verb| name.starts_with(verb)), "{name}");
        }
    }
}
