//! `keysieve baseline`: accepts findings of today, so that only new ones count.

mod audit;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keysieve::finding::{Finding, Judged, Redacted};
use keysieve::level::Level;
use keysieve::policy::Selection;
use keysieve::policy::baseline::{self, Baseline, Entry, FILE_NAME, Import, Split};
use keysieve::policy::config::discover::{is_bare, root_of};
use keysieve::source::Progress;
use keysieve::text::date::Date;

use crate::args::{
    BaselineArgs, BaselineCommand, BaselineImportArgs, BaselineUpdateArgs, Common, HistoryArgs,
    ScanArgs,
};
use crate::date::now;
use crate::exit::Exit;
use crate::failure::{self, Failure, Kind, print_line};
use crate::output::say;
use crate::run::{ExcludeIn, Needs, Run, disk_root, incomplete, named_config};
use crate::scanning::{commit, disk, objects, repository, selection};

/// A baseline and the scan that it is held against.
pub(super) struct BaselineRun {
    pub(super) run: Run,
    pub(super) redacted: Redacted,
    pub(super) path: PathBuf,
    pub(super) baseline: Baseline,
    pub(super) today: Option<Date>,
    exists: bool,
    selection: Option<Selection>,
    /// The findings that are asked for, by number; `None` for all.
    selected: Option<BTreeSet<usize>>,
}

/// Runs the command.
pub(crate) fn run(command: &BaselineCommand) -> Result<Exit, Failure> {
    match command {
        BaselineCommand::Write(args) => write(&args.update, args.force),
        BaselineCommand::Update(args) => update(&args.update, args.rekey),
        BaselineCommand::Check(args) => check(args),
        BaselineCommand::Prune(args) => prune(args),
        BaselineCommand::Import(args) => import(args),
        BaselineCommand::Audit(args) => audit::run(BaselineRun::begin(args, audit::CONTEXT)?),
    }
}

impl BaselineRun {
    /// Scans, and reads the baseline.
    fn begin(args: &BaselineArgs, context: usize) -> Result<Self, Failure> {
        Self::begin_with(args, context, |_| ()).map(|(work, ())| work)
    }

    /// The same, with a look at the findings while their paths can be compared.
    fn begin_with<T>(
        args: &BaselineArgs,
        context: usize,
        look: impl FnOnce(&Judged) -> T,
    ) -> Result<(Self, T), Failure> {
        let selection = selection(args)?;
        let (common, path) = at_the_root(args)?;
        let (exists, baseline) = match path.try_exists() {
            Ok(false) => (false, Baseline::default()),
            // A pipe would be waited for.
            Ok(true) if !path.is_file() => {
                let message = format!("{} is not a regular file", path.display());
                return Err(Failure::bare(Kind::Config, message));
            }
            Ok(true) => (true, Baseline::load(&path).map_err(|error| failed(&error))?),
            Err(error) => {
                let message = format!("cannot read {}", path.display());
                return Err(Failure::new(Kind::Config, message, error));
            }
        };
        // What markers and the configuration accept needs no entry.
        let (run, judged) = scan(args, common, context)?;
        let seen = look(&judged);
        let selected = selection.as_ref().map(|selection| {
            let findings = judged.findings().iter().enumerate();
            let asked = findings.filter(|(_, finding)| selection.has_finding(finding));
            asked.map(|(at, _)| at).collect()
        });
        let work = Self {
            redacted: run.redact(judged),
            run,
            path,
            baseline,
            today: now()?.map(Date::of_epoch),
            exists,
            selection,
            selected,
        };
        Ok((work, seen))
    }

    /// The findings that are worth an entry and have none that counts, each with its number.
    pub(super) fn open(&self) -> Vec<(usize, &Finding)> {
        let findings = self.redacted.findings().iter().enumerate();
        findings
            .filter(|(at, finding)| self.is_worth_an_entry(*at, finding))
            .filter(|(_, finding)| match self.baseline.entry_of(finding) {
                Some(entry) => entry.is_expired(self.today),
                None => true,
            })
            .collect()
    }

    /// Holds the findings against the baseline.
    fn split(&self) -> Split {
        let mut findings = self.redacted.findings().to_vec();
        let mut split = self.baseline.accept(&mut findings, self.today);
        split.unused.retain(|entry| self.is_asked(entry));
        split.expired.retain(|entry| self.is_asked(entry));
        split
    }

    /// Returns true if an entry is at one of the selected paths.
    fn is_asked(&self, entry: &Entry) -> bool {
        let Some(selection) = &self.selection else {
            return true;
        };
        let path = entry.path.as_deref();
        path.is_some_and(|path| selection.has(path.into()))
    }

    fn is_worth_an_entry(&self, at: usize, finding: &Finding) -> bool {
        let is_asked = |selected: &BTreeSet<usize>| selected.contains(&at);
        finding.accepted.is_none()
            && self.selected.as_ref().is_none_or(is_asked)
            && (finding.level > Level::Note || self.run.common().fail_on() == Some(Level::Note))
    }

    pub(super) fn save(&self) -> Result<(), Failure> {
        let saved = self.baseline.save(&self.path);
        saved.map_err(|error| failed(&error))
    }

    /// Returns the file name of the baseline.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Returns the exit status, after a line about what was not read.
    pub(super) fn end(&self, exit: Exit) -> Exit {
        match incomplete(self.redacted.coverage()) {
            None => exit,
            Some(what) => {
                print_line(&format!("error: the scan is incomplete: {what}"));
                Exit::Failed
            }
        }
    }

    /// Refuses to go on after an incomplete scan: what was not read may hold what seems to be gone.
    fn demand_complete(&self) -> Result<(), Failure> {
        match incomplete(self.redacted.coverage()) {
            None => Ok(()),
            Some(what) => Err(Failure::bare(
                Kind::System,
                format!("the scan is incomplete: {what}"),
            )
            .hint("nothing was changed; --allow-incomplete REASON accepts it")),
        }
    }
}

fn write(args: &BaselineUpdateArgs, force: bool) -> Result<Exit, Failure> {
    demand_future(args)?;
    let mut work = BaselineRun::begin(&args.target, 1)?;
    if work.exists && !force {
        let message = format!("there is a baseline already: {}", work.path.display());
        return Err(Failure::bare(Kind::Usage, message)
            .hint("'keysieve baseline update' adds what is new, --force begins anew"));
    }
    // What is elsewhere is no business of the paths that are asked for.
    let asked = work.baseline.entries().filter(|it| work.is_asked(it));
    let asked: Vec<_> = asked.map(|entry| entry.fingerprint.clone()).collect();
    for fingerprint in &asked {
        work.baseline.remove(fingerprint);
    }
    let added = add_open(&mut work, args);
    work.save()?;
    say(&format!(
        "{}: {}; commit it, so that it counts for others and in hooks\n",
        work.name(),
        counted(added, "entry", "entries")
    ))?;
    Ok(work.end(Exit::Clean))
}

fn update(args: &BaselineUpdateArgs, rekey: bool) -> Result<Exit, Failure> {
    demand_future(args)?;
    let mut work = BaselineRun::begin(&args.target, 1)?;
    let rekeyed = match rekey {
        true => work.baseline.rekey(work.redacted.findings()),
        false => 0,
    };
    let before = work.baseline.len();
    let split = work.split();
    let added = add_open(&mut work, args);
    work.save()?;
    let mut text = format!("{}: {added} added, {before} kept\n", work.name());
    if rekey {
        text.push_str(&format!(
            "{rekeyed} of those kept were given new fingerprints\n"
        ));
    }
    for entry in &split.expired {
        text.push_str(&describe("expired", entry));
    }
    if !split.expired.is_empty() {
        text.push_str(
            "'keysieve baseline audit' asks about the findings of expired entries again\n",
        );
    }
    for entry in &split.unused {
        text.push_str(&describe("unused", entry));
    }
    if !split.unused.is_empty() {
        text.push_str("'keysieve baseline prune' takes unused entries out\n");
    }
    say(&text)?;
    Ok(work.end(Exit::Clean))
}

fn add_open(work: &mut BaselineRun, args: &BaselineUpdateArgs) -> usize {
    let reason = args.reason.as_deref().map(failure::redacted);
    let entries: Vec<Entry> = work
        .open()
        .into_iter()
        // What has expired was meant to: a new day for it is a decision, not an update.
        .filter(|(_, finding)| work.baseline.entry_of(finding).is_none())
        .map(|(_, finding)| Entry::of(finding, reason.clone(), args.expires))
        .collect();
    let added = entries.len();
    for entry in entries {
        work.baseline.insert(entry);
    }
    added
}

fn check(args: &BaselineArgs) -> Result<Exit, Failure> {
    let work = BaselineRun::begin(args, 1)?;
    demand_file(&work)?;
    let split = work.split();
    let expired: Vec<&Entry> = work
        .baseline
        .entries()
        .filter(|entry| entry.is_expired(work.today) && work.is_asked(entry))
        .collect();
    let mut text = String::new();
    for entry in &expired {
        text.push_str(&describe("expired", entry));
    }
    for entry in &split.unused {
        text.push_str(&describe("unused", entry));
    }
    let is_good = text.is_empty();
    writeln!(
        text,
        "{}: {}, {} unused, {} expired",
        work.name(),
        counted(work.baseline.len(), "entry", "entries"),
        split.unused.len(),
        expired.len()
    )
    .expect("a string takes all writes");
    say(&text)?;
    Ok(work.end(if is_good { Exit::Clean } else { Exit::Findings }))
}

fn prune(args: &BaselineArgs) -> Result<Exit, Failure> {
    let mut work = BaselineRun::begin(args, 1)?;
    demand_file(&work)?;
    work.demand_complete()?;
    let split = work.split();
    let mut text = String::new();
    for entry in &split.unused {
        work.baseline.remove(&entry.fingerprint);
        text.push_str(&describe("removed", entry));
    }
    if !split.unused.is_empty() {
        work.save()?;
    }
    writeln!(
        text,
        "{}: {} removed, {} kept",
        work.name(),
        split.unused.len(),
        work.baseline.len()
    )
    .expect("a string takes all writes");
    say(&text)?;
    Ok(Exit::Clean)
}

fn import(args: &BaselineImportArgs) -> Result<Exit, Failure> {
    let name = args.file.display().to_string();
    let bytes = std::fs::read(&args.file)
        .map_err(|error| Failure::new(Kind::Usage, format!("cannot read {name}"), error))?;
    let import = Import::parse_bytes(&name, &bytes)
        .map_err(|faults| failed(&baseline::Error::Faults(faults)))?;
    let (mut work, matched) =
        BaselineRun::begin_with(&args.target, 1, |judged| import.matched(judged.findings()))?;
    let mut added = 0;
    for (at, finding) in work.redacted.findings().iter().enumerate() {
        let is_known = work.baseline.entry_of(finding).is_some();
        if matched.findings.contains(&at) && !is_known && work.is_worth_an_entry(at, finding) {
            let entry = Entry::of(finding, Some(import.reason()), None);
            work.baseline.insert(entry);
            added += 1;
        }
    }
    work.save()?;
    let mut text = format!(
        "{}: {} from {} of {}\n",
        work.name(),
        counted(added, "new entry", "new entries"),
        counted(import.len(), "entry", "entries"),
        import.kind
    );
    if matched.unmatched > 0 {
        let count = counted(matched.unmatched, "entry matches", "entries match");
        writeln!(text, "{count} no finding of this scan").expect("a string takes all writes");
    }
    if matched.unmatched_commits > 0 && !args.target.history {
        text.push_str("some of them name a commit: --history finds those\n");
    }
    say(&text)?;
    Ok(work.end(Exit::Clean))
}

/// A day that is over would accept nothing.
fn demand_future(args: &BaselineUpdateArgs) -> Result<(), Failure> {
    let today = now()?.map(Date::of_epoch);
    match args.expires {
        Some(day) if today.is_some_and(|today| day < today) => {
            let message = format!("--expires {day} is over: such an entry accepts nothing");
            Err(Failure::bare(Kind::Usage, message))
        }
        _ => Ok(()),
    }
}

fn demand_file(work: &BaselineRun) -> Result<(), Failure> {
    if work.exists {
        return Ok(());
    }
    let message = format!("there is no {}", work.path.display());
    Err(Failure::bare(Kind::Usage, message).hint("'keysieve baseline write' makes one"))
}

/// Goes to the root of the repository, so that paths are below it, and takes what was named along.
fn at_the_root(args: &BaselineArgs) -> Result<(Common, PathBuf), Failure> {
    let fail = |error| Failure::new(Kind::System, "cannot use the current directory", error);
    let absolute = |path: &PathBuf| std::path::absolute(path).map_err(fail);
    let mut common = args.common.clone();
    if let Some(named) = named_config(&common) {
        common.found.config = Some(absolute(&named)?);
        common.found.config_from = None;
    }
    for path in &mut common.rules {
        *path = absolute(path)?;
    }
    let root = root_of(Path::new(".")).map_err(fail)?;
    let path = match common.found.baseline.take() {
        Some(path) => absolute(&path)?,
        None if is_bare(&root) => {
            let message = format!("{} is a bare repository", root.display());
            return Err(Failure::bare(Kind::Usage, message).hint(
                "its baseline is what HEAD has: write it in a clone, or name a file: --baseline FILE",
            ));
        }
        None => root.join(FILE_NAME),
    };
    // It is held against the findings here, not by the session.
    common.found.no_baseline = true;
    std::env::set_current_dir(&root).map_err(fail)?;
    Ok((common, path))
}

/// The paths that were named, which are relative to the directory that the program was started in.
fn selection(args: &BaselineArgs) -> Result<Option<Selection>, Failure> {
    let fail = |error| Failure::new(Kind::System, "cannot use the current directory", error);
    let root = root_of(Path::new(".")).map_err(fail)?;
    let paths = args.paths.iter().map(PathBuf::as_path);
    selection::parse(paths, Path::new("."), Some(&root))
}

fn scan(target: &BaselineArgs, common: Common, context: usize) -> Result<(Run, Judged), Failure> {
    if target.staged {
        return commit::all_files(common, context);
    }
    let (mut run, located, sources);
    let (repository, root);
    if target.history {
        let args = HistoryArgs {
            recurse_submodules: target.recurse_submodules,
            ..HistoryArgs::of(common)
        };
        repository = repository::open(&args.repository)?;
        let progress = Arc::new(Progress::default());
        sources = objects::sources(&repository);
        let needs = Needs {
            source: Some(Arc::clone(&progress)),
            exclude_in: ExcludeIn::Findings,
            context,
            ..Needs::of("objects")
        };
        run = Run::start(&args.common, &sources, needs)?;
        located = objects::collect(&repository, &run, &args, progress)?;
    } else {
        let args = ScanArgs::of(vec![PathBuf::from(".")], common);
        let paths;
        (root, paths) = disk_root(Path::new("."), &[])?;
        sources = disk::sources(&root, paths);
        let needs = Needs {
            context,
            ..Needs::of("files")
        };
        run = Run::start(&args.common, &sources, needs)?;
        located = disk::collect(&run, &args, &root)?;
    }
    run.end_progress();
    let (judged, _) = run.judge(located, &sources)?;
    Ok((run, judged))
}

fn describe(what: &str, entry: &Entry) -> String {
    let mut text = format!("{what}: {} {}", entry.fingerprint, entry.rule);
    if let Some(path) = &entry.path {
        text.push_str(&format!(" {path}"));
    }
    if let Some(day) = entry.expires {
        text.push_str(&format!(" until {day}"));
    }
    if let Some(reason) = &entry.reason {
        text.push_str(&format!(" ({reason})"));
    }
    text.push('\n');
    text
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn failed(error: &baseline::Error) -> Failure {
    let kind = match error {
        baseline::Error::Faults(_) => Kind::Faults,
        _ => Kind::System,
    };
    Failure::of(kind, error)
}
