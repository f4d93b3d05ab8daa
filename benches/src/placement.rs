//! On which processors client and server run. A call takes twice as long where its server has to be woken on another processor, so what is
//! compared has to be placed alike, which the scheduler doesn't see to.

use std::fs;

use anyhow::Context as _;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where the servers run.
#[derive(Clone, Copy, Debug)]
pub enum Placement {
    /// Where this thread does, too.
    OneProcessor,
    /// On one, and this thread on another.
    TwoProcessors,
    /// Where the scheduler puts them.
    Scheduler,
}

impl Placement {
    /// All that this machine has processors for, and what they are called.
    ///
    /// # Errors
    ///
    /// When that can't be told.
    pub fn all() -> anyhow::Result<Vec<(&'static str, Self)>> {
        let all = [
            ("one processor", Self::OneProcessor),
            ("two processors", Self::TwoProcessors),
            ("left to the scheduler", Self::Scheduler),
        ];
        let processors = sched_getaffinity(None)?.count();
        Ok(all
            .into_iter()
            .filter(|(_, placement)| processors > 1 || !matches!(placement, Self::TwoProcessors))
            .collect())
    }
}

/// What keeps threads where they were placed, as long as it lives.
#[derive(Debug)]
pub struct Placed<'a> {
    servers: &'a [Pid],
    before: CpuSet,
}

impl<'a> Placed<'a> {
    /// Places this thread, and those of its servers.
    ///
    /// # Errors
    ///
    /// When one of the servers doesn't live.
    pub fn new(placement: Placement, servers: &'a [Pid]) -> anyhow::Result<Self> {
        let placed = Self { servers, before: sched_getaffinity(None)? };
        let mut processors = (0..CpuSet::MAX_CPU).filter(|&number| placed.before.is_set(number));
        let clients = processors.next().context("this thread runs somewhere")?;
        let servers = match placement {
            Placement::OneProcessor => clients,
            Placement::TwoProcessors => processors.next().context("there is another one")?,
            Placement::Scheduler => return Ok(placed),
        };
        sched_setaffinity(None, &only(clients))?;
        placed.place_servers(&only(servers))?;
        Ok(placed)
    }

    fn place_servers(&self, processors: &CpuSet) -> anyhow::Result<()> {
        for server in self.servers {
            for thread in fs::read_dir(format!("/proc/{}/task", server.as_raw_pid()))? {
                let number = thread?.file_name().to_str().context("a number is text")?.parse()?;
                sched_setaffinity(Pid::from_raw(number), processors)?;
            }
        }
        Ok(())
    }
}

impl Drop for Placed<'_> {
    fn drop(&mut self) {
        // A server that has ended runs nowhere.
        let _ = sched_setaffinity(None, &self.before);
        let _ = self.place_servers(&self.before);
    }
}

fn only(processor: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(processor);
    set
}
