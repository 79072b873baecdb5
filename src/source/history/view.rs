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

/// A tag may name a tag; the bound is against circles in a damaged repository.
const MAX_TAGS_IN_CHAIN: usize = 64;

/// An object, what it names if it is a tag, and so on to what is no tag. A chain that breaks off ends with
/// the reason.
pub(super) fn chain(repo: &Repository, id: ObjectId) -> Chain<'_> {
    Chain {
        repo,
        next: Some(Ok(id)),
        tags: 0,
    }
}

/// The links of a [`chain`].
pub(super) struct Chain<'r> {
    repo: &'r Repository,
    next: Option<Result<ObjectId, Skip>>,
    tags: usize,
}

impl Chain<'_> {
    fn kind(&self, id: ObjectId) -> Result<Kind, Skip> {
        match self.repo.objects().header(&id) {
            Ok(Some((kind, _))) => Ok(kind),
            // What is wrong is told by reading it.
            Ok(None) | Err(_) => object(self.repo, id).map(|object| object.kind),
        }
    }

    fn target(&mut self, tag: ObjectId) -> Result<ObjectId, Skip> {
        let corrupt = |detail| Skip::with_detail(SkipReason::Corrupt, tag.to_string(), detail);
        self.tags += 1;
        if self.tags > MAX_TAGS_IN_CHAIN {
            return Err(corrupt("too many tags, each naming the next"));
        }
        let target = tagged(&object(self.repo, tag)?.data);
        target.ok_or_else(|| corrupt("not a tag that can be read"))
    }
}

impl Iterator for Chain<'_> {
    type Item = Result<(ObjectId, Kind), Skip>;

    fn next(&mut self) -> Option<Self::Item> {
        let link = self.next.take()?.and_then(|id| Ok((id, self.kind(id)?)));
        if let Ok((id, Kind::Tag)) = link {
            self.next = Some(self.target(id));
        }
        Some(link)
    }
}

/// The commit behind an object that may be a tag.
pub(super) fn peeled(repo: &Repository, id: ObjectId) -> Option<ObjectId> {
    match chain(repo, id).last()? {
        Ok((id, Kind::Commit)) => Some(id),
        _ => None,
    }
}

/// Full names and objects of all references but symbolic ones. Inside are those that could not be read.
pub(super) fn references(repo: &Repository) -> Result<Vec<Reference>, Cause> {
    let all = repo.references().all()?.into_iter();
    Ok(all.map(|reference| Ok(reference?)).collect())
}

/// A reference that could not be read.
pub(super) fn unreadable(error: &Cause) -> Skip {
    Skip::with_detail(SkipReason::Unreadable, "references", error)
}

/// What a reference names that is not symbolic; `None` if there is none of that name, or if it is.
pub(super) fn reference(repo: &Repository, name: &str) -> Result<Option<ObjectId>, Cause> {
    Ok(match repo.references().find(name.into())? {
        Some(gix::refs::Target::Object(id)) => Some(id),
        Some(gix::refs::Target::Symbolic(_)) | None => None,
    })
}
