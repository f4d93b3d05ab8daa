//! On which processors client and server run. A call takes twice as long where its server has to be woken on another processor, so what is
//! compared has to be placed alike, which the scheduler doesn't see to.

use std::fs;

use anyhow::{Context as _, bail};
#[cfg(target_os = "linux")]
use rustix::io::Errno;
use rustix::process::Pid;
#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where the servers run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Placement {
    /// Where this thread does, too.
    OneProcessor,
    /// On one, and this thread on another.
    TwoProcessors,
    /// Where the scheduler puts them.
    Scheduler,
}

impl Placement {
    /// All that this machine has processors for.
    ///
    /// # Errors
    ///
    /// When that can't be told.
    pub fn all() -> anyhow::Result<Vec<Self>> {
        Ok(match own_processors()?.len() {
            0 => vec![Self::Scheduler],
            1 => vec![Self::OneProcessor, Self::Scheduler],
            _ => vec![Self::OneProcessor, Self::TwoProcessors, Self::Scheduler],
        })
    }

    /// Those in which one of the two can read while the other writes.
    ///
    /// # Errors
    ///
    /// When they can't be told.
    pub fn all_at_once() -> anyhow::Result<Vec<Self>> {
        let all = Self::all()?.into_iter();
        Ok(all.filter(|placement| *placement != Self::OneProcessor).collect())
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OneProcessor => "one processor",
            Self::TwoProcessors => "two processors",
            Self::Scheduler => "left to the scheduler",
        }
    }
}

/// What keeps threads where they were placed, as long as it lives.
#[derive(Debug)]
pub struct Placed<'a> {
    servers: &'a [Pid],
    before: Vec<usize>,
}

impl<'a> Placed<'a> {
    /// Places this thread, and those of its servers.
    ///
    /// # Errors
    ///
    /// When one of the servers doesn't live.
    pub fn new(placement: Placement, servers: &'a [Pid]) -> anyhow::Result<Self> {
        let placed = Self { servers, before: own_processors()? };
        let (clients, servers) = match (placement, &placed.before[..]) {
            (Placement::OneProcessor, [first, ..]) => (*first, *first),
            (Placement::TwoProcessors, [first, second, ..]) => (*first, *second),
            (Placement::Scheduler, _) => return Ok(placed),
            _ => bail!("there are too few processors"),
        };
        run_on(None, &[clients])?;
        placed.place_servers(&[servers])?;
        Ok(placed)
    }

    fn place_servers(&self, processors: &[usize]) -> anyhow::Result<()> {
        for server in self.servers {
            for thread in fs::read_dir(format!("/proc/{}/task", server.as_raw_pid()))? {
                let number = thread?.file_name().to_str().context("a number is text")?.parse()?;
                run_on(Pid::from_raw(number), processors)?;
            }
        }
        Ok(())
    }
}

impl Drop for Placed<'_> {
    fn drop(&mut self) {
        // A server that has ended runs nowhere.
        let _ = run_on(None, &self.before);
        let _ = self.place_servers(&self.before);
    }
}

/// Those that this thread may run on.
#[cfg(target_os = "linux")]
fn own_processors() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&number| set.is_set(number)).collect())
}

/// Elsewhere a thread can't be placed.
#[cfg(not(target_os = "linux"))]
fn own_processors() -> anyhow::Result<Vec<usize>> {
    Ok(Vec::new())
}

/// Places a thread, or this one.
#[cfg(target_os = "linux")]
fn run_on(thread: Option<Pid>, processors: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    processors.iter().for_each(|&number| set.set(number));
    match sched_setaffinity(thread, &set) {
        // It has ended since it was listed.
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn run_on(_: Option<Pid>, _: &[usize]) -> anyhow::Result<()> {
    Ok(())
}
