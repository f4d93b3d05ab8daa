//! The least that keeps a daemon's promises: an event loop, which could watch clients, signals and timers as well and which no handler can
//! block, and a thread beside it where handlers run.

use std::error::Error;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use rustix::event::epoll;

use crate::TINY;

/// What the event loop calls the listener. Clients have their places.
const LISTENER: u64 = u64::MAX;

/// Serves at the socket with this path, which it makes.
///
/// # Errors
///
/// When it can't go on.
pub fn serve(path: &Path) -> Result<(), Box<dyn Error>> {
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    let (to_handler, commands) = mpsc::channel::<UnixStream>();
    thread::spawn(move || {
        for mut client in commands {
            // A client that goes early is none of the others' business.
            let _ = client.write_all(TINY);
        }
    });

    let watched = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let edges = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&watched, &listener, epoll::EventData::new_u64(LISTENER), edges)?;
    let mut clients: Vec<Option<UnixStream>> = Vec::new();
    let mut events = Vec::with_capacity(64);
    loop {
        epoll::wait(&watched, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            if event.data.u64() == LISTENER {
                while let Ok((client, _)) = listener.accept() {
                    client.set_nonblocking(true)?;
                    let place = clients.iter().position(Option::is_none).unwrap_or(clients.len());
                    epoll::add(&watched, &client, epoll::EventData::new_u64(place as u64), edges)?;
                    clients.resize_with(clients.len().max(place + 1), || None);
                    clients[place] = Some(client);
                }
                continue;
            }
            let client = &mut clients[event.data.u64() as usize];
            let read = client.as_mut().map(|client| client.read(&mut [0; 64]));
            match read {
                Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => {}
                Some(Ok(1..)) => client.take().into_iter().try_for_each(|client| to_handler.send(client))?,
                _ => drop(client.take()),
            }
        }
    }
}
