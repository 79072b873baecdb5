//! `keysieve explain PATH[:LINE]`, which is `keysieve scan --explain` as well: why something was or was not reported.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bstr::{BString, ByteSlice as _};
use keysieve::blob::Blob;
use keysieve::coverage::Skip;
use keysieve::engine::Engine;
use keysieve::provenance::Provenance;
use keysieve::report::escape;
use keysieve::scan::{self, Stage, TraceEvent};
use keysieve::source::worktree::Worktree;
use keysieve::source::{BlobSink, Clean};

use crate::args::{Common, Walk};
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::output;
use crate::run::{Settings, disk_root};
use crate::scanning::disk;

/// Runs the command.
pub(crate) fn run(place: &Path, walk: Walk, common: &Common) -> Result<Exit, Failure> {
    let (path, line) = split(place);
    let bytes = std::fs::read(&path).map_err(|source| {
        let message = format!("cannot read {}", path.display());
        Failure::new(Kind::System, message, source)
    })?;
    let (root, paths) = disk_root(&path, std::slice::from_ref(&path))?;
    let settings = Settings::load(common, &disk::sources(&root, paths))?;
    let engine = Engine::new(Arc::new(settings.rules.clone()));
    let mut text = format!(
        "{}: {}\n",
        path.display(),
        reading(&path, walk, common, &settings, &root)?
    );
    let sights: Vec<TraceEvent> = scan::explain(&engine, &bytes)
        .into_iter()
        .filter(|sight| line.is_none_or(|line| (sight.line..=sight.end_line).contains(&line)))
        .collect();
    if sights.is_empty() {
        let whole = line.map_or("nothing in it".to_owned(), |line| {
            format!("nothing on line {line}")
        });
        text.push_str(&format!(
            "  {whole} contains a literal that a rule looks for\n"
        ));
    }
    for sight in sights {
        let what = match sight.kind {
            Stage::Keyword => "literal",
            Stage::Judged => "judged",
            Stage::Reported => "reported",
        };
        let spot = format!("{}:{}", sight.line, sight.column);
        text.push_str(&format!(
            "  {spot:>8}  {what:<8}  {}\n",
            escape::terminal(&sight.text)
        ));
    }
    let text = scan::redact_text(&engine, text.as_bytes());
    let text = escape::terminal_lines(&text.to_str_lossy());
    output::to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}

/// The path and the line. A file whose own name ends in a colon and digits goes first.
fn split(place: &Path) -> (PathBuf, Option<usize>) {
    if !place.exists()
        && let Some(text) = place.to_str()
        && let Some((path, line)) = text.rsplit_once(':')
        && let Ok(line) = line.parse()
    {
        return (PathBuf::from(path), Some(line));
    }
    (place.to_owned(), None)
}

/// Says if a scan of the file's directory would read it, and if not, why.
fn reading(
    path: &Path,
    walk: Walk,
    common: &Common,
    settings: &Settings,
    root: &Path,
) -> Result<String, Failure> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = path.file_name().unwrap_or(path.as_os_str());
    let Some(name) = name.to_str() else {
        return Ok("its name is not UTF-8; whether a scan reads it is not explained".to_owned());
    };
    let lookout = Lookout {
        name: Arc::new(name.into()),
        seen: Arc::default(),
    };
    let at_root = std::fs::canonicalize(&dir).is_ok_and(|dir| dir == root);
    let worktree = Worktree {
        roots: vec![dir],
        options: disk::options(walk, &common.exclude, settings, at_root)?,
    };
    worktree.scan(&mut lookout.clone())?;
    let mut seen = lookout.seen.lock().unwrap_or_else(PoisonError::into_inner);
    // The shortest path is the one in the directory itself.
    seen.sort_by_key(|(path, _)| path.len());
    Ok(match seen.first() {
        Some((_, None)) => "a scan reads it".to_owned(),
        Some((_, Some(skip))) => {
            let detail = skip
                .detail
                .as_ref()
                .map_or_else(String::new, |detail| format!(" ({detail})"));
            format!(
                "a scan of its directory leaves it out: {}{detail}",
                skip.reason.name()
            )
        }
        None => "a scan of its directory does not reach it".to_owned(),
    })
}

/// Waits for one name to be shown or skipped.
#[derive(Clone, Debug)]
struct Lookout {
    name: Arc<BString>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A path, and why it was left out if it was.
type Seen = (BString, Option<Skip>);

impl Lookout {
    fn note(&self, path: &BString, skip: Option<Skip>) {
        let last = path.rsplit(|byte| *byte == b'/').next();
        if last == Some(self.name.as_slice()) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push((path.clone(), skip));
        }
    }
}

impl BlobSink for Lookout {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        if let Provenance::File { path } = blob.provenance {
            self.note(path, None);
        }
        ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        self.note(&skip.subject.clone(), Some(skip));
    }

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}
}
