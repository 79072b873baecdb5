//! The bytes of files: read into a buffer when small, mapped when large.
//!
//! A file can change while it is scanned. What is read is compared with the length that the system told
//! before, and a page that is taken away from under a map is replaced by an empty one, so that the
//! process goes on and [`GuardedMap::was_truncated`] tells about it.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Files of at least this length are mapped.
///
/// Measured with `cargo bench --bench walk content/` on two busy cores, warm cache, opening and one search
/// included, in milliseconds for read and map: 0.09 and 0.27 at 256 KB, 0.45 and 0.52 at 512 KB, 0.91 and
/// 0.85 at 1 MB, 1.8 and 0.96 at 2 MB, 4.5 and 2.2 at 4 MB.
pub const MAP_FROM: u64 = 1 << 20;

/// Bytes read at most from a file that has no length of its own, as those of `/proc`.
const UNSIZED_LIMIT: u64 = 64 << 20;

/// Treatment of a symbolic link in the last part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// It is opened where it leads to.
    Follow,
    /// It is not opened.
    Refuse,
}

/// Reason why a file was not read.
#[derive(Debug)]
pub enum Unread {
    /// It is not there.
    Gone,
    /// It is a symbolic link and those are refused.
    Link,
    /// It is a directory.
    Directory,
    /// It is a FIFO, socket or device.
    Special,
    /// It is larger than the limit: its length.
    Size(u64),
    /// The system refused.
    Failed(io::Error),
}

/// Reads files one after the other with one buffer.
#[derive(Debug)]
pub struct FileReader {
    buffer: Vec<u8>,
    max_size: Option<u64>,
    map_from: u64,
}

impl FileReader {
    /// A reader that refuses files of more than `max_size` bytes.
    pub fn new(max_size: Option<u64>) -> Self {
        Self::with_map_from(max_size, MAP_FROM)
    }

    /// A reader with another threshold for mapping, to measure [`MAP_FROM`].
    pub fn with_map_from(max_size: Option<u64>, map_from: u64) -> Self {
        Self {
            buffer: Vec::new(),
            max_size,
            map_from,
        }
    }

    /// Opens a regular file and gives its bytes. Nothing else is ever waited for or read.
    pub fn open(&mut self, path: &Path, links: Links) -> Result<Content<'_>, Unread> {
        let file = open(path, links)?;
        let metadata = file.metadata().map_err(Unread::Failed)?;
        if !metadata.is_file() {
            return Err(if metadata.is_dir() {
                Unread::Directory
            } else {
                Unread::Special
            });
        }
        let expected = metadata.len();
        if self.max_size.is_some_and(|max| expected > max) {
            return Err(Unread::Size(expected));
        }
        let bytes = if expected >= self.map_from {
            let map = guarded_map(&file).map_err(Unread::Failed)?;
            map.read_in_order();
            Bytes::Mapped(map)
        } else {
            let limit = self.max_size.unwrap_or(u64::MAX);
            let length = read(&file, expected, limit, &mut self.buffer)?;
            Bytes::Buffered(self.buffer.get(..length).unwrap_or_default())
        };
        Ok(Content {
            bytes,
            file,
            expected,
        })
    }
}

/// The bytes of an open file.
#[derive(Debug)]
pub struct Content<'a> {
    bytes: Bytes<'a>,
    file: File,
    expected: u64,
}

#[derive(Debug)]
enum Bytes<'a> {
    Buffered(&'a [u8]),
    Mapped(GuardedMap),
}

impl Content<'_> {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Buffered(bytes) => bytes,
            Bytes::Mapped(map) => map.bytes(),
        }
    }

    /// Says, once the bytes were used, how the file changed meanwhile.
    pub fn change(&self) -> Option<String> {
        let now = match &self.bytes {
            // One read that ends where the length said ends at the end of the file: see `read`.
            Bytes::Buffered(bytes) if bytes.len() as u64 == self.expected => return None,
            // The files of /proc and their kind have no length and do have content.
            Bytes::Buffered(_) if self.expected == 0 && self.length().is_ok_and(|now| now == 0) => {
                return None;
            }
            Bytes::Buffered(bytes) => bytes.len() as u64,
            Bytes::Mapped(map) => match self.length() {
                Ok(now) if now == self.expected && !map.was_truncated() => return None,
                Ok(now) if now == self.expected => {
                    return Some("a part of it could not be read".to_owned());
                }
                Ok(now) => now,
                Err(error) => return Some(error.to_string()),
            },
        };
        Some(format!(
            "its length went from {} to {now} bytes while it was read",
            self.expected
        ))
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

/// Reads the file, which is `expected` bytes long unless it changed, to the front of `buffer`; gives the
/// number of bytes.
///
/// There is room for at least one byte more than expected. A regular file gives fewer bytes than asked for
/// only at its end, so one call that gives what was expected shows as well that the file did not grow. The
/// buffer keeps its largest length, so that no byte of it is cleared twice.
fn read(file: &File, expected: u64, limit: u64, buffer: &mut Vec<u8>) -> Result<usize, Unread> {
    let limit = match expected {
        0 => limit.min(UNSIZED_LIMIT),
        _ => limit,
    };
    let Ok(expected) = usize::try_from(expected) else {
        return Err(Unread::Size(expected));
    };
    let room = expected.saturating_add(1).max(4 << 10);
    if buffer.len() < room {
        buffer.resize(room, 0);
    }
    let mut length = 0;
    let mut file = file;
    while let Some(free) = buffer.get_mut(length..) {
        match file.read(free) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Unread::Failed(error)),
        }
        if length as u64 > limit {
            return Err(Unread::Size(length as u64));
        }
        // Either all of it or, where it grew, enough to say so.
        if expected > 0 && length >= expected {
            break;
        }
        if length == buffer.len() {
            buffer.resize(length * 2, 0);
        }
    }
    Ok(length)
}

/// Opens without waiting, without becoming anybody's terminal and, if asked, without following a link:
/// what was a file when the directory was read may be anything now.
fn open(path: &Path, links: Links) -> Result<File, Unread> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let links = match links {
            Links::Follow => 0,
            Links::Refuse => libc::O_NOFOLLOW,
        };
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | links);
    }
    options.open(path).map_err(|error| refusal(error, links))
}

fn refusal(error: io::Error, links: Links) -> Unread {
    #[cfg(unix)]
    match error.raw_os_error() {
        Some(libc::ELOOP) if links == Links::Refuse => return Unread::Link,
        // A socket, or a device that nothing stands behind.
        Some(libc::ENXIO | libc::ENODEV) => return Unread::Special,
        Some(libc::ENOTDIR) => return Unread::Gone,
        _ => {}
    }
    let _ = links;
    match error.kind() {
        ErrorKind::NotFound => Unread::Gone,
        _ => Unread::Failed(error),
    }
}

/// Reads a small file of settings whole; `None` if it is not there or not a regular file.
pub(crate) fn read_small(path: &Path, links: Links) -> io::Result<Option<Vec<u8>>> {
    const LIMIT: u64 = 16 << 20;
    let mut reader = FileReader::with_map_from(Some(LIMIT), u64::MAX);
    match reader.open(path, links) {
        Ok(content) => Ok(Some(content.bytes().to_vec())),
        Err(Unread::Failed(error)) => Err(error),
        Err(Unread::Size(_)) => Err(io::Error::new(ErrorKind::FileTooLarge, "it is too large")),
        Err(Unread::Gone | Unread::Link | Unread::Directory | Unread::Special) => Ok(None),
    }
}

/// Opens a file of a repository that others open plainly: a FIFO would be waited for and a device never ends.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let not_regular = || io::Error::other("it is not a regular file");
    let file = open(path, Links::Follow).map_err(|unread| match unread {
        Unread::Failed(error) => error,
        Unread::Gone => io::Error::new(ErrorKind::NotFound, "there is no such file"),
        _ => not_regular(),
    })?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(not_regular()),
    }
}

/// Reads such a file whole. A file that ends before its length is an error: the missing bytes are unknown, not empty.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_regular(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    match (bytes.len() as u64) < length {
        true => Err(io::Error::new(ErrorKind::UnexpectedEof, "it was cut short")),
        false => Ok(bytes),
    }
}

/// Returns true if a path leads, perhaps through a link, to something that is neither a file nor a directory.
pub(crate) fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Maps a regular file so that a part of it that is taken away reads as zeros and is noted.
///
/// Where that cannot be had (an empty file, another system than Unix, no slot left in the guard), the file
/// is read into memory instead.
pub fn guarded_map(file: &File) -> io::Result<GuardedMap> {
    let length = file.metadata()?.len();
    #[cfg(unix)]
    if let Some(map) = guard::map(file, length)? {
        return Ok(GuardedMap(Held::Mapped(map)));
    }
    let mut bytes = Vec::new();
    let mut file = file;
    io::Seek::rewind(&mut file)?;
    file.read_to_end(&mut bytes)?;
    let short = (bytes.len() as u64) < length;
    Ok(GuardedMap(Held::Owned { bytes, short }))
}

/// Lets a fault in a map that nobody guards end the process with this status and a word on standard error,
/// where it would otherwise die of the signal: the staged index and packed references are mapped by others.
#[cfg(unix)]
pub fn end_on_bus_error(status: i32) {
    guard::end_with(status);
}

/// A file in memory that does not kill the process when the file shrinks.
#[derive(Debug)]
pub struct GuardedMap(Held);

#[derive(Debug)]
enum Held {
    #[cfg(unix)]
    Mapped(guard::Map),
    Owned {
        bytes: Vec<u8>,
        short: bool,
    },
}

impl GuardedMap {
    /// The bytes; what was taken away while it was mapped reads as zeros.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            #[cfg(unix)]
            Held::Mapped(map) => map.bytes(),
            Held::Owned { bytes, .. } => bytes,
        }
    }

    /// Says that the bytes are read once, from the first to the last.
    fn read_in_order(&self) {
        match &self.0 {
            #[cfg(unix)]
            Held::Mapped(map) => map.read_in_order(),
            Held::Owned { .. } => {}
        }
    }

    /// Returns true if a requested part was not available, so that [`Self::bytes`] is not the whole file.
    pub fn was_truncated(&self) -> bool {
        match &self.0 {
            #[cfg(unix)]
            Held::Mapped(map) => map.was_hit(),
            Held::Owned { short, .. } => *short,
        }
    }
}

impl std::ops::Deref for GuardedMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

#[cfg(unix)]
mod guard {
    //! A handler for the bus error that the system sends when a page of a mapped file is gone.
    //!
    //! Every map has a slot in a fixed table, which is all that the handler reads: it must not
    //! allocate or wait. A fault outside the table goes to the handler that was there before.
    #![allow(
        unsafe_code,
        reason = "mapping a file and handling a signal have no safe form"
    )]

    use std::fs::File;
    use std::io;
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicUsize, Ordering};

    use memmap2::{Advice, Mmap, MmapOptions};

    /// Maps at the same time; one more is read into memory. Untouched pages of the table cost nothing.
    const SLOTS: usize = 32_768;

    static TABLE: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];
    static PREVIOUS: AtomicPtr<libc::sigaction> = AtomicPtr::new(std::ptr::null_mut());

    /// Exit status of the process after a fault outside the table; negative: the handler that was there before decides.
    static STATUS: AtomicI32 = AtomicI32::new(-1);
    const LAST_WORD: &[u8] =
        b"error: a file was cut short while it was read; the scan is incomplete, and nothing is reported of it\n";

    /// The range of one map. `end` is written last and cleared first, and is zero while the slot is unused.
    struct Slot {
        taken: AtomicBool,
        start: AtomicUsize,
        end: AtomicUsize,
        hit: AtomicBool,
    }

    impl Slot {
        const fn new() -> Self {
            Self {
                taken: AtomicBool::new(false),
                start: AtomicUsize::new(0),
                end: AtomicUsize::new(0),
                hit: AtomicBool::new(false),
            }
        }
    }

    #[derive(Debug)]
    pub(crate) struct Map {
        slot: usize,
        map: Mmap,
    }

    /// Maps `length` bytes of `file`; `None` if that has to be read into memory.
    pub(crate) fn map(file: &File, length: u64) -> io::Result<Option<Map>> {
        let Ok(length) = usize::try_from(length) else {
            return Ok(None);
        };
        if length == 0 || !install() {
            return Ok(None);
        }
        let Some(slot) = take_slot() else {
            return Ok(None);
        };
        // SAFETY: the map is shared with whoever may write to the file, so its bytes can change while they
        // are read. They are only ever read as plain bytes by code that holds for any bytes, and pages
        // that vanish are replaced by the handler below before anybody goes on.
        let mapped = unsafe { MmapOptions::new().len(length).map(file) };
        let map = match mapped {
            Ok(map) => map,
            Err(error) => {
                release(slot);
                // Some file systems have no maps; they can still be read.
                return match error.raw_os_error() {
                    Some(libc::ENODEV | libc::EINVAL | libc::ENOMEM | libc::EAGAIN) => Ok(None),
                    _ => Err(error),
                };
            }
        };
        let start = map.as_ptr() as usize;
        if let Some(slot) = TABLE.get(slot) {
            // `end` makes the slot count, so it is written last.
            slot.start.store(start, Ordering::Relaxed);
            slot.end.store(start + map.len(), Ordering::Release);
        }
        Ok(Some(Map { slot, map }))
    }

    impl Map {
        pub(crate) fn bytes(&self) -> &[u8] {
            &self.map
        }

        pub(crate) fn read_in_order(&self) {
            // Advice only: without it the scan is slower and nothing else.
            let _ = self.map.advise(Advice::Sequential);
        }

        pub(crate) fn was_hit(&self) -> bool {
            TABLE
                .get(self.slot)
                .is_some_and(|slot| slot.hit.load(Ordering::Acquire))
        }
    }

    impl Drop for Map {
        // Runs before the field `map` is dropped: no slot ever covers a range that is unmapped.
        fn drop(&mut self) {
            release(self.slot);
        }
    }

    fn take_slot() -> Option<usize> {
        TABLE.iter().position(|slot| {
            slot.taken
                .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        })
    }

    fn release(slot: usize) {
        if let Some(slot) = TABLE.get(slot) {
            // The end first, so that no fault is taken for one of this map any more; `taken` last, so that nobody fills the
            // slot before it is empty.
            slot.end.store(0, Ordering::Release);
            slot.hit.store(false, Ordering::Relaxed);
            slot.taken.store(false, Ordering::Release);
        }
    }

    pub(crate) fn end_with(status: i32) {
        STATUS.store(status, Ordering::Release);
        // Without the handler the process dies, which is not "clean" either.
        let _ = install();
    }

    /// Puts the handler in place, once; tells whether it is there.
    fn install() -> bool {
        static ONCE: Once = Once::new();
        static INSTALLED: AtomicBool = AtomicBool::new(false);
        ONCE.call_once(|| {
            // SAFETY: `sigaction` is plain data for which all zeros is a value; both calls get pointers to
            // live ones. The previous handler is stored before ours can run and is never freed.
            unsafe {
                let mut previous: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut previous) != 0 {
                    return;
                }
                PREVIOUS.store(Box::into_raw(Box::new(previous)), Ordering::Release);
                let mut ours: libc::sigaction = std::mem::zeroed();
                ours.sa_sigaction = on_bus_error as *const () as usize;
                // The standard library reports a stack overflow from this signal on its own stack.
                ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
                libc::sigemptyset(&raw mut ours.sa_mask);
                let done = libc::sigaction(libc::SIGBUS, &raw const ours, std::ptr::null_mut());
                INSTALLED.store(done == 0, Ordering::Release);
            }
        });
        INSTALLED.load(Ordering::Acquire)
    }

    /// Replaces the rest of the map that the fault lies in, or passes the fault on.
    extern "C" fn on_bus_error(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        context: *mut libc::c_void,
    ) {
        // SAFETY: the system passes a valid `siginfo_t` to a handler installed with SA_SIGINFO, and for
        // this signal it holds the address.
        let address = unsafe { (*info).si_addr() } as usize;
        let slot = TABLE.iter().find(|slot| {
            // `end` before `start`: whoever sees the end of a map sees its start as well.
            let end = slot.end.load(Ordering::Acquire);
            address < end && address >= slot.start.load(Ordering::Relaxed)
        });
        let replaced = slot.is_some_and(|slot| replace(slot, address));
        if !replaced {
            pass_on(signal, info, context);
        }
    }

    fn replace(slot: &Slot, address: usize) -> bool {
        // SAFETY: no memory is touched; both calls are allowed in a handler. The range from the page of the
        // fault to the end of the map belongs to that map alone, which lives because somebody is reading
        // it, and MAP_FIXED replaces its pages by readable ones of zeros in one step. What it does to
        // `errno` is undone, since the interrupted code may be about to read it.
        unsafe {
            let saved = errno();
            let Ok(page) = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)) else {
                return false;
            };
            let from = address - address % page;
            let length = slot.end.load(Ordering::Relaxed).saturating_sub(from);
            slot.hit.store(true, Ordering::Release);
            let fresh = libc::mmap(
                from as *mut libc::c_void,
                length,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED,
                -1,
                0,
            );
            set_errno(saved);
            fresh != libc::MAP_FAILED
        }
    }

    fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: `PREVIOUS` was set from a filled-in `sigaction` before this handler was installed. Its
        // handler has the form that its flags say. With no handler the default action is restored, and
        // the instruction that runs again then ends the process as it would have without this module, or
        // the process ends here: `write` and `_exit` are allowed in a handler. (The standard library has a
        // handler of its own in place, which would let the process die.)
        unsafe {
            let previous = PREVIOUS.load(Ordering::Acquire);
            let handler = (*previous).sa_sigaction;
            let status = STATUS.load(Ordering::Acquire);
            if status >= 0 {
                libc::write(2, LAST_WORD.as_ptr().cast(), LAST_WORD.len());
                libc::_exit(status);
            } else if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
                let mut default: libc::sigaction = std::mem::zeroed();
                default.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &raw const default, std::ptr::null_mut());
            } else if (*previous).sa_flags & libc::SA_SIGINFO != 0 {
                let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                    std::mem::transmute(handler);
                handler(signal, info, context);
            } else {
                let handler: extern "C" fn(libc::c_int) = std::mem::transmute(handler);
                handler(signal);
            }
        }
    }

    fn errno() -> libc::c_int {
        io::Error::last_os_error().raw_os_error().unwrap_or(0)
    }

    fn set_errno(value: libc::c_int) {
        // SAFETY: the function gives the address of this thread's own `errno`.
        unsafe {
            #[cfg(any(target_os = "linux", target_os = "emscripten"))]
            let place = libc::__errno_location();
            #[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd"))]
            let place = libc::__error();
            #[cfg(any(target_os = "openbsd", target_os = "netbsd", target_os = "android"))]
            let place = libc::__errno();
            *place = value;
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
