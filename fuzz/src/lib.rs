//! What the programs in `fuzz_targets` have in common: they count the memory that they hold.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use daemon_rpc::fuzzing::Target;

/// Runs a target. More memory than it may hold is a finding as well.
///
/// # Panics
///
/// Whenever there is a finding.
pub fn run(target: &Target, input: &[u8]) {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    (target.run)(input);
    let held = MOST.load(Ordering::Relaxed) - before;
    let most = (target.most_memory)(input.len());
    assert!(held <= most, "{held} bytes of memory are held for {} of input, and {most} may be", input.len());
}

/// Has a write to a connection that is closed fail rather than end the process, as the start of a Rust program does. The fuzzer
/// starts a target otherwise.
pub fn ignore_broken_pipes() {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// How many bytes are allocated.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// How many were at once.
static MOST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTED: Counted = Counted;

/// The system's allocator, counted.
struct Counted;

// SAFETY: everything is the system allocator's. While it moves something to another place, both are held.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(place, layout) }
    }
}

fn grow(size: usize) {
    let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
    MOST.fetch_max(held, Ordering::Relaxed);
}
