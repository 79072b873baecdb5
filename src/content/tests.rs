//! Content read from a file that changes, shrinks or vanishes meanwhile.

#![allow(unsafe_code, reason = "a test makes a map that is not guarded")]

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;

use super::*;

fn file(length: usize) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(&vec![b'x'; length]).expect("written");
    io::Seek::rewind(&mut file).expect("rewound");
    file
}

#[test]
fn a_short_read_and_a_long_one_are_told_apart_from_a_whole_one() {
    for (length, expected, read_length) in [(10, 10, 10), (9, 10, 9), (0, 10, 0), (0, 0, 0)] {
        let mut buffer = Vec::new();
        let got = read(&file(length), expected, u64::MAX, &mut buffer).expect("read");
        assert_eq!(got, read_length);
    }
    let mut buffer = Vec::new();
    let grown = read(&file(10_000), 9000, u64::MAX, &mut buffer).expect("read");
    assert!(grown > 9000);
    // No length of its own: read to the end, up to the limit.
    let got = read(&file(100_000), 0, 100_000, &mut buffer).expect("read");
    assert_eq!(got, 100_000);
    let result = read(&file(100_001), 0, 100_000, &mut buffer);
    assert!(matches!(result, Err(Unread::Size(_))), "{result:?}");
}

#[test]
fn a_link_is_followed_or_refused_as_asked() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    std::fs::write(&file, "content").expect("a file");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    let mut reader = FileReader::new(None);
    let content = reader.open(&link, Links::Follow).expect("a file");
    assert_eq!(content.bytes(), b"content");
    let result = reader.open(&link, Links::Refuse);
    assert!(matches!(result, Err(Unread::Link)), "{result:?}");
}

#[test]
fn maps_are_told_apart_and_their_slots_used_again() {
    let (shrinking, kept) = (file(100_000), file(100_000));
    let maps = [&shrinking, &kept].map(|file| guarded_map(file).expect("a map"));
    shrinking.set_len(10).expect("shorter");
    for map in &maps {
        assert!(map.bytes().starts_with(b"xxxxxxxxxx"));
        assert_eq!(map.bytes().len(), 100_000);
    }
    let zeros = maps[0].bytes().iter().filter(|byte| **byte == 0).count();
    assert_eq!(zeros, 99_990);
    assert_eq!(maps[1].bytes().iter().filter(|byte| **byte == 0).count(), 0);
    assert_eq!(
        maps.each_ref().map(GuardedMap::was_truncated),
        [true, false]
    );
    drop(maps);
    for _ in 0..10_000 {
        assert!(!guarded_map(&kept).expect("a map").was_truncated());
    }
}

/// Runs itself: the fault must end the process that makes it.
#[test]
fn a_fault_outside_the_guarded_maps_ends_the_process_as_ever() {
    const CHILD: &str = "KEYSIEVE_TEST_FAULT";
    if std::env::var_os(CHILD).is_some() {
        let (guarded, other) = (file(100_000), file(100_000));
        let _guarded = guarded_map(&guarded).expect("a map");
        // SAFETY: the file is taken away below on purpose.
        let map = unsafe { memmap2::Mmap::map(&other) }.expect("a map");
        other.set_len(0).expect("shorter");
        let sum: u64 = map.iter().map(|byte| u64::from(*byte)).sum();
        unreachable!("read {sum} from a file that is gone");
    }
    let name = "content::tests::a_fault_outside_the_guarded_maps_ends_the_process_as_ever";
    let output = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name])
        .env(CHILD, "1")
        .output()
        .expect("a child");
    assert_eq!(output.status.signal(), Some(libc::SIGBUS), "{output:?}");
}
