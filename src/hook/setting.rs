//! Settings in Git's configuration for this program: the files of the system, the user and the repository, and `git -c`
//! for one command.

use std::ffi::OsString;
use std::path::PathBuf;

use bstr::{BString, ByteSlice as _};

use super::config::{global_files, own_files, value_in};
use super::{Error, HookContext};

/// A value, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The value.
    pub value: BString,
    /// Its source.
    pub origin: Origin,
}

impl Setting {
    /// Returns true if Git takes the value for true.
    pub fn is_on(&self) -> bool {
        let value = self.value.to_ascii_lowercase();
        matches!(value.as_slice(), b"true" | b"yes" | b"on")
            || value
                .to_str()
                .is_ok_and(|text| text.parse::<i64>().is_ok_and(|number| number != 0))
    }
}

/// Source of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A configuration file.
    File(PathBuf),
    /// `git -c`, or the environment, for this command.
    Command,
}

/// The value of `key`, such as `keysieve.configFrom`, in the configuration files; the last one counts.
pub fn in_files(context: &HookContext, key: &str) -> Result<Option<Setting>, Error> {
    let mut files = global_files(&context.user);
    if let Some(dirs) = &context.repository {
        files.extend(own_files(context, dirs)?);
    }
    let mut found = None;
    for path in files {
        if let Some(value) = value_in(&path, context, key)? {
            found = Some(Setting {
                value,
                origin: Origin::File(path),
            });
        }
    }
    Ok(found)
}

/// The value that `git -c` gives to `key` for this command, and through it to hooks: `GIT_CONFIG_PARAMETERS`, and
/// `GIT_CONFIG_COUNT` with its keys and values, which win.
pub fn of_command(get: impl Fn(&str) -> Option<OsString>, key: &str) -> Option<Setting> {
    let text = |name: &str| get(name).map(|value| BString::from(value.as_encoded_bytes()));
    let mut found = None;
    for (name, value) in text("GIT_CONFIG_PARAMETERS")
        .iter()
        .flat_map(|it| parameters(it))
    {
        if name.eq_ignore_ascii_case(key.as_bytes()) {
            found = Some(value);
        }
    }
    let count = text("GIT_CONFIG_COUNT").and_then(|count| count.to_str().ok()?.parse().ok());
    for number in 0..count.unwrap_or(0_usize).min(MOST) {
        if text(&format!("GIT_CONFIG_KEY_{number}"))
            .is_some_and(|name| name.eq_ignore_ascii_case(key.as_bytes()))
        {
            found = Some(text(&format!("GIT_CONFIG_VALUE_{number}")).unwrap_or_default());
        }
    }
    found.map(|value| Setting {
        value,
        origin: Origin::Command,
    })
}

/// Nobody gives more values than this by the environment.
const MOST: usize = 10_000;

/// Reads `'key'='value'` and, from Git before 2.31, `'key=value'`, in the quotes of a shell. What is not written so
/// is passed over: it is not from Git.
fn parameters(text: &[u8]) -> Vec<(BString, BString)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((first, after)) = quoted(rest) {
        let (key, value, after) = match after.strip_prefix(b"=") {
            Some(after) => match quoted(after) {
                Some((value, after)) => (first, value, after),
                None => (first, BString::default(), after),
            },
            None => match first.split_once_str("=") {
                Some((key, value)) => (key.into(), value.into(), after),
                None => (first, BString::default(), after),
            },
        };
        found.push((key, value));
        rest = after.trim_start();
    }
    found
}

/// A word in single quotes, in which `'\''` and `'\!'` mean a quote and an exclamation mark; and what follows.
fn quoted(text: &[u8]) -> Option<(BString, &[u8])> {
    let mut rest = text.strip_prefix(b"'")?;
    let mut word = BString::default();
    loop {
        let end = rest.find_byte(b'\'')?;
        word.extend_from_slice(rest.get(..end)?);
        rest = rest.get(end + 1..)?;
        match rest {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', more @ ..] => {
                word.push(*escaped);
                rest = more;
            }
            _ => return Some((word, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_passes_on_is_read() {
        let read = |text: &str| {
            let pairs = parameters(text.as_bytes()).into_iter();
            let pairs: Vec<String> = pairs
                .map(|(key, value)| format!("{key}: {value}"))
                .collect();
            pairs.join("; ")
        };
        assert_eq!(
            read(r"'keysieve.skip'='it'\''s me'\!'' 'a.b'="),
            "keysieve.skip: it's me!; a.b: "
        );
        assert_eq!(
            read("'keysieve.skip=old git' 'c.d'"),
            "keysieve.skip: old git; c.d: "
        );
        assert_eq!(read("nonsense"), "");
        assert_eq!(read("'a'='b"), "a: ");
    }

    #[test]
    fn the_last_value_counts_whatever_the_case_of_the_key() {
        let env = |name: &str| {
            let value = match name {
                "GIT_CONFIG_PARAMETERS" => "'Keysieve.Skip'='one' 'keysieve.skip'='two'",
                "GIT_CONFIG_COUNT" => "2",
                "GIT_CONFIG_KEY_1" => "keysieve.configfrom",
                "GIT_CONFIG_VALUE_1" => "head",
                _ => return None,
            };
            Some(OsString::from(value))
        };
        let value = |key| of_command(env, key).map(|setting| setting.value);
        assert_eq!(value("keysieve.skip"), Some("two".into()));
        assert_eq!(value("keysieve.configFrom"), Some("head".into()));
        assert_eq!(value("keysieve.other"), None);
    }
}
