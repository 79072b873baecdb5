//! Says which hooks are active.

use std::path::PathBuf;

use super::install::{Slot, read_text, slot};
use super::place::{self, Place, read_script};
use super::script::{has_block, is_ours, script, with_block};
use super::{Error, HookContext, Kind, Manager, executable};

/// Status of one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The hook.
    pub kind: Kind,
    /// The file that Git, or husky, looks for.
    pub path: PathBuf,
    /// Its state.
    pub state: State,
    /// The tool whose hook Git runs and which runs this file in turn.
    pub through: Option<Manager>,
}

/// State of one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is ours, and what this program would write.
    Active,
    /// It is ours, of another version or for another path of the program.
    Outdated,
    /// It is ours and Git does not run it: the mode is wrong.
    NotExecutable,
    /// There is none.
    Absent,
    /// It belongs to another tool or to the user.
    Foreign {
        /// True if it names this program.
        names_us: bool,
    },
    /// Another tool writes it.
    Managed {
        /// The tool.
        manager: Manager,
        /// True if that tool runs this program.
        is_active: bool,
        /// Its configuration.
        file: PathBuf,
        /// Lines to add there.
        advice: String,
    },
}

impl State {
    /// Returns true if the program runs when the hook does.
    pub fn is_active(&self) -> bool {
        match self {
            Self::Active | Self::Outdated => true,
            Self::Foreign { names_us } => *names_us,
            Self::Managed { is_active, .. } => *is_active,
            Self::NotExecutable | Self::Absent => false,
        }
    }
}

/// Looks at hooks; changes nothing.
pub fn status(context: &HookContext, kinds: &[Kind], global: bool) -> Result<Vec<Status>, Error> {
    let place = match place::find(context, global) {
        // What is installed for all repositories works for this one.
        Err(Error::Outside {
            is_global: true, ..
        }) => place::find(context, true)?,
        place => place?,
    };
    let mut found = Vec::new();
    for kind in kinds.iter().copied() {
        found.push(match &place {
            Place::Folder { dir, is_shared } => {
                let program = (!is_shared).then_some(context.program.as_path());
                let slot = slot(context, dir, kind, global)?;
                let state = script_state(&slot, program, kind)?;
                Status {
                    kind,
                    path: slot.path,
                    state,
                    through: slot.through,
                }
            }
            Place::Husky { dir, is_direct } => {
                let path = dir.join(kind.name());
                Status {
                    kind,
                    state: block_state(&path, *is_direct, kind)?,
                    path,
                    through: None,
                }
            }
        });
    }
    Ok(found)
}

fn script_state(
    slot: &Slot,
    program: Option<&std::path::Path>,
    kind: Kind,
) -> Result<State, Error> {
    use bstr::ByteSlice as _;
    let path = &slot.path;
    if let Some(managed) = &slot.managed {
        // A configuration alone runs nothing: the tool's hook has to be there.
        let is_there = slot.through.is_some() || read_script(path)?.is_some();
        return Ok(State::Managed {
            manager: managed.manager,
            is_active: managed.is_active && is_there,
            file: managed.file.clone(),
            advice: managed.manager.advice(kind, &managed.file),
        });
    }
    let text = read_script(path)?;
    if let Some(text) = text.as_ref().filter(|text| is_ours(text, kind)) {
        let may_run = executable::is(path).map_err(|source| Error::Io {
            action: "look at",
            path: path.clone(),
            source,
        })?;
        return Ok(if !may_run {
            State::NotExecutable
        } else if *text == script(kind, program) {
            State::Active
        } else {
            State::Outdated
        });
    }
    Ok(match text {
        None => State::Absent,
        Some(text) => State::Foreign {
            names_us: text.contains_str("keysieve") && executable::is(path).unwrap_or(false),
        },
    })
}

fn block_state(path: &std::path::Path, is_direct: bool, kind: Kind) -> Result<State, Error> {
    let Some(text) = read_text(path)? else {
        return Ok(State::Absent);
    };
    if !has_block(&text, kind) {
        return Ok(State::Foreign {
            names_us: text.contains("keysieve"),
        });
    }
    let may_run = !is_direct || executable::is(path).unwrap_or(false);
    Ok(if !may_run {
        State::NotExecutable
    } else if with_block(&text, kind)? == text {
        State::Active
    } else {
        State::Outdated
    })
}
