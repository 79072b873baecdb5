//! Writes hooks and takes them away again.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::place::{self, Place, read_script};
use super::script::{has_block, is_ours, script, with_block, without_block};
use super::{Action, Error, HookContext, Kind, Outcome, executable};

/// What is added to the name of a hook that was there before.
const KEPT: &str = ".before-keysieve";

/// What up to husky 8 every script begins with.
const HUSKY_HEAD: &str = "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\n";

/// Installs hooks. It can be done again and again; a foreign hook is kept and goes on running.
pub fn install(context: &HookContext, kinds: &[Kind], global: bool) -> Result<Vec<Outcome>, Error> {
    let place = place::find(context, global)?;
    kinds
        .iter()
        .map(|kind| match &place {
            Place::Folder(dir) => install_script(context, dir, *kind, global),
            Place::Husky { dir, is_direct } => install_block(dir, *is_direct, *kind),
        })
        .collect()
}

/// Takes hooks away and puts back what was there before. What is not ours stays.
pub fn uninstall(
    context: &HookContext,
    kinds: &[Kind],
    global: bool,
) -> Result<Vec<Outcome>, Error> {
    // What was installed before `core.hooksPath` was set lies in the repository's own folder.
    let own = place::own_folder(context, global)?;
    let place = match place::find(context, global) {
        Err(Error::Outside { .. }) if own.is_some() => None,
        place => Some(place?),
    };
    let mut outcomes = Vec::new();
    for kind in kinds {
        let outcome = match &place {
            Some(Place::Folder(dir)) => Some(uninstall_script(dir, *kind)?),
            Some(Place::Husky { dir, .. }) => Some(uninstall_block(dir, *kind)?),
            None => None,
        };
        outcomes.push(match (outcome, &own) {
            (Some(outcome), _) if outcome.action != Action::NotInstalled => outcome,
            (_, Some(dir)) => uninstall_script(dir, *kind)?,
            (Some(outcome), None) => outcome,
            (None, None) => continue,
        });
    }
    Ok(outcomes)
}

/// Where the hook that was there before is kept.
pub(super) fn kept_path(hook: &Path) -> PathBuf {
    let mut name = hook.file_name().unwrap_or_default().to_owned();
    name.push(KEPT);
    hook.with_file_name(name)
}

fn install_script(
    context: &HookContext,
    dir: &Path,
    kind: Kind,
    global: bool,
) -> Result<Outcome, Error> {
    let path = dir.join(kind.name());
    let wanted = script(kind, &context.program);
    let found = read_script(&path)?;
    let is_own = found.as_ref().is_some_and(|text| is_ours(text, kind));
    let done = |action| {
        Ok(Outcome {
            kind,
            path: path.clone(),
            action,
        })
    };
    if is_own {
        if found.as_ref() == Some(&wanted) && executable::is(&path).unwrap_or(false) {
            return done(Action::Unchanged);
        }
        prepare(&path, &wanted)?.finish(&path)?;
        return done(Action::Updated);
    }
    let work_dir = context
        .repository
        .as_ref()
        .filter(|_| !global)
        .and_then(|dirs| dirs.work_dir.as_deref());
    if let Some(managed) = place::managed(found.as_deref(), kind, work_dir)? {
        return done(Action::Managed {
            manager: managed.manager,
            is_active: managed.is_active,
            file: managed.file,
            advice: managed.manager.advice(kind),
        });
    }
    let kept = kept_path(&path);
    let is_kept = fs::symlink_metadata(&kept).is_ok();
    if found.is_none() {
        prepare(&path, &wanted)?.finish(&path)?;
        return done(if is_kept {
            beside(kept)
        } else {
            Action::Installed
        });
    }
    if is_kept {
        return Err(Error::BothExist { hook: path, kept });
    }
    let prepared = prepare(&path, &wanted)?;
    rename(&path, &kept)?;
    if let Err(error) = prepared.finish(&path) {
        rename(&kept, &path)?;
        return Err(error);
    }
    done(beside(kept))
}

fn beside(kept: PathBuf) -> Action {
    // What cannot be looked at does not run.
    let runs = executable::is(&kept).unwrap_or(false);
    Action::InstalledBeside { kept, runs }
}

fn uninstall_script(dir: &Path, kind: Kind) -> Result<Outcome, Error> {
    let path = dir.join(kind.name());
    let kept = kept_path(&path);
    let text = read_script(&path)?;
    let action = if !text.is_some_and(|text| is_ours(&text, kind)) {
        Action::NotInstalled
    } else if fs::symlink_metadata(&kept).is_ok() {
        // One step: at no moment is there no hook.
        rename(&kept, &path)?;
        Action::Restored
    } else {
        remove(&path)?;
        Action::Removed
    };
    Ok(Outcome { kind, path, action })
}

fn install_block(dir: &Path, is_direct: bool, kind: Kind) -> Result<Outcome, Error> {
    let path = dir.join(kind.name());
    let found = read_text(&path)?;
    let before = match &found {
        Some(text) => text.as_str(),
        None if is_direct => HUSKY_HEAD,
        None => "",
    };
    let wanted = with_block(before, kind)?;
    let action = if found.as_ref() == Some(&wanted) {
        Action::Unchanged
    } else {
        prepare(&path, wanted.as_bytes())?.finish(&path)?;
        if has_block(before, kind) {
            Action::Updated
        } else {
            Action::BlockAdded
        }
    };
    Ok(Outcome { kind, path, action })
}

fn uninstall_block(dir: &Path, kind: Kind) -> Result<Outcome, Error> {
    let path = dir.join(kind.name());
    let action = match read_text(&path)? {
        Some(text) if has_block(&text, kind) => {
            let rest = without_block(&text, kind);
            if rest.trim().is_empty() || rest == HUSKY_HEAD {
                remove(&path)?;
                Action::Removed
            } else {
                prepare(&path, rest.as_bytes())?.finish(&path)?;
                Action::BlockRemoved
            }
        }
        _ => Action::NotInstalled,
    };
    Ok(Outcome { kind, path, action })
}

/// The text of a script that is changed in place.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, Error> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(Error::Link {
            path: path.to_owned(),
        });
    }
    let failed = |_| Error::NotAFile {
        path: path.to_owned(),
    };
    read_script(path)?
        .map(|bytes| String::from_utf8(bytes).map_err(failed))
        .transpose()
}

/// A script that is written and not yet in its place.
struct Prepared(tempfile::NamedTempFile);

/// Writes a script beside its place, so that no reader sees half of it and no link is followed.
fn prepare(path: &Path, text: &[u8]) -> Result<Prepared, Error> {
    let failed = |source: io::Error| Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".keysieve-")
        .tempfile_in(dir)
        .map_err(failed)?;
    file.write_all(text).map_err(failed)?;
    executable::make(file.as_file()).map_err(failed)?;
    Ok(Prepared(file))
}

impl Prepared {
    fn finish(self, path: &Path) -> Result<(), Error> {
        self.0.persist(path).map(drop).map_err(|error| Error::Io {
            action: "write",
            path: path.to_owned(),
            source: error.error,
        })
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|source| Error::Io {
        action: "rename",
        path: from.to_owned(),
        source,
    })
}

fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(|source| Error::Io {
        action: "remove",
        path: path.to_owned(),
        source,
    })
}
