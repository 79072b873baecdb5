//! Recognises containers by their content, never by a name.

use crate::coverage::SkipReason;

/// As many first bytes tell all that is recognised by its head.
pub const HEAD: usize = 512;

/// As many last bytes tell a zip file that has something in front of it.
pub const TAIL: usize = 22;

/// A format that holds other content packed, or in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
    /// xz, any number of streams.
    Xz,
    /// The older `.lzma`.
    Lzma,
    /// lzip, any number of members.
    Lzip,
    /// bzip2, any number of streams.
    Bzip2,
    /// tar: v7, ustar, pax, GNU.
    Tar,
    /// zip and all that is one: jar, wheel, apk, office files.
    Zip,
    /// 7z.
    SevenZip,
    /// ar: Debian packages and static libraries.
    Ar,
    /// cpio: newc, odc and the old binary form.
    Cpio,
    /// RPM packages.
    Rpm,
    /// A format that is known and not opened: its name.
    Other(&'static str),
    /// Encrypted as a whole: the name of the format.
    Encrypted(&'static str),
}

impl Kind {
    /// The kind of content that begins like this. Of what is longer than [`HEAD`] as many bytes are needed.
    #[inline]
    pub fn of(head: &[u8]) -> Option<Self> {
        let first = u32::from_be_bytes(*head.first_chunk::<4>()?);
        // Text is by far the most frequent: two of its bytes decide.
        if let Some(kind) = Self::of_magic(first, head) {
            return Some(kind);
        }
        is_tar(head).then_some(Self::Tar)
    }

    fn of_magic(first: u32, head: &[u8]) -> Option<Self> {
        let at = |offset: usize, magic: &[u8]| {
            head.get(offset..)
                .is_some_and(|rest| rest.starts_with(magic))
        };
        let other = |is: bool, name: &'static str| is.then_some(Self::Other(name));
        match first {
            0x1f8b_0800..=0x1f8b_08ff => Some(Self::Gzip),
            0x28b5_2ffd => Some(Self::Zstd),
            _ if first & 0xf0ff_ffff == 0x502a_4d18 => Some(Self::Zstd),
            0xfd37_7a58 if at(4, b"Z\0") => Some(Self::Xz),
            0x5d00_0000..=0x5d00_ffff if is_lzma(head) => Some(Self::Lzma),
            0x4c5a_4950 if at(4, &[1]) => Some(Self::Lzip),
            0x425a_6831..=0x425a_6839 if at(4, b"1AY&SY") || at(4, b"\x17rE8P\x90") => {
                Some(Self::Bzip2)
            }
            0x504b_0304 | 0x504b_0506 | 0x504b_0708 => Some(Self::Zip),
            0x377a_bcaf if at(4, &[0x27, 0x1c]) => Some(Self::SevenZip),
            0x213c_6172 if at(4, b"ch>\n") => Some(Self::Ar),
            0x3037_3037 if at(4, b"01") || at(4, b"02") || at(4, b"07") => {
                let digits = if at(4, b"07") { 76 } else { 110 };
                let is_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
                head.get(..digits)
                    .is_some_and(is_digits)
                    .then_some(Self::Cpio)
            }
            _ if matches!(first >> 16, 0xc771 | 0x71c7) && is_old_cpio(head) => Some(Self::Cpio),
            0xedab_eedb => Some(Self::Rpm),
            0x5261_7221 => other(at(4, b"\x1a\x07"), "rar"),
            0x4d53_4346 => other(at(4, &[0; 4]), "cab"),
            0x4d53_5749 => other(at(4, b"M\0\0\0"), "wim"),
            0x2142_444e => other(at(8, b"SM"), "pst"),
            0x3753_7400 | 0x377a_5374 => other(true, "zpaq"),
            0x7861_7221 => other(at(4, &[0]), "xar"),
            0x0422_4d18 | 0x0221_4c18 => other(true, "lz4"),
            0x894c_5a4f => other(at(4, b"\0\r\n\x1a\n"), "lzop"),
            0xff06_0000 => other(at(4, b"sNaPpY"), "snappy"),
            0x1f9d_8000..=0x1f9d_ffff => other(true, "compress"),
            0x6873_7173 => other(at(28, &[4, 0, 0, 0]), "squashfs"),
            0x5041_434b => other(at(4, &[0, 0, 0, 2]) || at(4, &[0, 0, 0, 3]), "git pack"),
            0x2320_7632 | 0x2320_7633 => other(at(4, b" git bundle\n"), "git bundle"),
            0x4c55_4b53 => at(4, b"\xba\xbe").then_some(Self::Encrypted("luks")),
            0x6167_652d => at(4, b"encryption.org/v1").then_some(Self::Encrypted("age")),
            _ if at(7, b"**ACE**") => other(true, "ace"),
            _ if at(2, b"-lh") && at(6, b"-") => other(true, "lha"),
            _ => None,
        }
    }

    /// The kind of content that ends like this: a zip file may have anything in front of it.
    #[inline]
    pub fn of_tail(bytes: &[u8]) -> Option<Self> {
        let tail = bytes.last_chunk::<TAIL>()?;
        (tail.starts_with(b"PK\x05\x06") && tail.ends_with(&[0, 0])).then_some(Self::Zip)
    }

    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Lzip => "lzip",
            Self::Bzip2 => "bzip2",
            Self::Tar => "tar",
            Self::Zip => "zip",
            Self::SevenZip => "7z",
            Self::Ar => "ar",
            Self::Cpio => "cpio",
            Self::Rpm => "rpm",
            Self::Other(name) | Self::Encrypted(name) => name,
        }
    }

    /// Returns the reason why it is not opened, if no build of this program opens it.
    pub(super) fn refusal(self) -> Option<SkipReason> {
        match self {
            Self::Other(_) => Some(SkipReason::Unsupported),
            Self::Encrypted(_) => Some(SkipReason::Encrypted),
            _ => None,
        }
    }
}

/// Returns true if a block is the header of a tar member: by its checksum, so that the oldest form counts, or by its
/// magic, so that a damaged header is reported rather than taken for something else.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<512>() else {
        return false;
    };
    let is_named = block[257..262] == *b"ustar";
    // What can hold no checksum needs no sum.
    let sum = &block[148..156];
    if !is_named
        && !sum
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'7' | b' ' | 0))
    {
        return false;
    }
    is_named || has_checksum(block)
}

/// Returns true if the checksum of a tar header is right; some writers summed signed bytes.
pub(super) fn has_checksum(block: &[u8; 512]) -> bool {
    let Some(expected) = octal(&block[148..156]) else {
        return false;
    };
    let mut unsigned = 8 * u64::from(b' ');
    let mut signed = 8 * i64::from(b' ');
    for byte in block[..148].iter().chain(&block[156..]) {
        unsigned += u64::from(*byte);
        signed += i64::from(byte.cast_signed());
    }
    // A block of zeros is an end, not a header.
    unsigned > 8 * u64::from(b' ')
        && (expected == unsigned || i64::try_from(expected) == Ok(signed))
}

/// An octal number between spaces and zeros.
pub(super) fn octal(field: &[u8]) -> Option<u64> {
    let mut value: Option<u64> = None;
    for byte in field {
        match byte {
            b'0'..=b'7' => {
                let before = value.unwrap_or(0);
                value = Some(before.checked_mul(8)?.checked_add(u64::from(byte - b'0'))?);
            }
            b' ' if value.is_none() => {}
            b' ' | 0 => break,
            _ => return None,
        }
    }
    value
}

/// A dictionary of two or three times a power of two, and a length that is unknown or possible.
fn is_lzma(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk::<13>() else {
        return false;
    };
    let dictionary = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    let length = u64::from_le_bytes(*header.last_chunk::<8>().expect("13 bytes"));
    let is_usual = dictionary.is_power_of_two() || (dictionary / 3 * 2).is_power_of_two();
    dictionary >= 1 << 12 && is_usual && (length == u64::MAX || length < 1 << 40)
}

/// A header of the old binary cpio whose name ends where it says.
fn is_old_cpio(head: &[u8]) -> bool {
    let is_little = head.first() == Some(&0xc7);
    let Some(size) = head.get(20..22) else {
        return false;
    };
    let size = match is_little {
        true => u16::from_le_bytes([size[0], size[1]]),
        false => u16::from_be_bytes([size[0], size[1]]),
    };
    let name = head.get(26..26 + usize::from(size));
    size > 1
        && name.is_some_and(|name| name.iter().position(|byte| *byte == 0) == Some(name.len() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_told_from_text_and_from_each_other() {
        for (head, kind) in [
            (&b"\x1f\x8b\x08\x00\0\0\0\0"[..], Some(Kind::Gzip)),
            (b"\x28\xb5\x2f\xfd\x04", Some(Kind::Zstd)),
            (b"\x5e\x2a\x4d\x18\0\0\0\0", Some(Kind::Zstd)),
            (b"\xfd7zXZ\0\0\x04", Some(Kind::Xz)),
            (b"BZh91AY&SY", Some(Kind::Bzip2)),
            (b"BZh9 is no bzip2", None),
            (b"PK\x03\x04", Some(Kind::Zip)),
            (b"PK\x05\x06", Some(Kind::Zip)),
            (b"7z\xbc\xaf\x27\x1c", Some(Kind::SevenZip)),
            (b"!<arch>\ndebian-binary", Some(Kind::Ar)),
            (b"070701 is no cpio", None),
            (b"Rar!\x1a\x07\x01\0", Some(Kind::Other("rar"))),
            (b"age-encryption.org/v1\n", Some(Kind::Encrypted("age"))),
            (b"PACK up your troubles", None),
            (b"LZIP", None),
            (b"#!/bin/sh\n", None),
            (b"", None),
            (b"\x1f\x8b", None),
        ] {
            assert_eq!(Kind::of(head), kind, "{head:?}");
        }
        assert_eq!(Kind::of(&[0; 512]), None);
        assert_eq!(Kind::of(&[b' '; 600]), None);
    }

    #[test]
    fn octal_numbers_stand_between_spaces_and_zeros() {
        assert_eq!(octal(b"0000644\0"), Some(0o644));
        assert_eq!(octal(b"   644 \0"), Some(0o644));
        assert_eq!(octal(b"00000000000"), Some(0));
        assert_eq!(octal(b"12345678"), None);
        assert_eq!(octal(b"       "), None);
    }
}
