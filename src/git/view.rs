//! Objects and references as they are stored: no replacements, no grafts, the quarantine of a push included.

use std::collections::HashSet;

use bstr::BStr;
use gix::ObjectId;
use gix::objs::Kind;

use crate::coverage::{Skip, SkipReason};
use crate::git::header::{NO_TAG, tagged};
use crate::git::repository::{Error, Named, Reference, References, Repository};

/// Error of a library.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An object, whole.
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) data: Vec<u8>,
}

/// Reads an object that something names; why not, if it cannot be read.
pub(crate) fn object(repo: &Repository, id: ObjectId) -> Result<Object, Skip> {
    let mut data = Vec::new();
    match repo.find_object(&id, &mut data) {
        Ok(Some(kind)) => Ok(Object { kind, data }),
        Ok(None) => Err(repo.absence().into_skip(id.to_string())),
        Err(fault) => Err(fault.into_skip(id.to_string())),
    }
}

/// An object, what it names if it is a tag, and so on to what is no tag. A chain that breaks off ends with
/// the reason; where it comes to a tag in `seen`, it ends without a word. So circles end, which only a damaged
/// repository has, and many chains that meet cost no more than one.
pub(crate) fn chain<'a>(
    repo: &'a Repository,
    id: ObjectId,
    seen: &'a mut HashSet<ObjectId>,
) -> impl Iterator<Item = Result<(ObjectId, Kind), Skip>> + 'a {
    let mut next = Some(Ok(id));
    std::iter::from_fn(move || {
        let link = next.take()?.and_then(|id| Ok((id, kind_of(repo, id)?)));
        if let Ok((id, Kind::Tag)) = link {
            if !seen.insert(id) {
                return None;
            }
            next = Some(target(repo, id));
        }
        Some(link)
    })
}

fn kind_of(repo: &Repository, id: ObjectId) -> Result<Kind, Skip> {
    match repo.objects().header(&id) {
        Ok(Some((kind, _))) => Ok(kind),
        // What is wrong is told by reading it.
        Ok(None) | Err(_) => object(repo, id).map(|object| object.kind),
    }
}

fn target(repo: &Repository, tag: ObjectId) -> Result<ObjectId, Skip> {
    let target = tagged(&object(repo, tag)?.data);
    target.ok_or_else(|| Skip::with_detail(SkipReason::Corrupt, tag.to_string(), NO_TAG))
}

/// Follows a reference: its object, the object that names if it is a tag, and so on, but no more than 64 of them. Each
/// of many references may begin a long chain.
pub(crate) fn links(
    repo: &Repository,
    id: ObjectId,
) -> impl Iterator<Item = Result<(ObjectId, Kind), Skip>> {
    const LINKS: usize = 64;
    let mut seen = HashSet::new();
    let links: Vec<_> = chain(repo, id, &mut seen).take(LINKS).collect();
    links.into_iter()
}

/// The commit behind an object that may be a tag.
pub(crate) fn peeled(repo: &Repository, id: ObjectId) -> Option<ObjectId> {
    match chain(repo, id, &mut HashSet::new()).last()? {
        Ok((id, Kind::Commit)) => Some(id),
        _ => None,
    }
}

/// Full names and objects of all references but symbolic ones. Inside are those that could not be read.
pub(crate) fn references(repo: &Repository) -> Result<Vec<Reference>, Error> {
    repo.references().all()
}

/// The same, as far as they can be read; what cannot is among the skips.
pub(crate) fn readable_references(repo: &Repository, skips: &mut Vec<Skip>) -> Vec<Named> {
    let all = references(repo).unwrap_or_else(|error| vec![Err(error)]);
    let mut unreadable = |error| skips.push(unreadable(&error));
    let readable = all.into_iter();
    readable
        .filter_map(|it| it.map_err(&mut unreadable).ok())
        .collect()
}

/// A reference that could not be read.
pub(crate) fn unreadable(error: &Error) -> Skip {
    Skip::with_detail(SkipReason::Unreadable, "references", error)
}

/// Returns the object of a reference; `None` if there is none of that name, or if it is symbolic.
pub(crate) fn reference(references: &References, name: &BStr) -> Result<Option<ObjectId>, Error> {
    Ok(match references.find(name)? {
        Some(gix::refs::Target::Object(id)) => Some(id),
        Some(gix::refs::Target::Symbolic(_)) | None => None,
    })
}
