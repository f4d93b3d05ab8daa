//! Two moments are the same if nobody can ever tell them apart: what is gone is forgotten, and what is left numbered anew. Without
//! that, there would be no end of moments.

use crate::client::Step;
use crate::world::{Connection, Inode, Process, Processes};
use crate::{FIRST_DAEMON, State};

impl State {
    /// The same moment without what no longer matters.
    #[must_use]
    pub(crate) fn forgetting(mut self) -> Self {
        self.forget_daemons();
        self.forget_files();
        self.sort_clients();
        self
    }

    /// It doesn't matter which of two clients of one build does what.
    fn sort_clients(&mut self) {
        for one in 0..self.clients.len().saturating_sub(2) {
            let other = one + 1;
            let key = |number: usize| (&self.clients[number], self.runs[number]);
            if self.clients[one].build == self.clients[other].build && key(other) < key(one) {
                self.swap(one, other);
            }
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.clients.swap(one, other);
        self.runs.swap(one, other);
        let [one, other] = [one, other].map(|number| Process::try_from(number).unwrap_or_default());
        let swap = |process: &mut Process| {
            *process = if *process == one {
                other
            } else if *process == other {
                one
            } else {
                *process
            };
        };
        self.world.start_lock.iter_mut().for_each(swap);
        for file in &mut self.world.pid_files {
            file.locked_by = file.locked_by.swapped(one, other);
        }
        for socket in &mut self.world.sockets {
            socket.listening = socket.listening.swapped(one, other);
            socket.queue.iter_mut().for_each(swap);
        }
    }

    fn forget_daemons(&mut self) {
        let mut matters = vec![false; self.daemons.len()];
        for (number, daemon) in self.daemons.iter().enumerate() {
            matters[number] = !daemon.is_gone();
        }
        for client in &mut self.clients {
            if let Some(daemon) = client.connection.as_mut().and_then(Connection::daemon_mut) {
                matters[usize::from(*daemon - FIRST_DAEMON)] = true;
            }
            if let Step::Started { child, .. } = client.step {
                matters[usize::from(child - FIRST_DAEMON)] = true;
            }
        }
        let numbers = numbers(&matters);
        let renumber =
            |daemon: &mut Process| *daemon = FIRST_DAEMON + numbers[usize::from(*daemon - FIRST_DAEMON)];
        for client in &mut self.clients {
            client.connection.as_mut().and_then(Connection::daemon_mut).map(renumber);
            if let Step::Started { child, .. } = &mut client.step {
                renumber(child);
            }
        }
        let renumber_all = |processes: Processes| {
            let mut renumbered = Processes::default();
            for process in (0..FIRST_DAEMON + Process::try_from(matters.len()).unwrap_or_default())
                .filter(|process| processes.contains(*process))
            {
                let mut process = process;
                if process >= FIRST_DAEMON {
                    renumber(&mut process);
                }
                renumbered.insert(process);
            }
            renumbered
        };
        for file in &mut self.world.pid_files {
            file.locked_by = renumber_all(file.locked_by);
            file.named.iter_mut().for_each(renumber);
        }
        for socket in &mut self.world.sockets {
            socket.listening = renumber_all(socket.listening);
        }
        let mut matters = matters.into_iter();
        self.daemons.retain(|_| matters.next() == Some(true));
    }

    fn forget_files(&mut self) {
        let mut sockets = vec![false; self.world.sockets.len()];
        let mut pid_files = vec![false; self.world.pid_files.len()];
        self.for_each_file(
            |file| sockets[usize::from(*file)] = true,
            |file| pid_files[usize::from(*file)] = true,
        );
        let (socket_numbers, pid_numbers) = (numbers(&sockets), numbers(&pid_files));
        self.for_each_file(
            |file| *file = socket_numbers[usize::from(*file)],
            |file| *file = pid_numbers[usize::from(*file)],
        );
        let (mut sockets, mut pid_files) = (sockets.into_iter(), pid_files.into_iter());
        self.world.sockets.retain(|_| sockets.next() == Some(true));
        self.world.pid_files.retain(|_| pid_files.next() == Some(true));
    }

    /// Every place in which there is a socket, and every one in which there is a pid file.
    fn for_each_file(&mut self, mut socket: impl FnMut(&mut Inode), mut pid_file: impl FnMut(&mut Inode)) {
        self.world.socket_path.iter_mut().for_each(&mut socket);
        self.world.pid_path.iter_mut().for_each(&mut pid_file);
        for client in &mut self.clients {
            if let Some(Connection::Queued(queued)) = &mut client.connection {
                socket(queued);
            }
            let (with_socket, with_pid_file) = client.step.files_mut();
            with_socket.into_iter().for_each(&mut socket);
            with_pid_file.into_iter().for_each(&mut pid_file);
        }
        for daemon in &mut self.daemons {
            socket(&mut daemon.files.socket);
            pid_file(&mut daemon.files.pid_file);
        }
    }
}

/// The new numbers of what matters, in the old order.
fn numbers(matters: &[bool]) -> Vec<u8> {
    let mut next = 0;
    let number = |matters: &bool| {
        let number = next;
        next += u8::from(*matters);
        number
    };
    matters.iter().map(number).collect()
}
