//! Containers written by hand, so that every field of theirs can be set, and nests of them.

use std::io::Write as _;

use super::Keys;

/// A member: its name and what it holds.
pub type Member = (String, Vec<u8>);

/// A gzip file of one member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_with(&[0; 0], &[], bytes)
}

/// A gzip file with a name and a comment.
pub fn gzip_with(name: &[u8], comment: &[u8], bytes: &[u8]) -> Vec<u8> {
    let flags = u8::from(!name.is_empty()) << 3 | u8::from(!comment.is_empty()) << 4;
    let mut file = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
    for field in [name, comment] {
        if !field.is_empty() {
            file.extend_from_slice(field);
            file.push(0);
        }
    }
    file.extend(deflate(bytes));
    file.extend(crc32fast::hash(bytes).to_le_bytes());
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

/// A deflate stream.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; compressor.deflate_compress_bound(bytes.len())];
    let length = compressor.deflate_compress(bytes, &mut out).expect("room");
    out.truncate(length);
    out
}

/// A zstd file of one frame.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
    zstd_safe::compress(&mut out, bytes, 1).expect("room");
    out
}

/// An xz file of one stream.
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = 1 << 16;
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("options");
    writer.write_all(bytes).expect("memory");
    writer.finish().expect("memory")
}

/// A bzip2 file of one stream.
pub fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    writer.write_all(bytes).expect("memory");
    writer.finish().expect("memory")
}

/// A tar archive with its end.
pub fn tar(members: &[Member]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in members {
        archive.extend(tar_member(name, b'0', bytes));
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A header, content and padding. A name that is too long goes into a pax header.
pub fn tar_member(name: &str, form: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if name.len() > 100 {
        let record = format!(" path={name}\n");
        let length = record.len() + (record.len() + 3).to_string().len();
        let record = format!("{length}{record}");
        out.extend(tar_member("PaxHeader", b'x', record.as_bytes()));
    }
    out.extend(tar_header(name, form, bytes.len() as u64));
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

/// One header block.
pub fn tar_header(name: &str, form: u8, size: u64) -> [u8; 512] {
    let mut header = [0; 512];
    let name = &name.as_bytes()[..name.len().min(100)];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = form;
    header[257..265].copy_from_slice(b"ustar\x0000");
    set_checksum(&mut header);
    header
}

/// Makes the checksum of a header right again.
pub fn set_checksum(header: &mut [u8; 512]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Ways to pack a member of a zip file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Not packed.
    Store = 0,
    /// Deflate.
    Deflate = 8,
    /// bzip2.
    Bzip2 = 12,
    /// zstd.
    Zstd = 93,
    /// xz.
    Xz = 95,
}

/// A zip file on its way.
#[derive(Debug, Default)]
pub struct Zip {
    /// The archive so far.
    pub bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    /// Adds a member. With `streamed`, lengths follow it, as in a zip file that is written to a pipe.
    pub fn add(&mut self, name: &str, method: Method, streamed: bool, content: &[u8]) {
        let packed = match method {
            Method::Store => content.to_vec(),
            Method::Deflate => deflate(content),
            Method::Bzip2 => bzip2(content),
            Method::Zstd => zstd(content),
            Method::Xz => xz(content),
        };
        let offset = self.local(name, method as u16, streamed, content, &packed);
        self.central(name, method as u16, streamed, content, packed.len(), offset);
    }

    /// Adds a member that the directory does not name; gives where it is.
    pub fn local(
        &mut self,
        name: &str,
        method: u16,
        streamed: bool,
        content: &[u8],
        packed: &[u8],
    ) -> usize {
        let offset = self.bytes.len();
        let numbers = [
            crc32fast::hash(content).to_le_bytes(),
            (packed.len() as u32).to_le_bytes(),
            (content.len() as u32).to_le_bytes(),
        ]
        .concat();
        let out = &mut self.bytes;
        out.extend(b"PK\x03\x04\x14\0");
        out.extend((u16::from(streamed) << 3).to_le_bytes());
        out.extend(method.to_le_bytes());
        out.extend([0; 4]);
        match streamed {
            true => out.extend([0; 12]),
            false => out.extend(&numbers),
        }
        out.extend((name.len() as u16).to_le_bytes());
        out.extend([0; 2]);
        out.extend(name.as_bytes());
        out.extend(packed);
        if streamed {
            out.extend(b"PK\x07\x08");
            out.extend(&numbers);
        }
        offset
    }

    /// Adds a record of the directory.
    pub fn central(
        &mut self,
        name: &str,
        method: u16,
        streamed: bool,
        content: &[u8],
        packed: usize,
        offset: usize,
    ) {
        let out = &mut self.directory;
        out.extend(b"PK\x01\x02\x14\0\x14\0");
        out.extend((u16::from(streamed) << 3).to_le_bytes());
        out.extend(method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(crc32fast::hash(content).to_le_bytes());
        out.extend((packed as u32).to_le_bytes());
        out.extend((content.len() as u32).to_le_bytes());
        out.extend((name.len() as u16).to_le_bytes());
        out.extend([0; 12]);
        out.extend((offset as u32).to_le_bytes());
        out.extend(name.as_bytes());
        self.count += 1;
    }

    /// The whole file.
    pub fn finish(self, comment: &[u8]) -> Vec<u8> {
        let mut out = self.bytes;
        let start = out.len();
        out.extend(&self.directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(self.count.to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend((self.directory.len() as u32).to_le_bytes());
        out.extend((start as u32).to_le_bytes());
        out.extend((comment.len() as u16).to_le_bytes());
        out.extend(comment);
        out
    }
}

/// A zip file of members that are packed in one way.
pub fn zip(members: &[Member], method: Method, streamed: bool) -> Vec<u8> {
    let mut zip = Zip::default();
    for (name, bytes) in members {
        zip.add(name, method, streamed, bytes);
    }
    zip.finish(b"")
}

/// An ar archive.
pub fn ar(members: &[Member]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let (name, before) = match name.len() < 16 {
            true => (format!("{name}/"), Vec::new()),
            false => (format!("#1/{}", name.len()), name.as_bytes().to_vec()),
        };
        let length = before.len() + bytes.len();
        out.extend(format!("{name:<16}0           0     0     644     {length:<10}`\n").as_bytes());
        out.extend(before);
        out.extend_from_slice(bytes);
        if length % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

/// A cpio archive of the new form.
pub fn cpio(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    let trailer = ("TRAILER!!!".to_owned(), Vec::new());
    for (name, bytes) in members.iter().chain([&trailer]) {
        let (length, name_length) = (bytes.len(), name.len() + 1);
        out.extend(b"070701");
        for number in [1, 0o100_644, 0, 0, 1, 0, length, 0, 0, 0, 0, name_length, 0] {
            out.extend(format!("{number:08x}").as_bytes());
        }
        out.extend(name.as_bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

/// An RPM package with a script in its header.
pub fn rpm(script: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0xed, 0xab, 0xee, 0xdb, 3, 0];
    out.resize(96, 0);
    for (store, align) in [(&b"signature"[..], 8), (script, 1)] {
        let start = out.len();
        out.extend([0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        out.extend((store.len() as u32).to_be_bytes());
        out.extend([0; 16]);
        out.extend_from_slice(store);
        let length = (out.len() - start).next_multiple_of(align);
        out.resize(start + length, 0);
    }
    out.extend_from_slice(payload);
    out
}

/// A 7z file whose members are packed together as LZMA2.
pub fn sevenz(members: &[Member]) -> Vec<u8> {
    let all: Vec<u8> = members
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    let mut options = lzma_rust2::Lzma2Options::with_preset(0);
    options.lzma_options.dict_size = 1 << 16;
    let mut writer = lzma_rust2::Lzma2Writer::new(Vec::new(), options);
    writer.write_all(&all).expect("memory");
    let packed = writer.finish().expect("memory");
    let mut header = vec![1, 4, 6, 0, 1, 9];
    header.extend(number(packed.len()));
    // One folder of one method, LZMA2, with one byte of properties: a dictionary of 64 KiB.
    header.extend([0, 7, 11, 1, 0, 1, 0x21, 0x21, 1, 8, 12]);
    header.extend(number(all.len()));
    header.extend([0, 8, 13]);
    header.extend(number(members.len()));
    header.push(9);
    for (_, bytes) in &members[..members.len() - 1] {
        header.extend(number(bytes.len()));
    }
    header.extend([10, 1]);
    for (_, bytes) in members {
        header.extend(crc32fast::hash(bytes).to_le_bytes());
    }
    header.extend([0, 0, 5]);
    header.extend(number(members.len()));
    let names: Vec<u8> = members
        .iter()
        .flat_map(|(name, _)| {
            name.encode_utf16()
                .chain([0])
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        })
        .collect();
    header.push(17);
    header.extend(number(names.len() + 1));
    header.push(0);
    header.extend(names);
    header.extend([0, 0]);
    let mut start = Vec::new();
    start.extend((packed.len() as u64).to_le_bytes());
    start.extend((header.len() as u64).to_le_bytes());
    start.extend(crc32fast::hash(&header).to_le_bytes());
    let sum = crc32fast::hash(&start).to_le_bytes();
    [
        &b"7z\xbc\xaf\x27\x1c\0\x04"[..],
        &sum,
        &start,
        &packed,
        &header,
    ]
    .concat()
}

/// A number as 7z writes it, with all its bytes.
fn number(value: usize) -> Vec<u8> {
    [&[0xff][..], &(value as u64).to_le_bytes()].concat()
}

/// Standard base64 without line breaks.
pub fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}

/// The forms that [`wrap`] knows.
pub const FORMS: usize = 15;

/// Puts content into a container of a form, among other members in any order.
pub fn wrap(form: usize, keys: &mut Keys, name: &str, content: Vec<u8>) -> Vec<u8> {
    let members = |keys: &mut Keys, content: Vec<u8>| {
        let mut members: Vec<Member> = (0..keys.below(4))
            .map(|number| (format!("other/{number}.txt"), noise(keys)))
            .collect();
        members.insert(keys.below(members.len() + 1), (name.to_owned(), content));
        members
    };
    match form % FORMS {
        0 => gzip(&content),
        1 => zstd(&content),
        2 => xz(&content),
        3 => bzip2(&content),
        4 => tar(&members(keys, content)),
        5 => zip(&members(keys, content), Method::Store, false),
        6 => zip(&members(keys, content), Method::Deflate, false),
        7 => zip(&members(keys, content), Method::Deflate, true),
        8 => ar(&members(keys, content)),
        9 => cpio(&members(keys, content)),
        10 => rpm(b"echo", &cpio(&members(keys, content))),
        11 => zip(&members(keys, content), Method::Zstd, false),
        12 => zip(&members(keys, content), Method::Xz, false),
        13 => sevenz(&members(keys, content)),
        _ => {
            // Several members that are one stream.
            let at = keys.below(content.len() + 1);
            let (first, second) = content.split_at(at);
            [gzip(first), gzip(second)].concat()
        }
    }
}

/// Text that holds nothing.
pub fn noise(keys: &mut Keys) -> Vec<u8> {
    let length = keys.below(2000);
    keys.text(b"abcdefghij klmnop\n", length).into_bytes()
}
