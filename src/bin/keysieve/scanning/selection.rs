//! The paths behind `--`: which findings are reported.

use std::path::Path;

use bstr::{BStr, BString, ByteSlice as _, ByteVec as _};
use keysieve::git::repository::Repository;
use keysieve::policy::Selection;
use keysieve::source::snapshot::Snapshot;

use crate::args::HistoryArgs;
use crate::failure::{Failure, Kind, print_line};

/// The findings that `history` is asked for; `None` for all.
pub(crate) fn of_history(
    repository: &Repository,
    args: &HistoryArgs,
) -> Result<Option<Selection>, Failure> {
    let paths = args.paths.iter().map(|path| path.as_path());
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let work_dir = repository.work_dir();
    // In the Git directory there is no folder that paths could begin at.
    let is_inside = real(&args.repository).starts_with(real(repository.git_dir()));
    let from = work_dir.filter(|_| is_inside).unwrap_or(&args.repository);
    let selection = parse(paths, from, work_dir)?;
    if let Some(selection) = selection.as_ref().filter(|_| !args.common.quiet) {
        warn(repository, selection);
    }
    Ok(selection)
}

/// Reads paths as Git does in the directory `from`. `root` is the one that paths of findings begin at; none for a bare
/// repository.
pub(crate) fn parse<'p>(
    paths: impl IntoIterator<Item = &'p Path>,
    from: &Path,
    root: Option<&Path>,
) -> Result<Option<Selection>, Failure> {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let root = root.map(real);
    let from = real(from);
    let at = root.as_ref().and_then(|root| from.strip_prefix(root).ok());
    let at = at.map(slashed).unwrap_or_default();
    let texts = paths
        .into_iter()
        .map(|path| match (&root, path.is_absolute()) {
            (Some(root), true) => below(path, root),
            (None, true) => {
                let message = format!("{}: a bare repository has no such folder", path.display());
                Err(Failure::bare(Kind::Usage, message).hint("name a path below its root"))
            }
            _ => Ok(slashed(path)),
        });
    let texts: Vec<BString> = texts.collect::<Result<_, Failure>>()?;
    Selection::parse(texts.iter().map(|text| text.as_ref()), at.as_ref())
        .map_err(|error| Failure::of(Kind::Usage, &error))
}

/// An absolute path as one from the root. What is there no more may lie in a folder that is.
fn below(path: &Path, root: &Path) -> Result<BString, Failure> {
    let real = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        Some(std::fs::canonicalize(above).ok()?.join(rest))
    });
    let real = real.as_deref().unwrap_or(path);
    match real.strip_prefix(root) {
        Ok(rest) => Ok([&b":(top)"[..], slashed(rest).as_slice()].concat().into()),
        Err(_) => {
            let message = format!("{} is outside of the repository", path.display());
            Err(Failure::bare(Kind::Usage, message))
        }
    }
}

fn slashed(path: &Path) -> BString {
    let bytes = <Vec<u8>>::from_path_lossy(path).into_owned();
    match std::path::MAIN_SEPARATOR {
        '/' => bytes.into(),
        _ => bytes.replace(std::path::MAIN_SEPARATOR_STR, "/").into(),
    }
}

/// A path that was mistyped selects nothing, which looks like a clean history.
fn warn(repository: &Repository, selection: &Selection) {
    let Ok(Some(head)) = repository.head_id() else {
        return;
    };
    // What cannot be read the scan says.
    let Ok(snapshot) = Snapshot::of_commit(repository, head) else {
        return;
    };
    let is_absent = |path: &BStr| matches!(snapshot.has(path), Ok(false));
    for (_, text) in selection.literals().filter(|(path, _)| is_absent(path)) {
        print_line(&format!(
            "warning: HEAD has nothing at {text}; only what older commits had there is reported"
        ));
    }
}
