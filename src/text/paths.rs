//! Paths as they are shown, and the same paths below the root of a repository.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};

/// The way from a path as it is shown to one below the root.
#[derive(Clone, Debug, Default)]
pub enum Base {
    /// Paths are below the root already, as Git gives them.
    #[default]
    Root,
    /// Paths are as a person would type them in `current`. All directories here are absolute and without links.
    Directory {
        /// The directory that the program runs in.
        current: PathBuf,
        /// The root: the directory that patterns begin at.
        root: PathBuf,
        /// Paths that were named, as typed, each with the one that it leads to: a link may be in it.
        named: Vec<(PathBuf, PathBuf)>,
    },
}

impl Base {
    /// Returns the path relative to the root, with `/` between its parts and without `.` and `..`; `None` outside of the
    /// root.
    pub fn file(&self, path: &BStr) -> Option<BString> {
        let below = self.below_root(path)?;
        let parts: Option<Vec<&[u8]>> = below
            .components()
            .map(|part| <[u8]>::from_os_str(part.as_os_str()))
            .collect();
        Some(parts?.join(&b'/').into())
    }

    fn below_root<'p>(&self, path: &'p BStr) -> Option<Cow<'p, Path>> {
        let path = path.to_path().ok()?;
        match self {
            Self::Root => {
                let mut parts = path.components();
                let is_plain = parts.all(|part| matches!(part, Component::Normal(_)));
                is_plain.then_some(Cow::Borrowed(path))
            }
            Self::Directory {
                current,
                root,
                named,
            } => {
                // Of several named paths that hold it the longest is the one that it was found through.
                let through = named
                    .iter()
                    .filter_map(|(typed, real)| {
                        let rest = path.strip_prefix(typed).ok()?;
                        Some((typed.components().count(), real, rest))
                    })
                    .max_by_key(|(length, ..)| *length);
                let whole = match through {
                    // The path of a file itself has no rest, and a joined `` would be a slash at its end.
                    Some((_, real, rest)) if rest.as_os_str().is_empty() => real.clone(),
                    Some((_, real, rest)) => plain(&real.join(rest)),
                    None => plain(&current.join(path)),
                };
                Some(Cow::Owned(whole.strip_prefix(root).ok()?.to_owned()))
            }
        }
    }
}

/// The folders above paths that are below the root, each once, without the root and without a slash at the end.
pub fn folders_above<'p>(paths: impl IntoIterator<Item = &'p BStr>) -> BTreeSet<BString> {
    let mut folders = BTreeSet::new();
    for path in paths {
        for at in path.rfind_iter("/") {
            // What is above a known folder is known.
            if !folders.insert(path[..at].into()) {
                break;
            }
        }
    }
    folders
}

/// Takes `.` and `..` out of a path, by its text alone.
fn plain(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(base: &Base, path: &str) -> Option<String> {
        base.file(path.into()).map(|path| path.to_string())
    }

    #[test]
    fn paths_are_below_the_root_wherever_the_program_runs() {
        let base = Base::Directory {
            current: "/home/ada/repo/sub".into(),
            root: "/home/ada/repo".into(),
            named: Vec::new(),
        };
        for (path, expected) in [
            ("a.env", Some("sub/a.env")),
            ("./a.env", Some("sub/a.env")),
            ("/home/ada/repo/sub/a.env", Some("sub/a.env")),
            ("../sub/a.env", Some("sub/a.env")),
            ("../../x", None),
            ("/else/a.env", None),
        ] {
            assert_eq!(below(&base, path).as_deref(), expected, "{path}");
        }
        assert_eq!(below(&Base::Root, "a/b").as_deref(), Some("a/b"));
        assert_eq!(below(&Base::Root, "../b"), None);
    }

    #[test]
    fn a_path_through_a_link_is_the_one_that_it_leads_to() {
        let base = Base::Directory {
            current: "/home/ada".into(),
            root: "/data/repo".into(),
            named: vec![
                ("link".into(), "/data/repo".into()),
                ("link/deep".into(), "/data/repo/other/place".into()),
                ("/tmp/k.env".into(), "/data/repo/k.env".into()),
            ],
        };
        for (path, expected) in [
            ("link/src/a.env", Some("src/a.env")),
            ("link/deep/a.env", Some("other/place/a.env")),
            ("/tmp/k.env", Some("k.env")),
            ("linked/a.env", None),
        ] {
            assert_eq!(below(&base, path).as_deref(), expected, "{path}");
        }
    }
}
