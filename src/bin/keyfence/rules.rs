//! The built-in rules, and names of rules on the command line.

use keyfence::document::closest;
use keyfence::rule::RuleSet;

use crate::failure::{Failure, Kind};

/// The rules that come with the program.
pub(crate) fn builtin() -> RuleSet {
    RuleSet::builtin()
}

/// Makes sure that every id of `only` is that of a rule.
pub(crate) fn check_ids(rules: &RuleSet, only: &[String]) -> Result<(), Failure> {
    match only.iter().find(|id| rules.index_of(id).is_none()) {
        None => Ok(()),
        Some(id) => {
            let failure = Failure::bare(Kind::Usage, format!("there is no rule '{id}'"));
            let known = || rules.rules.iter().map(|rule| rule.id.as_str());
            let mut alike: Vec<&str> = known()
                .filter(|known| known.contains(id.as_str()) || id.contains(known))
                .take(5)
                .collect();
            if alike.is_empty() {
                alike.extend(closest(id, known()));
            }
            let alike = alike.join(", ");
            Err(if alike.is_empty() {
                failure.hint("'keyfence rules list' shows them all")
            } else {
                failure.hint(format!("there are {alike}"))
            })
        }
    }
}
