//! The first stage with the vector instructions of x86-64. The only part of the engine with `unsafe`.

#![expect(
    unsafe_code,
    reason = "vector instructions; the bounds are argued at each block"
)]

use std::arch::x86_64::*;
use std::fmt;
use std::ops::ControlFlow;

use super::Instructions;
use super::fingerprint::WINDOW;
use super::tables::{GROUP, Group, KNOWN_BITS, Tables, hash};

/// Number of places that one step examines.
const STEP: usize = 64;
/// Number of bytes that a step reads: the last place has its whole window.
const READ: usize = STEP + WINDOW - 1;
/// Number of steps at a time, before their candidates are handled.
const BLOCK: usize = 64;
/// Places in a list, a power of two: those of a block, and room for what is written beyond the last.
const ROOM: usize = 2 * BLOCK * STEP;

/// The instructions, and the function that uses them.
pub(super) struct Vector {
    steps: Steps,
    instructions: Instructions,
    buckets: usize,
}

/// Does so many steps from an address on, at most [`BLOCK`], and lists the places that they let through.
///
/// To be called only if the processor has the instructions it is compiled for, and [`READ`] bytes can be read
/// at the last step.
type Steps = unsafe fn(&[Group], *const u8, usize, &mut Places);

/// The places of a block where a fingerprint may begin, counted from its start, in order.
struct Places {
    list: [u16; ROOM],
    count: usize,
}

impl Places {
    const NONE: Self = Self {
        list: [0; ROOM],
        count: 0,
    };

    /// Keeps the places whose four bytes have the hash of a fingerprint. It branches on nothing that the text decides.
    ///
    /// # Safety
    ///
    /// The places were listed for a block at `text`, by [`Steps`].
    #[inline]
    unsafe fn thin(&mut self, tables: &Tables, text: *const u8) {
        const WORDS: usize = 1 << (KNOWN_BITS - u64::BITS.ilog2());
        let Some(known) = tables.known.first_chunk::<WORDS>() else {
            return;
        };
        let mut kept = 0;
        for at in 0..self.count.min(ROOM) {
            let place = self.list[at];
            // SAFETY: each place is one of a step's, and of each of them the whole window could be read.
            let window = unsafe { text.add(usize::from(place)).cast::<u32>().read_unaligned() };
            let hash = hash(u32::from_le(window), KNOWN_BITS);
            let is_known = known[hash / 64 % WORDS] >> (hash % 64) & 1;
            // Overwritten by the next if this one is dropped. `kept` is at most `at`; the remainder, of a power of
            // two, is there for the compiler.
            self.list[kept % ROOM] = place;
            kept += is_known as usize;
        }
        self.count = kept;
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        let places = self.list.get(..self.count).unwrap_or_default();
        places.iter().map(|place| usize::from(*place))
    }
}

impl Vector {
    /// `instructions` must be present.
    pub(super) fn new(tables: &Tables, instructions: Instructions) -> Self {
        assert!(
            instructions.present(),
            "chosen among those that are present"
        );
        // The tables know bits 0 to 6. Where a fingerprint has bit 7, the steps clear it in the text as well: more is let
        // through, and nothing missed. Without one, a shuffle gives zero for a byte above 127, which then matches nothing.
        let wide = !tables.entries.iter().all(|entry| entry.window.is_ascii());
        let steps: Steps = match (instructions, tables.groups.len(), wide) {
            (Instructions::Avx512, 1, _) => avx512::<1>,
            (Instructions::Avx512, _, _) => avx512::<2>,
            (Instructions::Avx2, 1, false) => avx2::<1, false>,
            (Instructions::Avx2, 1, true) => avx2::<1, true>,
            (Instructions::Avx2, _, false) => avx2::<2, false>,
            (Instructions::Avx2, _, true) => avx2::<2, true>,
            (_, 1, false) => ssse3::<1, false>,
            (_, 1, true) => ssse3::<1, true>,
            (_, _, false) => ssse3::<2, false>,
            (_, _, true) => ssse3::<2, true>,
        };
        Self {
            steps,
            instructions,
            buckets: tables.groups.len() * GROUP,
        }
    }

    #[inline]
    pub(super) fn candidates(
        &self,
        tables: &Tables,
        haystack: &[u8],
        visit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut places = Places::NONE;
        let mut at = 0;
        while let Some(beyond) = haystack.len().checked_sub(at + READ) {
            let steps = (beyond / STEP + 1).min(BLOCK);
            let text = haystack.get(at..).unwrap_or_default();
            // SAFETY: the last step begins at `at + (steps - 1) * STEP`, which is at most `at + beyond`, so it
            // reads to the end of the haystack at most; `new` has made sure of the instructions.
            unsafe {
                (self.steps)(&tables.groups, text.as_ptr(), steps, &mut places);
                places.thin(tables, text.as_ptr());
            }
            for place in places.iter() {
                visit(at + place)?;
            }
            at += steps * STEP;
        }
        // At most `READ - 1` bytes are left: one step in a copy with zeros behind it. Places whose
        // window would reach into these are cut off.
        let rest = haystack.get(at..).unwrap_or_default();
        if rest.len() < WINDOW {
            return ControlFlow::Continue(());
        }
        let mut copy = [0; READ];
        copy[..rest.len()].copy_from_slice(rest);
        // SAFETY: one step, of a copy that has the length.
        unsafe {
            (self.steps)(&tables.groups, copy.as_ptr(), 1, &mut places);
            places.thin(tables, copy.as_ptr());
        }
        for place in places.iter() {
            if place + WINDOW <= rest.len() {
                visit(at + place)?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl fmt::Debug for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vector")
            .field("instructions", &self.instructions)
            .field("buckets", &self.buckets)
            .finish_non_exhaustive()
    }
}

/// One step of the search, with the tables in registers.
trait Kernel {
    /// Bit `i` is set if a fingerprint may begin at `at + i`.
    ///
    /// # Safety
    ///
    /// [`READ`] bytes can be read at `at`, and the processor has the instructions.
    unsafe fn step(&self, at: *const u8) -> u64;

    /// Writes `base` plus the number of each set bit, in order. What is written behind them has no meaning.
    ///
    /// # Safety
    ///
    /// [`STEP`] numbers can be written to `out`, and the processor has the instructions.
    #[inline(always)]
    unsafe fn pack(&self, out: *mut u16, base: u16, mask: u64) {
        /// More are rare: so many are written without a look at how many there are.
        const MOST: usize = 8;
        let mut rest = mask;
        let mut next = || {
            let place = base.wrapping_add(rest.trailing_zeros() as u16);
            rest &= rest.wrapping_sub(1);
            place
        };
        let count = mask.count_ones() as usize;
        // SAFETY: as many as the mask has bits, or `MOST`, which are no more than there is room for.
        unsafe {
            for at in 0..MOST {
                *out.add(at) = next();
            }
            if count > MOST {
                for at in MOST..2 * MOST {
                    *out.add(at) = next();
                }
                for at in 2 * MOST..count {
                    *out.add(at) = next();
                }
            }
        }
    }
}

/// The body of every [`Steps`].
///
/// It calls nothing, which would throw the tables out of the registers, and branches on nothing that the
/// text decides: to leave the loop for each candidate took a third of the time of text with one in 300 bytes.
///
/// # Safety
///
/// The processor has the instructions of the kernel, and [`READ`] bytes can be read at the last step.
#[inline(always)]
unsafe fn all_steps(kernel: &impl Kernel, at: *const u8, steps: usize, places: &mut Places) {
    let list = places.list.as_mut_ptr();
    let mut count = 0;
    for step in 0..steps.min(BLOCK) {
        // SAFETY: the caller's promise covers all steps up to the last.
        let mask = unsafe { kernel.step(at.add(step * STEP)) };
        // SAFETY: the steps before have written at most `STEP` places each, and there is room for those of twice as
        // many steps as there are.
        unsafe { kernel.pack(list.add(count), (step * STEP) as u16, mask) };
        count += mask.count_ones() as usize;
    }
    places.count = count;
}

struct Avx512<const GROUPS: usize> {
    /// The numbers from 0 to 63.
    numbers: __m512i,
    whole: [[[__m512i; 2]; WINDOW]; GROUPS],
    keys: [[__m512i; 2]; GROUPS],
}

/// A table of 128 bytes in two registers.
#[inline]
#[target_feature(enable = "avx512f")]
fn load1024(table: &[u8; 128]) -> [__m512i; 2] {
    let table = table.as_ptr();
    // SAFETY: the table has 128 bytes.
    unsafe {
        [
            _mm512_loadu_si512(table.cast()),
            _mm512_loadu_si512(table.add(64).cast()),
        ]
    }
}

/// # Safety
///
/// The processor has AVX-512 with BW, VBMI and VBMI2, POPCNT and BMI1, and [`READ`] bytes can be read at the last step.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt,bmi1")]
unsafe fn avx512<const GROUPS: usize>(
    groups: &[Group],
    at: *const u8,
    steps: usize,
    places: &mut Places,
) {
    let mut whole = [[[_mm512_setzero_si512(); 2]; WINDOW]; GROUPS];
    let mut keys = [[_mm512_setzero_si512(); 2]; GROUPS];
    for (number, group) in groups.iter().enumerate().take(GROUPS) {
        for (halves, table) in whole[number].iter_mut().zip(&group.whole) {
            *halves = load1024(table);
        }
        keys[number] = load1024(&group.keys);
    }
    let numbers: [u8; STEP] = std::array::from_fn(|number| number as u8);
    let kernel = Avx512 {
        // SAFETY: there are 64 of them.
        numbers: unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) },
        whole,
        keys,
    };
    // SAFETY: the caller's promise.
    unsafe { all_steps(&kernel, at, steps, places) }
}

impl<const GROUPS: usize> Kernel for Avx512<GROUPS> {
    #[inline(always)]
    unsafe fn step(&self, at: *const u8) -> u64 {
        // SAFETY: the highest read is of 64 bytes from `at + 3`, within `READ`.
        unsafe {
            let mut text = [_mm512_setzero_si512(); WINDOW];
            for (position, text) in text.iter_mut().enumerate() {
                *text = _mm512_loadu_si512(at.add(position).cast());
            }
            // The sum that `fingerprint::key` computes.
            let mut sum = text[WINDOW - 1];
            for position in (0..WINDOW - 1).rev() {
                sum = _mm512_add_epi8(_mm512_add_epi8(sum, sum), text[position]);
            }
            let mut any = _mm512_setzero_si512();
            for (group, [lower, upper]) in self.whole.iter().zip(self.keys) {
                let mut all = _mm512_permutex2var_epi8(group[0][0], text[0], group[0][1]);
                for position in 1..WINDOW {
                    let [lower, upper] = group[position];
                    all = _mm512_and_si512(
                        all,
                        _mm512_permutex2var_epi8(lower, text[position], upper),
                    );
                }
                all = _mm512_and_si512(all, _mm512_permutex2var_epi8(lower, sum, upper));
                any = _mm512_or_si512(any, all);
            }
            _mm512_test_epi8_mask(any, any)
        }
    }

    #[inline(always)]
    unsafe fn pack(&self, out: *mut u16, base: u16, mask: u64) {
        // SAFETY: 64 numbers can be written, 32 at a time.
        unsafe {
            let base = _mm512_set1_epi16(base.cast_signed());
            let packed = _mm512_maskz_compress_epi8(mask, self.numbers);
            let first = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(packed));
            _mm512_storeu_si512(out.cast(), _mm512_add_epi16(base, first));
            if mask.count_ones() > 32 {
                let second = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64::<1>(packed));
                _mm512_storeu_si512(out.add(32).cast(), _mm512_add_epi16(base, second));
            }
        }
    }
}

/// The table twice, because shuffles do not cross the halves of the vector.
#[inline]
#[target_feature(enable = "avx2")]
fn load256(table: &[u8; 16]) -> __m256i {
    _mm256_broadcastsi128_si256(load128(table))
}

#[inline]
#[target_feature(enable = "ssse3")]
fn load128(table: &[u8; 16]) -> __m128i {
    // SAFETY: the table has 16 bytes.
    unsafe { _mm_loadu_si128(table.as_ptr().cast()) }
}

struct Avx2<const GROUPS: usize, const WIDE: bool> {
    low: [[__m256i; WINDOW]; GROUPS],
    high: [[__m256i; WINDOW]; GROUPS],
}

/// # Safety
///
/// The processor has AVX2, POPCNT and BMI1, and [`READ`] bytes can be read at the last step.
#[target_feature(enable = "avx2,popcnt,bmi1")]
unsafe fn avx2<const GROUPS: usize, const WIDE: bool>(
    groups: &[Group],
    at: *const u8,
    steps: usize,
    places: &mut Places,
) {
    let mut kernel = Avx2::<GROUPS, WIDE> {
        low: [[_mm256_setzero_si256(); WINDOW]; GROUPS],
        high: [[_mm256_setzero_si256(); WINDOW]; GROUPS],
    };
    for (number, group) in groups.iter().enumerate().take(GROUPS) {
        for position in 0..WINDOW {
            kernel.low[number][position] = load256(&group.low[position]);
            kernel.high[number][position] = load256(&group.high[position]);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { all_steps(&kernel, at, steps, places) }
}

impl<const GROUPS: usize, const WIDE: bool> Avx2<GROUPS, WIDE> {
    /// The places from `at` whose window some bucket allows are not zero.
    ///
    /// # Safety
    ///
    /// 35 bytes can be read at `at`.
    #[inline(always)]
    unsafe fn allowed(&self, at: *const u8) -> __m256i {
        // SAFETY: the highest read is of 32 bytes from `at + 3`.
        unsafe {
            let mut all = [_mm256_set1_epi8(-1); GROUPS];
            for position in 0..WINDOW {
                let mut text = _mm256_loadu_si256(at.add(position).cast());
                if WIDE {
                    text = _mm256_and_si256(text, _mm256_set1_epi8(0x7f));
                }
                // The shuffle looks at bits 0 to 3 and gives zero where bit 7 is set, so the low
                // half needs no mask.
                let high = _mm256_and_si256(_mm256_srli_epi16::<3>(text), _mm256_set1_epi8(0x0f));
                for (group, all) in all.iter_mut().enumerate() {
                    let low = _mm256_shuffle_epi8(self.low[group][position], text);
                    let high = _mm256_shuffle_epi8(self.high[group][position], high);
                    *all = _mm256_and_si256(*all, _mm256_and_si256(low, high));
                }
            }
            all.into_iter()
                .reduce(|a, b| _mm256_or_si256(a, b))
                .unwrap_or(_mm256_setzero_si256())
        }
    }
}

impl<const GROUPS: usize, const WIDE: bool> Kernel for Avx2<GROUPS, WIDE> {
    #[inline(always)]
    unsafe fn step(&self, at: *const u8) -> u64 {
        // SAFETY: the second half reads 35 bytes from `at + 32`, which is `READ` in all.
        unsafe {
            let first = self.allowed(at);
            let second = self.allowed(at.add(32));
            let mask = |half| {
                let none = _mm256_cmpeq_epi8(half, _mm256_setzero_si256());
                u64::from(!_mm256_movemask_epi8(none).cast_unsigned())
            };
            mask(second) << 32 | mask(first)
        }
    }
}

struct Ssse3<const GROUPS: usize, const WIDE: bool> {
    low: [[__m128i; WINDOW]; GROUPS],
    high: [[__m128i; WINDOW]; GROUPS],
}

/// # Safety
///
/// The processor has SSSE3, and [`READ`] bytes can be read at the last step.
#[target_feature(enable = "ssse3")]
unsafe fn ssse3<const GROUPS: usize, const WIDE: bool>(
    groups: &[Group],
    at: *const u8,
    steps: usize,
    places: &mut Places,
) {
    let mut kernel = Ssse3::<GROUPS, WIDE> {
        low: [[_mm_setzero_si128(); WINDOW]; GROUPS],
        high: [[_mm_setzero_si128(); WINDOW]; GROUPS],
    };
    for (number, group) in groups.iter().enumerate().take(GROUPS) {
        for position in 0..WINDOW {
            kernel.low[number][position] = load128(&group.low[position]);
            kernel.high[number][position] = load128(&group.high[position]);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { all_steps(&kernel, at, steps, places) }
}

impl<const GROUPS: usize, const WIDE: bool> Kernel for Ssse3<GROUPS, WIDE> {
    #[inline(always)]
    unsafe fn step(&self, at: *const u8) -> u64 {
        let mut mask = 0;
        for quarter in 0..4 {
            // SAFETY: the highest read is of 16 bytes from `at + 48 + 3`, within `READ`.
            unsafe {
                let mut all = [_mm_set1_epi8(-1); GROUPS];
                for position in 0..WINDOW {
                    let mut text = _mm_loadu_si128(at.add(16 * quarter + position).cast());
                    if WIDE {
                        text = _mm_and_si128(text, _mm_set1_epi8(0x7f));
                    }
                    let high = _mm_and_si128(_mm_srli_epi16::<3>(text), _mm_set1_epi8(0x0f));
                    for (group, all) in all.iter_mut().enumerate() {
                        let low = _mm_shuffle_epi8(self.low[group][position], text);
                        let high = _mm_shuffle_epi8(self.high[group][position], high);
                        *all = _mm_and_si128(*all, _mm_and_si128(low, high));
                    }
                }
                let any = all
                    .into_iter()
                    .reduce(|a, b| _mm_or_si128(a, b))
                    .unwrap_or(_mm_setzero_si128());
                let none = _mm_cmpeq_epi8(any, _mm_setzero_si128());
                let some = !_mm_movemask_epi8(none).cast_unsigned() & 0xffff;
                mask |= u64::from(some) << (16 * quarter);
            }
        }
        mask
    }
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use crate::engine::literal::{Instructions, LiteralSearcher};

    /// The page after the text cannot be read, so that one byte too many ends the test.
    #[test]
    fn nothing_is_read_beyond_the_end() {
        let page = 65536;
        // SAFETY: a new mapping at an address of the system's choice.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                2 * page,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(base, libc::MAP_FAILED);
        let base = base.cast::<u8>();
        // SAFETY: the second half of the mapping above, on the boundary of a page.
        let closed = unsafe { libc::mprotect(base.add(page).cast(), page, libc::PROT_NONE) };
        assert_eq!(closed, 0);
        // SAFETY: the first half is mapped, zeroed, and nobody else knows of it.
        let text = unsafe { std::slice::from_raw_parts_mut(base, page) };
        text.fill(b'x');
        text[page - 4..].copy_from_slice(b"AKIA");
        let literals = [b"AKIA".to_vec(), b"aws_secret".to_vec()];
        for instructions in Instructions::ALL {
            if !instructions.present() {
                continue;
            }
            let searcher = LiteralSearcher::with(&literals, *instructions).unwrap();
            for length in 4..300 {
                let mut found = Vec::new();
                searcher.find_each(&text[page - length..], &mut |literal, offset| {
                    found.push((literal, offset));
                });
                assert_eq!(found, [(0, length - 4)], "{searcher:?}");
            }
        }
        // SAFETY: the mapping from above; `text` is not used any more.
        let gone = unsafe { libc::munmap(base.cast(), 2 * page) };
        assert_eq!(gone, 0);
    }
}
