//! The words in which formats for people have a row, which an attacker may have chosen in part.

use std::borrow::Cow;

use bstr::{BStr, ByteSlice as _};

use super::{CommitRow, DepartureRow, PlaceRow, Row};
use crate::provenance::with_steps;
use crate::report::display::{day, short, visible};

impl PlaceRow<'_> {
    /// The path as a person can read it, on one line, with the way into containers.
    pub(in crate::report) fn path(&self) -> String {
        readable(&with_steps(self.file().into_owned(), &self.place.inside))
    }

    /// The path of the file as a person can read it, for programs that look it up.
    pub(in crate::report) fn outer_path(&self) -> String {
        readable(&self.file())
    }

    /// The path as it was typed, with the way into containers.
    pub(in crate::report) fn typed_path(&self) -> Cow<'_, BStr> {
        self.place.shown_path()
    }

    /// Returns true if [`Self::file`] is below the root, rather than a path as typed.
    pub(in crate::report) fn is_below_root(&self) -> bool {
        self.place.object.is_some() || self.place.file.is_some()
    }

    /// The path of the file for formats that others look files up with: below the root, if that is known, whatever
    /// was typed.
    ///
    /// What Git holds lies below the root of the repository. Trees made to harm have names such as `..` and `/etc`,
    /// which lead elsewhere; those are written as `%2E%2E` and `%/etc`.
    pub(in crate::report) fn file(&self) -> Cow<'_, BStr> {
        let place = self.place;
        let is_up = |part: &[u8]| matches!(part, b"." | b"..");
        if let (None, Some(file)) = (place.object, &place.file) {
            return Cow::Borrowed(file.as_bstr());
        }
        let path = place.path.as_bstr();
        let leads_elsewhere = path.starts_with(b"/") || path.split_str("/").any(is_up);
        if place.object.is_none() || !leads_elsewhere {
            return Cow::Borrowed(path);
        }
        let part = |part: &[u8]| match is_up(part) {
            true => b"%2E".repeat(part.len()),
            false => part.to_vec(),
        };
        let parts: Vec<Vec<u8>> = path.split_str("/").map(part).collect();
        let mut inside = parts.join(&b'/');
        if inside.starts_with(b"/") {
            inside.insert(0, b'%');
        }
        Cow::Owned(inside.into())
    }

    /// `path:line:column`.
    pub(in crate::report) fn spot(&self) -> String {
        let at = self.position;
        format!("{}:{}:{}", self.path(), at.line, at.column)
    }

    /// The same in the list of a finding's places.
    pub(in crate::report) fn listed(&self) -> String {
        format!("{}{}", self.spot(), self.id_only())
    }

    /// Returns the addition to a place in a finding's list that has the key ID of a pair without the secret.
    pub(in crate::report) fn id_only(&self) -> &'static str {
        if self.is_whole { "" } else { " (key ID only)" }
    }
}

impl Row<'_> {
    /// Says which commit brought the finding in, and which took it away:
    /// `entered with 0123456789 on 2024-05-01, left HEAD with 89abcdef01 on 2024-05-03`.
    pub(in crate::report) fn entered(&self, commit: &CommitRow<'_>) -> String {
        sentence(commit, self.in_head, self.left.as_ref(), "left HEAD with")
    }

    /// Returns the rest of a sentence about a finding with several places; empty for one.
    pub(in crate::report) fn elsewhere(&self) -> String {
        match self.places.len() {
            0 | 1 => String::new(),
            2 => " (and in one more place)".to_owned(),
            count => format!(" (and in {} more places)", count - 1),
        }
    }
}

impl CommitRow<'_> {
    /// The same as [`Row::entered`] of one of its places, which may have gone from there while `HEAD` has it elsewhere.
    pub(in crate::report) fn entered_there(&self) -> String {
        sentence(
            self,
            self.in_head,
            self.left.as_ref(),
            "left that path with",
        )
    }
}

fn readable(path: &[u8]) -> String {
    let lossy = path.to_str_lossy();
    visible(lossy.strip_prefix("./").unwrap_or(&lossy)).into_owned()
}

fn sentence(
    commit: &CommitRow<'_>,
    in_head: bool,
    left: Option<&DepartureRow<'_>>,
    left_with: &str,
) -> String {
    let event = |id: &str, date: &str| format!("{} on {}", short(id, 10), day(date));
    let state = if in_head {
        "still in HEAD"
    } else if let Some(left) = left {
        &format!("{left_with} {}", event(&left.commit, left.date))
    } else if commit.refs.is_empty() {
        "reachable from no branch or tag"
    } else {
        "no longer in HEAD"
    };
    let entered = event(&commit.commit, commit.date);
    format!("entered with {entered}, {state}")
}
