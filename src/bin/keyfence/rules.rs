//! The rules in force: the built-in ones and those of `--rules`.

use keyfence::rule::RuleSet;

/// The rules that come with the program.
pub(crate) fn builtin() -> RuleSet {
    RuleSet::builtin()
}
