//! The account of what was read and what was not.
//!
//! A scan is never "clean" about something it did not read: every [`Skip`] is counted by reason, and
//! the reasons that mean *something asked for could not be read* make the coverage incomplete.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

/// Number of skips of one reason that are kept with their subject; further ones are only counted.
pub const SUBJECTS_KEPT: usize = 1000;

/// Something that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    /// Reason of the skip.
    pub reason: SkipReason,
    /// The path, object ID or revision that was skipped.
    pub subject: BString,
    /// The system's message, if there is one.
    pub detail: Option<String>,
    /// The fault lies in what the file holds, not in how a disk or Git keeps it.
    pub is_in_file: bool,
}

impl Skip {
    /// A skip without detail.
    pub fn new(reason: SkipReason, subject: impl Into<BString>) -> Self {
        Self {
            reason,
            subject: subject.into(),
            detail: None,
            is_in_file: false,
        }
    }

    /// A skip with what the system said about it.
    pub fn with_detail(
        reason: SkipReason,
        subject: impl Into<BString>,
        detail: impl ToString,
    ) -> Self {
        Self {
            reason,
            subject: subject.into(),
            detail: Some(detail.to_string()),
            is_in_file: false,
        }
    }

    /// The same, for a fault of what the file holds.
    pub fn in_file(self) -> Self {
        Self {
            is_in_file: true,
            ..self
        }
    }
}

/// Reason why something was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SkipReason {
    /// It is there but could not be opened or read.
    Unreadable,
    /// It was there when listed and gone when opened, or changed its length while it was read.
    Changed,
    /// Larger than the limit on one file or object.
    Size,
    /// Over a limit on what is opened: depth, bytes, memory, members that lie in each other.
    Limit,
    /// It needs a password or a key.
    Encrypted,
    /// Damaged: wrong checksum, wrong length, a cycle, not inflatable.
    Corrupt,
    /// An object that something refers to and that is not there.
    Missing,
    /// An object that a partial clone left on the server.
    Partial,
    /// History beyond the boundary of a shallow clone.
    Shallow,
    /// A repository or file format that this program does not read.
    Unsupported,
    /// A Git LFS pointer whose object is not in the local store.
    Lfs,
    /// A submodule that was to be looked at and is not here.
    SubmoduleAbsent,
    /// The run was ended by a signal.
    Interrupted,
    /// The time that was given was over.
    Deadline,
    /// A worker failed in a way that should not happen.
    Internal,
    /// Findings beyond the limit for one blob were counted and not listed.
    Findings,
    /// Named by an ignore rule.
    Ignored,
    /// Named by a path allowlist or `--exclude`.
    Excluded,
    /// A symbolic link that was not followed.
    Symlink,
    /// A FIFO, socket or device.
    Special,
    /// A submodule: a repository of its own.
    Submodule,
    /// `.git` itself, or a bare repository inside the tree.
    GitDir,
}

impl SkipReason {
    /// All reasons, in the order in which they are shown.
    pub const ALL: &'static [Self] = &[
        Self::Unreadable,
        Self::Changed,
        Self::Size,
        Self::Limit,
        Self::Encrypted,
        Self::Corrupt,
        Self::Missing,
        Self::Partial,
        Self::Shallow,
        Self::Unsupported,
        Self::Lfs,
        Self::SubmoduleAbsent,
        Self::Interrupted,
        Self::Deadline,
        Self::Internal,
        Self::Findings,
        Self::Ignored,
        Self::Excluded,
        Self::Symlink,
        Self::Special,
        Self::Submodule,
        Self::GitDir,
    ];

    /// The name used in reports and by `--allow-incomplete`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Changed => "changed",
            Self::Size => "size",
            Self::Limit => "limit",
            Self::Encrypted => "encrypted",
            Self::Corrupt => "corrupt",
            Self::Missing => "missing",
            Self::Partial => "partial",
            Self::Shallow => "shallow",
            Self::Unsupported => "unsupported",
            Self::Lfs => "lfs",
            Self::SubmoduleAbsent => "submodule-absent",
            Self::Interrupted => "interrupted",
            Self::Deadline => "deadline",
            Self::Internal => "internal",
            Self::Findings => "findings",
            Self::Ignored => "ignored",
            Self::Excluded => "excluded",
            Self::Symlink => "symlink",
            Self::Special => "special",
            Self::Submodule => "submodule",
            Self::GitDir => "git-dir",
        }
    }

    /// The reason of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.name() == name)
    }

    /// Returns advice for a reason that makes a scan incomplete.
    pub fn cure(self) -> Option<&'static str> {
        Some(match self {
            Self::Unreadable => "let this user read it: the owner and the mode of the file decide",
            Self::Changed => "run it again when nothing writes there",
            Self::Size => {
                "allow more with --max-file-size or, for what Git holds, --max-object-size"
            }
            Self::Corrupt | Self::Missing => {
                "'git fsck' names what is damaged; a fresh clone of the other side brings it back"
            }
            Self::Partial => "fetch what the clone left out: git fetch --refetch --no-filter",
            Self::Shallow => {
                "fetch the rest: git fetch --unshallow, in CI a checkout of the whole history (GitHub: fetch-depth: 0, \
                 GitLab: GIT_DEPTH: 0)"
            }
            Self::Unsupported => "a newer keysieve may know it",
            Self::Lfs => {
                "fetch the files: git lfs fetch (of the whole history: git lfs fetch --all)"
            }
            Self::SubmoduleAbsent => {
                "fetch the submodules: git submodule update --init --recursive"
            }
            Self::Interrupted => "run it again",
            Self::Deadline => {
                "give more time (--time-limit, or keysieve.timeLimit in Git's configuration), or let such a push \
                 pass (--on-timeout pass, or keysieve.onTimeout)"
            }
            Self::Internal => "this is a defect of keysieve; please report it",
            Self::Findings => "look at those that are listed first",
            _ => return None,
        })
    }

    /// Returns true if something that was asked for was not read. The other reasons are choices.
    pub fn is_incomplete(self) -> bool {
        !matches!(
            self,
            Self::Ignored
                | Self::Excluded
                | Self::Symlink
                | Self::Special
                | Self::Submodule
                | Self::GitDir
        )
    }
}

/// The paths that a report was asked about, and how many findings it leaves out for that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// As they were typed.
    pub paths: Vec<String>,
    /// Findings at other paths.
    pub elsewhere: u64,
    /// Findings without a path: in messages of commits and tags, and in objects that no tree names.
    pub without_path: u64,
}

/// Account of the content that was scanned and of what was skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files read from disk or standard input.
    pub files: u64,
    /// Blobs read from Git.
    pub blobs: u64,
    /// Commits whose message was scanned.
    pub commits: u64,
    /// Annotated tags whose message was scanned.
    pub tags: u64,
    /// Bytes of content that were searched, containers as they are packed.
    pub bytes: u64,
    /// Members and other parts of containers that were searched.
    pub members: u64,
    /// Bytes of these.
    pub opened_bytes: u64,
    /// Number of blobs, commits and tags that an earlier scan had cleared and this one did not read.
    pub cached: u64,
    /// Number of skips by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The first [`SUBJECTS_KEPT`] skips of each reason, sorted once the scan is over.
    pub skips: Vec<Skip>,
    /// Reasons that the user accepted with `--allow-incomplete`.
    pub accepted: BTreeSet<SkipReason>,
    /// The paths that findings were asked for; `None` for all.
    pub selected: Option<Selected>,
}

impl Coverage {
    /// Counts one skip and keeps its subject while there is room.
    pub fn skip(&mut self, skip: Skip) {
        let count = self.skipped.entry(skip.reason).or_default();
        *count += 1;
        if *count <= SUBJECTS_KEPT as u64 {
            self.skips.push(skip);
        }
    }

    /// Adds what another worker read and skipped.
    pub fn add(&mut self, other: Coverage) {
        self.files += other.files;
        self.blobs += other.blobs;
        self.commits += other.commits;
        self.tags += other.tags;
        self.bytes += other.bytes;
        self.members += other.members;
        self.opened_bytes += other.opened_bytes;
        self.cached += other.cached;
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.skips.extend(other.skips);
        self.accepted.extend(other.accepted);
        self.selected = self.selected.take().or(other.selected);
    }

    /// Returns advice against a reason, which depends on the place of its faults; see [`SkipReason::cure`].
    pub fn cure(&self, reason: SkipReason) -> Option<&'static str> {
        let mut kept = self.skips.iter().filter(|skip| skip.reason == reason);
        match reason {
            SkipReason::Corrupt if kept.all(|skip| skip.is_in_file) => Some(
                "the file itself is damaged: get it again, or look into it with the tool that packed it",
            ),
            _ => reason.cure(),
        }
    }

    /// Sorts the kept skips and cuts them to the limit, so that no thread count shows.
    pub fn finish(&mut self) {
        self.skips.sort();
        let mut kept: BTreeMap<SkipReason, usize> = BTreeMap::new();
        self.skips.retain(|skip| {
            let count = kept.entry(skip.reason).or_default();
            *count += 1;
            *count <= SUBJECTS_KEPT
        });
    }

    /// Returns true if everything asked for was read, or the user accepted the reason why not.
    pub fn is_complete(&self) -> bool {
        self.skipped.iter().all(|(reason, count)| {
            *count == 0 || !reason.is_incomplete() || self.accepted.contains(reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_file_makes_it_incomplete_and_an_ignored_one_does_not() {
        let mut coverage = Coverage::default();
        coverage.skip(Skip::new(SkipReason::Ignored, "a"));
        assert!(coverage.is_complete());
        coverage.skip(Skip::new(SkipReason::Unreadable, "b"));
        assert!(!coverage.is_complete());
        coverage.accepted.insert(SkipReason::Unreadable);
        assert!(coverage.is_complete());
    }

    #[test]
    fn names_lead_back_to_their_reason() {
        for reason in SkipReason::ALL {
            assert_eq!(SkipReason::from_name(reason.name()), Some(*reason));
        }
    }
}
