//! Work on several threads, or on as many as the system gives: where the number of processes is limited, as
//! it may be in a container, less than what was asked for has to do.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

/// Does `work` for each item, all at the same time: the first on this thread, each other on one of its own. What
/// has no thread is done on this one afterwards.
///
/// Gives what the work gave, in the order of the items, or the panic with which it ended.
pub(crate) fn try_each<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<thread::Result<R>> {
    let items: Vec<Mutex<Option<T>>> = items.into_iter().map(|it| Mutex::new(Some(it))).collect();
    let ends: Vec<_> = items.iter().map(|_| Mutex::new(None)).collect();
    in_parallel(items.len(), &|index| {
        if let Some(item) = lock(&items[index]).take() {
            let end = catch_unwind(AssertUnwindSafe(|| work(item)));
            *lock(&ends[index]) = Some(end);
        }
    });
    let ends = ends.into_iter().map(Mutex::into_inner);
    ends.filter_map(|end| end.unwrap_or_else(PoisonError::into_inner))
        .collect()
}

/// Calls `run`, which does not panic, with every number below `count`.
fn in_parallel(count: usize, run: &(dyn Fn(usize) + Sync)) {
    thread::scope(|scope| {
        let spawn = |index: &usize| {
            let index = *index;
            Builder::new()
                .spawn_scoped(scope, move || run(index))
                .is_err()
        };
        let left: Vec<usize> = (1..count).filter(spawn).collect();
        (0..count.min(1)).chain(left).for_each(run);
    });
}

fn lock<T>(slot: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Like [`try_each`]; a panic of the work goes on here.
pub(crate) fn each<T: Send, R: Send>(
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
