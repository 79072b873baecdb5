//! `keysieve scan`: directories, files, standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;
use keysieve::finding::Located;
use keysieve::policy::config::Set;
use keysieve::source;
use keysieve::source::stdin::Stdin;
use keysieve::source::submodules;
use keysieve::source::worktree::{Exclude, Options, Worktree};
use keysieve::text::paths::Base;

use super::explain;
use crate::args::ScanArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::folders;
use crate::reader::Place;
use crate::session::Session;
use crate::settings::{Places, Settings, disk_root, folders_place};

/// Runs the command.
pub(crate) fn run(args: &ScanArgs) -> Result<Exit, Failure> {
    if let Some(place) = &args.explain {
        return explain::run(place, args);
    }
    if args.null && args.files_from.is_none() {
        let message = "--null is about the list of --files-from, and there is none";
        return Err(Failure::bare(Kind::Usage, message));
    }
    let listed;
    let args = match &args.files_from {
        Some(list) => {
            listed = ScanArgs {
                paths: listed_in(list, args.null)?,
                ..args.clone()
            };
            &listed
        }
        None => args,
    };
    let (stdin, roots) = targets(args);
    if args.path.is_some() && stdin.is_empty() {
        return Err(Failure::bare(
            Kind::Usage,
            "--path names standard input, which is not scanned",
        )
        .hint("give - as the path to scan standard input"));
    }
    if args.paths.len() > roots.len() + 1 {
        return Err(Failure::bare(Kind::Usage, "- is given more than once"));
    }
    // Of a long list each path would be looked up once more; it names files as they are.
    // A link has the path of what it leads to, too.
    let links: Vec<PathBuf>;
    let named = match args.files_from {
        Some(_) => {
            links = roots.iter().filter(|it| it.is_symlink()).cloned().collect();
            &links[..]
        }
        None => &roots[..],
    };
    let (root, paths) = disk_root(settings_path(args), named)?;
    let places = places(&root, paths);
    let session = Session::start(&args.common, &places, "files")?;
    let located = collect(&session, args, &root)?;
    match args.paths.is_empty() {
        true => session.finish_nothing(located, "the list names no file"),
        false => session.finish(located, &places),
    }
}

/// Splits the paths into standard input, as often as it is named, and all others.
fn targets(args: &ScanArgs) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let paths = args.paths.iter().cloned();
    paths.partition(|path| path == Path::new("-"))
}

/// The paths in a list, one a line; with `null` each has a zero byte behind it.
fn listed_in(list: &Path, null: bool) -> Result<Vec<PathBuf>, Failure> {
    let read = match list == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map(|_| bytes)
        }
        false => std::fs::read(list),
    };
    let bytes = read.map_err(|error| {
        let message = format!("cannot read the list {}", list.display());
        Failure::new(Kind::System, message, error)
    })?;
    let end = if null { b'\0' } else { b'\n' };
    let names = bytes.split(|byte| *byte == end);
    let names = names.filter(|name| !name.is_empty());
    names
        .map(|name| match (name, name.contains(&0)) {
            // The end of one name would be the begin of another.
            (_, true) => Err(Failure::bare(
                Kind::Usage,
                "the list has zero bytes between its names",
            )
            .hint("say so: --null")),
            // A file of that name, not standard input.
            (b"-", _) => Ok(PathBuf::from("./-")),
            (name, _) => Ok(name.to_path_lossy().into_owned()),
        })
        .collect()
}

/// Scans the paths of the command line.
///
/// `root` is the directory that the patterns of the configuration begin at.
pub(super) fn collect(session: &Session, args: &ScanArgs, root: &Path) -> Result<Located, Failure> {
    let (stdin, roots) = targets(args);
    let place = folders_place(session.common(), &places(root, Base::Root))?;
    let folders = place.map(|_| folders::Met::below(root));
    let mut scanner = session.scanner();
    if !roots.is_empty() {
        let is_root = |path: &PathBuf| std::fs::canonicalize(path).is_ok_and(|it| it == root);
        let at_root = roots.iter().all(is_root);
        let worktree = Worktree {
            roots,
            options: Options {
                own: folders.as_ref().map(folders::Met::own),
                ..options(args, &session.settings, at_root)?
            },
        };
        worktree.scan(&mut scanner).map_err(failed)?;
    }
    if !stdin.is_empty() {
        let mut source = Stdin {
            max_size: max_file_size(args, &session.settings),
            ..Stdin::default()
        };
        if let Some(name) = &args.path {
            source.path = name.as_str().into();
        }
        source.scan(&mut scanner).map_err(failed)?;
    }
    if let Some(folders) = folders {
        folders.check()?;
    }
    let mut scanned = scanner.into_inner().finish();
    let look = match args.recurse_submodules {
        true => submodules::Look::Asked {
            respect_ignore: respects_ignore(args, &session.settings),
        },
        false => submodules::Look::Names,
    };
    for skip in submodules::not_checked_out(root, &args.paths, look) {
        scanned.skip(skip);
    }
    Ok(session.in_place(scanned))
}

/// The path whose repository has the settings: the first that is named, or the current directory.
///
/// No entry of a list chooses the settings for the others.
pub(super) fn settings_path(args: &ScanArgs) -> &Path {
    if args.files_from.is_some() {
        return Path::new(".");
    }
    let mut named = args.paths.iter().filter(|path| *path != Path::new("-"));
    match named.next() {
        // What is not there is told with everything else that is.
        Some(path) if path.exists() => path,
        _ => Path::new("."),
    }
}

/// Returns the places of the settings for a scan of the disk.
pub(super) fn places(root: &Path, paths: Base) -> Places<'_> {
    Places {
        usual: Place::Disk(root),
        base: None,
        head: None,
        paths,
    }
}

/// Returns the options of the walk.
///
/// `at_root` says that the walk begins where the patterns of the configuration do. Elsewhere an anchored one would
/// name another directory: those are left to what is done with the findings afterwards.
pub(super) fn options(
    args: &ScanArgs,
    settings: &Settings,
    at_root: bool,
) -> Result<Options, Failure> {
    let configured = || settings.file.exclude.iter().map(|set| set.value.as_str());
    let is_free = |glob: &str| !glob.starts_with('!') && !glob.trim_end_matches('/').contains('/');
    let mut globs: Vec<&str> = args.common.exclude.iter().map(String::as_str).collect();
    if at_root || configured().all(is_free) {
        globs.extend(configured());
    }
    Ok(Options {
        respect_ignore: respects_ignore(args, settings),
        follow: args.follow || is_on(&settings.file.follow),
        threads: settings.common.threads,
        max_file_size: max_file_size(args, settings),
        exclude: Exclude::new(globs).map_err(failed)?,
        own: None,
    })
}

fn respects_ignore(args: &ScanArgs, settings: &Settings) -> bool {
    !args.no_ignore && !is_on(&settings.file.no_ignore)
}

fn is_on(set: &Option<Set<bool>>) -> bool {
    set.as_ref().is_some_and(|set| set.value)
}

fn max_file_size(args: &ScanArgs, settings: &Settings) -> Option<u64> {
    let configured = settings.file.max_file_size.as_ref();
    args.max_file_size.or(configured.map(|set| set.value))
}

/// Converts an error of a source.
pub(super) fn failed(error: source::Error) -> Failure {
    let kind = match error {
        source::Error::Glob { .. } => Kind::Usage,
        _ => Kind::System,
    };
    Failure::of(kind, &error)
}
