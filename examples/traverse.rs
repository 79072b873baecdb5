//! Measures the history scan beside gix-pack's own traversal.
//!
//! ```text
//! traverse OBJECTS_DIR plain|all|own|whole [THREADS] [LITERALS]
//! ```
//!
//! `plain` inflates blobs, commits and tags by gix-pack's delta tree and searches nothing, `all` does so for
//! trees too, `own` is the delta walk with a probe of so many literals, `whole` is the walk that shows every
//! object.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use aho_corasick::packed;
use gix::odb::pack::cache::delta::{Tree, traverse};
use gix::odb::pack::data::EntryRange;
use gix::odb::pack::{data, index};
use gix::progress::Discard;
use keysieve::blob::Blob;
use keysieve::coverage::Skip;
use keysieve::source::history::History;
use keysieve::source::{BlobSink, Clean, Probe};

#[derive(Clone, Default)]
struct Count(Arc<Totals>);

#[derive(Default)]
struct Totals {
    shown: AtomicU64,
    clean: AtomicU64,
    bytes: AtomicU64,
    skips: AtomicU64,
}

impl Count {
    fn show(&self, bytes: usize) {
        self.0.shown.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl BlobSink for Count {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        self.show(blob.bytes.len());
        ControlFlow::Continue(())
    }

    fn skip(&mut self, _: Skip) {
        self.0.skips.fetch_add(1, Ordering::Relaxed);
    }

    fn clean(&mut self, clean: Clean) {
        let objects = clean.blobs + clean.commits + clean.tags;
        self.0.clean.fetch_add(objects, Ordering::Relaxed);
        self.0.bytes.fetch_add(clean.bytes, Ordering::Relaxed);
    }

    fn join(&mut self, _share: Self) {}
}

/// Literals of four bytes, in packed searchers of at most 16 each.
struct Packed {
    searchers: Vec<packed::Searcher>,
}

impl Packed {
    fn new(count: usize) -> Self {
        // No vendor's prefix stands here whole: they are put together.
        let halves = [
            ["AK", "IA"],
            ["AS", "IA"],
            ["QU", "tJ"],
            ["FL", "SU"],
            ["BS", "0l"],
            ["gh", "p_"],
            ["gl", "pa"],
            ["xo", "xb"],
            ["sk", "_l"],
            ["AI", "za"],
            ["np", "m_"],
            ["py", "pi"],
            ["do", "p_"],
            ["SG", ".x"],
            ["hv", "s."],
            ["eyJ", "h"],
            ["sha", "t"],
            ["rk", "_l"],
            ["GOC", "S"],
            ["sl_", "q"],
            ["age", "-S"],
            ["EAA", "C"],
            ["lin", "_a"],
            ["dck", "r"],
            ["pul", "-"],
            ["nf", "p_"],
            ["AG", "PA"],
            ["ABI", "A"],
            ["AC", "CA"],
            ["sq0", "c"],
            ["key", "-9"],
            ["T3B", "l"],
            ["xap", "p"],
            ["gl", "rt"],
            ["NRA", "K"],
            ["tfp", "_"],
            ["sbp", "_"],
            ["phc", "_"],
            ["fly", "_"],
            ["hf_", "q"],
        ];
        let literals: Vec<String> = halves
            .iter()
            .take(count)
            .map(|half| half.concat())
            .collect();
        let searchers = literals
            .chunks(20)
            .map(|group| {
                packed::Config::new()
                    .builder()
                    .extend(group)
                    .build()
                    .expect("few and short literals")
            })
            .collect();
        Self { searchers }
    }
}

impl Probe for Packed {
    fn longest(&self) -> usize {
        5
    }

    fn find(&self, bytes: &[u8], spans: &mut Vec<(usize, usize)>) {
        for searcher in &self.searchers {
            spans.extend(
                searcher
                    .find_iter(bytes)
                    .map(|found| (found.start(), found.end())),
            );
        }
        spans.sort_unstable();
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let objects = PathBuf::from(args.next().ok_or("which objects directory?")?);
    let how = args.next().ok_or("how?")?;
    let mut number = |default: usize| {
        let text = args.next().and_then(|arg| arg.into_string().ok());
        text.map_or(Ok(default), |text| text.parse())
    };
    let threads = number(2)?;
    let probe = Packed::new(number(40)?);
    let sink = Count::default();
    let started = Instant::now();
    let history = History::new(&objects, gix::hash::Kind::Sha1).threads(threads);
    match how.to_str() {
        Some("plain") => history.scan_plainly(&mut sink.clone())?,
        Some("all") => all(&objects, threads, &sink)?,
        Some("own") => drop(history.scan(&mut sink.clone(), Some(&probe))?),
        Some("whole") => drop(history.scan(&mut sink.clone(), None)?),
        _ => return Err("plain, all, own or whole?".into()),
    }
    report(&sink, started)?;
    Ok(())
}

fn report(sink: &Count, started: Instant) -> std::io::Result<()> {
    use std::io::Write as _;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("VmHWM") || line.starts_with("RssAnon"))
        .collect();
    let totals = &sink.0;
    writeln!(
        std::io::stdout(),
        "{:.3} s, shown {}, clean {}, skips {}, bytes {}; {}",
        started.elapsed().as_secs_f64(),
        totals.shown.load(Ordering::Relaxed),
        totals.clean.load(Ordering::Relaxed),
        totals.skips.load(Ordering::Relaxed),
        totals.bytes.load(Ordering::Relaxed),
        memory.join(", "),
    )
}

/// gix-pack's traversal of all objects of all packs.
fn all(objects: &Path, threads: usize, sink: &Count) -> Result<(), Box<dyn std::error::Error>> {
    let hash = gix::hash::Kind::Sha1;
    for entry in std::fs::read_dir(objects.join("pack"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "idx") {
            continue;
        }
        let index = index::File::at(&path, hash)?;
        let pack = data::File::at(path.with_extension("pack"), hash)?;
        let stop = AtomicBool::new(false);
        let tree = Tree::from_offsets_in_pack(
            pack.path(),
            index.sorted_offsets().into_iter(),
            &|offset| *offset,
            &|id| {
                let position = index.lookup(id);
                Ok(position.map(|position| index.pack_offset_at_index(position)))
            },
            &mut Discard,
            &stop,
            hash,
        )?;
        let sink = sink.clone();
        tree.traverse(
            |range: EntryRange, pack: &data::File| pack.entry_slice(range),
            &pack,
            pack.pack_end() as u64,
            move |_, _, context| {
                sink.show(context.decompressed.len());
                Ok(())
            },
            traverse::Options {
                object_progress: Box::new(Discard),
                size_progress: &mut Discard,
                thread_limit: Some(threads),
                should_interrupt: &stop,
                object_hash: hash,
                alloc_limit_bytes: None,
            },
        )?;
    }
    Ok(())
}
