//! Values that become parts of commands.

use std::collections::BTreeMap;

/// Arguments of `aws`, without the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argv(pub Vec<Arg>);

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// As it is.
    Text(String),
    /// With the moment of the run inside, as `2026-12-01T00:00:00Z`.
    Now {
        /// Text before it.
        before: String,
        /// Text behind it.
        after: String,
    },
}

/// A value that is not passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// Of which parameter.
    pub(super) name: String,
    /// The value; empty if the parameter is not known.
    pub(super) value: String,
}

/// Values by the names of their parameters.
#[derive(Debug)]
pub(super) struct Values<'v>(BTreeMap<&'v str, &'v str>);

impl<'v> Values<'v> {
    /// These values.
    pub(super) fn of(values: &[(&'v str, &'v str)]) -> Self {
        Self(values.iter().copied().collect())
    }

    /// Puts values in the place of `{name}`; each word has one at most.
    pub(super) fn fill(&self, words: &[String]) -> Result<Argv, Refused> {
        let fill = |word: &String| {
            let Some((before, rest)) = word.split_once('{') else {
                return Ok(Arg::Text(word.clone()));
            };
            let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
            let value = self.0.get(name).copied().unwrap_or_default();
            match is_allowed(name, value) {
                true => Ok(Arg::Text(format!("{before}{value}{after}"))),
                false => Err(Refused {
                    name: name.to_owned(),
                    value: value.to_owned(),
                }),
            }
        };
        Ok(Argv(words.iter().map(fill).collect::<Result<_, _>>()?))
    }
}

/// Parameters that are names of IAM.
const NAMES: [&str; 5] = [
    "userName",
    "roleName",
    "groupName",
    "policyName",
    "instanceProfileName",
];

/// Returns true if a value may be passed on as this parameter.
fn is_allowed(name: &str, value: &str) -> bool {
    match name {
        _ if NAMES.contains(&name) => is_name(value),
        "policyArn" | "roleArn" => {
            value.starts_with("arn:") && is_plain(value) && !value.contains(' ')
        }
        "accessKeyId" => crate::aws::cloudtrail::LogKeyId::parse(value).is_some(),
        "account" => is_account(value),
        "region" => {
            !value.is_empty()
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        }
        _ => is_plain(value),
    }
}

/// A name as IAM allows them.
pub(super) fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_part)
}

/// 12 digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// One line of ASCII that AWS's command line takes as it is: it reads files and addresses that are named as values.
fn is_plain(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_read = ["file://", "fileb://", "http://", "https://"]
        .iter()
        .any(|start| lower.starts_with(start));
    (1..=2048).contains(&text.len())
        && !is_read
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_read_otherwise_is_refused() {
        for (name, value, is) in [
            ("userName", "a+b=c,d.e@f-g_h", true),
            ("userName", "--profile", true),
            ("userName", "a b", false),
            ("userName", "a'b", false),
            ("userName", "$(id)", false),
            ("userName", "ä", false),
            ("userName", "", false),
            ("userName", "file://x", false),
            ("secretId", "it's a \"secret\" $(id)", true),
            ("secretId", "file:///etc/passwd", false),
            ("secretId", "FILEB://x", false),
            ("secretId", "https://example.org", false),
            ("secretId", "a\nb", false),
            ("secretId", "a\u{202e}b", false),
            ("region", "us-east-1", true),
            ("region", "us-east-1;id", false),
            ("policyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess", true),
            ("policyArn", "ReadOnlyAccess", false),
            ("accessKeyId", "AKIA", false),
        ] {
            assert_eq!(is_allowed(name, value), is, "{name} {value:?}");
        }
    }

    #[test]
    fn values_are_put_where_their_names_are() {
        let words = ["iam".to_owned(), "--user-name={userName}".to_owned()];
        let argv = Values::of(&[("userName", "{x}")]).fill(&words);
        assert_eq!(
            argv,
            Err(Refused {
                name: "userName".to_owned(),
                value: "{x}".to_owned()
            })
        );
        let argv = Values::of(&[("userName", "x")])
            .fill(&words)
            .expect("a name");
        assert_eq!(argv.0[1], Arg::Text("--user-name=x".to_owned()));
        assert!(Values::of(&[]).fill(&words).is_err());
    }
}
