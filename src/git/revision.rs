//! Ranges of commits as a user, a CI system or Git's hooks name them, resolved to object ids.
//!
//! A revision that cannot be resolved is an error that names it: never an empty range.

use std::fmt;

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use super::header::{self, CommitHeader};
use super::view::{Cause, object, peeled, references};
use crate::git::repository::{self, Named, Repository};

/// Reason why commits could not be selected.
#[derive(Debug)]
pub enum Error {
    /// A revision does not lead to an object.
    Unknown {
        /// As it was written.
        revision: BString,
        /// True if the clone is shallow, which may be the reason.
        is_shallow: bool,
        /// Error of the resolver, if there was one.
        source: Option<Cause>,
    },
    /// A range begins with its dots. It would always be empty where it ends with `HEAD`, and is what is left of
    /// `$BASE..HEAD` without a base.
    NoLeftSide {
        /// The range, as it was written.
        range: BString,
    },
    /// A side of a range is no commit.
    NoCommit {
        /// As it was written.
        revision: BString,
    },
    /// References could not be listed.
    References {
        /// The error.
        source: Cause,
    },
    /// A merge base could not be worked out.
    MergeBase {
        /// The range, as it was written.
        range: BString,
        /// The error.
        source: Cause,
    },
    /// The caller asked to stop.
    Interrupted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown {
                revision,
                is_shallow,
                ..
            } => {
                write!(f, "unknown revision {revision:?}")?;
                match is_shallow {
                    true => f.write_str(" (the clone is shallow)"),
                    false => Ok(()),
                }
            }
            Self::NoLeftSide { range } => {
                write!(f, "nothing stands before the dots of {range:?}")
            }
            Self::NoCommit { revision } => write!(f, "{revision:?} is not a commit"),
            Self::References { .. } => f.write_str("cannot list the references"),
            Self::MergeBase { range, .. } => write!(f, "cannot find the merge base of {range:?}"),
            Self::Interrupted => f.write_str("interrupted while looking at commits"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unknown { source, .. } => source.as_ref().map(|source| source.as_ref() as _),
            Self::References { source } | Self::MergeBase { source, .. } => Some(source.as_ref()),
            Self::NoLeftSide { .. } | Self::NoCommit { .. } | Self::Interrupted => None,
        }
    }
}

/// The commits that `include` reaches and `exclude` does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Tips: commits, or tags, trees and blobs that a reference may name.
    pub include: Vec<ObjectId>,
    /// Commits (or tags of commits) whose history is left out. What is neither leaves nothing out.
    pub exclude: Vec<ObjectId>,
}

/// Reads `A..B`, `A...B`, `^A`, `A^!` or `A`; a right side that is left out is `HEAD`.
///
/// `A` alone is everything that `A` reaches, `A^!` the commit itself. `A...B` is what either reaches and not both.
pub fn parse_range(repo: &Repository, spec: &BStr) -> Result<Range, Error> {
    if let Some(revision) = spec.strip_prefix(b"^") {
        return Ok(Range {
            include: Vec::new(),
            exclude: vec![commit(repo, revision.as_bstr())?],
        });
    }
    if let Some(revision) = spec.strip_suffix(b"^!") {
        let include = resolve(repo, revision.as_bstr())?;
        return Ok(Range {
            include: vec![include],
            exclude: parents(repo, commit(repo, revision.as_bstr())?)?,
        });
    }
    let Some(at) = spec.find(b"..") else {
        return Ok(Range {
            include: vec![resolve(repo, spec)?],
            exclude: Vec::new(),
        });
    };
    let (left, right) = (spec[..at].as_bstr(), &spec[at + 2..]);
    if left.is_empty() {
        return Err(Error::NoLeftSide {
            range: spec.to_owned(),
        });
    }
    let Some(right) = right.strip_prefix(b".") else {
        let exclude = commit(repo, left)?;
        // Of the tip the tag is kept: its message is part of what is looked at.
        let include = match right.is_empty() {
            true => commit(repo, b"HEAD".as_bstr())?,
            false => resolve(repo, right.as_bstr())?,
        };
        return Ok(Range {
            include: vec![include],
            exclude: vec![exclude],
        });
    };
    let right = match right.is_empty() {
        true => b"HEAD",
        false => right,
    };
    let (left, right) = (commit(repo, left)?, commit(repo, right.as_bstr())?);
    let failed = |source: Cause| Error::MergeBase {
        range: spec.to_owned(),
        source,
    };
    let mut gix = repo.gix().map_err(|source| failed(source.into()))?;
    gix.objects.ignore_replacements = true;
    let bases = gix
        .merge_bases_many(left, &[right])
        .map_err(|source| failed(source.into()))?;
    Ok(Range {
        include: vec![left, right],
        exclude: bases.into_iter().map(|id| id.detach()).collect(),
    })
}

/// The object that a revision names, which is there.
fn resolve(repo: &Repository, revision: &BStr) -> Result<ObjectId, Error> {
    let unknown = |source| Error::Unknown {
        revision: revision.to_owned(),
        is_shallow: repo.is_shallow().unwrap_or_default(),
        source,
    };
    let id = match ObjectId::from_hex(revision) {
        // What the parser takes at its word, and may not see while a push is received.
        Ok(id) if id.kind() == repo.object_hash() => id,
        _ => {
            let gix = repo.gix().map_err(|source| unknown(Some(source.into())))?;
            gix.rev_parse_single(revision)
                .map_err(|source| unknown(Some(source.into())))?
                .detach()
        }
    };
    match repo.objects().header(&id) {
        Ok(Some(_)) => Ok(id),
        Ok(None) => Err(unknown(None)),
        Err(source) => Err(unknown(Some(source.into()))),
    }
}

/// The parents of a commit.
fn parents(repo: &Repository, id: ObjectId) -> Result<Vec<ObjectId>, Error> {
    let unknown = |source| Error::Unknown {
        revision: id.to_string().into(),
        is_shallow: repo.is_shallow().unwrap_or_default(),
        source: Some(source),
    };
    let object = object(repo, id).map_err(|skip| unknown(skip.reason.name().into()))?;
    let commit = CommitHeader::parse(&object.data).and_then(|commit| commit.ids());
    let (_, parents) = commit.ok_or_else(|| unknown(header::MALFORMED.into()))?;
    Ok(parents)
}

/// The commit that a revision names, through tags.
fn commit(repo: &Repository, revision: &BStr) -> Result<ObjectId, Error> {
    let id = resolve(repo, revision)?;
    peeled(repo, id).ok_or_else(|| Error::NoCommit {
        revision: revision.to_owned(),
    })
}

/// On which end of a push the range is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side<'a> {
    /// The one that pushes: what the remote is known to have is left out. Without a name, what any
    /// remote is known to have.
    Client {
        /// The remote's name, if it has one. What another remote has may be new to this one.
        remote: Option<&'a BStr>,
    },
    /// The one that receives: what its references reach is left out.
    Server,
}

/// Range of the references that are pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The commits that are new to the other side; `None` if references are only deleted.
    pub range: Option<Range>,
    /// True if an old ID, which the other side has, is not known here: the range may then have more than is new.
    pub old_is_unknown: bool,
}

/// Returns the range that an update from `old` to `new` transfers; a zero ID means "no such reference".
///
/// What the other side is known to have is left out besides `old`, so that merging an upstream branch
/// does not bring its history up again.
pub fn push_range(
    repo: &Repository,
    old: ObjectId,
    new: ObjectId,
    side: Side<'_>,
) -> Result<Push, Error> {
    match new.is_null() {
        true => Ok(Push {
            range: None,
            old_is_unknown: false,
        }),
        false => push_of_all(repo, [(old, new)], side, &references_of(repo)?),
    }
}

/// The range that several such updates transfer together, with the `references` of this repository.
pub fn push_of_all(
    repo: &Repository,
    updates: impl IntoIterator<Item = (ObjectId, ObjectId)>,
    side: Side<'_>,
    references: &[Named],
) -> Result<Push, Error> {
    let mut old_is_unknown = false;
    let mut range = Range::default();
    for (old, new) in updates.into_iter().filter(|(_, new)| !new.is_null()) {
        let new = resolve(repo, new.to_string().as_bytes().as_bstr())?;
        range.include.push(new);
        if !old.is_null() {
            match repo.objects().header(&old) {
                Ok(Some(_)) => range.exclude.push(old),
                _ => old_is_unknown = true,
            }
        }
    }
    let prefix = match side {
        Side::Client { remote: None } => BString::from("refs/remotes/"),
        Side::Client {
            remote: Some(remote),
        } => [b"refs/remotes/", remote.as_bytes(), b"/"].concat().into(),
        Side::Server => BString::from("refs/"),
    };
    let known = references.iter();
    let known = known.filter(|(name, _)| name.as_bytes().starts_with(&prefix));
    range.exclude.extend(known.map(|(_, id)| *id));
    range.exclude.sort();
    range.exclude.dedup();
    Ok(Push {
        range: (!range.include.is_empty()).then_some(range),
        old_is_unknown,
    })
}

/// Full names and objects of all references but symbolic ones.
pub fn references_of(repo: &Repository) -> Result<Vec<Named>, Error> {
    let all = references(repo).and_then(|all| all.into_iter().collect());
    all.map_err(|source: repository::Error| Error::References {
        source: source.into(),
    })
}
