//! A short form of the soak: `cargo run --release -p daemon-rpc-tests --bin soak` is the long one.

use std::path::Path;
use std::thread;

use daemon_rpc_tests::soak;

#[test]
fn a_daemon_holds_on_to_nothing_of_its_commands() {
    let looks = soak::run(3000, Path::new(env!("CARGO_BIN_EXE_soaked")), |look| println!("{look}"));
    let [_, first, .., last] = &*looks else { panic!("{looks:?}") };
    assert_eq!((first.descriptors, first.threads), (last.descriptors, last.threads), "{looks:#?}");
    assert!(last.acceptors <= thread::available_parallelism().unwrap().get(), "{looks:#?}");
    assert!(last.memory_kib < first.memory_kib + 1024, "{looks:#?}");
}
