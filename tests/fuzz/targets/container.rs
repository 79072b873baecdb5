//! Containers of every format: nothing panics, every byte is accounted for, and what is not said to be missing is shown.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use keysieve::blob::{Blob, Window};
use keysieve::coverage::{Skip, SkipReason};
use keysieve::provenance::Provenance;
use keysieve::source::container::{Kind, Limits, Opener};
use keysieve::source::{BlobSink, Clean, Opened};

/// A gzip file; the others likewise.
pub fn gzip(data: &[u8]) {
    opened(b"\x1f\x8b\x08", data);
}

/// zstd.
pub fn zstd(data: &[u8]) {
    opened(b"\x28\xb5\x2f\xfd", data);
}

/// xz.
pub fn xz(data: &[u8]) {
    opened(b"\xfd7zXZ\0", data);
}

/// bzip2.
pub fn bzip2(data: &[u8]) {
    opened(b"BZh11AY&SY", data);
}

/// lzma and lzip.
pub fn lzma(data: &[u8]) {
    opened(b"\x5d\0\0\x01\0\xff\xff\xff\xff\xff\xff\xff\xff", data);
    opened(b"LZIP\x01", data);
}

/// tar: the magic and no name make a header of any block.
pub fn tar(data: &[u8]) {
    let mut block = data.to_vec();
    if let Some(magic) = block.get_mut(257..262) {
        magic.copy_from_slice(b"ustar");
    }
    // The sum that every header of it must have, so that a fuzzer need not find it.
    for header in block.chunks_exact_mut(512) {
        if header[257..262] == *b"ustar" {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    opened(b"", &block);
}

/// zip.
pub fn zip(data: &[u8]) {
    opened(b"PK\x03\x04", data);
}

/// ar, and so Debian packages.
pub fn ar(data: &[u8]) {
    opened(b"!<arch>\n", data);
}

/// cpio and rpm.
pub fn cpio(data: &[u8]) {
    opened(b"070701", data);
    opened(b"\xed\xab\xee\xdb", data);
}

/// 7z; its sums are made right, so that a fuzzer need not find them.
pub fn sevenz(data: &[u8]) {
    let mut file = data.to_vec();
    let number =
        |bytes: &[u8]| usize::try_from(u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes")));
    if let Some(start) = data.first_chunk::<32>()
        && let (Ok(offset), Ok(size)) = (number(&start[12..]), number(&start[20..]))
        && let Some(header) = offset
            .checked_add(32)
            .and_then(|from| data.get(from..from.checked_add(size)?))
    {
        file[28..32].copy_from_slice(&crc32fast::hash(header).to_le_bytes());
        let sum = crc32fast::hash(&file[12..32]);
        file[8..12].copy_from_slice(&sum.to_le_bytes());
    }
    opened(b"7z\xbc\xaf\x27\x1c", &file);
}

/// Opens an input that begins like a format.
fn opened(head: &[u8], data: &[u8]) {
    let mut bytes = data.to_vec();
    let length = head.len().min(bytes.len());
    bytes[..length].copy_from_slice(&head[..length]);
    let sink = Account::default();
    let limits = Limits {
        output: Some(4 << 20),
        ..Limits::default()
    };
    let path = "file".into();
    let provenance = Provenance::File { path };
    let flow = Opener::new(sink.clone(), limits).blob(Blob {
        bytes: &bytes,
        provenance: &provenance,
    });
    assert_eq!(flow, ControlFlow::Continue(()));
    let seen = sink.0.lock().expect("no panic");
    let is_container = Kind::of(&bytes).is_some() || Kind::of_tail(&bytes).is_some();
    assert!(is_container || seen.parts > 0);
    // Nothing is both unsaid and unshown.
    let has_content = bytes.iter().any(|byte| *byte != 0);
    assert!(seen.parts + seen.skips + seen.opened > 0 || !has_content);
}

#[derive(Debug, Default)]
struct Seen {
    parts: usize,
    skips: usize,
    opened: usize,
}

#[derive(Clone, Debug, Default)]
struct Account(Arc<Mutex<Seen>>);

impl BlobSink for Account {
    fn blob(&mut self, _blob: Blob<'_>) -> ControlFlow<()> {
        self.0.lock().expect("no panic").parts += 1;
        ControlFlow::Continue(())
    }

    fn window(&mut self, blob: Blob<'_>, window: Window) -> ControlFlow<()> {
        assert!(window.from <= window.to);
        self.blob(blob)
    }

    fn skip(&mut self, skip: Skip) {
        assert_ne!(skip.reason, SkipReason::Internal, "{skip:?}");
        self.0.lock().expect("no panic").skips += 1;
    }

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}

    fn opened(&mut self, provenance: &Provenance, opened: Opened) {
        assert_eq!(
            opened.packed + opened.rest,
            opened.bytes,
            "{provenance:?} {opened:?}"
        );
        self.0.lock().expect("no panic").opened += 1;
    }
}
