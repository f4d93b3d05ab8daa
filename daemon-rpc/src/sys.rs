//! The few system calls that have no safe interface. All the `unsafe` of this crate is here.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{BufMut as _, BytesMut};
#[cfg(target_os = "linux")]
use rustix::event::{Timespec, epoll};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::net::{RecvFlags, recv};
use rustix::process::{Signal, getpid, kill_process};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The lowest descriptor that is not a standard stream.
const FIRST_EXTRA_DESCRIPTOR: RawFd = 3;

/// The last signal before those for real-time use, which nobody ignores by accident.
const LAST_CLASSIC_SIGNAL: libc::c_int = 31;

/// Receives what there is, behind what `buffer` holds, which is given room for `room` bytes at least. 0 means that the peer has closed.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut BytesMut, room: usize) -> io::Result<usize> {
    buffer.reserve(room);
    let all = buffer.capacity() - buffer.len();
    receive_at_most(socket, buffer, all)
}

/// The same, but no more than `most` bytes.
pub(crate) fn receive_at_most(socket: impl AsFd, buffer: &mut BytesMut, most: usize) -> io::Result<usize> {
    buffer.reserve(most);
    let room = buffer.spare_capacity_mut().get_mut(..most).unwrap_or_default();
    let ((received, _), count) = recv(socket, room, RecvFlags::empty())?;
    debug_assert_eq!(received.len(), count);
    // SAFETY: the kernel has just written the first `count` bytes of the spare capacity.
    unsafe { buffer.advance_mut(count) };
    Ok(count)
}

/// What the next event of an epoll is about, if one comes in time.
#[cfg(target_os = "linux")]
pub(crate) fn next_event(epoll: &OwnedFd, timeout: Option<&Timespec>) -> Option<u64> {
    let mut events = [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }];
    let count = epoll::wait(epoll, &mut events, timeout).unwrap_or_default();
    events.first().filter(|_| count > 0).map(|event| event.data.u64())
}

/// Has the runtime that this is called in watch a descriptor.
pub(crate) fn watch(descriptor: Arc<OwnedFd>, interest: Interest) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    // SAFETY: what an `OwnedFd` owns is open, and the same, for as long as it lives, and it can't be taken out of an `Arc` that is kept.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, interest) }?)
}

/// Leaves the session of whoever started this process, so that none of his terminals and no Ctrl+C of his reaches it, and forgets which
/// signals he ignores or blocks.
pub(crate) fn leave_callers_session() -> io::Result<()> {
    // First, so that a signal which the caller ignores can't come from his terminal any more when it is heeded.
    rustix::process::setsid()?;
    for signal in 1..=LAST_CLASSIC_SIGNAL {
        // Rust has SIGPIPE ignored in every program: writing to a client that has gone mustn't end this one.
        if signal != libc::SIGPIPE && is_ignored(signal) {
            // SAFETY: a default action installs no handler.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    }
    // SAFETY: the set is filled in before it is read, and both calls take pointers to live variables or none.
    unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
    }
    Ok(())
}

/// Whether whoever started this process has it ignore a signal.
pub(crate) fn ignores(signal: Signal) -> bool {
    is_ignored(signal.as_raw())
}

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: zeros are a valid action, and without a new one the call only fills in the one that is set.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Gives signals their default actions, instead of a handler of ours or their being ignored by whoever started this process.
pub(crate) fn heed(signals: impl IntoIterator<Item = Signal>) {
    for signal in signals {
        // SAFETY: a default action installs no handler.
        unsafe { libc::signal(signal.as_raw(), libc::SIG_DFL) };
    }
}

/// Keeps descriptors that this process was given beside its standard streams from the children it will have. A pipe
/// that a daemon inherited would keep its reader waiting for as long as the daemon lives.
pub(crate) fn keep_descriptors_from_children() -> io::Result<()> {
    if keep_all_at_once() { Ok(()) } else { keep_those_listed() }
}

#[cfg(target_os = "linux")]
fn keep_all_at_once() -> bool {
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: the call takes no pointers, and marks descriptors, which changes nothing for whoever owns them here.
    let marked = unsafe { libc::syscall(libc::SYS_close_range, FIRST_EXTRA_DESCRIPTOR, RawFd::MAX, flags) };
    // Linux has this since 5.11, and a sandbox may not.
    marked == 0
}

#[cfg(not(target_os = "linux"))]
fn keep_all_at_once() -> bool {
    false
}

fn keep_those_listed() -> io::Result<()> {
    let list = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    for entry in fs::read_dir(list)? {
        let Some(descriptor) = entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else {
            continue;
        };
        if descriptor >= FIRST_EXTRA_DESCRIPTOR {
            // SAFETY: the number is used for one system call only, which changes nothing for whoever owns the descriptor
            // here. Should another thread have closed it since it was listed, the system says so.
            let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
            match fcntl_setfd(descriptor, FdFlags::CLOEXEC) {
                Ok(()) | Err(Errno::BADF) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The descriptors that a supervisor has passed to this process, which says how many they are. They can be had once, since they
/// are closed with what this returns.
pub(crate) fn passed_descriptors(count: u32) -> io::Result<Vec<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let last = RawFd::try_from(count).ok().and_then(|count| FIRST_EXTRA_DESCRIPTOR.checked_add(count));
    let passed = FIRST_EXTRA_DESCRIPTOR..last.ok_or(Errno::BADF)?;
    let owned = passed.map(|descriptor| {
        // SAFETY: the number is used for one system call only, which fails if there is no such descriptor.
        fcntl_setfd(unsafe { BorrowedFd::borrow_raw(descriptor) }, FdFlags::CLOEXEC)?;
        // SAFETY: it is open, and this process was told that it is for it. Nobody else takes it, since this is done once.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    });
    owned.collect()
}

/// Ends this process as the signal does where nobody handles it. Returns only if it is blocked.
pub(crate) fn die_of(signal: Signal) {
    heed([signal]);
    let _ = kill_process(getpid(), signal);
}

/// From now on writes a byte for each change of the terminal's size.
pub(crate) fn write_on_window_change(to: UnixStream) -> io::Result<()> {
    let written = move || {
        // No room means that there is enough to read already.
        let _ = rustix::io::write(&to, &[0]);
    };
    // SAFETY: the action makes one system call, which is async-signal-safe, and neither allocates, locks nor panics.
    unsafe { signal_hook_registry::register(Signal::WINCH.as_raw(), written) }.map(drop)
}

/// The user at the other end of a connected socket, as the kernel recorded it.
#[cfg(target_os = "linux")]
pub(crate) fn peer_uid(socket: impl AsFd) -> io::Result<u32> {
    use std::os::fd::AsRawFd as _;
    // The peer's pid is 0 where it belongs to another namespace, which rustix's type for it can't hold.
    let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut length = libc::socklen_t::try_from(size_of_val(&peer)).unwrap_or_default();
    // SAFETY: the descriptor is open, and the pointers are to live variables, of which the one tells the other's size.
    let told = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &mut length,
        )
    };
    if told == 0 { Ok(peer.uid) } else { Err(io::Error::last_os_error()) }
}

/// The user at the other end of a connected socket, as the kernel recorded it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn peer_uid(socket: impl AsFd) -> io::Result<u32> {
    use std::os::fd::AsRawFd as _;
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the descriptor is open, and both pointers are to live variables of the right type.
    match unsafe { libc::getpeereid(socket.as_fd().as_raw_fd(), &mut uid, &mut gid) } {
        0 => Ok(uid),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::{fcntl_dupfd_cloexec, fcntl_getfd};

    use super::*;

    #[test]
    fn descriptors_are_kept_from_children_whichever_way() {
        let inherited = || {
            let descriptor = fcntl_dupfd_cloexec(io::stderr(), FIRST_EXTRA_DESCRIPTOR).unwrap();
            fcntl_setfd(&descriptor, FdFlags::empty()).unwrap();
            descriptor
        };
        let is_kept = |descriptor| fcntl_getfd(descriptor).unwrap().contains(FdFlags::CLOEXEC);

        let descriptor = inherited();
        assert_eq!(keep_all_at_once(), is_kept(&descriptor));

        let descriptor = inherited();
        keep_those_listed().unwrap();
        assert!(is_kept(&descriptor));
    }
}
