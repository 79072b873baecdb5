//! A rule file as a person writes it.

use super::reader::Reader;
use super::{Fault, Rule};

/// The shortest keyword: shorter ones would be found everywhere and slow the search for all others.
pub const SHORTEST_KEYWORD: usize = 4;

/// The rules of one file, in its order.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// The file, as its reader names it.
    pub name: String,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The line on which each of them begins, 1-based.
    pub lines: Vec<usize>,
}

impl RuleFile {
    /// Reads a rule file; or gives all its faults.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(name, text);
        let (lines, rules) = match reader.document.parse() {
            Some(root) => reader.root(root.get_ref()).into_iter().unzip(),
            None => Default::default(),
        };
        let mut faults = reader.document.faults;
        if faults.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                rules,
                lines,
            })
        } else {
            faults.sort();
            Err(faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;
    use crate::rule::allowlist::Subject;
    use crate::rule::check::Check;

    fn faults(text: &str) -> Vec<String> {
        let faults = RuleFile::parse("my.toml", text).unwrap_err();
        faults.iter().map(|fault| fault.to_string()).collect()
    }

    #[test]
    fn a_good_file_is_read() {
        let file = RuleFile::parse(
            "my.toml",
            "# mine\n[[rule]]\nid = 'a-1'\ndescription = 'd'\nkeywords = ['acme_']\nregex = 'acme_(?P<secret>[a-z]{9})'\n\
             checks = ['entropy(2.5)']\npairs_with = { regex = 'user', lines = 3 }\n\
             allowlists = [{ line = 'test', reason = 'r' }]\n",
        )
        .unwrap();
        let rule = &file.rules[0];
        assert_eq!((rule.id.as_ref(), rule.level), ("a-1", Level::Error));
        assert_eq!(file.lines, [2]);
        assert_eq!(*rule.checks, [Check::Entropy(2.5)]);
        assert_eq!(rule.pairs_with.as_ref().unwrap().lines, 3);
        assert_eq!(rule.allowlists[0].subject, Subject::Line);
    }

    #[test]
    fn all_faults_are_told_at_once_with_line_and_key() {
        let faults = faults(
            "title = 'x'\n[[rule]]\nid = 'A b'\nkeywords = ['abc', 'long_']\nregex = 'x('\nlevel = 'fatal'\n\
             [[rule]]\nid = 'two'\ndescription = 'd'\nregx = 'x'\nkeywords = 'word'\nregex = 'x+'\nchecks = ['sha']\n\
             pairs_with = { regex = 'y(?P<secret>z)' }\nallowlists = [{ line = '[', why = 'x' }]\nwindow = 99999999\n",
        );
        let expected = [
            (1, "title", "unknown key"),
            (2, "A b.description", "missing"),
            (3, "A b.id", "a-z"),
            (4, "A b.keywords", "`abc` is shorter"),
            (5, "A b.regex", "unclosed group"),
            (6, "A b.level", "error, warning or note"),
            (10, "two.regx", "unknown key"),
            (11, "two.keywords", "a list of strings"),
            (12, "two.regex", "no group"),
            (13, "two.checks", "`sha`"),
            (14, "two.pairs_with.lines", "missing"),
            (14, "two.pairs_with.regex", "`secret`"),
            (15, "two.allowlists.line", "unclosed"),
            (15, "two.allowlists.reason", "missing"),
            (15, "two.allowlists.why", "unknown key"),
            (16, "two.window", "0 to"),
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, (line, key, part)) in faults.iter().zip(expected) {
            assert!(
                fault.starts_with(&format!("my.toml:{line}: {key}: ")),
                "{fault}"
            );
            assert!(fault.contains(part), "{fault}");
        }
    }

    #[test]
    fn encoded_forms_and_kinds_are_for_the_rules_of_code() {
        let rule = "[[rule]]\nid = 'a'\ndescription = 'd'\nregex = '(?P<secret>acme_x)'\n";
        let found = faults(&format!(
            "{rule}keywords = ['acme_']\nbase64 = ['acme_']\nutf16 = ['acme_']\n"
        ));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("my.toml:6: a.base64: "), "{found:?}");
        assert!(found[1].starts_with("my.toml:7: a.utf16: "), "{found:?}");
        let found = faults(&format!("{rule}keywords = ['acme_']\nkind = 'aws'\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("my.toml:6: a.kind: "), "{found:?}");
    }

    #[test]
    fn broken_toml_is_told_with_all_its_lines() {
        let faults = faults("[[rule]]\nid = \nx\n[[rule]]\nid = 'b'\ny = {\n");
        assert!(faults.len() >= 2, "{faults:?}");
        assert!(faults[0].starts_with("my.toml:2: syntax: "), "{faults:?}");
    }

    #[test]
    fn two_rules_of_one_id_are_a_fault() {
        let rule = "[[rule]]\nid = 'a'\ndescription = 'd'\nkeywords = ['acme_']\nregex = '(?P<secret>acme_x)'\n";
        let faults = faults(&rule.repeat(2));
        assert_eq!(
            faults,
            ["my.toml:6: a.id: the rule of line 1 has this id already"]
        );
    }
}
