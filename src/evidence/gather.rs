//! All evidence below some paths: documents read, logs of CloudTrail listed, and whatever is neither named.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::open::Opened;
use super::trail::{self, Listed, Unread};
use super::{Error, Exhibit, read_open};
use crate::content::open_regular;

/// The evidence at the given paths.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Documents, by path.
    pub exhibits: Vec<Exhibit>,
    /// Logs of CloudTrail, which are read by [`trail`].
    pub trails: Vec<Listed>,
    /// All files, by path.
    pub files: Vec<EvidenceFile>,
    /// Files that could not be read, or are of no known kind.
    pub unread: Vec<Unread>,
}

/// A file, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// The path.
    pub path: PathBuf,
    /// Kind of document, in a word.
    pub kind: &'static str,
}

/// Reads what `paths` are or hold.
pub fn gather(paths: &[PathBuf]) -> Gathered {
    let (files, unlisted) = trail::list(paths);
    let mut gathered = Gathered {
        unread: unlisted,
        ..Gathered::default()
    };
    for file in files {
        let kind = match gathered.add(&file) {
            Ok(kind) => kind,
            Err(error) => {
                gathered.unread.push(Unread::new(&file.path, error));
                "unread"
            }
        };
        let path = file.path;
        gathered.files.push(EvidenceFile { path, kind });
    }
    gathered.unread.sort();
    gathered
}

impl Gathered {
    fn add(&mut self, file: &Listed) -> Result<&'static str, Error> {
        let opened = Opened::new(&file.path)?;
        match trail::kind_of(&opened.head) {
            // It lies beside logs and holds their hashes.
            trail::Kind::Digest => return Ok("digest"),
            trail::Kind::Trail => {
                self.trails.push(file.clone());
                return Ok("trail");
            }
            trail::Kind::Other => {}
        }
        let (exhibits, flaw) = read_open(&file.path, opened)?;
        let kind = exhibits
            .first()
            .map_or("unread", |exhibit| exhibit.kind.name());
        self.exhibits.extend(exhibits);
        if let Some(flaw) = flaw {
            self.unread.push(Unread::new(&file.path, flaw));
        }
        Ok(kind)
    }
}

/// The SHA-256 of a file in hex digits.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut open_regular(path)?, &mut hash)?;
    Ok(data_encoding::HEXLOWER.encode(&hash.finalize()))
}
