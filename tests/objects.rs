//! `History` reads every object of a real repository once, and what it cannot read it names.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gix::ObjectId;
use keysieve::blob::Blob;
use keysieve::coverage::{Skip, SkipReason};
use keysieve::provenance::{ObjectKind, Provenance};
use keysieve::source::history::History;
use keysieve::source::{BlobSink, Clean, Probe};

use crate::support::{Keys, TestRepo, open_at};

/// Literals that are nearly everywhere in text made of few letters, so that every seam counts.
const LITERALS: &[&str] = &["abba", "cab", "dadada", "bcdbc"];

struct Dense(Vec<&'static str>);

impl Probe for Dense {
    fn longest(&self) -> usize {
        self.0
            .iter()
            .map(|literal| literal.len())
            .max()
            .unwrap_or(1)
    }

    fn find(&self, bytes: &[u8], spans: &mut Vec<(usize, usize)>) {
        for start in 0..bytes.len() {
            for literal in &self.0 {
                if bytes[start..].starts_with(literal.as_bytes()) {
                    spans.push((start, start + literal.len()));
                }
            }
        }
    }
}

impl Dense {
    fn is_in(&self, bytes: &[u8]) -> bool {
        let mut spans = Vec::new();
        self.find(bytes, &mut spans);
        !spans.is_empty()
    }
}

#[derive(Debug, Default)]
struct Seen {
    shown: BTreeMap<(ObjectKind, ObjectId), Vec<u8>>,
    twice: Vec<ObjectId>,
    clean: Clean,
    skips: BTreeSet<Skip>,
}

impl Seen {
    fn ids(&self) -> BTreeSet<String> {
        self.shown.keys().map(|(_, id)| id.to_string()).collect()
    }

    fn skipped(&self, reason: SkipReason) -> BTreeSet<String> {
        self.skips
            .iter()
            .filter(|skip| skip.reason == reason)
            .map(|skip| skip.subject.to_string())
            .collect()
    }

    fn objects(&self) -> u64 {
        self.shown.len() as u64 + self.clean.blobs + self.clean.commits + self.clean.tags
    }
}

#[derive(Clone, Default)]
struct Recorder {
    seen: Arc<Mutex<Seen>>,
    stop_after: Option<usize>,
}

impl BlobSink for Recorder {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let mut seen = self.seen.lock().unwrap();
        let Provenance::Object { kind, id } = blob.provenance else {
            panic!("history shows objects only");
        };
        if seen
            .shown
            .insert((*kind, *id), blob.bytes.to_vec())
            .is_some()
        {
            seen.twice.push(*id);
        }
        match self.stop_after {
            Some(limit) if seen.shown.len() >= limit => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn skip(&mut self, skip: Skip) {
        self.seen.lock().unwrap().skips.insert(skip);
    }

    fn clean(&mut self, clean: Clean) {
        let total = &mut self.seen.lock().unwrap().clean;
        total.blobs += clean.blobs;
        total.commits += clean.commits;
        total.tags += clean.tags;
        total.bytes += clean.bytes;
    }

    fn join(&mut self, _share: Self) {}
}

fn scan(history: &History, probe: Option<&dyn Probe>) -> Seen {
    let recorder = Recorder::default();
    history.scan(&mut recorder.clone(), probe).expect("a scan");
    Arc::into_inner(recorder.seen)
        .expect("no clone is left")
        .into_inner()
        .unwrap()
}

fn scan_plainly(history: &History) -> Seen {
    let recorder = Recorder::default();
    history.scan_plainly(&mut recorder.clone()).expect("a scan");
    Arc::into_inner(recorder.seen)
        .expect("no clone is left")
        .into_inner()
        .unwrap()
}

fn history(repo: &TestRepo) -> History {
    History::of(&repo.open()).threads(2)
}

/// Lists the objects that Git has: blobs, commits and tags.
fn listed(repo: &TestRepo) -> BTreeSet<String> {
    let all = repo.git(&[
        "cat-file",
        "--batch-all-objects",
        "--unordered",
        "--batch-check=%(objectname) %(objecttype)",
    ]);
    all.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, kind)| *kind != "tree")
        .map(|(id, _)| id.to_owned())
        .collect()
}

/// Holds every way to scan against the plain one and against Git's own list.
fn assert_equal_ways(repo: &TestRepo, probe: &Dense) {
    let plain = scan_plainly(&history(repo));
    assert_eq!(plain.ids(), listed(repo));
    assert!(plain.twice.is_empty());
    for threads in [1, 2, 5] {
        let history = history(repo).threads(threads);
        let whole = scan(&history, None);
        assert_eq!(whole.shown, plain.shown, "{threads} threads, no probe");
        assert!(
            whole.twice.is_empty() && whole.skips.is_empty(),
            "{:?}",
            whole.skips
        );

        let fast = scan(&history, Some(probe));
        let mut expected = plain.shown.clone();
        expected.retain(|_, bytes| probe.is_in(bytes));
        let ids = |shown: &BTreeMap<(ObjectKind, ObjectId), Vec<u8>>| -> Vec<_> {
            shown.keys().copied().collect()
        };
        assert_eq!(ids(&fast.shown), ids(&expected), "{threads} threads");
        assert_eq!(fast.shown, expected);
        assert!(
            fast.twice.is_empty() && fast.skips.is_empty(),
            "{:?}",
            fast.skips
        );
        assert_eq!(fast.objects(), plain.shown.len() as u64);
        let bytes: usize = plain.shown.values().map(Vec::len).sum();
        let shown: usize = fast.shown.values().map(Vec::len).sum();
        assert_eq!(fast.clean.bytes, (bytes - shown) as u64);
    }
}

/// Text of few letters: the odd line has a literal.
fn text(keys: &mut Keys, lines: usize) -> Vec<String> {
    (0..lines).map(|_| line(keys)).collect()
}

fn line(keys: &mut Keys) -> String {
    let length = 3 + keys.below(40);
    keys.text(b"abcdefghijklmnopqrs\\", length)
}

fn edit(keys: &mut Keys, lines: &mut Vec<String>) {
    for _ in 0..=keys.below(3) {
        let at = keys.below(lines.len());
        match keys.below(5) {
            0 => lines.insert(at, line(keys)),
            1 if lines.len() > 5 => {
                lines.remove(at);
            }
            2 => {
                let moved = lines.split_off(at);
                lines.splice(0..0, moved);
            }
            3 => {
                // A literal appears within a line or disappears.
                let literal = LITERALS[keys.below(LITERALS.len())];
                let text = &mut lines[at];
                if text.contains(literal) {
                    *text = text.replace(literal, "-");
                } else {
                    let place = keys.below(text.len() + 1);
                    text.insert_str(place, literal);
                }
            }
            _ => {
                let text = &mut lines[at];
                let place = keys.below(text.len());
                text.truncate(place + 1);
            }
        }
    }
}

/// A repository with many versions of a few files, seeded.
fn random_repo(seed: u64, args: &[&str], versions: usize) -> TestRepo {
    let mut keys = Keys::new(seed);
    let repo = TestRepo::with_init_args(args);
    let mut files: Vec<Vec<String>> = (0..3).map(|_| text(&mut keys, 30)).collect();
    for version in 0..versions {
        let file = keys.below(files.len());
        edit(&mut keys, &mut files[file]);
        let name = format!("file{file}.txt");
        repo.stage(&name, files[file].join("\n"));
        let message = line(&mut keys);
        repo.commit(&format!("version {version} {message}"));
    }
    repo.git(&["tag", "-a", "-m", "a tag with cab", "tagged"]);
    repo.git(&["tag", "-a", "-m", "a tag without", "clear"]);
    repo
}

fn repack(repo: &TestRepo, depth: usize) {
    let depth = format!("--depth={depth}");
    repo.git(&["repack", "-adfq", "--window=50", &depth]);
}

fn files(repo: &TestRepo, extension: &str) -> Vec<PathBuf> {
    files_below(&repo.join(".git/objects/pack"), extension)
}

fn files_below(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|other| other == extension))
        .collect();
    paths.sort();
    paths
}

fn overwrite(path: &Path, bytes: &[u8]) {
    // Git makes its files read-only.
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn loose_path(repo: &TestRepo, id: &str) -> PathBuf {
    repo.join(".git/objects").join(&id[..2]).join(&id[2..])
}

#[test]
fn deltas_loose_objects_and_several_packs_hold_the_same_as_plain_objects() {
    let probe = Dense(LITERALS.to_vec());
    for seed in 0..4 {
        let repo = random_repo(seed, &[], 60);
        assert_equal_ways(&repo, &probe);
        repack(&repo, 50);
        assert_eq!(files(&repo, "pack").len(), 1);
        assert_equal_ways(&repo, &probe);
        // A second pack, then loose objects, some of them in a pack as well.
        let mut keys = Keys::new(seed + 100);
        for round in 0..2 {
            for version in 0..8 {
                let mut lines = text(&mut keys, 20);
                edit(&mut keys, &mut lines);
                repo.commit_file("late.txt", lines.join("\n"), &format!("{round} {version}"));
            }
            if round == 0 {
                repo.git(&["repack", "-dq"]);
            }
        }
        let head = repo.git(&["rev-parse", "HEAD"]);
        repo.git(&["update-ref", "refs/heads/other", &head]);
        let twice = repo.git(&["cat-file", "blob", "HEAD~30:file0.txt"]);
        repo.write("twice", &twice);
        assert!(files(&repo, "pack").len() >= 2);
        assert_equal_ways(&repo, &probe);
    }
}

#[test]
fn long_chains_and_ref_deltas_hold_the_same() {
    let probe = Dense(LITERALS.to_vec());
    let repo = random_repo(11, &[], 120);
    repack(&repo, 4000);
    assert_equal_ways(&repo, &probe);
    repo.git(&["config", "repack.useDeltaBaseOffset", "false"]);
    repack(&repo, 50);
    assert_equal_ways(&repo, &probe);
    repo.git(&["config", "pack.indexVersion", "1"]);
    repack(&repo, 50);
    assert_equal_ways(&repo, &probe);
}

#[test]
fn a_sha256_repository_holds_the_same() {
    let repo = random_repo(12, &["--object-format=sha256"], 40);
    repack(&repo, 50);
    repo.commit_file("loose.txt", "a loose cab", "loose");
    assert_equal_ways(&repo, &Dense(LITERALS.to_vec()));
}

#[test]
fn a_probe_of_one_letter_has_no_seams() {
    let repo = random_repo(13, &[], 30);
    repack(&repo, 50);
    assert_equal_ways(&repo, &Dense(vec!["\\"]));
}

#[test]
fn an_object_of_several_stores_is_shown_once() {
    let repo = random_repo(14, &[], 30);
    repack(&repo, 50);
    let copy = TestRepo::new();
    let from = repo.join(".git/objects/pack");
    let to = copy.join(".git/objects/pack");
    std::fs::create_dir_all(&to).unwrap();
    for path in files_below(&from, "pack")
        .into_iter()
        .chain(files_below(&from, "idx"))
    {
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    // Everything once more, unpacked by the same Git.
    let pack = std::fs::read(&files(&repo, "pack")[0]).unwrap();
    let loose = TestRepo::new();
    loose
        .git_command()
        .args(["unpack-objects", "-q"])
        .stdin(pack)
        .status(0);
    let all = history(&repo).and_objects([copy.join(".git/objects"), loose.join(".git/objects")]);
    let seen = scan(&all, None);
    assert!(seen.twice.is_empty());
    assert_eq!(seen.ids(), listed(&repo));
}

#[test]
fn alternates_are_read_too() {
    let base = random_repo(15, &[], 20);
    repack(&base, 50);
    let repo = TestRepo::new();
    let alternates = repo.join(".git/objects/info/alternates");
    std::fs::write(
        &alternates,
        format!("{}\n", base.join(".git/objects").display()),
    )
    .unwrap();
    let id = repo.commit_file("own.txt", "own", "own");
    let seen = scan(&history(&repo), None);
    assert!(seen.ids().contains(&id) && seen.ids().is_superset(&listed(&base)));
    assert!(seen.skips.is_empty());
    std::fs::write(&alternates, "/nowhere/at/all\n").unwrap();
    let seen = scan(&history(&repo), None);
    assert_eq!(seen.skipped(SkipReason::Unreadable).len(), 1);
    assert!(seen.ids().contains(&id));
}

#[test]
fn only_what_is_asked_for_is_shown() {
    let repo = random_repo(16, &[], 40);
    repack(&repo, 50);
    let probe = Dense(LITERALS.to_vec());
    let all = listed(&repo);
    let asked: BTreeSet<String> = all.iter().step_by(3).cloned().collect();
    let nowhere = "1".repeat(40);
    let ids: HashSet<ObjectId> = asked
        .iter()
        .chain([&nowhere])
        .map(|id| ObjectId::from_hex(id.as_bytes()).unwrap())
        .collect();
    let history = history(&repo).only(Arc::new(ids));
    let seen = scan(&history, None);
    assert_eq!(seen.ids(), asked);
    assert_eq!(seen.skipped(SkipReason::Missing), BTreeSet::from([nowhere]));
    let fast = scan(&history, Some(&probe));
    assert_eq!(fast.objects(), asked.len() as u64);
    assert!(fast.ids().is_subset(&asked) && !fast.shown.is_empty());
}

#[test]
fn a_sink_that_wants_no_more_ends_the_scan() {
    let repo = random_repo(17, &[], 60);
    repack(&repo, 50);
    let recorder = Recorder {
        stop_after: Some(3),
        ..Default::default()
    };
    history(&repo)
        .threads(1)
        .scan(&mut recorder.clone(), None)
        .unwrap();
    assert_eq!(recorder.seen.lock().unwrap().shown.len(), 3);
}

/// Every byte of the pack is damaged in turn, coarsely: what is not shown is named.
#[test]
fn one_damaged_byte_costs_only_what_is_built_on_it() {
    let repo = random_repo(18, &[], 40);
    repack(&repo, 10);
    let all = listed(&repo);
    let pack = files(&repo, "pack").remove(0);
    let good = std::fs::read(&pack).unwrap();
    let probe = Dense(LITERALS.to_vec());
    let expected = scan_plainly(&history(&repo)).shown;
    for place in (12..good.len() - 20).step_by(good.len() / 60) {
        let mut bad = good.clone();
        bad[place] ^= 0x55;
        overwrite(&pack, &bad);
        let seen = scan(&history(&repo), None);
        let corrupt = seen.skipped(SkipReason::Corrupt);
        assert!(!corrupt.is_empty(), "byte {place}");
        let mut together = seen.ids();
        together.extend(corrupt.iter().cloned());
        assert!(together.is_superset(&all), "byte {place}");
        assert!(
            seen.shown
                .iter()
                .all(|(key, bytes)| expected[key] == *bytes)
        );
        assert!(
            seen.shown.len() * 2 > all.len(),
            "byte {place} cost too much"
        );
        let fast = scan(&history(&repo), Some(&probe));
        assert_eq!(fast.skipped(SkipReason::Corrupt), corrupt, "byte {place}");
    }
}

#[test]
fn a_second_copy_heals_a_damaged_one() {
    let repo = random_repo(19, &[], 30);
    repack(&repo, 50);
    let pack = files(&repo, "pack").remove(0);
    let good = std::fs::read(&pack).unwrap();
    let loose = TestRepo::new();
    loose
        .git_command()
        .args(["unpack-objects", "-q"])
        .stdin(good.clone())
        .status(0);
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    bad[good.len() / 3] ^= 1;
    overwrite(&pack, &bad);
    assert!(!scan(&history(&repo), None).skips.is_empty());
    let both = history(&repo).and_objects([loose.join(".git/objects")]);
    let seen = scan(&both, None);
    assert_eq!(seen.ids(), listed(&loose));
    assert_eq!(seen.skips, BTreeSet::new());
}

#[test]
fn a_truncated_pack_a_missing_index_and_a_broken_index_are_named() {
    let repo = random_repo(20, &[], 20);
    repack(&repo, 50);
    let late = repo.commit_file("late.txt", "late", "late");
    let pack = files(&repo, "pack").remove(0);
    let index = files(&repo, "idx").remove(0);
    let good = std::fs::read(&pack).unwrap();
    let good_index = std::fs::read(&index).unwrap();
    let assert_named = |path: &Path| {
        let seen = scan(&history(&repo), None);
        let corrupt = seen.skipped(SkipReason::Corrupt);
        assert!(corrupt.contains(path.to_str().unwrap()), "{corrupt:?}");
        assert!(seen.ids().contains(&late));
    };
    overwrite(&pack, &good[..good.len() / 2]);
    assert_named(&pack);
    overwrite(&pack, &good);
    overwrite(&index, &good_index[..good_index.len() - 30]);
    assert_named(&index);
    std::fs::remove_file(&index).unwrap();
    assert_named(&pack);
}

#[test]
fn a_damaged_or_vanished_loose_object_is_named() {
    let repo = TestRepo::new();
    let commit = repo.commit_file("a.txt", "a text", "first");
    let blob = repo.git(&["rev-parse", "HEAD:a.txt"]);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let path = loose_path(&repo, &blob);
    let good = std::fs::read(&path).unwrap();
    overwrite(&path, &good[..good.len() - 3]);
    let seen = scan(&history(&repo), None);
    assert_eq!(seen.skipped(SkipReason::Corrupt), BTreeSet::from([blob]));
    assert!(seen.ids().contains(&commit));
    overwrite(&path, &good);
    std::fs::remove_file(loose_path(&repo, &tree)).unwrap();
    let seen = scan(&history(&repo), Some(&Dense(vec!["nothing"])));
    assert_eq!(seen.skipped(SkipReason::Missing), BTreeSet::from([tree]));
}

#[test]
fn what_is_over_the_limit_is_named_and_so_is_what_is_built_on_it() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(21);
    let noise = keys.text(b"0123456789abcdefghijklmnopqrstuvwxyz", 20_000);
    repo.commit_file("large.txt", &noise, "large");
    repo.commit_file("large.txt", format!("{noise}and more"), "larger");
    let small = repo.commit_file("small.txt", "small", "small");
    let over: BTreeSet<String> = ["HEAD:large.txt", "HEAD~2:large.txt"]
        .into_iter()
        .map(|name| repo.git(&["rev-parse", name]))
        .collect();
    for _ in 0..2 {
        for probe in [None, Some(&Dense(vec!["small"]) as &dyn Probe)] {
            let seen = scan(&history(&repo).max_object_size(10_000), probe);
            assert_eq!(seen.skipped(SkipReason::Size), over);
            assert!(seen.ids().contains(&small));
        }
        repack(&repo, 50);
    }
}

#[test]
fn a_shallow_clone_is_named_as_such() {
    let full = random_repo(22, &[], 10);
    let repo = TestRepo::new();
    let url = format!("file://{}", full.path().display());
    repo.git(&["fetch", "--quiet", "--depth=3", &url, "main"]);
    let seen = scan(&history(&repo), None);
    let boundary = full.git(&["rev-parse", "main~2"]);
    assert_eq!(
        seen.skipped(SkipReason::Shallow),
        BTreeSet::from([boundary])
    );
    assert_eq!(seen.skips.len(), 1, "{:?}", seen.skips);
}

#[test]
fn what_a_partial_clone_left_behind_is_counted_and_a_lost_object_is_missing() {
    let full = random_repo(25, &[], 12);
    let repo = TestRepo::new();
    let url = format!("file://{}", full.path().display());
    full.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.git(&[
        "clone",
        "--quiet",
        "--bare",
        "--filter=blob:none",
        &url,
        "partial",
    ]);
    let history = History::of(&open_at(&repo.join("partial")));
    let seen = scan(&history, Some(&Dense(vec!["nothing"])));
    let blobs = full.git(&[
        "rev-list",
        "--objects",
        "--all",
        "--filter=object:type=blob",
        "--filter-provided-objects",
        "--no-object-names",
    ]);
    let blobs: BTreeSet<String> = blobs.lines().map(str::to_owned).collect();
    assert!(blobs.len() > 10);
    assert_eq!(seen.skipped(SkipReason::Partial), blobs);
    assert_eq!(seen.skips.len(), blobs.len());
    // The same without the promise is a loss.
    repo.git(&[
        "--git-dir=partial",
        "config",
        "--remove-section",
        "remote.origin",
    ]);
    let history = History::of(&open_at(&repo.join("partial")));
    assert_eq!(scan(&history, None).skipped(SkipReason::Missing), blobs);
}

#[test]
fn a_reference_to_nothing_is_missing() {
    let repo = random_repo(26, &[], 5);
    let nowhere = "2".repeat(40);
    std::fs::write(repo.join(".git/refs/heads/lost"), format!("{nowhere}\n")).unwrap();
    let seen = scan(&history(&repo), None);
    assert_eq!(seen.skipped(SkipReason::Missing), BTreeSet::from([nowhere]));
}

#[test]
fn a_large_family_is_shared_between_threads() {
    // Noise that does not deflate makes one family of several shares.
    let mut keys = Keys::new(27);
    let repo = TestRepo::new();
    let mut lines: Vec<String> = (0..400).map(|_| keys.hex(60)).collect();
    for version in 0..60 {
        let at = keys.below(lines.len() - 150);
        for line in &mut lines[at..at + 150] {
            *line = keys.hex(60);
        }
        if version % 7 == 0 {
            lines[at].push_str("cab");
        }
        repo.stage("large.txt", lines.join("\n"));
        repo.commit("large");
    }
    repack(&repo, 50);
    let size = files(&repo, "pack")[0].metadata().unwrap().len();
    assert!(size > 300_000, "{size}: too small to be shared");
    assert_equal_ways(&repo, &Dense(LITERALS.to_vec()));
}

#[test]
fn a_pointer_counts_as_not_read_until_its_content_is_there() {
    let repo = TestRepo::new();
    let hex = Keys::new(23).hex(64);
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hex}\nsize 12\n");
    repo.commit_file("large.bin", &pointer, "pointer");
    repo.commit_file("large.bin", pointer.replace("12", "13"), "another");
    let ids: BTreeSet<String> = ["HEAD:large.bin", "HEAD~1:large.bin"]
        .into_iter()
        .map(|name| repo.git(&["rev-parse", name]))
        .collect();
    let probe = Dense(vec!["nothing"]);
    assert_eq!(
        scan(&history(&repo), Some(&probe)).skipped(SkipReason::Lfs),
        ids
    );
    repack(&repo, 50);
    assert_eq!(
        scan(&history(&repo), Some(&probe)).skipped(SkipReason::Lfs),
        ids
    );
    let folder = repo
        .join(".git/lfs/objects")
        .join(&hex[..2])
        .join(&hex[2..4]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(&hex), "the content!").unwrap();
    // The other pointer is of something longer.
    let longer = BTreeSet::from([repo.git(&["rev-parse", "HEAD:large.bin"])]);
    let seen = scan(&history(&repo), Some(&probe));
    assert_eq!(seen.skipped(SkipReason::Lfs), longer);
    assert!(seen.shown.values().all(|bytes| bytes == b"the content!"));
    assert_eq!(seen.ids(), &ids - &longer);
}

#[test]
fn progress_reaches_its_total() {
    let repo = random_repo(24, &[], 20);
    repack(&repo, 50);
    repo.commit_file("loose.txt", "loose", "loose");
    let progress = Arc::new(keysieve::source::Progress::default());
    scan(&history(&repo).progress(Arc::clone(&progress)), None);
    let count =
        |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(count(&progress.done), listed(&repo).len() as u64);
    // Of a loose object nobody knows beforehand that it is a tree.
    assert_eq!(count(&progress.total), listed(&repo).len() as u64 + 1);
    assert!(count(&progress.bytes) > 0);
}

#[test]
fn a_directory_without_objects_is_an_error() {
    let nowhere = History::new("/nowhere/at/all", gix::hash::Kind::Sha1);
    assert!(nowhere.scan(&mut Recorder::default(), None).is_err());
}

/// A pack of more trees than are followed unasked.
#[test]
fn a_blob_lost_from_a_very_large_pack_is_missed_on_request() {
    let repo = TestRepo::new();
    let mut stream = String::from("blob\nmark :1\ndata 5\nlost\n\nblob\nmark :2\ndata 5\nkept\n\n");
    for number in 0..20_100 {
        let mark = if number == 0 { 1 } else { 2 };
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter A <a@example.com> {} +0000\ndata 0\nM 644 :{mark} f{number}\n",
            1_700_000_000 + number
        ));
        if number > 0 {
            stream.push_str(&format!("D f{}\n", number - 1));
        }
        stream.push('\n');
    }
    repo.git_command()
        .args(["fast-import", "--quiet", "--depth=0"])
        .stdin(stream.into_bytes())
        .status(0);
    let lost = repo.git(&["rev-parse", "main~20099:f0"]);
    repo.keysieve(&["history", "--connectivity"]).status(0);
    let rest: String = repo
        .git(&["rev-list", "--objects", "--no-object-names", "main"])
        .lines()
        .filter(|id| *id != lost)
        .map(|id| format!("{id}\n"))
        .collect();
    repo.git_command()
        .args(["pack-objects", "--quiet", ".git/rest"])
        .stdin(rest.into_bytes())
        .status(0);
    let packs = repo.join(".git/objects/pack");
    std::fs::remove_dir_all(&packs).expect("no packs");
    std::fs::create_dir(&packs).expect("a directory");
    for entry in std::fs::read_dir(repo.join(".git")).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if let Some(rest) = name.strip_prefix("rest-") {
            std::fs::rename(&path, packs.join(format!("pack-{rest}"))).expect("moved");
        }
    }
    let run = repo
        .keysieve(&["history", "--connectivity", "--format", "json"])
        .status(2);
    let skipped = &run.json()["coverage"]["skipped"];
    assert!(skipped.to_string().contains("missing"), "{}", run.show());
    assert!(run.out().contains(&lost), "{}", run.show());
}
