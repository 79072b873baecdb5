//! Regexes that are checked when a file is read and compiled when a text first needs them.

use std::fmt;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::Text;

/// The most memory that the program of a regex may take, in bytes.
const SIZE_LIMIT: usize = 4 << 20;

/// A regex that is compiled when it is first used: at start-up nothing is paid for rules that do not match.
#[derive(Clone)]
pub struct Pattern {
    source: Text,
    compiled: OnceLock<Compiled>,
}

/// A regex and its named groups.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Works on bytes: `.` and negated classes match what is not UTF-8 too.
    pub regex: Regex,
    /// Index of the group named `secret`; 0 if the whole match is the secret.
    pub secret_group: usize,
    /// Index of the group named `key_id`, the public half, if there is one.
    pub key_id_group: Option<usize>,
}

/// Result of checking a regex without compiling it.
#[derive(Debug)]
pub(super) struct Checked {
    /// Ready to be compiled when it is needed.
    pub(super) pattern: Pattern,
    /// Names of its groups.
    pub(super) groups: Vec<String>,
    /// True if it matches the empty text.
    pub(super) matches_nothing: bool,
}

impl Pattern {
    /// A regex of the program's own, which a test checks.
    pub(crate) const fn builtin(source: &'static str) -> Self {
        Self {
            source: Text::Borrowed(source),
            compiled: OnceLock::new(),
        }
    }

    /// Parses a regex. It is compiled only where its parts leave in doubt whether it is small enough, or whether it
    /// matches the empty text: to compile takes ten times as long.
    ///
    /// # Errors
    ///
    /// A message for the author of the regex.
    pub(super) fn check(source: &str) -> Result<Checked, String> {
        let pattern = Self {
            source: source.to_owned().into(),
            compiled: OnceLock::new(),
        };
        let mut parser = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build();
        let hir = parser.parse(source).map_err(|error| error.to_string())?;
        let may_match_nothing = hir.properties().minimum_len() == Some(0);
        let mut groups = Vec::new();
        let is_small = size(&hir, &mut groups).is_some_and(|size| size <= SIZE_LIMIT / 2);
        let mut matches_nothing = false;
        if may_match_nothing || !is_small {
            let compiled = Compiled::new(source).map_err(|error| error.to_string())?;
            matches_nothing = compiled.regex.is_match(b"");
            pattern.compiled.get_or_init(|| compiled);
        }
        Ok(Checked {
            pattern,
            groups,
            matches_nothing,
        })
    }

    /// Returns true if a text has needed it.
    #[cfg(test)]
    pub(crate) fn is_compiled(&self) -> bool {
        self.compiled.get().is_some()
    }

    /// The regex as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The compiled form.
    pub fn get(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            Compiled::new(&self.source)
                .expect("rule files are checked, and a test checks the built-in one")
        })
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl Compiled {
    fn new(source: &str) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(source)
            .unicode(false)
            .size_limit(SIZE_LIMIT)
            .build()?;
        let group = |name: &str| regex.capture_names().position(|found| found == Some(name));
        Ok(Self {
            secret_group: group("secret").unwrap_or(0),
            key_id_group: group("key_id"),
            regex,
        })
    }
}

/// More than one state of a compiled regex takes, in bytes, with what belongs to it.
const STATE: usize = 96;

/// More than one range of a class takes.
const RANGE: usize = 32;

/// An upper bound for the memory of the compiled regex, in bytes; `None` for what is not bounded here. Gathers the
/// names of groups on the way.
fn size(hir: &Hir, groups: &mut Vec<String>) -> Option<usize> {
    let mut sum = |parts: &[Hir]| {
        let mut sum = STATE;
        for part in parts {
            sum = size(part, groups)?.checked_add(sum)?;
        }
        sum.checked_add(parts.len().checked_mul(STATE)?)
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(STATE),
        HirKind::Literal(literal) => literal.0.len().checked_mul(STATE),
        HirKind::Class(Class::Bytes(class)) => Some(STATE + RANGE * class.ranges().len()),
        // Each range of characters is several sequences of bytes: left to the compiler.
        HirKind::Class(Class::Unicode(_)) => None,
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
        HirKind::Capture(capture) => {
            groups.extend(capture.name.as_deref().map(str::to_owned));
            size(&capture.sub, groups)?.checked_add(2 * STATE)
        }
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(repetition.min);
            let times = usize::try_from(times).ok()?.checked_add(1)?;
            let once = size(&repetition.sub, groups)?.checked_add(STATE)?;
            once.checked_mul(times)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_regex_that_is_checked_is_not_compiled() {
        let checked = Pattern::check("(?:^|[^a-z])(?P<secret>acme_[a-z0-9]{32})").unwrap();
        assert!(!checked.pattern.is_compiled() && !checked.matches_nothing);
        assert_eq!(checked.groups, ["secret"]);
        assert!(
            checked
                .pattern
                .get()
                .regex
                .is_match(&[b"acme_", &[b'7'; 32][..]].concat())
        );
        assert!(checked.pattern.is_compiled());
    }

    #[test]
    fn what_is_too_large_or_matches_nothing_is_known_at_once() {
        assert!(Pattern::check("(?:[a-z]{1000}){1000}").is_err());
        assert!(Pattern::check("(?:(?u:\\w){100}){1000}").is_err());
        assert!(Pattern::check("x*").unwrap().matches_nothing);
        assert!(Pattern::check("^$|x").unwrap().matches_nothing);
        assert!(!Pattern::check("\\b").unwrap().matches_nothing);
        assert!(Pattern::check("x(").unwrap_err().contains("unclosed group"));
    }

    /// Parts of which regexes are made.
    fn part() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("a".to_owned()),
            Just("[^a-z0-9]".to_owned()),
            Just("(?i:secret)".to_owned()),
            Just("^".to_owned()),
            Just("\\b".to_owned()),
            Just("(?s:.)".to_owned()),
            Just("(?u:é)".to_owned()),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                (inner.clone(), 0_u32..60, 0_u32..60)
                    .prop_map(|(part, min, more)| format!("(?:{part}){{{min},{}}}", min + more)),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
                inner.prop_map(|part| format!("({part})+?")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// The slow truth is to compile.
        #[test]
        fn a_check_says_what_compiling_says(source in part()) {
            let compiled = Compiled::new(&source);
            match Pattern::check(&source) {
                Ok(checked) => {
                    let compiled = compiled.expect("it was found good");
                    prop_assert_eq!(checked.matches_nothing, compiled.regex.is_match(b""));
                }
                Err(_) => prop_assert!(compiled.is_err()),
            }
        }
    }
}
