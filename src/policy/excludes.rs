//! Paths that the user left out.

use std::fmt;
use std::sync::Arc;

use bstr::{BStr, ByteSlice};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::text::paths::Base;

/// Patterns of paths that are not scanned, in the syntax of `.gitignore`.
#[derive(Clone, Debug, Default)]
pub struct Excludes {
    patterns: Option<Arc<Gitignore>>,
    base: Option<Base>,
}

/// A pattern that cannot be read.
#[derive(Debug)]
pub struct PatternError {
    /// The pattern as it was given.
    pub pattern: String,
    source: ignore::Error,
}

impl Excludes {
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
            base: None,
        })
    }

    /// Holds paths below a root against the patterns, instead of paths as they are shown.
    pub fn from_base(mut self, base: Base) -> Self {
        self.base = Some(base);
        self
    }

    /// Whether `path` or a directory above it is left out.
    pub fn matches(&self, path: &BStr) -> bool {
        let Some(patterns) = &self.patterns else {
            return false;
        };
        if let Some(base) = &self.base {
            return base.below_root(path).is_some_and(|path| {
                patterns
                    .matched_path_or_any_parents(path, false)
                    .is_ignore()
            });
        }
        let Ok(path) = path.to_path() else {
            return false;
        };
        // The matcher wants relative paths without `./`, and panics on others.
        let relative: std::path::PathBuf = path
            .components()
            .filter(|part| matches!(part, std::path::Component::Normal(_)))
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
        let excludes = Excludes::new(["*.min.js", "/vendor/", "!keep.min.js"]).unwrap();
        for (path, excluded) in [
            ("a/b.min.js", true),
            ("./a/b.min.js", true),
            ("a/keep.min.js", false),
            ("vendor/x/y", true),
            ("a/vendor/x", false),
            ("/abs/b.min.js", true),
            ("../up/b.min.js", true),
        ] {
            assert_eq!(excludes.matches(path.into()), excluded, "{path}");
        }
        assert!(!Excludes::default().matches("a".into()));
        assert!(Excludes::new(["a[z-a]"]).is_err());
    }
}
