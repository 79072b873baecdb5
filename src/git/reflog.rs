//! Reflogs: what a reference named before.

use bstr::ByteSlice as _;
use gix::ObjectId;

use super::error::Error;
use super::repository::Repository;
use crate::content::read_regular;

/// Lists the entries of a log, the oldest first: per line the object before and the object after. Text that is no ID is
/// `None`.
pub(crate) fn lines(log: &[u8]) -> impl DoubleEndedIterator<Item = [Option<ObjectId>; 2]> {
    log.lines().map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        [fields.next(), fields.next()].map(|field| ObjectId::from_hex(field?).ok())
    })
}

/// Every stash: the reference is the newest one only, and Git lists the others by its log.
pub(crate) fn stashes(repo: &Repository) -> Result<Vec<ObjectId>, Error> {
    let path = repo.common_dir().join("logs/refs/stash");
    match read_regular(&path) {
        Ok(log) => Ok(lines(&log).filter_map(|[_, after]| after).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::Unreadable { path, source }),
    }
}
