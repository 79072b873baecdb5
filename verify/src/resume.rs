//! The file of answers by which a run that was cut short goes on.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use keysieve::text::date;

use crate::failure::Failure;
use crate::output::{Answer, STATUSES};

/// Age in seconds up to which an answer is taken over: a key that is switched off can be switched on again.
pub(crate) const MAX_AGE: u64 = 3600;

/// Answers that are there already, and the file to which further ones are added.
#[derive(Debug)]
pub(crate) struct Resume {
    path: PathBuf,
    file: File,
    /// By key ID, the last answer last.
    known: HashMap<String, Vec<Answer>>,
}

impl Resume {
    /// Opens or makes the file, and keeps it from other runs. A line that was not written to its end is taken away.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let fail = |error| {
            Failure::new(format!("cannot use {} for --resume", path.display())).because(error)
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(path).map_err(fail)?;
        let refuse =
            |why: &str| Failure::new(format!("cannot use {} for --resume: {why}", path.display()));
        if !file.metadata().map_err(fail)?.is_file() {
            return Err(refuse("it is no regular file"));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(refuse("another run uses it")),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fail)?;
        let end = text.iter().rposition(|byte| *byte == b'\n');
        let whole = end.map_or(0, |end| end + 1);
        let mut known: HashMap<String, Vec<Answer>> = HashMap::new();
        for line in text[..whole].split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let answer: Option<Answer> = serde_json::from_slice(line).ok();
            let answer = answer.filter(|it| STATUSES.contains(&it.status.as_str()));
            let answer = answer.ok_or_else(|| not_ours(path))?;
            if let Some(id) = answer.key_id.clone() {
                known.entry(id).or_default().push(answer);
            }
        }
        // What begins no answer is not cut away.
        if whole < text.len() && !text[whole..].starts_with(b"{\"key_id\":") {
            return Err(not_ours(path));
        }
        file.set_len(whole as u64).map_err(fail)?;
        file.seek(std::io::SeekFrom::End(0)).map_err(fail)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            known,
        })
    }

    /// The last answer to the same question, unless it is old or was that nobody can tell. A temporary key is another
    /// one with each token, which no answer holds: it is asked about again.
    pub(crate) fn find(
        &self,
        key_id: &str,
        fingerprints: &[String],
        asked: (&str, &[String]),
        now: u64,
    ) -> Option<&Answer> {
        let is_young = |answer: &Answer| {
            let at = date::moment(&answer.asked.at).and_then(|at| u64::try_from(at).ok());
            at.is_some_and(|at| at <= now && now - at <= MAX_AGE)
        };
        let is_same = |answer: &&Answer| {
            answer.fingerprints == fingerprints
                && answer.asked.with == asked.0
                && answer.asked.of == asked.1
        };
        let known = self
            .known
            .get(key_id)
            .filter(|_| !key_id.starts_with("ASIA"))?;
        let last = known.iter().rev().find(is_same);
        last.filter(|answer| !answer.is_unknown() && is_young(answer))
    }

    /// Adds an answer; it is on the disk when this returns.
    pub(crate) fn add(&mut self, answer: &Answer) -> Result<(), Failure> {
        let fail = |error: std::io::Error| {
            Failure::new(format!("cannot write {}", self.path.display())).because(error)
        };
        let mut line = serde_json::to_vec(answer).map_err(|error| fail(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(fail)?;
        self.file.sync_data().map_err(fail)
    }
}

fn not_ours(path: &Path) -> Failure {
    Failure::new(format!(
        "{} holds something else than answers of keysieve-verify; it is left as it is",
        path.display()
    ))
}
