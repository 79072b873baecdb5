//! Work that makes more work, shared by the threads of one scan.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Tasks that wait for a thread; last in, first out, so that few directories are open at a time.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    wake: Condvar,
    stopped: AtomicBool,
}

#[derive(Debug)]
struct State<T> {
    tasks: Vec<T>,
    working: usize,
    waiting: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(tasks: Vec<T>) -> Self {
        Self {
            state: Mutex::new(State {
                tasks,
                working: 0,
                waiting: 0,
            }),
            wake: Condvar::new(),
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn extend(&self, tasks: impl IntoIterator<Item = T>) {
        let mut state = self.lock();
        let before = state.tasks.len();
        state.tasks.extend(tasks);
        let added = state.tasks.len() - before;
        for _ in 0..added.min(state.waiting) {
            self.wake.notify_one();
        }
    }

    /// Returns true if every worker is asked to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Returns true if the tasks that wait satisfy `test`.
    pub(super) fn tasks_are(&self, test: impl FnOnce(&[T]) -> bool) -> bool {
        test(&self.lock().tasks)
    }

    /// Works on one task, if there is one, before anybody else works.
    pub(super) fn begin(&self, work: impl FnOnce(T) -> ControlFlow<()>) {
        let task = self.lock().tasks.pop();
        if task.is_some_and(|task| work(task).is_break()) {
            self.stop();
        }
    }

    /// Works on tasks until none is left and no worker can make another, or one breaks off.
    pub(super) fn work(&self, mut work: impl FnMut(T) -> ControlFlow<()>) {
        // A worker that panics must not leave the others waiting for it.
        let stop = StopOnPanic(self);
        let mut state = self.lock();
        while !self.is_stopped() {
            if let Some(task) = state.tasks.pop() {
                state.working += 1;
                drop(state);
                let flow = work(task);
                state = self.lock();
                state.working -= 1;
                if flow.is_break() {
                    self.stop();
                }
            } else if state.working == 0 {
                break;
            } else {
                state.waiting += 1;
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            }
        }
        drop(state);
        self.wake.notify_all();
        drop(stop);
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct StopOnPanic<'a, T>(&'a Queue<T>);

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
            // With the lock held nobody is between looking at the flag and waiting.
            let _state = self.0.lock();
            self.0.wake.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn run(threads: usize, work: impl Fn(&Queue<u32>, u32) -> ControlFlow<()> + Sync) -> bool {
        let queue = Queue::new(vec![14]);
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| queue.work(|task| work(&queue, task))))
                .collect();
            // Each is joined: the scope panics for one that is not.
            let failed = handles.into_iter().filter_map(|handle| handle.join().err());
            failed.count() == 0
        })
    }

    #[test]
    fn every_task_is_done_once_whatever_the_number_of_threads() {
        for threads in [1, 2, 7] {
            let done = AtomicUsize::new(0);
            assert!(run(threads, |queue, task| {
                done.fetch_add(1, Ordering::Relaxed);
                if task > 0 {
                    queue.extend([task - 1, task - 1]);
                }
                ControlFlow::Continue(())
            }));
            assert_eq!(done.into_inner(), (1 << 15) - 1);
        }
    }

    #[test]
    fn a_break_or_a_panic_ends_all_threads() {
        let split = |queue: &Queue<u32>, task: u32| {
            queue.extend([task, task.saturating_sub(1)]);
        };
        assert!(run(4, |queue, task| {
            split(queue, task);
            match task {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }));
        assert!(!run(4, |queue, task| {
            split(queue, task);
            assert!(task > 0, "a worker that fails");
            ControlFlow::Continue(())
        }));
    }
}
