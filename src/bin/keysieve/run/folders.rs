//! Configurations of folders below the root: what they except below themselves, and nothing else.
//!
//! They come from where the root's comes from, and are read where something was found below them: a repository with
//! thousands of them pays for a few. A walk over directories reads those that it meets, to leave out what they name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bstr::{BStr, BString, ByteSlice as _};
use keysieve::policy::config::discover::FILE_NAME;
use keysieve::policy::config::{self, ConfigFile};
use keysieve::policy::{Folder, Folders};
use keysieve::rule::RuleSet;
use keysieve::source::worktree::{Exclude, Own};
use keysieve::text::document::Fault;

use super::reader::{Reader, SettingsSource};
use super::settings::{allowlist, everything, excludes};
use crate::failure::{Failure, Kind};

/// Number of folders that the summary names; further ones are counted.
const NAMED: usize = 3;

/// Exceptions of the configurations of folders.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) folders: Folders,
    /// For people: the files, and where they were read.
    names: Vec<String>,
    /// The files as written, with their names.
    pub(crate) files: Vec<(String, ConfigFile)>,
    /// Place of each allowlist entry in its file, by folder and number.
    pub(crate) allows: BTreeMap<(BString, usize), String>,
}

/// Reaction to a faulty configuration of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faults {
    /// Say it: nothing is reported then.
    Refuse,
    /// It was said when the file counted. One that is broken is taken to except all that is below it.
    Ignore,
}

/// The configuration of a folder.
pub(crate) fn file_in(folder: &BStr) -> BString {
    [folder.as_bytes(), b"/", FILE_NAME.as_bytes()]
        .concat()
        .into()
}

/// Reads the configurations of folders, where there are any.
pub(crate) fn read(
    place: SettingsSource<'_>,
    folders: BTreeSet<BString>,
    rules: &RuleSet,
    wrong: Faults,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut faults = Vec::new();
    if folders.is_empty() {
        return Ok(found);
    }
    let reader = Reader::open(place)?;
    for folder in folders {
        let Some(text) = reader.folder_text(file_in(folder.as_ref()).as_ref(), place)? else {
            continue;
        };
        let is_root = reader.is_other_root(folder.as_ref());
        let (file, more) = ConfigFile::parse_folder(&text.name, &text.text, is_root);
        let is_broken = !more.is_empty();
        faults.extend(more);
        if !is_root {
            faults.extend(file.unknown_rules(&text.name, |id| rules.index_of(id).is_some()));
        }
        found.names.push(text.loaded_from);
        for (number, allow) in file.allow.iter().enumerate() {
            let spot = format!("{}:{}", text.name, allow.line);
            found.allows.insert((folder.clone(), number), spot);
        }
        let exceptions = match is_broken {
            // What it meant to except nobody knows: nothing below it was known.
            true => Folder {
                allowlist: everything().allowlist,
                ..Folder::default()
            },
            false => Folder {
                excludes: excludes(&file)?,
                allowlist: allowlist(&file)?,
            },
        };
        found.folders.insert(folder, exceptions);
        found.files.push((text.name, file));
    }
    match faults.is_empty() || wrong == Faults::Ignore {
        true => Ok(found),
        false => Err(refuse(faults)),
    }
}

/// All folders below `root` that have one, those apart that ignore rules name.
pub(crate) fn on_disk(root: &Path) -> Result<BTreeSet<BString>, Failure> {
    let walk = ignore::WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .parents(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    let mut folders = BTreeSet::new();
    for entry in walk {
        let entry = entry.map_err(|error| {
            let message = "cannot look for the configurations of folders";
            Failure::new(Kind::System, message, error)
        })?;
        let is_one = entry.file_name() == FILE_NAME && entry.path().is_file();
        let folder = entry.path().parent().filter(|_| is_one);
        let folder = folder.and_then(|folder| folder.strip_prefix(root).ok());
        let folder = folder.and_then(<[u8]>::from_path);
        folders.extend(folder.filter(|it| !it.is_empty()).map(BString::from));
    }
    Ok(folders)
}

impl Found {
    /// The files that were read, as the summary names them.
    pub(crate) fn said(&self) -> Vec<String> {
        let mut said: Vec<String> = self.names.iter().take(NAMED).cloned().collect();
        let more = self.names.len() - said.len();
        if more > 0 {
            said.push(format!("{more} more of folders"));
        }
        said
    }
}

/// Reads configurations that a walk over directories meets.
pub(crate) struct Met {
    root: PathBuf,
    faults: Arc<Mutex<Vec<Fault>>>,
}

impl Met {
    /// For a walk of the repository at `root`, whose own configuration is known.
    pub(crate) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            faults: Arc::default(),
        }
    }

    /// Builds the reader of folders' configurations for the walk.
    pub(crate) fn own(&self) -> Own {
        let (root, faults) = (self.root.clone(), Arc::clone(&self.faults));
        let read = move |dir: &Path| {
            let dir = std::fs::canonicalize(dir).ok()?;
            let folder = dir.strip_prefix(&root).ok()?;
            let name = <[u8]>::from_path(folder).filter(|name| !name.is_empty())?;
            let name = file_in(name.as_bstr());
            let reader = Reader::open(SettingsSource::Disk(&root)).ok()?;
            // What cannot be read leaves nothing out, and is said where something was found below it.
            let text = reader
                .folder_text(name.as_ref(), SettingsSource::Disk(&root))
                .ok()??;
            let is_root = dir.join(".git").exists();
            let (file, more) = ConfigFile::parse_folder(&text.name, &text.text, is_root);
            let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
            faults.extend(more);
            Exclude::new(file.exclude.iter().map(|set| &set.value)).ok()
        };
        Own {
            name: FILE_NAME,
            read: Arc::new(read),
        }
    }

    /// Fails if something was wrong with one of them.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *faults) {
            faults if faults.is_empty() => Ok(()),
            faults => Err(refuse(faults)),
        }
    }
}

fn refuse(mut faults: Vec<Fault>) -> Failure {
    faults.sort();
    faults.dedup();
    Failure::of(Kind::Faults, &config::Error(faults))
}
