//! Patterns of paths, in the syntax of `.gitignore`.

use std::fmt;
use std::path::{Component, PathBuf};
use std::sync::Arc;

use bstr::{BStr, ByteSlice as _};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Patterns of paths. None at all match nothing.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    patterns: Option<Arc<Gitignore>>,
}

/// A pattern that cannot be read.
#[derive(Debug)]
pub struct PatternError {
    /// The pattern as it was given.
    pub pattern: String,
    source: ignore::Error,
}

impl Globs {
    /// Compiles `patterns`.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PatternError> {
        let mut builder = GitignoreBuilder::new("");
        let mut any = false;
        for pattern in patterns {
            builder
                .add_line(None, pattern)
                .map_err(|source| PatternError {
                    pattern: pattern.to_owned(),
                    source,
                })?;
            any = true;
        }
        if !any {
            return Ok(Self::default());
        }
        let compiled = builder.build().map_err(|source| PatternError {
            pattern: String::new(),
            source,
        })?;
        Ok(Self {
            patterns: Some(Arc::new(compiled)),
        })
    }

    /// Returns true if a pattern names `path` or a directory above it.
    pub fn matches(&self, path: &BStr) -> bool {
        let Some(patterns) = &self.patterns else {
            return false;
        };
        let Ok(path) = path.to_path() else {
            return false;
        };
        // The matcher wants relative paths without `./`, and panics on others.
        let relative: PathBuf = path
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .collect();
        patterns
            .matched_path_or_any_parents(&relative, false)
            .is_ignore()
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use the pattern '{}'", self.pattern)
    }
}

impl std::error::Error for PatternError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_gitignore() {
        let globs = Globs::new(["*.min.js", "/vendor/", "!keep.min.js"]).unwrap();
        for (path, excluded) in [
            ("a/b.min.js", true),
            ("./a/b.min.js", true),
            ("a/keep.min.js", false),
            ("vendor/x/y", true),
            ("a/vendor/x", false),
            ("/abs/b.min.js", true),
            ("../up/b.min.js", true),
        ] {
            assert_eq!(globs.matches(path.into()), excluded, "{path}");
        }
        assert!(!Globs::default().matches("a".into()));
        assert!(Globs::new(["a[z-a]"]).is_err());
    }
}
