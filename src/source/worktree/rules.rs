//! Ignore rules: those of the directories above a path, then those of the repository.
//!
//! The user's own excludes and the ignore files of other tools are not used, so that two machines agree.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::content::{Links, read_small};
use crate::source::Error;

/// The rules of one file, and those that count where it says nothing.
#[derive(Debug)]
pub(super) struct Rules {
    matcher: Gitignore,
    outer: Option<Arc<Rules>>,
}

impl Rules {
    /// Returns true if the last rule that names a path ignores it. The path is the one below the work tree.
    pub(super) fn ignore(&self, path: &Path, is_dir: bool) -> bool {
        let mut rules = self;
        loop {
            let verdict = rules.matcher.matched(path, is_dir);
            if !verdict.is_none() {
                return verdict.is_ignore();
            }
            match &rules.outer {
                Some(outer) => rules = outer,
                None => return false,
            }
        }
    }

    /// Puts the rules of a file, if it can be read and has any, before others.
    ///
    /// `dir` is the directory below the work tree that they count for. A rule that cannot be understood
    /// ignores nothing. As Git does, a link in place of the file is not followed.
    pub(super) fn load(file: &Path, dir: &Path, outer: Option<Arc<Rules>>) -> Option<Arc<Rules>> {
        let Ok(Some(bytes)) = read_small(file, Links::Refuse) else {
            return outer;
        };
        let mut builder = GitignoreBuilder::new(dir);
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        for line in bytes.lines() {
            // Globs are text: a rule in another encoding ignores nothing.
            if let Ok(line) = line.to_str() {
                let _ = builder.add_line(None, line);
            }
        }
        match builder.build() {
            Ok(matcher) if !matcher.is_empty() => Some(Arc::new(Rules { matcher, outer })),
            _ => outer,
        }
    }
}

/// Globs of `--exclude`, as in `.gitignore`.
#[derive(Clone, Debug)]
pub struct Exclude {
    matcher: Gitignore,
}

impl Default for Exclude {
    fn default() -> Self {
        Self {
            matcher: Gitignore::empty(),
        }
    }
}

impl Exclude {
    /// Reads globs as in a `.gitignore` at each root that is scanned; one with a slash is also matched against the path
    /// as it is shown.
    pub fn new<G: AsRef<str>>(globs: impl IntoIterator<Item = G>) -> Result<Self, Error> {
        let mut builder = GitignoreBuilder::new("");
        for glob in globs {
            let glob = glob.as_ref();
            let fault = |source| Error::Glob {
                glob: glob.to_owned(),
                source,
            };
            builder.add_line(None, glob).map_err(fault)?;
        }
        let matcher = builder.build().map_err(|source| Error::Glob {
            glob: String::new(),
            source,
        })?;
        Ok(Self { matcher })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.matcher.is_empty()
    }

    /// Returns true if a path, below the root and as shown, is excluded.
    pub(super) fn names(&self, below: &Path, shown: &Path, is_dir: bool) -> bool {
        self.matcher.matched(below, is_dir).is_ignore()
            || (shown != below && self.matcher.matched(shown, is_dir).is_ignore())
    }
}

/// Rules from a work tree down to, and without, a directory in it; `None` if they ignore the directory.
///
/// A file of rules that cannot be read ignores nothing: more is scanned, so it needs no mention.
pub(super) fn between(
    work_tree: &Path,
    common_dir: &Path,
    dir: &Path,
) -> Option<Option<Arc<Rules>>> {
    let mut rules = of_repository(common_dir);
    let mut at = PathBuf::new();
    for part in dir.strip_prefix(work_tree).ok()?.components() {
        rules = Rules::load(&work_tree.join(&at).join(".gitignore"), &at, rules);
        at.push(part);
        if rules.as_ref().is_some_and(|rules| rules.ignore(&at, true)) {
            return None;
        }
    }
    Some(rules)
}

/// The rules that a repository has for itself alone.
pub(super) fn of_repository(common_dir: &Path) -> Option<Arc<Rules>> {
    Rules::load(&common_dir.join("info/exclude"), Path::new(""), None)
}
