//! Bytes outside of members are shown too, once: comments, headers, gaps that no directory names, tails.

use keysieve::provenance::StepPart;
use keysieve::source::container::Limits;

use super::{Seen, open};
use crate::support::Keys;
use crate::support::archive::{
    Member, Method, Zip, ar, bzip2, cpio, deflate, gzip, gzip_with, rpm, tar, tar_header,
    tar_member, xz, zip, zstd,
};

/// A text that occurs nowhere else.
fn text(keys: &mut Keys) -> String {
    keys.text(b"abcdefghijklmnopqrstuvwxyz", 40)
}

fn members() -> Vec<Member> {
    vec![("a.txt".to_owned(), b"the content of a\n".repeat(20))]
}

/// Returns the parts in which a text is shown, each as often as it is.
fn shown(seen: &Seen, text: &str) -> Vec<StepPart> {
    let mut parts = Vec::new();
    for (steps, bytes) in &seen.parts {
        let count = memchr::memmem::find_iter(bytes, text.as_bytes()).count();
        let part = steps.last().expect("inside").part;
        parts.extend(std::iter::repeat_n(part, count));
    }
    parts
}

#[test]
fn what_is_no_member_is_shown_once() {
    let mut keys = Keys::new(1);
    let planted = text(&mut keys);
    let bytes = planted.as_bytes();
    let block = |mut text: Vec<u8>| {
        text.resize(512, 0);
        text
    };
    let skippable = [
        &b"\x50\x2a\x4d\x18"[..],
        &(bytes.len() as u32).to_le_bytes(),
        bytes,
    ]
    .concat();
    let with_comment = |comment: &[u8]| {
        let mut file = Zip::default();
        file.add("a.txt", Method::Deflate, false, b"a");
        file.finish(comment)
    };
    let linked = {
        let mut header = tar_header("link", b'2', 0);
        header[157..157 + bytes.len()].copy_from_slice(bytes);
        crate::support::archive::set_checksum(&mut header);
        [header.to_vec(), vec![0; 1024]].concat()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("gzip name", gzip_with(bytes, b"", b"content")),
        ("gzip comment", gzip_with(b"name", bytes, b"content")),
        ("behind gzip", [&gzip(b"content"), bytes].concat()),
        ("behind zstd", [&zstd(b"content"), bytes].concat()),
        (
            "in a zstd frame to skip",
            [&skippable, &zstd(b"content")[..]].concat(),
        ),
        ("behind xz", [&xz(b"content"), bytes].concat()),
        ("behind bzip2", [&bzip2(b"content"), bytes].concat()),
        (
            "tar name",
            [tar_member(&planted, b'0', b"x"), vec![0; 1024]].concat(),
        ),
        ("tar link", linked),
        ("behind tar", [tar(&members()), bytes.to_vec()].concat()),
        (
            "behind tar in a block",
            [tar(&members()), block(bytes.to_vec())].concat(),
        ),
        ("padding of tar", {
            let mut archive = tar(&members());
            archive[900..900 + bytes.len()].copy_from_slice(bytes);
            archive
        }),
        ("directory that says it has content", {
            let archive = [tar_header("dir", b'5', 512).to_vec(), block(bytes.to_vec())].concat();
            [archive, tar(&members())].concat()
        }),
        ("zip comment", with_comment(bytes)),
        (
            "before zip",
            [bytes, &zip(&members(), Method::Deflate, false)].concat(),
        ),
        (
            "behind zip",
            [&zip(&members(), Method::Deflate, false), bytes].concat(),
        ),
        ("between zip members", {
            let mut file = Zip::default();
            file.add("a.txt", Method::Deflate, false, b"a");
            file.bytes.extend_from_slice(bytes);
            file.add("b.txt", Method::Deflate, true, b"b");
            file.finish(b"")
        }),
        ("behind the stream of a zip member", {
            let mut file = Zip::default();
            let packed = [deflate(b"content"), bytes.to_vec()].concat();
            let offset = file.local("a.txt", 8, false, b"content", &packed);
            file.central("a.txt", 8, false, b"content", packed.len(), offset);
            file.finish(b"")
        }),
        ("ar name", ar(&[(planted.clone(), b"x".to_vec())])),
        ("behind cpio", [cpio(&members()), bytes.to_vec()].concat()),
        ("cpio name", cpio(&[(planted.clone(), b"x".to_vec())])),
        ("rpm header", rpm(bytes, &cpio(&members()))),
    ];
    for (what, bytes) in &cases {
        let seen = open(bytes, Limits::default());
        assert_eq!(
            shown(&seen, &planted),
            [StepPart::Rest],
            "{what}: {seen:#?}"
        );
    }
}

#[test]
fn members_that_no_directory_names_are_opened() {
    let mut keys = Keys::new(2);
    let planted = text(&mut keys);
    let unlisted = |streamed: bool| {
        let mut file = Zip::default();
        file.add("a.txt", Method::Deflate, false, b"a");
        let packed = deflate(planted.as_bytes());
        file.local("gone.txt", 8, streamed, planted.as_bytes(), &packed);
        file.add("b.txt", Method::Deflate, false, b"b");
        file.finish(b"")
    };
    let hidden = vec![("hidden.txt".to_owned(), planted.clone().into_bytes())];
    let second = zip(&hidden, Method::Deflate, false);
    for (what, bytes, part) in [
        ("unlisted", unlisted(false), StepPart::Unlisted),
        (
            "unlisted, lengths behind",
            unlisted(true),
            StepPart::Unlisted,
        ),
        (
            "a second zip behind",
            [zip(&members(), Method::Deflate, false), second.clone()].concat(),
            StepPart::Member,
        ),
        (
            "a tar.gz behind a zip",
            [zip(&members(), Method::Deflate, false), gzip(&tar(&hidden))].concat(),
            StepPart::Member,
        ),
        (
            "a zip behind a tar",
            [tar(&members()), second].concat(),
            StepPart::Member,
        ),
        (
            "a tar behind the end of a tar",
            [tar(&members()), vec![0; 2048], tar(&hidden)].concat(),
            StepPart::Member,
        ),
        (
            "a tar.gz behind a cpio, as in an initial file system",
            [cpio(&members()), vec![0; 300], gzip(&cpio(&hidden))].concat(),
            StepPart::Member,
        ),
        (
            "zstd behind gzip",
            [gzip(b"content"), zstd(planted.as_bytes())].concat(),
            StepPart::Member,
        ),
    ] {
        let seen = open(&bytes, Limits::default());
        let found = shown(&seen, &planted);
        assert!(
            found == [part] || found == [StepPart::Unlisted],
            "{what}: {found:?} {seen:#?}"
        );
    }
}

#[test]
fn all_of_what_is_stored_is_shown_as_often_as_it_is_there() {
    // Nothing is packed here, so what is shown is as long as the file but for numbers and padding.
    for seed in 0..50 {
        let mut keys = Keys::new(seed);
        let members: Vec<Member> = (0..1 + keys.below(5))
            .map(|number| {
                let name = format!("dir/{number}");
                (
                    name,
                    text(&mut keys).repeat(1 + keys.below(30)).into_bytes(),
                )
            })
            .collect();
        let texts: usize = members.iter().map(|(_, bytes)| bytes.len()).sum();
        for file in [
            tar(&members),
            zip(&members, Method::Store, false),
            ar(&members),
            cpio(&members),
        ] {
            let seen = open(&file, Limits::default());
            let contents = seen.parts.iter();
            let shown: usize = contents
                .filter(|(steps, _)| steps.last().is_some_and(|it| it.part == StepPart::Member))
                .map(|(_, bytes)| bytes.len())
                .sum();
            assert_eq!(shown, texts);
            assert_eq!(seen.skips, []);
        }
    }
}

#[test]
fn two_readings_of_a_tar_hide_nothing_from_each_other() {
    let mut keys = Keys::new(3);
    let planted = text(&mut keys);
    let hidden = tar(&[("hidden.gz".to_owned(), gzip(planted.as_bytes()))]);
    // The header says nothing follows, the extended header says that a lot does, or the other way round.
    let pax = |size: usize, header: u64| {
        let record = format!(" size={size}\n");
        let record = format!("{}{record}", record.len() + 2);
        let mut out = tar_member("PaxHeader", b'x', record.as_bytes());
        out.extend(tar_header("outer.bin", b'0', header));
        out.extend_from_slice(&hidden);
        out.resize(out.len().next_multiple_of(512) + 1024, 0);
        out
    };
    assert!(hidden.len() < 10_000 && hidden.len() >= 1000);
    for bytes in [pax(hidden.len(), 0), pax(hidden.len(), hidden.len() as u64)] {
        let seen = open(&bytes, Limits::default());
        assert_eq!(shown(&seen, &planted), [StepPart::Member], "{seen:#?}");
    }
}
