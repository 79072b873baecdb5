//! The repository's own configuration, as far as it describes the repository; nothing else is read from it.

use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;

use super::discover::{Location, path_from_bytes, read_small};
use super::error::Error;

/// Extensions of the repository format that change nothing about reading objects, references and the index.
const KNOWN_EXTENSIONS: &[&str] = &[
    "compatobjectformat",
    "noop",
    "noop-v1",
    "objectformat",
    "partialclone",
    "preciousobjects",
    "refstorage",
    "relativeworktrees",
    "worktreeconfig",
];

/// Facts from the repository's own configuration about the repository.
pub(crate) struct Config {
    pub(crate) hash: gix::hash::Kind,
    pub(crate) is_bare: bool,
    pub(crate) is_partial: bool,
    pub(crate) work_tree: Option<PathBuf>,
    pub(crate) hooks_path: Option<PathBuf>,
    pub(crate) lfs_storage: Option<PathBuf>,
}

impl Config {
    pub(crate) fn load(location: &Location) -> Result<Self, Error> {
        let path = location.common_dir.join("config");
        let mut file = parse_config(&path, gix::config::Source::Local)?;
        let flag = |file: &gix::config::File, key: &str| {
            file.boolean(key).map_err(|source| Error::Config {
                path: path.clone(),
                source,
            })
        };
        let unsupported = |what: String| Error::Unsupported {
            path: location.git_dir.clone(),
            what,
        };
        let version = file.string("core.repositoryFormatVersion");
        let version = match version.as_ref().map(|version| version.as_slice()) {
            None | Some(b"0") => 0,
            Some(b"1") => 1,
            Some(other) => {
                return Err(unsupported(format!(
                    "repository format version {}",
                    other.as_bstr()
                )));
            }
        };
        check_extensions(&file, version, &unsupported)?;
        let hash = hash_of(&file).map_err(&unsupported)?;
        let is_partial = file.string("extensions.partialClone").is_some() || has_promisor(&file);
        if flag(&file, "extensions.worktreeConfig")? == Some(true) {
            let path = location.git_dir.join("config.worktree");
            let own = parse_config(&path, gix::config::Source::Worktree)?;
            file.append(own)
                .map_err(|source| Error::Config { path, source })?;
        }
        let path_of = |key: &str| {
            file.string(key)
                .filter(|value| !value.is_empty())
                .and_then(|value| path_from_bytes(&value))
        };
        Ok(Self {
            hash,
            is_bare: flag(&file, "core.bare")?.unwrap_or(false),
            is_partial,
            work_tree: path_of("core.worktree"),
            hooks_path: path_of("core.hooksPath"),
            lfs_storage: path_of("lfs.storage"),
        })
    }
}

/// Returns the hash that names objects, or the one that is not known.
fn hash_of(file: &gix::config::File) -> Result<gix::hash::Kind, String> {
    match file.string("extensions.objectFormat") {
        None => Ok(gix::hash::Kind::Sha1),
        Some(name) if name.eq_ignore_ascii_case(b"sha1") => Ok(gix::hash::Kind::Sha1),
        Some(name) if name.eq_ignore_ascii_case(b"sha256") => Ok(gix::hash::Kind::Sha256),
        Some(name) => Err(format!("the object format `{name}`")),
    }
}

fn check_extensions(
    file: &gix::config::File,
    version: u8,
    unsupported: &impl Fn(String) -> Error,
) -> Result<(), Error> {
    match file.string("extensions.refStorage") {
        Some(name) if !name.eq_ignore_ascii_case(b"files") => {
            return Err(unsupported(format!("the reference storage `{name}`")));
        }
        _ => {}
    }
    // Git itself ignores what it does not know in a repository of version 0.
    if version == 0 {
        return Ok(());
    }
    for section in file.sections_by_name("extensions").into_iter().flatten() {
        for name in section.value_names() {
            if !KNOWN_EXTENSIONS.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(unsupported(format!("the repository extension `{name}`")));
            }
        }
    }
    Ok(())
}

/// The hash that names the objects of a repository of which nothing else is known.
pub(crate) fn object_hash(common_dir: &Path) -> Result<gix::hash::Kind, Error> {
    let file = parse_config(&common_dir.join("config"), gix::config::Source::Local)?;
    hash_of(&file).map_err(|what| Error::Unsupported {
        path: common_dir.to_owned(),
        what,
    })
}

/// `lfs.storage` of a repository of which nothing else is known. What cannot be read says nothing: then the
/// content behind a pointer is not found, which is named.
pub(crate) fn lfs_storage(common_dir: &Path) -> Option<PathBuf> {
    let file = parse_config(&common_dir.join("config"), gix::config::Source::Local).ok()?;
    let value = file.string("lfs.storage")?;
    path_from_bytes(&value).filter(|path| !path.as_os_str().is_empty())
}

/// Returns true if a remote is marked as one that keeps objects for us.
fn has_promisor(file: &gix::config::File) -> bool {
    file.sections_by_name("remote")
        .into_iter()
        .flatten()
        .any(|section| {
            section.value("partialclonefilter").is_some()
                || section
                    .value_implicit("promisor")
                    .is_some_and(|value| match value {
                        None => true,
                        Some(text) => !matches!(
                            text.to_ascii_lowercase().as_slice(),
                            b"false" | b"no" | b"off" | b"0" | b""
                        ),
                    })
        })
}

fn parse_config(path: &Path, source: gix::config::Source) -> Result<gix::config::File, Error> {
    let metadata = gix::config::file::Metadata::from(source)
        .at(path)
        .with(gix::sec::Trust::Full);
    let Some(mut bytes) = read_small(path)? else {
        return Ok(gix::config::File::new(metadata));
    };
    gix::config::File::from_bytes_owned(&mut bytes, metadata, Default::default()).map_err(
        |source| Error::Config {
            path: path.to_owned(),
            source,
        },
    )
}
