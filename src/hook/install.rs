//! Writes hooks and takes them away again.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::manager::{Managed, managed};
use super::place::{self, Place, read_script};
use super::script::{has_block, is_ours, script, with_block, without_block};
use super::{Action, Error, HookContext, Kind, Manager, Outcome, beside, executable};

/// Ending of the name of a hook that was there before.
pub(super) const KEPT: &str = ".before-keysieve";

/// The endings that other tools give to hooks which they find and set aside.
const SET_ASIDE: [&str; 2] = [".legacy", ".old"];

/// Beginning of every script of husky, up to version 8.
const HUSKY_HEAD: &str = "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\n";

/// Installs hooks. It can be done again and again; a foreign hook is kept and runs after this program's.
pub fn install(context: &HookContext, kinds: &[Kind], global: bool) -> Result<Vec<Outcome>, Error> {
    let place = place::find(context, global)?;
    if let Some(kind) = kinds.iter().find(|kind| kind.needs_work_tree())
        && !global
        && !has_work_tree(context)
    {
        return Err(Error::NoWorkTree { kind: *kind });
    }
    kinds
        .iter()
        .map(|kind| match &place {
            Place::Folder { dir, is_shared } => {
                let program = (!is_shared).then_some(context.program.as_path());
                install_script(context, dir, program, *kind, global)
            }
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
            Some(Place::Folder { dir, .. }) => Some(uninstall_script(dir, *kind)?),
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

/// Returns true if commits can be made: here, or in a work tree that is linked to this repository.
fn has_work_tree(context: &HookContext) -> bool {
    context.repository.as_ref().is_some_and(|dirs| {
        let linked = fs::read_dir(dirs.common_dir.join("worktrees"));
        dirs.work_dir.is_some() || linked.is_ok_and(|mut linked| linked.next().is_some())
    })
}

/// `path` with something added to its name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Path for the script of a kind, and the tool that writes the hook.
pub(super) struct Slot {
    pub(super) path: PathBuf,
    /// The tool whose hook Git runs and which runs the one at `path`.
    pub(super) through: Option<Manager>,
    /// The tool that writes the hook, unless the script is at its place already.
    pub(super) managed: Option<Managed>,
}

/// Finds the place of a script in a folder of hooks.
///
/// A tool that keeps the hook which it found is asked to run this program by its configuration. Where it would not
/// show all that Git says, and where the script has come to be that kept hook, the place is the kept hook's.
pub(super) fn slot(
    context: &HookContext,
    dir: &Path,
    kind: Kind,
    global: bool,
) -> Result<Slot, Error> {
    let path = dir.join(kind.name());
    let text = read_script(&path)?;
    let own = Slot {
        path: path.clone(),
        through: None,
        managed: None,
    };
    if text.as_ref().is_some_and(|text| is_ours(text, kind)) {
        return Ok(own);
    }
    let work_dir = context
        .repository
        .as_ref()
        .filter(|_| !global)
        .and_then(|dirs| dirs.work_dir.as_deref());
    let Some(managed) = managed(text.as_deref(), kind, work_dir)? else {
        return Ok(own);
    };
    let manager = managed.manager;
    if let Some(ending) = manager.kept_ending() {
        let kept = with_ending(&path, ending);
        let is_own = read_script(&kept)?.is_some_and(|text| is_ours(&text, kind));
        if is_own || manager.hides_references(kind) {
            return Ok(Slot {
                path: kept,
                through: Some(manager),
                managed: (!is_own).then_some(managed),
            });
        }
    }
    Ok(Slot {
        managed: Some(managed),
        ..own
    })
}

fn install_script(
    context: &HookContext,
    dir: &Path,
    program: Option<&Path>,
    kind: Kind,
    global: bool,
) -> Result<Outcome, Error> {
    let Slot {
        path,
        through,
        managed,
    } = slot(context, dir, kind, global)?;
    let wanted = script(kind, program);
    let done = |action| {
        Ok(Outcome {
            kind,
            path: path.clone(),
            action,
            through,
            is_shared: program.is_none(),
        })
    };
    if let Some(managed) = managed.filter(|_| through.is_none()) {
        return done(Action::Managed {
            manager: managed.manager,
            is_active: managed.is_active,
            advice: managed.manager.advice(kind, &managed.file),
            file: managed.file,
        });
    }
    let found = read_script(&path)?;
    let kept = with_ending(&path, KEPT);
    let is_kept = fs::symlink_metadata(&kept).is_ok();
    if found.as_ref().is_some_and(|text| is_ours(text, kind)) {
        if is_kept {
            link(&kept, kind)?;
        }
        if found.as_ref() == Some(&wanted) && executable::is(&path).unwrap_or(false) {
            return done(Action::Unchanged);
        }
        prepare(&path, &wanted)?.finish(&path)?;
        return done(Action::Updated);
    }
    if found.is_none() {
        prepare(&path, &wanted)?.finish(&path)?;
        if !is_kept {
            return done(Action::Installed);
        }
        link(&kept, kind)?;
        return done(beside(kept));
    }
    if is_kept {
        return Err(Error::BothExist { hook: path, kept });
    }
    let prepared = prepare(&path, &wanted)?;
    rename(&path, &kept)?;
    if let Err(error) = link(&kept, kind).and_then(|()| prepared.finish(&path)) {
        rename(&kept, &path)?;
        return Err(error);
    }
    done(beside(kept))
}

fn link(kept: &Path, kind: Kind) -> Result<(), Error> {
    beside::link(kept, kind).map_err(|source| Error::Io {
        action: "make links for",
        path: kept.to_owned(),
        source,
    })
}

fn beside(kept: PathBuf) -> Action {
    // What cannot be looked at does not run.
    let runs = executable::is(&kept).unwrap_or(false);
    Action::InstalledBeside { kept, runs }
}

fn uninstall_script(dir: &Path, kind: Kind) -> Result<Outcome, Error> {
    let hook = dir.join(kind.name());
    let aside = SET_ASIDE.map(|ending| with_ending(&hook, ending));
    let mut outcome = Outcome {
        kind,
        path: hook.clone(),
        action: Action::NotInstalled,
        through: None,
        is_shared: false,
    };
    // Another tool may have taken the hook's place since, and set the script aside.
    for path in [hook.clone()].into_iter().chain(aside) {
        if !read_script(&path)?.is_some_and(|text| is_ours(&text, kind)) {
            continue;
        }
        let mut kept = [with_ending(&path, KEPT), with_ending(&hook, KEPT)].into_iter();
        let kept = kept.find(|kept| fs::symlink_metadata(kept).is_ok());
        let action = match kept {
            // One step: at no moment is there no hook.
            Some(kept) => {
                rename(&kept, &path)?;
                Action::Restored
            }
            None => {
                remove(&path)?;
                Action::Removed
            }
        };
        beside::unlink(dir, kind).map_err(|source| Error::Io {
            action: "remove the links beside",
            path: path.clone(),
            source,
        })?;
        if outcome.action == Action::NotInstalled {
            outcome = Outcome {
                path,
                action,
                ..outcome
            };
        }
    }
    Ok(outcome)
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
    Ok(Outcome::of_block(kind, path, action))
}

impl Outcome {
    /// Outcome of a change of a script that is not ours alone.
    fn of_block(kind: Kind, path: PathBuf, action: Action) -> Self {
        Self {
            kind,
            path,
            action,
            through: None,
            is_shared: true,
        }
    }
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
    Ok(Outcome::of_block(kind, path, action))
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
