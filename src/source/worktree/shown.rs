//! Paths as they are shown: as typed, with `/` between their parts.

use std::borrow::Cow;
use std::path::Path;

use bstr::{BString, ByteSlice};

use crate::coverage::{Skip, SkipReason};
use crate::source::BlobSink;

/// A root as its paths begin: as it was typed, without `./` before and `/` behind it.
pub(super) fn shown_root(root: &Path) -> BString {
    let bytes = bytes_of(root);
    let mut rest: &[u8] = &bytes;
    while let Some(inner) = rest.strip_prefix(b"./") {
        rest = inner.trim_start_with(|c| c == '/');
    }
    let rest = rest.trim_end_with(|c| c == '/');
    match (rest, bytes.first()) {
        (b"", Some(b'/')) => "/".into(),
        (b".", _) => "".into(),
        _ => rest.into(),
    }
}

/// A path as bytes with `/` between its parts; lossy only where paths are not bytes.
pub(super) fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    match <[u8]>::from_path(path) {
        Some(bytes) if std::path::MAIN_SEPARATOR == '/' => Cow::Borrowed(bytes),
        Some(bytes) => Cow::Owned(bytes.replace(std::path::MAIN_SEPARATOR_STR, "/")),
        None => {
            let lossy = path.to_string_lossy();
            Cow::Owned(lossy.replace(std::path::MAIN_SEPARATOR, "/").into_bytes())
        }
    }
}

/// Names something that was not read.
pub(super) fn note<S: BlobSink>(
    sink: &mut S,
    reason: SkipReason,
    shown: &[u8],
    detail: Option<String>,
) {
    // A root that was named `.` has no name of its own.
    let subject: &[u8] = match shown.strip_suffix(b"/").unwrap_or(shown) {
        b"" if shown == b"/" => b"/",
        b"" => b".",
        name => name,
    };
    sink.skip(Skip {
        reason,
        subject: subject.into(),
        detail,
        is_in_file: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_as_they_were_typed() {
        for (typed, shown) in [
            (".", ""),
            ("./", ""),
            ("././/", ""),
            ("./src", "src"),
            ("src/", "src"),
            (".././a//", ".././a"),
            ("/", "/"),
            ("/a/b/", "/a/b"),
            (".git", ".git"),
        ] {
            assert_eq!(shown_root(Path::new(typed)), shown, "{typed}");
        }
    }
}
