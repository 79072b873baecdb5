//! Packs and objects that lie: what can be read is read, what cannot is named, and it ends in bounded memory.

#![cfg(target_os = "linux")]

use gix::ObjectId;
use gix::objs::Kind;

use crate::support::command::Run;
use crate::support::pack::{
    Entry, PackWriter, copy, deflate, delta, id_of, insert, made_up_id, write_loose,
};
use crate::support::{TestCommand, TestRepo, pair};

/// Memory of its own that a run may have, in bytes, and seconds that it may take on a busy machine.
const MEMORY: &str = "--data=1000000000";
const PATIENCE: &str = "150";

/// The history of a repository, within bounds on time and memory.
#[track_caller]
fn history(repo: &TestRepo) -> Run {
    let wrapper = ["timeout", "-s", "KILL", PATIENCE, "prlimit", MEMORY];
    let args = ["history", "--format=json", "--threads=2"];
    let run = TestCommand::keysieve_under(&wrapper, repo.path())
        .args(args)
        .run();
    assert!((0..=2).contains(&run.status), "{}", run.show());
    assert!(!run.err().contains("should not happen"), "{}", run.show());
    run
}

/// A pack with one good pair and the entries that `fill` adds: the pair is found, and exactly the objects
/// that `fill` gives are named.
#[track_caller]
fn assert_named(what: &str, fill: impl FnOnce(&mut PackWriter, ObjectId) -> Vec<ObjectId>) {
    let repo = TestRepo::new();
    let mut pack = PackWriter::new();
    let good = pack.blob(pair(1).as_bytes());
    let bad = fill(&mut pack, good);
    pack.write(&repo);
    let run = history(&repo);
    let show = format!("{what}\n{}", run.show());
    assert_eq!(run.status, 2, "{show}");
    let json = run.json();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1), "{show}");
    let skips = json["coverage"]["skips"].as_array().expect("skips");
    let mut named: Vec<&str> = skips
        .iter()
        .map(|skip| skip["subject"].as_str().unwrap_or_default())
        .collect();
    named.sort_unstable();
    let mut expected: Vec<String> = bad.iter().map(ToString::to_string).collect();
    expected.sort_unstable();
    assert_eq!(named, expected, "{show}");
}

/// A pack with one bad entry, which is named.
#[track_caller]
fn assert_entry_named(what: &str, entry: impl FnOnce(&[u8], ObjectId) -> Entry) {
    assert_named(what, |pack, good| {
        let text = pair(1);
        let entry = entry(text.as_bytes(), good);
        pack.add(made_up_id(1), &entry);
        vec![made_up_id(1)]
    });
}

#[test]
fn deltas_without_a_base_or_in_a_circle_are_named() {
    let step = |size: u64| delta(size, size, &copy(0, 4));
    assert_entry_named("a delta to itself", |_, _| {
        Entry::ref_delta(made_up_id(1), &step(4))
    });
    assert_entry_named("a delta to nothing", |_, _| {
        Entry::ref_delta(made_up_id(99), &step(4))
    });
    for distance in [0, 1, 1 << 20, 1 << 40, u64::MAX >> 8] {
        assert_entry_named("a delta to no entry, or before the start", |_, _| {
            Entry::ofs_delta(distance, &step(4))
        });
    }
    for length in [2, 3, 5000] {
        assert_named("deltas in a circle, and one that hangs on it", |pack, _| {
            for number in 0..length {
                let base = made_up_id((number + 1) % length);
                pack.add(made_up_id(number), &Entry::ref_delta(base, &step(4)));
            }
            pack.add(
                made_up_id(length),
                &Entry::ref_delta(made_up_id(0), &step(4)),
            );
            // The list of skips of one reason is cut at 1,000.
            (0..=length).take(1000).map(made_up_id).collect()
        });
    }
}

#[test]
fn entries_that_lie_about_their_size_are_named() {
    for (what, size) in [
        ("nothing", 0),
        ("a byte", 1),
        ("10 GB", 10 << 30),
        ("1 TB", 1 << 40),
        ("as much as there is", u64::MAX),
    ] {
        assert_entry_named(what, |text, _| Entry::blob(text).sized(size));
    }
    for off in [-1, 1, 1000] {
        assert_entry_named("a little off", |text, _| {
            Entry::blob(text).sized((text.len() as i64 + off) as u64)
        });
    }
    for size in [0, 10 << 30] {
        assert_entry_named("a delta", |text, good| {
            let length = text.len() as u64;
            Entry::ref_delta(good, &delta(length, 4, &copy(0, 4))).sized(size)
        });
    }
}

#[test]
fn deltas_that_lie_are_named() {
    type Lie = (&'static str, fn(u64) -> Vec<u8>);
    let lies: &[Lie] = &[
        ("a base one longer", |base| delta(base + 1, 4, &copy(0, 4))),
        ("a base of 10 GB", |_| delta(10 << 30, 4, &copy(0, 4))),
        ("a base of nothing", |_| delta(0, 4, &copy(0, 4))),
        ("a result one longer", |base| delta(base, 5, &copy(0, 4))),
        ("a result one shorter", |base| delta(base, 3, &copy(0, 4))),
        ("a result of nothing", |base| delta(base, 0, &copy(0, 4))),
        ("a result of 200 MB", |base| {
            delta(base, 200 << 20, &copy(0, 4))
        }),
        ("a result of 10 GB", |base| {
            delta(base, 10 << 30, &copy(0, 4))
        }),
        ("a result of all there is", |base| {
            delta(base, u64::MAX >> 1, &copy(0, 4))
        }),
        ("a copy of 16 MB", |base| {
            delta(base, 0xff_ffff, &copy(0, 0xff_ffff))
        }),
        ("a copy from 4 GB on", |base| {
            delta(base, 4, &copy(u32::MAX, 4))
        }),
        ("a copy one beyond", |base| {
            delta(base, 4, &copy(base as u32 - 3, 4))
        }),
        ("a reserved instruction", |base| delta(base, 4, &[0; 4])),
        ("half an insertion", |base| delta(base, 4, &[4, b'a'])),
        ("half a copy", |base| delta(base, 4, &[0xff, 0])),
        ("no instructions", |base| delta(base, 4, &[])),
        ("no sizes", |_| Vec::new()),
        ("one size", |_| vec![4]),
        ("a size without an end", |_| vec![0xff; 40]),
    ];
    for (what, lie) in lies {
        assert_entry_named(what, |text, good| {
            Entry::ref_delta(good, &lie(text.len() as u64))
        });
    }
}

#[test]
fn what_is_no_entry_is_named() {
    for kind in [0, 5] {
        assert_entry_named("an unknown type", |text, _| Entry {
            kind,
            ..Entry::blob(text)
        });
    }
    assert_entry_named("not compressed", |text, _| Entry {
        stream: text.to_vec(),
        ..Entry::blob(text)
    });
    assert_entry_named("half a stream", |text, _| Entry {
        stream: deflate(text)[..20].to_vec(),
        ..Entry::blob(text)
    });
    assert_entry_named("no stream", |text, _| Entry {
        stream: Vec::new(),
        ..Entry::blob(text)
    });
    assert_named("two objects in one entry", |pack, _| {
        let offset = pack.add(made_up_id(1), &Entry::blob(b"twice"));
        pack.list(made_up_id(2), offset);
        vec![made_up_id(1), made_up_id(2)]
    });
    for offset in [1 << 20, 1 << 31, 1 << 40, u64::MAX] {
        assert_named("an entry beyond the end", |pack, _| {
            pack.list(made_up_id(1), offset);
            vec![made_up_id(1)]
        });
    }
}

#[test]
fn a_pack_that_counts_more_than_it_holds_is_named() {
    for count in [2, 1000, u32::MAX] {
        let repo = TestRepo::new();
        repo.commit_file("a", pair(2), "loose");
        let mut pack = PackWriter::new();
        pack.blob(b"some text");
        pack.count_as(count);
        pack.write(&repo);
        let run = history(&repo);
        assert_eq!(run.status, 2, "{}", run.show());
        assert!(run.out().contains("pack-"), "{}", run.show());
        assert_eq!(
            run.json()["findings"].as_array().map(Vec::len),
            Some(1),
            "{}",
            run.show()
        );
    }
}

/// Text that is a base, and the delta that puts a text behind it.
fn wide(number: usize) -> (Vec<u8>, Vec<u8>) {
    let base = "a line of the base\n".repeat(200).into_bytes();
    let text = match number {
        33_333 => pair(3),
        _ => format!("{number}\n"),
    };
    let length = base.len() as u64;
    let mut instructions = copy(0, length as u32);
    instructions.extend(insert(text.as_bytes()));
    let delta = delta(length, length + text.len() as u64, &instructions);
    (base, delta)
}

#[test]
fn fifty_thousand_deltas_to_one_base_are_read() {
    let repo = TestRepo::new();
    let mut pack = PackWriter::new();
    let base = pack.blob(&wide(0).0);
    for number in 0..50_000 {
        let id = made_up_id(number);
        pack.add(id, &Entry::ref_delta(base, &wide(number as usize).1));
    }
    pack.write(&repo);
    let run = history(&repo);
    assert_eq!(run.status, 1, "{}", run.show());
    assert_eq!(run.json()["coverage"]["blobs"], 50_001, "{}", run.show());
    assert_eq!(run.json()["coverage"]["complete"], true, "{}", run.show());
}

#[test]
fn a_chain_of_deltas_that_stands_backwards_in_the_pack_is_read() {
    let repo = TestRepo::new();
    let mut pack = PackWriter::new();
    let text = [pair(4).as_bytes(), b"and more"].concat();
    let length = text.len() as u64;
    for number in 0..5000 {
        let base = match number {
            4999 => id_of(Kind::Blob, &text),
            _ => made_up_id(number + 1),
        };
        let same = delta(length, length, &copy(0, length as u32));
        pack.add(made_up_id(number), &Entry::ref_delta(base, &same));
    }
    pack.blob(&text);
    pack.write(&repo);
    let run = history(&repo);
    assert_eq!(run.json()["coverage"]["blobs"], 5001, "{}", run.show());
    assert_eq!(
        run.json()["findings"].as_array().map(Vec::len),
        Some(1),
        "{}",
        run.show()
    );
    // The pair lies in every one of them, and more places than are listed are said to be cut.
    assert!(run.status == 1 || run.status == 2, "{}", run.show());
}

#[test]
fn deltas_that_make_200_mb_of_a_few_bytes_end() {
    let repo = TestRepo::new();
    let mut pack = PackWriter::new();
    let size = 16_000_000_u32;
    let base = pack.blob(&vec![b'x'; size as usize]);
    for number in 0..8 {
        let tail = match number {
            4 => pair(5),
            _ => format!("{number}"),
        };
        let mut instructions = copy(0, size).repeat(12);
        instructions.extend(insert(tail.as_bytes()));
        let result = u64::from(size) * 12 + tail.len() as u64;
        let delta = delta(u64::from(size), result, &instructions);
        pack.add(made_up_id(number), &Entry::ref_delta(base, &delta));
    }
    pack.write(&repo);
    let run = history(&repo);
    assert_eq!(run.status, 1, "{}", run.show());
    assert_eq!(run.json()["coverage"]["blobs"], 9, "{}", run.show());
}

#[test]
fn loose_objects_that_lie_about_their_size_are_named() {
    for size in [0, 1, 10 << 30, u64::MAX] {
        let repo = TestRepo::new();
        repo.commit_file("a", pair(6), "good");
        write_loose(&repo, made_up_id(7), Kind::Blob, size, pair(7).as_bytes());
        let run = history(&repo);
        assert_eq!(run.status, 2, "{size}\n{}", run.show());
        let id = made_up_id(7).to_string();
        assert!(run.out().contains(&id), "{size}\n{}", run.show());
        assert_eq!(
            run.json()["findings"].as_array().map(Vec::len),
            Some(1),
            "{size}\n{}",
            run.show()
        );
    }
}

/// Objects under names that are not theirs can refer to each other in circles, which no honest ones can.
#[test]
fn commits_trees_and_tags_in_circles_end() {
    let write = |repo: &TestRepo, id: u32, kind: Kind, bytes: &[u8]| {
        write_loose(repo, made_up_id(id), kind, bytes.len() as u64, bytes);
    };
    let commit = |tree: ObjectId, parents: &[u32]| {
        let mut text = format!("tree {tree}\n");
        for parent in parents {
            text.push_str(&format!("parent {}\n", made_up_id(*parent)));
        }
        text + "author A <a@example.org> 1700000000 +0000\ncommitter C <c@example.org> 1700000000 +0000\n\nx\n"
    };
    let entry = |mode: &str, name: &str, id: ObjectId| {
        [format!("{mode} {name}\0").as_bytes(), id.as_bytes()].concat()
    };
    let tag = |kind: &str, of: u32| {
        format!(
            "object {}\ntype {kind}\ntag t\ntagger T <t@example.org> 1 +0000\n\nx\n",
            made_up_id(of)
        )
    };
    for is_packed in [false, true] {
        let repo = TestRepo::new();
        let text = pair(8);
        let blob = id_of(Kind::Blob, text.as_bytes());
        write_loose(&repo, blob, Kind::Blob, text.len() as u64, text.as_bytes());
        // A tree that holds itself and the finding; two commits that are each other's parent; a commit that is
        // its own; tags that point at each other, and one at itself.
        let tree = [
            entry("100644", "a", blob),
            entry("40000", "b", made_up_id(1)),
        ]
        .concat();
        write(&repo, 1, Kind::Tree, &tree);
        write(
            &repo,
            2,
            Kind::Commit,
            commit(made_up_id(1), &[3]).as_bytes(),
        );
        write(
            &repo,
            3,
            Kind::Commit,
            commit(made_up_id(1), &[2, 2]).as_bytes(),
        );
        write(
            &repo,
            4,
            Kind::Commit,
            commit(made_up_id(1), &[4]).as_bytes(),
        );
        write(&repo, 5, Kind::Tag, tag("tag", 6).as_bytes());
        write(&repo, 6, Kind::Tag, tag("tag", 5).as_bytes());
        write(&repo, 7, Kind::Tag, tag("tag", 7).as_bytes());
        for (name, id) in [
            ("heads/main", 2),
            ("heads/other", 4),
            ("tags/one", 5),
            ("tags/two", 7),
        ] {
            repo.write(format!(".git/refs/{name}"), format!("{}\n", made_up_id(id)));
        }
        if is_packed {
            repack_as_they_are(&repo);
        }
        for args in [
            &["history", "--format=json"][..],
            &["history", "--reachable", "--format=json"],
            &["history", "--since=1990-01-01", "--format=json"],
            &["history", "--range", "other..main", "--format=json"],
            &["staged", "--format=json"],
            &["scan", "--format=json"],
        ] {
            let wrapper = ["timeout", "-s", "KILL", PATIENCE, "prlimit", MEMORY];
            let run = TestCommand::keysieve_under(&wrapper, repo.path())
                .args(args)
                .run();
            assert!((0..=2).contains(&run.status), "{}", run.show());
            assert!(!run.err().contains("should not happen"), "{}", run.show());
            // In a circle no commit brings anything in, so only what is reached as a whole has the finding.
            if matches!(args, ["history", "--format=json" | "--reachable", ..]) {
                assert!(run.status > 0, "{}", run.show());
                assert!(run.out().contains("aws-access-key-pair"), "{}", run.show());
            }
        }
    }
}

/// Puts the loose objects into a pack under the names that they have, which Git would refuse to do.
fn repack_as_they_are(repo: &TestRepo) {
    let mut pack = PackWriter::new();
    let objects = repo.join(".git/objects");
    for directory in std::fs::read_dir(&objects).expect("objects").flatten() {
        let first = directory.file_name().to_string_lossy().into_owned();
        if first.len() != 2 {
            continue;
        }
        for file in std::fs::read_dir(directory.path())
            .expect("objects")
            .flatten()
        {
            let rest = file.file_name().to_string_lossy().into_owned();
            let id = ObjectId::from_hex(format!("{first}{rest}").as_bytes()).expect("an id");
            let bytes = std::fs::read(file.path()).expect("an object");
            let mut object = vec![0; 1 << 16];
            let length = libdeflater::Decompressor::new()
                .zlib_decompress(&bytes, &mut object)
                .expect("an object");
            object.truncate(length);
            let (kind, _, header) = gix::objs::decode::loose_header(&object).expect("a header");
            let kind = match kind {
                Kind::Commit => 1,
                Kind::Tree => 2,
                Kind::Blob => 3,
                Kind::Tag => 4,
            };
            let entry = Entry {
                kind,
                ..Entry::blob(&object[header..])
            };
            pack.add(id, &entry);
            std::fs::remove_file(file.path()).expect("removed");
        }
    }
    pack.write(repo);
}
