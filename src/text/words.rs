//! Texts for people in two languages, out of a table that has them side by side.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

const TABLE: &str = include_str!("words.toml");

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Lang {
    /// The code of the language, as HTML has it.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The text of a code, with its values put in the place of `{name}`, and the word that goes with a number in the place of
    /// `{name?one:many}`.
    ///
    /// # Panics
    ///
    /// There is no such text: a test holds every code in the source against the table.
    pub fn say(self, code: &str, values: &[(&str, &str)]) -> String {
        let texts = WORDS.get(code);
        let texts = texts.unwrap_or_else(|| panic!("the table of texts lacks {code}"));
        let template = match self {
            Self::En => &texts.en,
            Self::Ja => &texts.ja,
        };
        let mut text = String::with_capacity(template.len() + 32);
        let mut rest = template.as_str();
        while let Some(at) = rest.find('{') {
            let (before, behind) = rest.split_at(at);
            text.push_str(before);
            let inside = behind[1..].split('}').next().unwrap_or_default();
            let (name, forms) = match inside.split_once('?') {
                Some((name, forms)) => (name, forms.split_once(':')),
                None => (inside, None),
            };
            // What is put in is not looked through again: it may hold braces.
            let value = values.iter().find(|(known, _)| *known == name);
            text.push_str(match (value, forms) {
                (Some((_, value)), None) => value,
                (Some((_, "1")), Some((one, _))) => one,
                (Some(_), Some((_, many))) => many,
                (None, _) => &behind[..inside.len() + 2],
            });
            rest = &behind[inside.len() + 2..];
        }
        text.push_str(rest);
        text
    }

    /// A text without values.
    pub fn word(self, code: &str) -> String {
        self.say(code, &[])
    }
}

#[derive(Debug, Deserialize)]
struct Texts {
    en: String,
    ja: String,
}

static WORDS: LazyLock<HashMap<String, Texts>> =
    LazyLock::new(|| toml::from_str(TABLE).expect("a table that the tests read"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .map(|part| part.split(['}', '?']).next().unwrap_or_default())
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_values() {
        for (code, texts) in WORDS.iter() {
            assert_eq!(names(&texts.en), names(&texts.ja), "{code}");
            assert!(!texts.en.is_empty() && !texts.ja.is_empty(), "{code}");
            let ends = |text: &str, end: [char; 2]| text.ends_with(end);
            assert_eq!(
                ends(&texts.en, ['.', ':']),
                ends(&texts.ja, ['。', '：']),
                "{code}: a sentence in one language and none in the other"
            );
        }
    }

    #[test]
    fn a_word_goes_with_its_number() {
        for (count, shown) in [("0", "0 calls"), ("1", "1 call"), ("1,000", "1,000 calls")] {
            let said = Lang::En.say("reason.used_after", &[("count", count)]);
            assert!(said.contains(&format!("({shown})")), "{said}");
        }
    }

    #[test]
    fn values_are_put_in_once() {
        let said = Lang::En.say("reason.used_after", &[("count", "{count}")]);
        assert!(said.contains("{count}"), "{said}");
    }
}
