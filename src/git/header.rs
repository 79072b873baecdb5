//! The headers of commits and annotated tags, and their messages.
//!
//! As Git reads them: a commit begins with its tree and its parents, and nothing else has to be there. Its date is in
//! the line of the committer, which follows that of the author.

use std::borrow::Cow;

use bstr::ByteSlice as _;
use gix::ObjectId;

/// Message about a commit whose header cannot be read.
pub(crate) const MALFORMED: &str = "not a commit that can be read";

/// Message about a tag that names no object.
pub(crate) const NO_TAG: &str = "not a tag that can be read";

/// The header of a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommitHeader<'c> {
    /// The id of its tree, in hex.
    pub(crate) tree: &'c [u8],
    /// The lines of its parents.
    parents: &'c [u8],
    /// The lines after those of the parents.
    rest: &'c [u8],
}

impl<'c> CommitHeader<'c> {
    /// Reads the header of a commit; `None` if it does not begin with a tree. Ids are not looked at.
    pub(crate) fn parse(commit: &'c [u8]) -> Option<Self> {
        let (tree, rest) = line(commit)?;
        let tree = tree.strip_prefix(b"tree ")?;
        let mut after = rest;
        while after.starts_with(b"parent ") {
            (_, after) = line(after)?;
        }
        let parents = &rest[..rest.len() - after.len()];
        Some(Self {
            tree,
            parents,
            rest: after,
        })
    }

    /// The ids of its parents, in hex, in their order.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &'c [u8]> {
        let mut rest = self.parents;
        std::iter::from_fn(move || {
            let (first, after) = line(rest)?;
            rest = after;
            first.strip_prefix(b"parent ")
        })
    }

    /// The committer's date in seconds since 1970; 0 where there is none, as Git has it.
    pub(crate) fn time(&self) -> i64 {
        let date = || {
            let (_, rest) = line(self.rest).filter(|(author, _)| author.starts_with(b"author"))?;
            seconds(line(rest)?.0.strip_prefix(b"committer")?)
        };
        date().unwrap_or_default()
    }

    /// The ids of tree and parents; `None` if one of them is none.
    pub(crate) fn ids(&self) -> Option<(ObjectId, Vec<ObjectId>)> {
        let id = |hex: &[u8]| ObjectId::from_hex(hex).ok();
        let parents = self.parents().map(id).collect::<Option<_>>()?;
        Some((id(self.tree)?, parents))
    }
}

/// The first line, without its end, and what follows it; `None` at the end.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => Some((&bytes[..end], &bytes[end + 1..])),
        None => (!bytes.is_empty()).then_some((bytes, &[])),
    }
}

/// Returns the rest of the first header line that begins with `key`, which has the blank at its end.
pub(crate) fn value<'o>(object: &'o [u8], key: &[u8]) -> Option<&'o [u8]> {
    let mut rest = object;
    while let Some((first, after)) = line(rest).filter(|(first, _)| !first.is_empty()) {
        if let Some(value) = first.strip_prefix(key) {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// Returns the object that a tag names.
pub(crate) fn tagged(tag: &[u8]) -> Option<ObjectId> {
    let (first, _) = line(tag)?;
    ObjectId::from_hex(first.strip_prefix(b"object ")?).ok()
}

/// Returns the text after the headers.
fn message(object: &[u8]) -> &[u8] {
    object.find(b"\n\n").map_or(&[], |at| &object[at + 2..])
}

/// The seconds at the end of a line `name <address> seconds offset`.
fn seconds(line: &[u8]) -> Option<i64> {
    let after = line.rfind_byte(b'>')? + 1;
    let text = line.get(after..)?.trim_start();
    let end = text.find_byte(b' ').unwrap_or(text.len());
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}

/// Name, date and subject of a commit or tag. Nothing here demands that the rest is well-formed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// The name before the address.
    pub(crate) author: String,
    /// Seconds since 1970.
    pub(crate) time: i64,
    /// The same with the author's offset, as RFC 3339 writes it.
    pub(crate) date: String,
    /// The first line of the message.
    pub(crate) subject: String,
}

impl Words {
    /// Reads them; `who` is the key of the line with the name, with its blank.
    pub(crate) fn read(object: &[u8], who: &[u8]) -> Self {
        let line = value(object, who).unwrap_or_default();
        let signature = gix::actor::SignatureRef::from_bytes(line).ok();
        let time = signature.and_then(|signature| signature.time().ok());
        let subject = message(object).trim_start().lines().next();
        let encoding = value(object, b"encoding ");
        let text = |bytes: &[u8]| decoded(bytes, encoding).trim().to_owned();
        Self {
            author: signature.map_or_else(String::new, |signature| text(signature.name)),
            time: time.map(|time| time.seconds).unwrap_or_default(),
            date: time
                .map(|time| time.format_or_unix(gix::date::time::format::ISO8601_STRICT))
                .unwrap_or_default(),
            subject: text(subject.unwrap_or_default()),
        }
    }
}

/// Text in the encoding that a commit names, by any of the names that the web knows; else UTF-8. What that
/// cannot be shows as U+FFFD.
fn decoded<'t>(text: &'t [u8], encoding: Option<&[u8]>) -> Cow<'t, str> {
    let named = encoding.and_then(|label| encoding_rs::Encoding::for_label(label.trim()));
    match named {
        Some(encoding) => encoding.decode_without_bom_handling(text).0,
        None => String::from_utf8_lossy(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_begins_with_its_tree_and_its_parents() {
        let parents = |header: &CommitHeader<'_>| -> Vec<String> {
            let parents = header.parents();
            parents.map(|hex| hex.to_str_lossy().into_owned()).collect()
        };
        let commit =
            b"tree 7\nparent 1\nparent 2\nauthor a\ncommitter a <a> 1234 +0000\nparent 3\n\nx";
        let header = CommitHeader::parse(commit).expect("a commit");
        assert_eq!(header.tree, b"7");
        assert_eq!(parents(&header), ["1", "2"]);
        assert_eq!(header.time(), 1234);
        let root = b"tree 8\nauthor a\ncommitter a <a> -5";
        let root = CommitHeader::parse(root).expect("a commit");
        assert!(parents(&root).is_empty());
        assert_eq!(root.time(), -5);
        let bare = CommitHeader::parse(b"tree 8\n\n").expect("a commit");
        assert_eq!((bare.time(), bare.ids()), (0, None));
        for malformed in [&b""[..], b"parent 1\ntree 7\n"] {
            assert!(CommitHeader::parse(malformed).is_none());
        }
    }

    #[test]
    fn words_are_in_the_encoding_that_the_commit_names() {
        let commit = |encoding: &str| {
            let mut commit =
                b"tree 7\nauthor J\xf6rg <j@x> 60 +0100\ncommitter c <c> 1 +0000\n".to_vec();
            commit.extend_from_slice(encoding.as_bytes());
            commit.extend_from_slice(b"\nSch\xfctz\nmore\n");
            commit
        };
        for (encoding, author, subject) in [
            ("encoding ISO-8859-1\n", "J\u{f6}rg", "Sch\u{fc}tz"),
            ("encoding KOI8-R\n", "J\u{416}rg", "Sch\u{42d}tz"),
            ("encoding nothing\n", "J\u{fffd}rg", "Sch\u{fffd}tz"),
            ("", "J\u{fffd}rg", "Sch\u{fffd}tz"),
            // A continuation of another header, and the message, name no encoding.
            (
                "gpgsig x\n encoding ISO-8859-1\n",
                "J\u{fffd}rg",
                "Sch\u{fffd}tz",
            ),
        ] {
            let words = Words::read(&commit(encoding), b"author ");
            assert_eq!(
                (&*words.author, &*words.subject),
                (author, subject),
                "{encoding}"
            );
            assert_eq!(
                (words.time, &*words.date),
                (60, "1970-01-01T01:01:00+01:00")
            );
        }
    }
}
