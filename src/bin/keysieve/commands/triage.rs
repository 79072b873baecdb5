//! `keysieve triage`: whose a found key is, what was done with it, and what to do now; `--plan` writes that down.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use keysieve::aws::cloudtrail::{Event, Field, LogKeyId};
use keysieve::engine::Engine;
use keysieve::evidence::trail::{self, Coverage, Index};
use keysieve::evidence::{self, EvidenceFile, Exhibit, Gathered, Kind, mail};
use keysieve::report::case::{self, View};
use keysieve::report::plan as plan_files;
use keysieve::scan::redact_text;
use keysieve::text::whole_file::Access;
use keysieve::text::words::Lang;
use keysieve::triage::subject::{self, Subjects};
use keysieve::triage::{Case, File, Ground, NotRead, Question, assess, plan};

use crate::args::{GroundArg, TriageArgs, TriageFormat};
use crate::date::now;
use crate::exit::Exit;
use crate::failure::{Failure, Kind as FailureKind, print_error, print_lines};
use crate::output;

/// The longest report that is read, in bytes.
const MAX_SIZE: u64 = 1 << 30;

/// Runs the command.
pub(crate) fn run(args: &TriageArgs) -> Result<Exit, Failure> {
    let now = now()?.ok_or_else(|| {
        Failure::bare(
            FailureKind::System,
            "the clock of this machine says nothing",
        )
    })?;
    let leaked_at = args
        .leaked_at
        .as_deref()
        .map(|text| moment(text, now))
        .transpose()?;
    if let Some(dir) = &args.plan {
        refuse_full(dir, args.force)?;
    }
    let mut named = Named::read(&args.targets)?;
    let mut paths = args.evidence.clone();
    paths.append(&mut named.evidence);
    let mut gathered = evidence::gather(&paths);
    if args.targets.is_empty() {
        named.add_notices(&gathered.exhibits);
    }
    named.unmask(&gathered.exhibits);
    if named.subjects.is_empty() {
        let unread = gathered.unread.iter();
        let unread = unread.map(|it| incomplete(&it.path.to_string_lossy(), &it.reason));
        named.flaws.extend(unread);
        print_lines(&named.flaws);
        // A report without keys of AWS is an answer, unless something was not read.
        return match (args.targets.is_empty() && named.masked.is_empty(), named.flaws.is_empty()) {
            (false, true) => {
                print_error("no access key of AWS is in what was named\n");
                Ok(Exit::Clean)
            }
            (false, false) => Ok(Exit::Failed),
            (true, _) => Err(Failure::bare(FailureKind::Usage, "no key is named, and no mail or notice of AWS names one")
                .hint("keysieve triage report.json --evidence DIRECTORY, or KEY_ID in place of the report")),
        };
    }
    let mut read = events(&named.subjects, &mut gathered, args.threads);
    read.add_tables(&gathered.exhibits);
    let coverage = read.has_trail.then_some(&read.coverage);
    let mut answer = assess(&Question {
        subjects: &named.subjects,
        leaked_at,
        known: &args.known_network,
        exhibits: &gathered.exhibits,
        events: &read.events,
        coverage,
        is_bounded: read.is_bounded,
        now,
    });
    answer.evidence = gathered.files.iter().map(file).collect();
    answer.unread = gathered
        .unread
        .iter()
        .map(|unread| NotRead {
            path: unread.path.to_string_lossy().into_owned(),
            why: unread.reason.clone(),
        })
        .collect();
    let lang = args.lang.into();
    let engine = Engine::new(std::sync::Arc::new(keysieve::rule::RuleSet::builtin()));
    let mut text = Vec::new();
    write(&mut text, &answer, args.format, lang).expect("a vector takes everything");
    output::to_stdout(|out| out.write_all(&redact_text(&engine, &text)))?;
    if let Some(dir) = &args.plan {
        write_plans(dir, &answer, &gathered.files, lang, &engine)?;
        print_error(&format!("plan: {}; begin with README.md\n", dir.display()));
    }
    let mut lines = named.flaws;
    lines.extend(
        answer
            .unread
            .iter()
            .map(|unread| incomplete(&unread.path, &unread.why)),
    );
    let unmet = unmet(&answer, &args.require, coverage.is_some());
    lines.extend(unmet);
    if read.is_bounded {
        lines.push("incomplete: more descends from these keys than is followed".to_owned());
    }
    print_lines(&lines);
    Ok(if !lines.is_empty() {
        Exit::Failed
    } else if answer.summary.need_action > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

fn incomplete(path: &str, why: &str) -> String {
    format!("incomplete: {path}: {why}")
}

fn file(file: &EvidenceFile) -> File {
    File {
        path: file.path.to_string_lossy().into_owned(),
        kind: file.kind,
    }
}

fn moment(text: &str, now: i64) -> Result<i64, Failure> {
    crate::date::parse(text, Some(now)).ok_or_else(|| {
        Failure::bare(FailureKind::Usage, "--leaked-at is no time")
            .hint("2026-11-30T12:35:00Z, 2026-11-30 or '3 days ago'")
    })
}

/// Keys and reports that the command line names.
#[derive(Default)]
struct Named {
    subjects: Subjects,
    /// Mails: evidence as well.
    evidence: Vec<PathBuf>,
    /// IDs that mails mask.
    masked: BTreeSet<String>,
    /// Faults of reports that could be read in part.
    flaws: Vec<String>,
}

impl Named {
    fn read(targets: &[std::ffi::OsString]) -> Result<Self, Failure> {
        let mut named = Self::default();
        for (number, target) in targets.iter().enumerate() {
            let path = Path::new(target);
            let id = target.to_str().and_then(LogKeyId::parse);
            match id.filter(|_| !path.exists()) {
                Some(key) => {
                    named.subjects.entry(key).or_default();
                }
                None => named.add(path, number + 1)?,
            }
        }
        Ok(named)
    }

    fn add(&mut self, path: &Path, number: usize) -> Result<(), Failure> {
        let fail = |error| {
            let message = match may_be_secret(path) {
                true => format!("cannot read argument {number}"),
                false => format!("cannot read {}", path.display()),
            };
            Failure::new(FailureKind::System, message, error)
        };
        let mut bytes = Vec::new();
        let is_stdin = path == Path::new("-");
        if is_stdin {
            io::stdin()
                .lock()
                .take(MAX_SIZE)
                .read_to_end(&mut bytes)
                .map_err(fail)?;
        } else {
            let file = fs::File::open(path).map_err(fail)?;
            file.take(MAX_SIZE).read_to_end(&mut bytes).map_err(fail)?;
        }
        let name = if is_stdin {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        if !bytes.trim_ascii_start().starts_with(b"{")
            && let Some(notice) = mail::read(&bytes)
        {
            notice.keys.iter().for_each(|key| self.add_id(&key.id));
            if !is_stdin {
                self.evidence.push(path.to_owned());
            }
            return Ok(());
        }
        match subject::add_report(&mut self.subjects, &bytes) {
            Ok(()) => Ok(()),
            Err(flaw @ (subject::Flaw::NotOne | subject::Flaw::Secrets)) => Err(Failure::bare(
                FailureKind::System,
                format!("{name} {}", flaw.text()),
            )
            .hint("keysieve history REPOSITORY --format json > report.json")),
            Err(flaw) => {
                self.flaws
                    .push(format!("incomplete: {name} {}", flaw.text()));
                Ok(())
            }
        }
    }

    /// Adds an ID of a mail or a notice, whole or masked; other text in its place is ignored.
    fn add_id(&mut self, id: &str) {
        if let Some(key) = LogKeyId::parse(id) {
            self.subjects.entry(key).or_default();
        } else if mail::last_of_masked(id).is_some() {
            self.masked.insert(id.to_owned());
        }
    }

    /// Takes the keys that mails and notices of the evidence name.
    fn add_notices(&mut self, exhibits: &[Exhibit]) {
        for exhibit in exhibits {
            match &exhibit.kind {
                Kind::Mail(notice) => notice.keys.iter().for_each(|key| self.add_id(&key.id)),
                Kind::Health(notices) => {
                    let about = notices.iter().filter(|notice| notice.is_about_keys());
                    about
                        .flat_map(|notice| &notice.entities)
                        .for_each(|it| self.add_id(it));
                }
                _ => {}
            }
        }
    }

    /// Takes for each masked ID the only key that fits, of those that are named or in a list of keys; says so where
    /// there is none or are several.
    fn unmask(&mut self, exhibits: &[Exhibit]) {
        let mut known: BTreeSet<LogKeyId> = self.subjects.keys().copied().collect();
        for exhibit in exhibits {
            if let Kind::KeyList { keys, .. } = &exhibit.kind {
                known.extend(keys.iter().filter_map(|key| LogKeyId::parse(&key.key_id)));
            }
        }
        let mut is_open = false;
        for id in &self.masked {
            let last = mail::last_of_masked(id).unwrap_or_default();
            let fitting = known.iter().filter(|key| key.as_str().ends_with(last));
            let fitting: Vec<LogKeyId> = fitting.copied().collect();
            if let [key] = fitting[..] {
                self.subjects.entry(key).or_default();
                continue;
            }
            is_open = true;
            let found = match fitting.len() {
                0 => "no listed key fits".to_owned(),
                several => format!("{several} listed keys fit"),
            };
            self.flaws.push(format!(
                "incomplete: the mail masks the key {id}, and {found}"
            ));
        }
        if is_open {
            self.flaws.push(
                "hint: collect the lists of keys, keysieve collect > collect.sh, and name them with --evidence; or name the key"
                    .to_owned(),
            );
        }
    }
}

/// Returns true for a name that may be a secret, typed or pasted in the place of a file, and must not be shown.
fn may_be_secret(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    text.len() >= 16 && text.iter().all(is_part)
}

/// Events of the keys in the logs.
struct Read {
    /// In order of time, each once.
    events: Vec<Event>,
    coverage: Coverage,
    has_trail: bool,
    is_bounded: bool,
}

fn events(subjects: &Subjects, gathered: &mut Gathered, threads: Option<usize>) -> Read {
    let available = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = trail::Options {
        threads: threads.unwrap_or_else(available),
    };
    let keys: BTreeSet<LogKeyId> = subjects.keys().copied().collect();
    let files = &gathered.trails;
    let found = trail::find(&keys, files, &mut Index::default(), true, options);
    let covered = trail::coverage(files, options);
    gathered.unread.extend(found.account.unread);
    gathered.unread.extend(covered.unread);
    gathered.unread.sort();
    gathered.unread.dedup_by(|a, b| a.path == b.path);
    let is_empty_history = |exhibit: &Exhibit| matches!(exhibit.kind, Kind::NoEvents);
    Read {
        events: found.events.into_iter().map(|found| found.event).collect(),
        coverage: covered.coverage,
        has_trail: covered.trails > 0 || gathered.exhibits.iter().any(is_empty_history),
        is_bounded: found.is_bounded,
    }
}

impl Read {
    /// Adds the events of the console's tables that no log holds.
    fn add_tables(&mut self, exhibits: &[Exhibit]) {
        let mut seen: BTreeSet<String> = self.events.iter().map(|event| event.id.clone()).collect();
        for exhibit in exhibits {
            let Kind::History(records) = &exhibit.kind else {
                continue;
            };
            self.has_trail = true;
            for record in records {
                // What was made of a row is a record.
                let event = Event::parse(record.to_string().as_bytes()).ok().flatten();
                if let Some(event) =
                    event.filter(|event| event.id.is_empty() || seen.insert(event.id.clone()))
                {
                    self.coverage
                        .add_time(event.account(), event.get(Field::Region), &event.time);
                    self.events.push(event);
                }
            }
        }
        self.events
            .sort_by(|a, b| (&a.time, &a.id).cmp(&(&b.time, &b.id)));
    }
}

fn write(out: &mut dyn Write, answer: &Case, format: TriageFormat, lang: Lang) -> io::Result<()> {
    match format {
        TriageFormat::Json => case::write_json(out, answer),
        TriageFormat::Text => case::write_text(out, &View::new(answer, lang)),
        TriageFormat::Markdown => case::write_markdown(out, &View::new(answer, lang)),
        TriageFormat::Html => case::write_html(out, &View::new(answer, lang)),
    }
}

/// Lists the facts that `--require` asks for and that are unknown.
fn unmet(answer: &Case, required: &[GroundArg], has_trail: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for ground in required {
        let (ground, word) = match ground {
            GroundArg::Status => (Ground::Status, "status"),
            GroundArg::Owner => (Ground::Owner, "owner"),
            GroundArg::Trail => (Ground::Trail, "trail"),
        };
        let keys = answer
            .keys
            .iter()
            .filter(|key| !ground.is_met(key, has_trail));
        lines.extend(keys.map(|key| {
            format!(
                "incomplete: the {word} of {} is required and not known",
                key.key_id
            )
        }));
    }
    lines
}

/// A plan goes into a folder of its own.
fn refuse_full(dir: &Path, is_forced: bool) -> Result<(), Failure> {
    let is_full = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if is_full && !is_forced {
        return Err(Failure::bare(
            FailureKind::Usage,
            format!("{} is not empty", dir.display()),
        )
        .hint("name a folder that is not there yet, or add --force to write over what is in it"));
    }
    Ok(())
}

fn write_plans(
    dir: &Path,
    answer: &Case,
    files: &[EvidenceFile],
    lang: Lang,
    engine: &Engine,
) -> Result<(), Failure> {
    let plans = plan::plans(answer);
    let is_one = plans.len() == 1;
    let hashes = hashes(files)?;
    for plan in &plans {
        let dir = match is_one {
            true => dir.to_owned(),
            false => dir.join(plan.account_id.as_deref().unwrap_or("unknown")),
        };
        let fail = |error| {
            Failure::new(
                FailureKind::System,
                format!("cannot make {}", dir.display()),
                error,
            )
        };
        make_private(&dir).map_err(fail)?;
        let mut of_account = answer.clone();
        of_account
            .keys
            .retain(|key| plan.key_ids.contains(&key.key_id));
        let files = plan_files::files(plan, &of_account, lang).expect("vectors take everything");
        for file in files {
            // Programs hold names that were checked, and none that could be cut without harm.
            let text = match file.name.ends_with(".sh") {
                true => file.text.into_bytes(),
                false => redact_text(engine, file.text.as_bytes()).into(),
            };
            output::to_file(&dir.join(&file.name), Access::Owner, |out| {
                out.write_all(&text)
            })?;
        }
        output::to_file(&dir.join("evidence.sha256"), Access::Owner, |out| {
            out.write_all(&hashes)
        })?;
    }
    Ok(())
}

fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Lines as `sha256sum` writes them, with absolute paths.
fn hashes(files: &[EvidenceFile]) -> Result<Vec<u8>, Failure> {
    let mut lines = Vec::new();
    for file in files {
        let fail = |error| {
            Failure::new(
                FailureKind::System,
                format!("cannot read {}", file.path.display()),
                error,
            )
        };
        let hash = evidence::sha256(&file.path).map_err(fail)?;
        let path = std::path::absolute(&file.path).map_err(fail)?;
        let path = path.to_string_lossy();
        // As sha256sum does for names that would break a line.
        let escaped = path
            .replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\r', "\\r");
        let mark = if escaped == path { "" } else { "\\" };
        lines.extend(format!("{mark}{hash}  {escaped}\n").into_bytes());
    }
    Ok(lines)
}
