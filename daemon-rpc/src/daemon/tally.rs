//! What a daemon has done and has to do, in numbers, and how long it has been idle.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Tally {
    pub(super) started: Instant,
    /// How many commands have come: each has a number in the log.
    entered: AtomicU64,
    waiting: AtomicU64,
    running: AtomicU64,
    done: AtomicU64,
    failed: AtomicU64,
    /// When the last caller went.
    last_busy: Mutex<Instant>,
}

/// How many commands are where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) running: u64,
    pub(super) waiting: u64,
    pub(super) done: u64,
    pub(super) failed: u64,
}

impl Counts {
    /// Whether no command runs or waits.
    pub(super) fn is_idle(self) -> bool {
        self.running + self.waiting == 0
    }
}

/// One command in the tally, which counts as failed if this goes before its end is told.
#[derive(Debug)]
pub(super) struct Entry {
    /// What the log calls the command.
    pub(super) number: u64,
    tally: Arc<Tally>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Waiting,
    Running,
    Ended,
}

impl Tally {
    pub(super) fn new() -> Self {
        let started = Instant::now();
        let [entered, waiting, running, done, failed] = [const { AtomicU64::new(0) }; 5];
        Self { started, entered, waiting, running, done, failed, last_busy: Mutex::new(started) }
    }

    /// Adds a command that waits until it can run.
    pub(super) fn enter(self: &Arc<Self>) -> Entry {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let number = self.entered.fetch_add(1, Ordering::Relaxed) + 1;
        Entry { number, tally: Arc::clone(self), stage: Stage::Waiting }
    }

    pub(super) fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            running: read(&self.running),
            waiting: read(&self.waiting),
            done: read(&self.done),
            failed: read(&self.failed),
        }
    }

    pub(super) fn last_busy(&self) -> Instant {
        *self.last_busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A caller has gone.
    pub(super) fn note_busy(&self) {
        *self.last_busy.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Entry {
    /// The command runs from now on.
    pub(super) fn run(&mut self) {
        self.stage = Stage::Running;
        self.tally.waiting.fetch_sub(1, Ordering::Relaxed);
        self.tally.running.fetch_add(1, Ordering::Relaxed);
    }

    /// The command has ended by itself.
    pub(super) fn end(mut self, succeeded: bool) {
        self.leave(succeeded);
    }

    fn leave(&mut self, succeeded: bool) {
        let ended = if succeeded { &self.tally.done } else { &self.tally.failed };
        self.tally.running.fetch_sub(1, Ordering::Relaxed);
        ended.fetch_add(1, Ordering::Relaxed);
        self.stage = Stage::Ended;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        match self.stage {
            // No handler has seen it.
            Stage::Waiting => drop(self.tally.waiting.fetch_sub(1, Ordering::Relaxed)),
            Stage::Running => self.leave(false),
            Stage::Ended => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_in_one_place() {
        let tally = Arc::new(Tally::new());
        let told = || {
            let Counts { running, waiting, done, failed } = tally.counts();
            [running, waiting, done, failed]
        };
        let [mut first, mut second, mut third, fourth] = [(); 4].map(|()| tally.enter());
        assert_eq!(told(), [0, 4, 0, 0]);
        assert_eq!([first.number, second.number, third.number, fourth.number], [1, 2, 3, 4]);
        [&mut first, &mut second, &mut third].into_iter().for_each(Entry::run);
        assert_eq!(told(), [3, 1, 0, 0]);
        first.end(true);
        second.end(false);
        drop((third, fourth));
        assert_eq!(told(), [0, 0, 1, 2]);
    }
}
