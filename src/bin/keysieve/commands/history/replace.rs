//! `keysieve history --replace-text FILE`: what was found, as `git filter-repo --replace-text` takes it.
//!
//! The list has the bytes of the objects themselves, not what a client would make of them: of a key in base64, the
//! base64. A value that a rewrite by text cannot reach is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use gix::ObjectId;
use keysieve::finding::{Judged, Place, Position};
use keysieve::git::lfs::Pointer;
use keysieve::git::repository::Repository;
use keysieve::level::Level;
use keysieve::policy::config::discover::{is_bare, root_of};
use keysieve::provenance::ObjectKind;
use keysieve::secret::Secret;

use crate::failure::{Failure, Kind, print_line};

/// Fewest bytes of a value in the list. A shorter one may occur anywhere, as a part of other words.
const SHORTEST: usize = 8;
/// Places that a word on what is left is given with; the rest is counted.
const NAMED: usize = 3;
/// `git filter-repo` leaves files alone that have a zero among so many first bytes.
const BINARY_WITHIN: usize = 8192;

/// Reason why a value is not in the list, or is in it to no avail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    InContainer,
    InLfs,
    InBinary,
    Short,
    Unread,
}

/// The list, and the values that are left out of it.
#[derive(Default)]
struct List {
    values: BTreeSet<Secret>,
    left: BTreeMap<Left, Vec<String>>,
    /// True if the message of a commit or tag contains a value.
    in_messages: bool,
}

/// Refuses a file before any time is spent.
pub(super) fn check(file: &Path, repository: &Repository) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        let message = format!("{} is there already", file.display());
        return Err(Failure::bare(Kind::Usage, message)
            .hint("a list of secrets is written to a new file only"));
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let fail = |error| {
        let message = format!("cannot write {}", file.display());
        Failure::new(Kind::System, message, error)
    };
    let folder = std::fs::canonicalize(folder).map_err(fail)?;
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let homes = [
        repository.work_dir(),
        Some(repository.git_dir()),
        Some(repository.common_dir()),
    ];
    let mut homes = homes.into_iter().flatten();
    // A linked work tree or a submodule is a place from which it is committed, too.
    let root = root_of(&folder).map_err(fail)?;
    if homes.any(|home| folder.starts_with(real(home)))
        || root.join(".git").exists()
        || is_bare(&root)
    {
        let message = "the list of secrets would lie in a repository";
        return Err(Failure::bare(Kind::Usage, message).hint("name a file outside of it"));
    }
    Ok(())
}

/// Writes the list, and says what it is and what it does not reach.
pub(super) fn write(file: &Path, repository: &Repository, judged: &Judged) -> Result<(), Failure> {
    let list = List::of(repository, judged);
    let name = file.display();
    if list.values.is_empty() {
        print_line(&format!(
            "note: there is no value to replace; {name} was not written"
        ));
    } else {
        list.save(file)?;
        let count = list.values.len();
        let noun = if count == 1 { "value" } else { "values" };
        print_line(&format!(
            "note: {name} has {count} {noun} in plain text: delete it after the rewrite"
        ));
        if list.in_messages {
            print_line(&format!(
                "hint: some are in messages: git filter-repo --replace-text {name} --replace-message {name}"
            ));
        }
    }
    for (left, places) in &list.left {
        print_line(&format!("warning: {}", left.said(places)));
    }
    Ok(())
}

impl List {
    /// The secrets and tokens of all findings that count, without their key IDs, which are no secrets.
    fn of(repository: &Repository, judged: &Judged) -> Self {
        let mut places: BTreeMap<ObjectId, Vec<&Place>> = BTreeMap::new();
        let mut list = Self::default();
        let open = judged.findings().iter();
        let open = open.filter(|it| it.accepted.is_none() && it.level > Level::Note);
        for finding in open {
            for place in finding.places.iter().filter(|it| !values_at(it).is_empty()) {
                match place.object {
                    _ if !place.inside.is_empty() => list.leave(Left::InContainer, place),
                    Some((_, id)) => places.entry(id).or_default().push(place),
                    None => {}
                }
            }
        }
        let mut bytes = Vec::new();
        for (id, places) in places {
            let is_read = matches!(repository.find_object(&id, &mut bytes), Ok(Some(_)));
            for place in places {
                match is_read {
                    true => list.add(place, &bytes),
                    false => list.leave(Left::Unread, place),
                }
            }
        }
        list
    }

    /// Takes the values of one place out of its object.
    fn add(&mut self, place: &Place, bytes: &[u8]) {
        let is_blob = matches!(place.object, Some((ObjectKind::Blob, _)));
        if is_blob && Pointer::parse(bytes).is_some() {
            return self.leave(Left::InLfs, place);
        }
        let begin = bytes.get(..BINARY_WITHIN).unwrap_or(bytes);
        if is_blob && begin.contains(&0) {
            self.leave(Left::InBinary, place);
        }
        self.in_messages |= !is_blob;
        for position in values_at(place) {
            let end = position.offset.saturating_add(position.length);
            match bytes.get(position.offset..end) {
                Some(value) if value.len() >= SHORTEST => {
                    self.values.insert(Secret::new(value));
                }
                Some(_) => self.leave(Left::Short, place),
                None => self.leave(Left::Unread, place),
            }
        }
    }

    fn leave(&mut self, why: Left, place: &Place) {
        let spot = format!("{}:{}", place.shown_path(), place.position.line);
        let places = self.left.entry(why).or_default();
        if !places.contains(&spot) {
            places.push(spot);
        }
    }

    /// Writes a new file, whole or not at all, that only its owner may read.
    fn save(&self, file: &Path) -> Result<(), Failure> {
        let fail = |error| {
            let message = format!("cannot write {}", file.display());
            Failure::new(Kind::System, message, error)
        };
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let part = tempfile::Builder::new()
            .prefix(".keysieve-part-")
            .tempfile_in(folder);
        let mut part = part.map_err(fail)?;
        // The longest first: one may be a part of another.
        let mut values: Vec<&Secret> = self.values.iter().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in values {
            let written = part.write_all(line(value.expose()).expose());
            written.map_err(fail)?;
        }
        part.persist_noclobber(file)
            .map_err(|error| fail(error.error))?;
        Ok(())
    }
}

/// One line of the list. What would end the line, or is a sign in it, is written as a regex.
fn line(value: &[u8]) -> Secret {
    let is_plain = !value.contains(&b'\n') && !value.windows(3).any(|part| part == b"==>");
    let mut line = Vec::new();
    if is_plain {
        line.extend_from_slice(b"literal:");
        line.extend_from_slice(value);
    } else {
        let mut regex = String::from("regex:");
        for byte in value {
            write!(regex, "\\x{byte:02x}").expect("a string takes all writes");
        }
        line.extend_from_slice(regex.as_bytes());
    }
    line.extend_from_slice(b"==>***REMOVED***\n");
    Secret::new(&line)
}

/// Returns the positions of the secret and the token of a place.
fn values_at(place: &Place) -> Vec<Position> {
    [place.secret, place.token].into_iter().flatten().collect()
}

impl Left {
    fn said(self, places: &[String]) -> String {
        let mut named: Vec<String> = places.iter().take(NAMED).cloned().collect();
        if places.len() > NAMED {
            named.push(format!("{} more", places.len() - NAMED));
        }
        let places = named.join(", ");
        match self {
            Self::InContainer => format!(
                "a rewrite by text does not reach into containers; take these files out (--invert-paths --path): {places}"
            ),
            Self::InLfs => {
                format!("a rewrite does not reach what Git LFS keeps elsewhere: {places}")
            }
            Self::InBinary => format!(
                "git filter-repo leaves binary files alone; take these out (--invert-paths --path): {places}"
            ),
            Self::Short => format!(
                "values of less than {SHORTEST} bytes are not in the list, as they may stand in other words: {places}"
            ),
            Self::Unread => format!("could not be read again, and is not in the list: {places}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_sign_in_a_line_is_written_as_a_regex() {
        for (value, expected) in [
            (&b"a:b"[..], "literal:a:b==>***REMOVED***\n"),
            (
                b"a==>b",
                "regex:\\x61\\x3d\\x3d\\x3e\\x62==>***REMOVED***\n",
            ),
            (b"a\nb", "regex:\\x61\\x0a\\x62==>***REMOVED***\n"),
        ] {
            assert_eq!(line(value).expose(), expected.as_bytes());
        }
    }
}
