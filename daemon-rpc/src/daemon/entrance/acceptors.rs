//! The listener and the acceptors, as the control plane knows them.

use std::future::pending;
use std::io;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use bytes::BytesMut;
use rustix::event::Timespec;
use tokio::select;
use tokio::sync::mpsc;
use tracing::debug;

use super::Arrival;
use super::acceptor::{Acceptor, Common, Report};
use super::listener::Listener;
use super::seat::Seat;
use crate::daemon::Daemon;
use crate::daemon::command::Handler;
use crate::daemon::session::Running;
use crate::daemon::socket::Socket;
use crate::limits::MAX_ACCEPTORS;
use crate::sys;

/// The listener, and those who accept from it.
pub(in crate::daemon) struct Entrance {
    daemon: Arc<Daemon>,
    listener: Listener,
    common: Arc<Common>,
    acceptors: Acceptors,
    /// How many acceptors there may be.
    limit: usize,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Entrance {
    /// One whose listener doesn't block, with no acceptors as yet.
    pub(in crate::daemon) fn new(daemon: &Arc<Daemon>, listener: UnixListener) -> io::Result<Self> {
        let (sender, reports) = mpsc::unbounded_channel();
        // Who asks for one thread may count on it.
        let limit = match daemon.handlers.metrics().num_workers() {
            1 => 0,
            workers => workers.min(MAX_ACCEPTORS),
        };
        Ok(Self {
            daemon: Arc::clone(daemon),
            listener: Listener::new(listener)?,
            common: Arc::new(Common::new(sender)?),
            acceptors: Acceptors(Vec::new()),
            limit,
            reports,
        })
    }

    /// Waits for what acceptors can't do by themselves, which is everything while there is none. New clients come only if it `accepts` any.
    pub(in crate::daemon) async fn next(&mut self, accepts: bool) -> io::Result<Arrival> {
        loop {
            let stirred = select! {
                biased;
                Some(report) = self.reports.recv() => match report {
                    Report::Arrival(arrival) => return Ok(*arrival),
                    Report::Stirred(index) => index,
                    Report::Unaccepted => {
                        self.listener.look_again();
                        continue;
                    }
                },
                index = stirred(&self.common) => index,
                accepted = self.listener.accept(), if accepts => {
                    let socket = accepted?;
                    self.add_acceptor();
                    return Ok(Arrival::Client(socket, BytesMut::new()));
                }
            };
            // It may have ended by now.
            if let Some((command, handler)) = self.acceptors.seat(stirred).and_then(Seat::adopt) {
                return Ok(Arrival::Command(command, handler));
            }
        }
    }

    /// Starts one more, since none was free for a client. Until the application's state is loaded, it would be of no use, and where there
    /// is no room for callers, there is none for what an acceptor needs.
    fn add_acceptor(&mut self) {
        if self.acceptors.0.len() < self.limit
            && self.daemon.loaded().is_some()
            && !self.common.crowded.load(Ordering::Relaxed)
            && let Err(error) = self.start_acceptor()
        {
            // The next client may find more of what is missing.
            debug!(error = &error as &dyn std::error::Error, "can't start an acceptor");
        }
    }

    fn start_acceptor(&mut self) -> io::Result<()> {
        let (index, seat) = (self.acceptors.0.len(), Arc::default());
        let acceptor = Acceptor::new(&self.daemon, &self.listener, index, &self.common, &seat)?;
        let thread = thread::Builder::new().name("acceptor".into()).spawn(move || acceptor.run())?;
        self.acceptors.0.push((seat, thread));
        Ok(())
    }

    /// Says whether there is room for more callers. While there is none, no commands begin here.
    pub(in crate::daemon) fn set_crowded(&self, crowded: bool) {
        self.common.crowded.store(crowded, Ordering::Relaxed);
    }

    /// Whether no acceptor has a command.
    pub(in crate::daemon) fn is_quiet(&self) -> bool {
        self.acceptors.0.iter().all(|(seat, _)| seat.is_free())
    }

    /// Those who have connected and were not accepted yet.
    pub(in crate::daemon) fn queued(&self) -> Vec<Socket> {
        self.listener.queued()
    }

    /// Lets nobody in any more. Returns the commands that have begun, and the acceptors to wait for when those have ended. Who has no command
    /// yet is disconnected, as those are who have not been accepted, and turns to the next daemon.
    pub(in crate::daemon) fn close(mut self) -> (Vec<(Running, Handler)>, Acceptors) {
        self.common.close();
        let mut begun: Vec<_> = self.acceptors.0.iter().filter_map(|(seat, _)| seat.close()).collect();
        self.reports.close();
        while let Ok(report) = self.reports.try_recv() {
            if let Report::Arrival(arrival) = report
                && let Arrival::Command(command, handler) = *arrival
            {
                begun.push((command, handler));
            }
        }
        (begun, self.acceptors)
    }
}

/// The threads, each with where the command is found that it has just begun.
pub(in crate::daemon) struct Acceptors(Vec<(Arc<Seat>, JoinHandle<()>)>);

impl Acceptors {
    fn seat(&self, index: u64) -> Option<&Seat> {
        self.0.get(usize::try_from(index).ok()?).map(|(seat, _)| &**seat)
    }

    /// Waits for those whom no handler blocks: one may still have to tell a client that his command isn't run here, which he couldn't be sure of if
    /// the process ended before. One that a handler blocks after all patience goes with the process.
    pub(in crate::daemon) fn join(self) {
        for (seat, thread) in self.0 {
            if !seat.is_adopted() {
                // If it panicked, that is in the log.
                let _ = thread.join();
            }
        }
    }
}

/// Waits until one of the clients whose commands have just begun goes, or says something, and returns the index of its acceptor.
async fn stirred(common: &Common) -> u64 {
    loop {
        // It fails only while the runtime is shut down.
        let Ok(mut ready) = common.clients.readable().await else { return pending().await };
        match sys::next_event(common.clients.get_ref(), Some(&Timespec::default())) {
            Some(index) => return index,
            None => ready.clear_ready(),
        }
    }
}
