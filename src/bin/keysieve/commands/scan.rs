//! `keysieve scan`: directories, files, standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;

use crate::args::ScanArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::run::{Needs, Run, disk_root};
use crate::scanning::disk;

/// Runs the command.
pub(crate) fn run(args: &ScanArgs) -> Result<Exit, Failure> {
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
    let (stdin, roots) = disk::targets(args);
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
    let sources = disk::sources(&root, paths);
    let run = Run::start(&args.common, &sources, Needs::of("files"))?;
    let located = disk::collect(&run, args, &root)?;
    match args.paths.is_empty() {
        true => run.finish_nothing(located, "the list names no file"),
        false => run.finish(located, &sources),
    }
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

/// The path whose repository has the settings: the first that is named, or the current directory.
///
/// No entry of a list chooses the settings for the others.
fn settings_path(args: &ScanArgs) -> &Path {
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
