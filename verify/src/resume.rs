//! The file of answers by which a run that was cut short goes on.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output::Answer;

/// Answers that are there already, and the file to which further ones are added.
#[derive(Debug)]
pub(crate) struct Resume {
    path: PathBuf,
    file: File,
    known: Vec<Answer>,
}

impl Resume {
    /// Opens or makes the file. A line that was not written to its end is taken away.
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
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fail)?;
        let end = text.iter().rposition(|byte| *byte == b'\n');
        let whole = end.map_or(0, |end| end + 1);
        let mut known = Vec::new();
        for line in text[..whole].split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let answer = serde_json::from_slice(line);
            known.push(answer.map_err(|_not_shown| not_ours(path))?);
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

    /// The last answer to the same question, unless it was that nobody can tell.
    pub(crate) fn find(
        &self,
        key_id: &str,
        fingerprints: &[String],
        asked: (&str, &[String]),
    ) -> Option<&Answer> {
        let is_same = |answer: &&Answer| {
            answer.key_id.as_deref() == Some(key_id)
                && answer.fingerprints == fingerprints
                && answer.asked.with == asked.0
                && answer.asked.of == asked.1
        };
        let last = self.known.iter().rev().find(is_same);
        last.filter(|answer| !answer.is_unknown())
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
