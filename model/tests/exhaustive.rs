//! Every order of steps, with all cures and without each.

use daemon_rpc_model::{Cures, System};
use stateright::{Checker, Model as _};

const PROCESSORS: usize = 2;

fn system(builds: &str, crashes: u8, retirements: u8, attempts: u8) -> System {
    System { builds: builds.chars().collect(), crashes, retirements, attempts, cures: Cures::ALL }
}

/// Goes through all of it, which is at least so many states.
fn holds(system: System, at_least: usize) {
    let checker = system.clone().checker().threads(PROCESSORS).spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{states} states: {system:?}");
    checker.assert_properties();
    assert!(states >= at_least, "only {states} states: {system:?}");
}

#[test]
fn three_clients_of_two_builds() {
    holds(system("AAB", 0, 0, 1), 500_000);
}

#[test]
fn three_clients_of_two_builds_and_a_crash() {
    holds(system("AAB", 1, 0, 0), 100_000);
}

#[test]
fn two_builds_and_a_crash_and_a_daemon_that_retires_by_itself() {
    holds(system("AB", 1, 1, 1), 400_000);
}

#[test]
fn two_builds_and_two_crashes() {
    holds(system("AB", 2, 0, 1), 400_000);
}

/// `cargo test --release -p daemon-rpc-model -- --ignored` goes further than there is time for each time.
#[test]
#[ignore = "it takes many minutes"]
fn three_clients_of_two_builds_a_crash_and_a_second_attempt() {
    holds(system("AAB", 1, 0, 1), 1_000_000);
}

/// Without a cure, this property breaks, within these bounds.
fn breaks(cures: Cures, property: &'static str, (builds, crashes, retirements): (&str, u8, u8)) {
    let system = System { cures, ..system(builds, crashes, retirements, 1) };
    let checker = system.checker().threads(PROCESSORS).spawn_bfs().join();
    let broken: Vec<_> =
        checker.discoveries().into_keys().filter(|name| !name.ends_with("gets its result")).collect();
    assert!(
        checker.discovery(property).is_some(),
        "found only {broken:?} in {} states",
        checker.unique_state_count()
    );
}

mod breaks_without {
    use super::*;

    const OWN_BUILD: &str = "a daemon of one's own build is left alone";

    #[test]
    fn the_start_lock() {
        breaks(Cures { start_lock: false, ..Cures::ALL }, OWN_BUILD, ("AA", 0, 0));
    }

    #[test]
    fn the_second_look() {
        breaks(Cures { second_look: false, ..Cures::ALL }, OWN_BUILD, ("AA", 0, 0));
    }

    /// It is a second line: as long as there is the start lock, nothing breaks without it.
    #[test]
    fn comparing_the_locked_file() {
        breaks(
            Cures { compare_locked_file: false, start_lock: false, ..Cures::ALL },
            "who serves can be found",
            ("AB", 0, 1),
        );
    }

    #[test]
    fn unlocking_last() {
        breaks(Cures { unlock_last: false, ..Cures::ALL }, "who serves can be found", ("AB", 0, 1));
    }

    #[test]
    fn certainty_before_a_command_is_sent_again() {
        breaks(
            Cures { retry_only_when_certain: false, ..Cures::ALL },
            "no command is run twice",
            ("A", 1, 0),
        );
    }

    #[test]
    fn connecting_before_the_daemon_is_there() {
        let property = "without a crash every client gets its result";
        breaks(Cures { connect_before_spawn: false, ..Cures::ALL }, property, ("AB", 0, 1));
    }
}
