//! What clients and daemons share: the directory, the locks, the sockets.

/// The number of a process: clients first, then daemons in the order in which they were spawned.
pub type Process = u8;

/// The number of a file, which is never used again.
pub type Inode = u8;

/// Some processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Processes(u16);

impl Processes {
    /// This one alone.
    #[must_use]
    pub fn of(process: Process) -> Self {
        Self(1 << process)
    }

    /// Adds one.
    pub fn insert(&mut self, process: Process) {
        self.0 |= 1 << process;
    }

    /// Takes one away.
    pub fn remove(&mut self, process: Process) {
        self.0 &= !(1 << process);
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(self, process: Process) -> bool {
        self.0 & (1 << process) != 0
    }

    /// The same with two of them in each other's place.
    #[must_use]
    pub fn swapped(mut self, one: Process, other: Process) -> Self {
        let were = (self.contains(one), self.contains(other));
        for (process, is) in [(one, were.1), (other, were.0)] {
            if is { self.insert(process) } else { self.remove(process) }
        }
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A pid file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PidFile {
    /// Who has a descriptor of the open file that holds the `flock` on it: the life lock. The last to close it releases it.
    pub locked_by: Processes,
    /// Who holds the `fcntl` lock on it: the daemon that the kernel names.
    pub named: Option<Process>,
}

/// A socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Socket {
    /// Who has a descriptor of the listener. The last to close it disconnects those who wait.
    pub listening: Processes,
    /// The clients that have connected and weren't accepted yet.
    pub queue: Vec<Process>,
}

/// A client's connection, with what each side has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connection {
    /// It waits in a listener's queue, mostly with its command.
    Queued(Inode),
    /// A daemon has accepted it, and told its build.
    Answered(Process),
    /// The client has sent its command behind the answer, where there was no room for it before.
    Sent(Process),
    /// The handler runs.
    Running(Process),
    /// The daemon has said that no handler will see the command.
    NotRun(Process),
    /// The daemon has told the exit code.
    Exited(Process),
    /// Its other side has gone.
    Closed,
    /// The same, once a daemon of its build has answered: nobody knows whether the handler ran.
    Lost,
}

impl Connection {
    /// The daemon that has accepted it, if it hasn't gone.
    #[must_use]
    pub fn daemon(mut self) -> Option<Process> {
        self.daemon_mut().copied()
    }

    /// The daemon, to be given another number.
    pub(crate) fn daemon_mut(&mut self) -> Option<&mut Process> {
        match self {
            Self::Queued(_) | Self::Closed | Self::Lost => None,
            Self::Answered(daemon)
            | Self::Sent(daemon)
            | Self::Running(daemon)
            | Self::NotRun(daemon)
            | Self::Exited(daemon) => Some(daemon),
        }
    }

    /// Whether its daemon still has to do something for it.
    #[must_use]
    pub fn is_open_for(self, daemon: Process) -> bool {
        self.daemon() == Some(daemon) && !matches!(self, Self::NotRun(_) | Self::Exited(_))
    }
}

/// The directory of one daemon's files, and what its files are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct World {
    /// Who holds the start lock.
    pub start_lock: Option<Process>,
    /// Which socket the path leads to.
    pub socket_path: Option<Inode>,
    /// Which pid file the path leads to.
    pub pid_path: Option<Inode>,
    /// All sockets there ever were.
    pub sockets: Vec<Socket>,
    /// All pid files there ever were.
    pub pid_files: Vec<PidFile>,
}

impl World {
    /// Opens the pid file, made where there is none.
    pub fn open_pid_file(&mut self) -> Inode {
        *self.pid_path.get_or_insert_with(|| {
            self.pid_files.push(PidFile::default());
            inode(self.pid_files.len())
        })
    }

    /// Makes the socket, in the place of one that may be there, and listens on it.
    pub fn bind(&mut self, process: Process) -> Inode {
        self.sockets.push(Socket { listening: Processes::of(process), queue: Vec::new() });
        let socket = inode(self.sockets.len());
        self.socket_path = Some(socket);
        socket
    }

    /// The socket that somebody who connects now gets to.
    #[must_use]
    pub fn reachable(&self) -> Option<Inode> {
        self.socket_path.filter(|socket| !self.socket(*socket).listening.is_empty())
    }

    /// A socket.
    #[must_use]
    pub fn socket(&self, socket: Inode) -> &Socket {
        &self.sockets[usize::from(socket)]
    }

    /// A socket, to be changed.
    pub fn socket_mut(&mut self, socket: Inode) -> &mut Socket {
        &mut self.sockets[usize::from(socket)]
    }

    /// A pid file.
    #[must_use]
    pub fn pid_file(&self, file: Inode) -> &PidFile {
        &self.pid_files[usize::from(file)]
    }

    /// A pid file, to be changed.
    pub fn pid_file_mut(&mut self, file: Inode) -> &mut PidFile {
        &mut self.pid_files[usize::from(file)]
    }

    /// What the kernel does with a process's locks when it dies.
    pub fn release_locks(&mut self, process: Process) {
        if self.start_lock == Some(process) {
            self.start_lock = None;
        }
        for file in &mut self.pid_files {
            file.locked_by.remove(process);
            if file.named == Some(process) {
                file.named = None;
            }
        }
    }

    /// What the kernel does with a process's listeners when it dies. Returns who is disconnected by that.
    pub fn close_listeners(&mut self, process: Process) -> Vec<Process> {
        let mut disconnected = Vec::new();
        for socket in &mut self.sockets {
            socket.listening.remove(process);
            if socket.listening.is_empty() {
                disconnected.append(&mut socket.queue);
            }
        }
        disconnected
    }
}

fn inode(count: usize) -> Inode {
    Inode::try_from(count - 1).expect("there are few")
}
