//! The process that started this daemon in the foreground, if it is a supervisor such as systemd: the socket it may pass, and
//! what it wants to be told.
//!
//! Both are a few lines each by systemd's documentation (`sd_listen_fds(3)`, `sd_notify(3)`), and not worth a dependency.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;

use tracing::warn;

use crate::sys;

/// The sockets that were passed to this process. They can be had once.
pub(super) fn passed_sockets() -> io::Result<Vec<OwnedFd>> {
    let number = |variable| env::var(variable).ok()?.parse::<u32>().ok();
    // Those for somebody else are in the environment of his children too.
    match (number("LISTEN_PID"), number("LISTEN_FDS")) {
        (Some(pid), Some(count)) if pid == process::id() => sys::passed_descriptors(count),
        _ => Ok(Vec::new()),
    }
}

/// Whom to tell that the daemon is ready, and that it ends.
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    socket: Option<OsString>,
}

impl Supervisor {
    /// That of this process.
    pub(super) fn of_this_process() -> Self {
        Self { socket: env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()) }
    }

    pub(super) fn tell_ready(&self) {
        self.tell("READY=1");
    }

    pub(super) fn tell_stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        let told = address(socket.as_bytes())
            .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
        if let Err(error) = told {
            warn!(error = &error as &dyn std::error::Error, ?socket, "can't tell the supervisor {state}");
        }
    }
}

/// A path, or on Linux a name that isn't one, behind `@`.
fn address(socket: &[u8]) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let [b'@', name @ ..] = socket {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(socket))
}
