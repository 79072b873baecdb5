//! Work on several threads, or on as many as the system gives: where the number of processes is limited, as
//! it may be in a container, less than what was asked for has to do.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

/// Does `work` for each item, all at the same time: the first on this thread, each other on one of its own. What
/// has no thread is done on this one afterwards.
///
/// Gives what the work gave, in the order of the items, or the panic with which it ended.
pub(in crate::source) fn try_each<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<thread::Result<R>> {
    let slots: Vec<Mutex<Option<T>>> = items.into_iter().map(|it| Mutex::new(Some(it))).collect();
    let take = |slot: &Mutex<Option<T>>| slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (take, work) = (&take, &work);
    let done_here = |slot| catch_unwind(AssertUnwindSafe(|| take(slot).map(work))).transpose();
    thread::scope(|scope| {
        let others: Vec<_> = slots
            .iter()
            .skip(1)
            .map(|slot| {
                Builder::new()
                    .spawn_scoped(scope, move || take(slot).map(work))
                    .ok()
            })
            .collect();
        let first = slots.first().and_then(done_here);
        let rest = slots.iter().skip(1).zip(others);
        let rest = rest.filter_map(|(slot, other)| match other {
            Some(other) => other.join().transpose(),
            None => done_here(slot),
        });
        first.into_iter().chain(rest).collect()
    })
}

/// Like [`try_each`]; a panic of the work goes on here.
pub(in crate::source) fn each<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let done = try_each(items, work).into_iter();
    done.map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_worked_on_once_and_panics_are_kept_apart() {
        assert!(each(Vec::<u32>::new(), |item| item).is_empty());
        assert_eq!(each(0..7, |item| item * 2), [0, 2, 4, 6, 8, 10, 12]);
        let done = try_each(0..4, |item| {
            assert!(item % 2 == 0, "odd");
            item
        });
        let done: Vec<Option<i32>> = done.into_iter().map(Result::ok).collect();
        assert_eq!(done, [Some(0), None, Some(2), None]);
    }
}
