//! Names of rules on the command line.

use keysieve::rule::RuleSet;
use keysieve::text::document::closest;

use crate::failure::{Failure, Kind};

/// Makes sure that every id of `only` is that of a rule.
pub(crate) fn check_ids(rules: &RuleSet, only: &[String]) -> Result<(), Failure> {
    match only.iter().find(|id| rules.index_of(id).is_none()) {
        None => Ok(()),
        Some(id) => {
            let failure = Failure::bare(Kind::Usage, format!("there is no rule '{id}'"));
            Err(failure.hint(alike(rules, id)))
        }
    }
}

/// Returns a hint for an unknown rule ID: the rules that may be meant.
pub(crate) fn alike(rules: &RuleSet, id: &str) -> String {
    let known = || rules.rules.iter().map(|rule| rule.id.as_ref());
    let mut alike: Vec<&str> = known()
        .filter(|known| known.contains(id) || id.contains(known))
        .take(5)
        .collect();
    if alike.is_empty() {
        alike.extend(closest(id, known()));
    }
    match alike.as_slice() {
        [] => "'keysieve rules list' shows them all".to_owned(),
        [one] => format!("there is {one}"),
        several => format!("there are {}", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_rule_leads_to_the_right_one() {
        let rules = RuleSet::builtin();
        assert_eq!(
            alike(&rules, "aws-acces-key-pair"),
            "there is aws-access-key-pair"
        );
        assert!(alike(&rules, "stripe").starts_with("there are stripe-"));
        assert!(alike(&rules, "nothing-of-the-kind").contains("rules list"));
    }
}
