//! Objects and references as they are stored: no replacements, no grafts, the quarantine of a push included.

use std::collections::HashSet;

use bstr::ByteSlice as _;
use gix::ObjectId;
use gix::objs::Kind;

use crate::coverage::{Skip, SkipReason};
use crate::git::repository::{Error, Reference, References, Repository};

/// What a library said about a failure.
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
        Ok(None) => Err(missing(repo, id)),
        Err(error) => Err(Skip::with_detail(error.reason, id.to_string(), error)),
    }
}

/// An object that something names and that is not here.
pub(crate) fn missing(repo: &Repository, id: ObjectId) -> Skip {
    let reason = match repo.is_partial() {
        true => SkipReason::Partial,
        false => SkipReason::Missing,
    };
    Skip::new(reason, id.to_string())
}

/// What a tag object names.
pub(crate) fn tagged(tag: &[u8]) -> Option<ObjectId> {
    let line = tag.lines().next()?;
    ObjectId::from_hex(line.strip_prefix(b"object ")?).ok()
}

/// Links of a [`chain`] that are looked at where each of many references may begin a long one.
pub(crate) const LINKS: usize = 64;

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
    target.ok_or_else(|| {
        let detail = "not a tag that can be read";
        Skip::with_detail(SkipReason::Corrupt, tag.to_string(), detail)
    })
}

/// The commit behind an object that may be a tag, unless only one of the tags in `seen` leads there.
pub(crate) fn peeled_after(
    repo: &Repository,
    id: ObjectId,
    seen: &mut HashSet<ObjectId>,
) -> Option<ObjectId> {
    match chain(repo, id, seen).last()? {
        Ok((id, Kind::Commit)) => Some(id),
        _ => None,
    }
}

/// The commit behind an object that may be a tag.
pub(crate) fn peeled(repo: &Repository, id: ObjectId) -> Option<ObjectId> {
    peeled_after(repo, id, &mut HashSet::new())
}

/// Full names and objects of all references but symbolic ones. Inside are those that could not be read.
pub(crate) fn references(repo: &Repository) -> Result<Vec<Reference>, Error> {
    repo.references().all()
}

/// A reference that could not be read.
pub(crate) fn unreadable(error: &Error) -> Skip {
    Skip::with_detail(SkipReason::Unreadable, "references", error)
}

/// What a reference names that is not symbolic; `None` if there is none of that name, or if it is.
pub(crate) fn reference(references: &References, name: &str) -> Result<Option<ObjectId>, Error> {
    Ok(match references.find(name.into())? {
        Some(gix::refs::Target::Object(id)) => Some(id),
        Some(gix::refs::Target::Symbolic(_)) | None => None,
    })
}
