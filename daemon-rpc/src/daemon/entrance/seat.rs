//! The place of the command that an acceptor has just begun, where the control plane finds it if it has to.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::daemon::command::Handler;
use crate::daemon::session::Running;
use crate::daemon::socket::Socket;

/// An acceptor's seat.
#[derive(Default)]
pub(super) struct Seat(Mutex<Place>);

/// Who has to do with the command.
#[derive(Default)]
pub(super) enum Place {
    /// There is none.
    #[default]
    Free,
    /// Nobody but the acceptor as yet.
    Taken(Running),
    /// The control plane sees it through, and waits to be told where it goes on.
    Adopted(oneshot::Sender<JoinHandle<()>>),
    /// No more commands begin here.
    Closed,
}

impl Seat {
    pub(super) fn place(&self) -> MutexGuard<'_, Place> {
        // Between any two statements it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the seat for a command whose client can be watched. Otherwise, and when the seat is closed, the command is given back.
    pub(super) fn take(
        &self,
        command: Running,
        watch: impl FnOnce(&Socket) -> rustix::io::Result<()>,
    ) -> Option<Running> {
        let mut place = self.place();
        // With the place locked, since the control plane looks there for a client that stirs.
        if !matches!(*place, Place::Free) || watch(command.socket()).is_err() {
            return Some(command);
        }
        *place = Place::Taken(command);
        None
    }

    /// Gives the command to the control plane while its handler is still in its first step.
    pub(super) fn adopt(&self) -> Option<(Running, Handler)> {
        adopt(&mut self.place())
    }

    /// The same, and no more commands begin here.
    pub(super) fn close(&self) -> Option<(Running, Handler)> {
        let mut place = self.place();
        let adopted = adopt(&mut place);
        if let Place::Free = *place {
            *place = Place::Closed;
        }
        adopted
    }
}

fn adopt(place: &mut Place) -> Option<(Running, Handler)> {
    match mem::take(place) {
        Place::Taken(command) => {
            let (handler, goes_on) = Handler::beginning();
            *place = Place::Adopted(goes_on);
            Some((command, handler))
        }
        other => {
            *place = other;
            None
        }
    }
}
