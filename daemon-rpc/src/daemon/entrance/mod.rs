//! Where clients come in.
//!
//! Most clients have sent their whole command when they are accepted, and most commands end as soon as they have begun. Then nothing but
//! the thread that accepts has to run: an acceptor, of which there are several. Whatever turns out otherwise goes to the control plane,
//! which takes it from where it is. A handler that blocks its thread blocks an acceptor at most: the kernel then wakes another, and in the
//! end the control plane, where no handler runs.

#[cfg(target_os = "linux")]
mod acceptor;
#[cfg(target_os = "linux")]
mod acceptors;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(not(target_os = "linux"))]
mod plain;
#[cfg(target_os = "linux")]
mod seat;

use bytes::BytesMut;

use super::command::Handler;
use super::session::Running;
use super::socket::Socket;

#[cfg(target_os = "linux")]
pub(super) use acceptors::Entrance;
#[cfg(not(target_os = "linux"))]
pub(super) use plain::Entrance;

/// What the control plane has to do with.
pub(super) enum Arrival {
    /// A client, and what it has sent by now.
    Client(Socket, BytesMut),
    /// A command whose handler an acceptor begins, unless the command is taken back before.
    Command(Running, Handler),
}
