//! The paths that a person asks about: which findings are reported. What is read does not depend on it.
//!
//! They are written as Git's pathspecs are: relative to the folder that the person is in, `:/` and `:(top)` for the
//! root, `*` and `?` for any text. A folder means all that is below it.

use std::fmt;

use bstr::{BStr, BString, ByteSlice as _};
use regex::bytes::{Regex, RegexBuilder};

use crate::coverage::Selected;
use crate::finding::Finding;

/// The paths that findings are asked for.
#[derive(Clone, Debug)]
pub struct Selection {
    /// As they were typed.
    paths: Vec<String>,
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
enum Item {
    /// A path below the root; empty for all. With `true` only what is below it.
    Literal(BString, bool),
    Pattern(Regex),
}

/// A path that cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub enum SelectionError {
    /// It leads out of the repository.
    Outside(BString),
    /// It uses something of Git's pathspecs that is not known here.
    Unknown(BString),
}

impl Selection {
    /// Reads paths; `at` is the folder below the root that they are relative to. `None` if there are none.
    pub fn parse<'t>(
        texts: impl IntoIterator<Item = &'t BStr>,
        at: &BStr,
    ) -> Result<Option<Self>, SelectionError> {
        let mut selection = Self {
            paths: Vec::new(),
            items: Vec::new(),
        };
        for text in texts {
            selection.paths.push(text.to_string());
            selection.items.push(Item::parse(text, at)?);
        }
        Ok((!selection.items.is_empty()).then_some(selection))
    }

    /// Returns true for a path that is asked for.
    pub fn has(&self, path: &BStr) -> bool {
        self.items.iter().any(|item| item.has(path))
    }

    /// Returns true for a finding that has a place at a path that is asked for.
    pub fn has_finding(&self, finding: &Finding) -> bool {
        let mut paths = finding.places.iter().filter_map(|it| it.path_below_root());
        paths.any(|path| self.has(path))
    }

    /// Returns the paths without patterns, each with the text that it was typed as.
    pub fn literals(&self) -> impl Iterator<Item = (&BStr, &str)> {
        let items = self.items.iter().zip(&self.paths);
        items.filter_map(|(item, text)| match item {
            Item::Literal(path, _) if !path.is_empty() => Some((path.as_bstr(), text.as_str())),
            _ => None,
        })
    }

    /// Takes out the findings that are not asked for, and counts them. Of the others, places at other paths are taken
    /// out; where only a key ID is at a path that is asked for, the places of its secret stay.
    pub(super) fn take(&self, findings: &mut Vec<Finding>) -> Selected {
        let mut selected = Selected {
            paths: self.paths.clone(),
            ..Selected::default()
        };
        findings.retain_mut(|finding| {
            if !self.has_finding(finding) {
                let mut places = finding.places.iter();
                match places.any(|place| place.path_below_root().is_some()) {
                    true => selected.elsewhere += 1,
                    false => selected.without_path += 1,
                }
                return false;
            }
            let keep: Vec<(bool, bool)> = finding
                .places
                .iter()
                .map(|place| {
                    let is_asked = place.path_below_root().is_some_and(|path| self.has(path));
                    (is_asked, finding.is_whole_at(place))
                })
                .collect();
            let is_whole = keep.contains(&(true, true));
            let mut keep = keep.into_iter();
            finding.places.retain(|_| {
                let (is_asked, is_whole_here) = keep.next().unwrap_or_default();
                is_asked || (!is_whole && is_whole_here)
            });
            true
        });
        selected
    }
}

impl Item {
    fn parse(text: &BStr, at: &BStr) -> Result<Self, SelectionError> {
        let top = [&b":(top)"[..], b":/"]
            .into_iter()
            .find_map(|magic| text.strip_prefix(magic));
        let (at, rest) = match top {
            // Git reads more magic there.
            Some([b'!' | b'^' | b':', ..]) if text.starts_with(b":/") => {
                return Err(SelectionError::Unknown(text.into()));
            }
            Some(rest) => (BStr::new(b""), rest.as_bstr()),
            None if text == ":" => (BStr::new(b""), BStr::new(b"")),
            None if text.starts_with(b":") => return Err(SelectionError::Unknown(text.into())),
            None => (at, text),
        };
        let mut parts: Vec<&[u8]> = at.split_str("/").filter(|part| !part.is_empty()).collect();
        for part in rest.split_str("/") {
            match part {
                b"" | b"." => {}
                b".." if parts.pop().is_none() => {
                    return Err(SelectionError::Outside(text.into()));
                }
                b".." => {}
                part => parts.push(part),
            }
        }
        let path: BString = bstr::join("/", parts).into();
        if rest.find_byteset(b"*?").is_none() {
            return Ok(Self::Literal(path, rest.ends_with(b"/")));
        }
        // In Git these are signs beside others.
        if rest.find_byteset(b"[\\").is_some() {
            return Err(SelectionError::Unknown(text.into()));
        }
        // A folder that a pattern names stands for what is below it, as one that is written out.
        let pattern = format!("^(?s-u:{})(?s-u:/.*)?$", pattern(path.as_ref()));
        let regex = RegexBuilder::new(&pattern).unicode(false).build();
        regex
            .map(Self::Pattern)
            .map_err(|_too_large| SelectionError::Unknown(text.into()))
    }

    fn has(&self, path: &BStr) -> bool {
        match self {
            Self::Literal(all, _) if all.is_empty() => true,
            Self::Literal(asked, is_folder) => match path.strip_prefix(asked.as_slice()) {
                Some(b"") => !is_folder,
                Some(rest) => rest.starts_with(b"/"),
                None => false,
            },
            Self::Pattern(regex) => regex.is_match(path),
        }
    }
}

/// Writes a pattern as a regex; `*` and `?` match slashes too, as in Git.
fn pattern(path: &BStr) -> String {
    let write = |byte: &u8| match byte {
        b'*' => ".*".to_owned(),
        b'?' => ".".to_owned(),
        byte => format!("\\x{byte:02x}"),
    };
    path.iter().map(write).collect()
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside(path) => write!(f, "{path} is outside of the repository"),
            Self::Unknown(path) => write!(
                f,
                "{path} is no path that is understood here: of what Git writes with a colon there are :/ and :(top), of its patterns * and ?"
            ),
        }
    }
}

impl std::error::Error for SelectionError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(text: &str, at: &str) -> Result<Selection, SelectionError> {
        let parsed = Selection::parse([BStr::new(text)], at.into());
        parsed.map(|selection| selection.expect("a path"))
    }

    #[test]
    fn paths_are_those_of_git() {
        for (text, at, path, expected) in [
            ("src", "", "src/a", true),
            ("src", "", "src", true),
            ("src", "", "srcs/a", false),
            ("src", "", "a/src/b", false),
            ("src/", "", "src", false),
            ("src/", "", "src/a/b", true),
            ("x", "src/a", "src/a/x", true),
            ("../x/./y", "src/a", "src/x/y/z", true),
            (".", "src", "src/a", true),
            (".", "src", "lib/a", false),
            (".", "", "lib/a", true),
            (":/lib", "src", "lib/a", true),
            (":(top)lib", "src", "lib/a", true),
            (":", "src", "lib/a", true),
            ("*.env", "", "a/b/c.env", true),
            ("*.env", "a", "b/c.env", false),
            ("a?", "", "ab", true),
            ("a?", "", "ab/c", true),
            ("a?", "", "abc", false),
            ("[id]", "", "[id]/page", true),
            ("a.b", "", "aXb", false),
            ("a.*", "", "aXb", false),
        ] {
            let selection = selection(text, at).expect("a path");
            assert_eq!(
                selection.has(path.into()),
                expected,
                "{text} in {at}: {path}"
            );
        }
        assert!(matches!(
            selection("../../x", "a"),
            Err(SelectionError::Outside(_))
        ));
        for text in [
            ":!x",
            ":(exclude)x",
            ":^x",
            ":(glob)x",
            ":/!x",
            ":/^x",
            "a[b]*",
            "a\\?*",
        ] {
            let is_unknown = matches!(selection(text, ""), Err(SelectionError::Unknown(_)));
            assert!(is_unknown, "{text}");
        }
    }
}
