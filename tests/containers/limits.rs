//! Containers that are not opened are named: encrypted, unsupported, over a limit.

use keysieve::coverage::SkipReason;
use keysieve::source::container::Limits;

use super::{ids, open, pair, scan, unread};
use crate::support::Keys;
use crate::support::archive::{Method, Zip, bzip2, gzip, tar, xz, zip, zstd};

fn reasons(bytes: &[u8], limits: Limits) -> Vec<SkipReason> {
    let seen = open(bytes, limits);
    seen.skips.iter().map(|skip| skip.reason).collect()
}

fn output(bytes: u64) -> Limits {
    Limits {
        output: Some(bytes),
        ..Limits::default()
    }
}

#[test]
fn what_comes_out_is_bounded_and_what_is_slow_more() {
    let zeros = vec![0; 100_000];
    for (what, bytes, cost) in [
        ("gzip", gzip(&zeros), 1),
        ("zstd", zstd(&zeros), 1),
        ("xz", xz(&zeros), 10),
        ("bzip2", bzip2(&zeros), 40),
        (
            "zip",
            zip(&[("a".to_owned(), zeros.clone())], Method::Deflate, false),
            1,
        ),
        (
            "zip",
            zip(&[("a".to_owned(), zeros.clone())], Method::Xz, false),
            10,
        ),
    ] {
        let needed = 100_000 * cost;
        assert_eq!(reasons(&bytes, output(needed)), [], "{what}");
        assert_eq!(
            reasons(&bytes, output(needed - 1)),
            [SkipReason::Limit],
            "{what}"
        );
    }
}

#[test]
fn all_that_comes_out_of_one_input_counts_together() {
    let zeros = gzip(&[0; 10_000]);
    let members: Vec<_> = (0..10)
        .map(|number| (number.to_string(), zeros.clone()))
        .collect();
    let packed = gzip(&tar(&members));
    let whole = 100_000 + tar(&members).len() as u64;
    assert_eq!(reasons(&packed, output(whole)), []);
    assert!(reasons(&packed, output(whole - 1)).contains(&SkipReason::Limit));
}

#[test]
fn containers_lie_in_each_other_to_a_depth() {
    let mut keys = Keys::new(1);
    let (id, text) = pair(&mut keys);
    let mut nest = text.into_bytes();
    for _ in 0..Limits::DEPTH {
        nest = zip(&[("in".to_owned(), nest)], Method::Deflate, false);
    }
    let outcome = scan(&nest, Limits::default());
    assert_eq!(ids(&outcome), [id]);
    assert!(outcome.coverage().is_complete());
    let deeper = gzip(&nest);
    let outcome = scan(&deeper, Limits::default());
    let way = "!in".repeat(Limits::DEPTH - 1);
    assert_eq!(
        unread(&outcome),
        [(SkipReason::Limit, format!("file{way}"))]
    );
    let limits = Limits {
        depth: Limits::DEPTH + 1,
        ..Limits::default()
    };
    assert!(scan(&deeper, limits).coverage().is_complete());
}

#[test]
fn without_opening_a_container_is_the_bytes_that_it_is() {
    let bytes = gzip(b"content");
    let limits = Limits {
        depth: 0,
        ..Limits::default()
    };
    let seen = open(&bytes, limits);
    assert_eq!(seen.parts, [(Vec::new(), bytes)]);
    assert_eq!(seen.skips, []);
}

#[test]
fn members_that_lie_in_each_other_are_not_unpacked_again_and_again() {
    let mut file = Zip::default();
    let content = vec![0; 100_000];
    let packed = crate::support::archive::deflate(&content);
    let offset = file.local("a", 8, false, &content, &packed);
    for number in 0..500 {
        file.central(
            &format!("{number}"),
            8,
            false,
            &content,
            packed.len(),
            offset,
        );
    }
    let bytes = file.finish(b"");
    let seen = open(&bytes, output(100_000));
    assert!(seen.skips.len() >= 100, "{}", seen.skips.len());
    assert!(
        seen.skips
            .iter()
            .all(|skip| skip.reason == SkipReason::Limit)
    );
    let zeros = seen
        .parts
        .iter()
        .filter(|(_, bytes)| bytes.len() == 100_000);
    assert_eq!(zeros.count(), 1);
}

#[test]
fn windows_and_dictionaries_are_asked_for_their_size_first() {
    // A frame whose window is 256 MiB.
    let large = b"\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00".to_vec();
    assert_eq!(reasons(&large, Limits::default()), [SkipReason::Limit]);
    let mut large = xz(b"content");
    let length = (usize::from(large[12]) + 1) * 4;
    let header = &mut large[12..12 + length];
    // 0x21 is LZMA2, with one byte of properties: a dictionary of 3 GiB.
    let at = header
        .windows(2)
        .position(|it| it == [0x21, 1])
        .expect("LZMA2");
    header[at + 2] = 39;
    let sum = crc32fast::hash(&header[..length - 4]).to_le_bytes();
    header[length - 4..].copy_from_slice(&sum);
    assert_eq!(reasons(&large, Limits::default()), [SkipReason::Limit]);
}

#[test]
fn what_needs_a_password_is_named_and_the_rest_is_read() {
    let mut keys = Keys::new(2);
    let (id, text) = pair(&mut keys);
    let mut file = Zip::default();
    file.add("secret.txt", Method::Store, false, b"cannot be read");
    file.add("plain.txt", Method::Deflate, false, text.as_bytes());
    let mut bytes = file.finish(b"");
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&bytes[at..], b"secret.txt") {
        at += found;
        let back = if bytes[at - 30..].starts_with(b"PK\x03\x04") {
            30 - 6
        } else {
            46 - 8
        };
        bytes[at - back] |= 1;
        at += 1;
    }
    let outcome = scan(&bytes, Limits::default());
    assert_eq!(ids(&outcome), [id]);
    let skip = (SkipReason::Encrypted, "file!secret.txt".to_owned());
    assert_eq!(unread(&outcome), [skip]);
    assert!(!outcome.coverage().is_complete());
}

#[test]
fn formats_that_are_known_and_not_opened_are_named() {
    for head in [
        &b"Rar!\x1a\x07\x01\0"[..],
        b"MSCF\0\0\0\0",
        b"\x04\x22\x4d\x18abcdefgh",
    ] {
        let bytes = [head, &[7; 100]].concat();
        let seen = open(&bytes, Limits::default());
        assert_eq!(
            seen.skips.first().map(|skip| skip.reason),
            Some(SkipReason::Unsupported)
        );
        assert_eq!(seen.parts, [(Vec::new(), bytes)]);
    }
    assert_eq!(
        reasons(b"age-encryption.org/v1\n-> X25519", Limits::default()),
        [SkipReason::Encrypted]
    );
}

#[test]
fn a_method_of_a_member_that_is_not_known_is_named() {
    let mut file = Zip::default();
    let offset = file.local("a", 98, false, b"content", b"packed somehow, long enough");
    file.central("a", 98, false, b"content", 27, offset);
    let seen = open(&file.finish(b""), Limits::default());
    assert_eq!(seen.skips.len(), 1);
    assert_eq!(seen.skips[0].reason, SkipReason::Unsupported);
    assert_eq!(seen.skips[0].subject, "file!a");
}

#[test]
fn holes_of_a_sparse_file_cost_nothing() {
    // An old GNU header: ten bytes at one terabyte.
    let mut header = crate::support::archive::tar_header("disk", b'S', 10);
    header[257..265].copy_from_slice(b"ustar  \0");
    header[386..398].copy_from_slice(b"\x80\0\0\0\0\0\x01\0\0\0\0\0");
    header[398..410].copy_from_slice(b"00000000012\0");
    header[483..495].copy_from_slice(b"\x80\0\0\0\0\0\x01\0\0\0\0\x0a");
    crate::support::archive::set_checksum(&mut header);
    let mut bytes = [header.as_slice(), b"0123456789"].concat();
    bytes.resize(2048, 0);
    let seen = open(&bytes, Limits::default());
    assert_eq!(seen.skips, []);
    let shown = seen
        .parts
        .iter()
        .find(|(_, bytes)| bytes.ends_with(b"0123456789"));
    assert!(shown.is_some(), "{seen:#?}");
}
