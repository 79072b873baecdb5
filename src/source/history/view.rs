//! Objects and references as they are stored: no replacements, no grafts, the quarantine of a push included.

use bstr::ByteSlice as _;
use gix::ObjectId;
use gix::objs::Kind;

use crate::coverage::{Skip, SkipReason};
use crate::source::repository::Repository;

/// What a library said about a failure.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Full name and object of a reference, or why it could not be read.
pub(super) type Reference = Result<(String, ObjectId), Cause>;

/// An object, whole.
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) data: Vec<u8>,
}

/// Reads an object that something names; why not, if it cannot be read.
pub(super) fn object(repo: &Repository, id: ObjectId) -> Result<Object, Skip> {
    let mut data = Vec::new();
    match repo.find_object(&id, &mut data) {
        Ok(Some(kind)) => Ok(Object { kind, data }),
        Ok(None) => Err(missing(repo, id)),
        Err(error) => Err(Skip::with_detail(error.reason, id.to_string(), error)),
    }
}

/// An object that something names and that is not here.
pub(super) fn missing(repo: &Repository, id: ObjectId) -> Skip {
    let reason = match repo.is_partial() {
        true => SkipReason::Partial,
        false => SkipReason::Missing,
    };
    Skip::new(reason, id.to_string())
}

/// What a tag object names.
pub(super) fn tagged(tag: &[u8]) -> Option<ObjectId> {
    let line = tag.lines().next()?;
    ObjectId::from_hex(line.strip_prefix(b"object ")?).ok()
}

/// The commit behind an object that may be a tag.
pub(super) fn peeled(repo: &Repository, id: ObjectId) -> Option<ObjectId> {
    let mut id = id;
    // A tag may name a tag; the bound is against circles in a damaged repository.
    for _ in 0..64 {
        match repo.objects().header(&id).ok()?? {
            (Kind::Commit, _) => return Some(id),
            (Kind::Tag, _) => id = tagged(&object(repo, id).ok()?.data)?,
            _ => return None,
        }
    }
    None
}

/// Full names and objects of all references. Symbolic ones are left out: what they stand for has its own
/// name. Inside are those that could not be read.
pub(super) fn references(repo: &Repository) -> Result<Vec<Reference>, Cause> {
    let store = repo.references();
    let platform = store.iter().map_err(Box::new)?;
    let mut found = Vec::new();
    for reference in platform.all().map_err(Box::new)? {
        match reference {
            Ok(reference) => {
                if let Some(id) = reference.target.try_id() {
                    found.push(Ok((reference.name.as_bstr().to_string(), id.to_owned())));
                }
            }
            Err(error) => found.push(Err(error.into())),
        }
    }
    Ok(found)
}

/// What a reference names that is not symbolic; `None` if there is none of that name, or if it is.
pub(super) fn reference(repo: &Repository, name: &str) -> Result<Option<ObjectId>, Cause> {
    let found = repo.references().try_find(name).map_err(Box::new)?;
    Ok(found.and_then(|reference| reference.target.try_id().map(|id| id.to_owned())))
}
