//! The formats, one module each.

mod ar;
mod cpio;
mod crc;
mod decode;
mod pax;
mod rpm;
mod sevenz;
mod sevenz_header;
mod sparse;
mod stream;
mod tar;
mod unpack;
mod zip;

use std::ops::ControlFlow;

use super::input::Input;
use super::kind::Kind;
use super::opening::Opening;

/// Opens a container of a kind; all bytes of `input` are shown, as members or as the rest.
pub(super) fn open(
    opening: &mut Opening<'_>,
    kind: Kind,
    input: &mut dyn Input,
) -> ControlFlow<()> {
    match kind {
        Kind::Gzip | Kind::Zstd | Kind::Xz | Kind::Lzma | Kind::Lzip | Kind::Bzip2 => {
            stream::open(opening, kind, input)
        }
        Kind::Tar => tar::open(opening, input),
        Kind::Ar => ar::open(opening, input),
        Kind::Cpio => cpio::open(opening, input),
        Kind::Rpm => rpm::open(opening, input),
        Kind::Zip => opening.hold(input, zip::open),
        Kind::SevenZip => opening.hold(input, sevenz::open),
        Kind::Other(_) | Kind::Encrypted(_) => opening.refuse(kind, input),
    }
}
