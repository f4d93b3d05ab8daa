//! The place of the command that an acceptor has just begun, where the control plane finds it if it has to.
//!
//! | | taken | adopted |
//! | --- | --- | --- |
//! | an acceptor begins a command | from free | |
//! | the client goes or says something, or can't be watched; output waits to be sent; the seat is closed | | from taken |
//! | the first step is over | to free | to free |

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::daemon::command::Handler;
use crate::daemon::session::Running;
use crate::daemon::socket::Socket;

/// An acceptor's seat.
#[derive(Default)]
pub(super) struct Seat(Mutex<State>);

#[derive(Default)]
struct State {
    holder: Option<Holder>,
    /// No more commands begin here.
    closed: bool,
}

/// Who has to do with the command.
pub(super) enum Holder {
    /// Nobody but the acceptor as yet.
    Acceptor(Running),
    /// It sees the command through, and waits to be told where it goes on.
    ControlPlane(oneshot::Sender<JoinHandle<()>>),
}

impl Seat {
    /// Takes the seat for a command, which is given back if no more begin here. It is locked while `watch` has its client watched: the control
    /// plane looks here for a client that stirs.
    pub(super) fn take(&self, command: Running, watch: impl FnOnce(&Socket)) -> Option<Running> {
        let mut state = self.state();
        if state.closed {
            return Some(command);
        }
        watch(command.socket());
        state.holder = Some(Holder::Acceptor(command));
        None
    }

    /// Leaves it after the handler's first step. It is locked until `hand_on` is done with whoever held it, so that who closes it finds the
    /// command either here or where it was handed on to.
    pub(super) fn leave(&self, hand_on: impl FnOnce(Holder)) {
        let mut state = self.state();
        if let Some(holder) = state.holder.take() {
            hand_on(holder);
        }
    }

    /// Gives the command to the control plane while its handler is still in its first step.
    pub(super) fn adopt(&self) -> Option<(Running, Handler)> {
        self.state().adopt()
    }

    /// The same, and no more commands begin here.
    pub(super) fn close(&self) -> Option<(Running, Handler)> {
        let mut state = self.state();
        state.closed = true;
        state.adopt()
    }

    pub(super) fn is_free(&self) -> bool {
        self.state().holder.is_none()
    }

    pub(super) fn is_adopted(&self) -> bool {
        matches!(self.state().holder, Some(Holder::ControlPlane(_)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Between any two statements it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn adopt(&mut self) -> Option<(Running, Handler)> {
        match self.holder.take() {
            Some(Holder::Acceptor(command)) => {
                let (handler, goes_on) = Handler::beginning();
                self.holder = Some(Holder::ControlPlane(goes_on));
                Some((command, handler))
            }
            other => {
                self.holder = other;
                None
            }
        }
    }
}
