//! Clients and daemons that die, are late, or have their system calls fail at named points, by schedules that come from seeds.
//!
//! `DAEMON_RPC_SCHEDULES=5000 cargo test -p daemon-rpc-tests --test faults -- --nocapture` runs more of them than usual, and
//! `DAEMON_RPC_SEED=17` that one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use daemon_rpc::fault::POINTS;
use daemon_rpc_tests::scene::{Scene, finish, start, success, told};
use rustix::process::{Signal, kill_process};

const FAULTY: &str = env!("CARGO_BIN_EXE_faulty");
const REBUILT: &str = env!("CARGO_BIN_EXE_faulty-rebuilt");

const SCHEDULES: u64 = 300;

/// More than there are processors, since schedules wait more than they work.
const AT_ONCE: usize = 4;

/// As many schedules as reach every point.
const REACHING_ALL: u64 = 200;

/// Numbers without an apparent order, the same for the same seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What happens to a client, and to the daemon if it starts one.
#[derive(Clone)]
struct Fault {
    role: &'static str,
    point: &'static str,
    number: usize,
    effect: String,
}

impl Fault {
    fn any(numbers: &mut Numbers) -> Self {
        let (role, point, errors) = numbers.one_of(&POINTS);
        let effect = match numbers.below(3) {
            0 => "die".to_owned(),
            1 if !errors.is_empty() => numbers.one_of(errors).to_owned(),
            _ => format!("{}ms", numbers.below(40)),
        };
        let number = numbers.one_of(&[1, 1, 1, 2, 3]);
        Self { role, point, number, effect }
    }

    /// Nobody's command may fail of it.
    fn is_harmless(&self) -> bool {
        match (self.point, &*self.effect) {
            (_, effect) if effect.ends_with("ms") || effect == "EINTR" => true,
            ("spawn", "EAGAIN") => false,
            (_, "EAGAIN") | ("accept" | "accept_promptly", "EMFILE") | ("write_pid", "ENOSPC") => true,
            ("unlink_socket" | "unlink_pid", "EACCES") => true,
            _ => false,
        }
    }

    fn kills_client(&self) -> bool {
        self.role == "client" && self.effect == "die"
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}#{}={}", self.role, self.point, self.number, self.effect)
    }
}

/// What befalls the daemon from outside, after a client has been started.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Incident {
    Terminated,
    Killed,
    SocketDeleted,
}

struct Call {
    program: &'static str,
    faults: Vec<Fault>,
    incident: Option<Incident>,
    /// The next one comes when this has ended.
    alone: bool,
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = if self.program == REBUILT { "rebuilt" } else { "faulty" };
        let faults: Vec<_> = self.faults.iter().map(Fault::to_string).collect();
        write!(formatter, "{build} {faults:?} {:?} alone={}", self.incident, self.alone)
    }
}

fn schedule(seed: u64) -> Vec<Call> {
    let mut numbers = Numbers(seed);
    let calls = 2 + numbers.below(4);
    let gentle = numbers.one_in(3);
    let mut call = || Call {
        program: if numbers.one_in(3) { REBUILT } else { FAULTY },
        faults: (0..numbers.below(4))
            .map(|_| Fault::any(&mut numbers))
            .filter(|fault| !gentle || fault.is_harmless())
            .collect(),
        incident: numbers
            .one_in(4)
            .then(|| numbers.one_of(&[Incident::Terminated, Incident::Killed, Incident::SocketDeleted]))
            .filter(|incident| !gentle || *incident != Incident::Killed),
        alone: numbers.one_in(2),
    };
    (0..calls).map(|_| call()).collect()
}

fn run(seed: u64, reached: &Mutex<BTreeSet<String>>, ends: &Mutex<BTreeMap<String, usize>>) {
    let _told = ToldOnPanic(seed);
    let calls = schedule(seed);
    let scene = Scene::new();
    let harmless = calls
        .iter()
        .all(|call| call.faults.iter().all(Fault::is_harmless) && call.incident != Some(Incident::Killed));
    let mut outputs: Vec<Option<Output>> = calls.iter().map(|_| None).collect();
    let mut running = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        let faults: Vec<_> = call.faults.iter().map(Fault::to_string).collect();
        let mut command = scene.command(call.program);
        command
            .env("DAEMON_RPC_FAULTS", faults.join(" "))
            .env("DAEMON_RPC_FAULTS_REACHED", scene.path("reached"));
        running.push((number, start(&mut command, format!("{seed}-{number}"))));
        happen(&scene, call.incident);
        if call.alone {
            for (number, client) in running.drain(..) {
                outputs[number] = Some(finish(client));
            }
        }
    }
    for (number, client) in running {
        outputs[number] = Some(finish(client));
    }

    let ran = fs::read_to_string(scene.path("ran")).unwrap_or_default();
    for (number, (call, output)) in calls.iter().zip(outputs).enumerate() {
        let output = output.unwrap();
        let token = format!("{seed}-{number}");
        let runs = ran.lines().filter(|line| *line == token).count();
        let (stdout, stderr, code) = told(&output);
        let seen = format!(
            "seed {seed}, client {number}, which ran {runs} times and ended with {output:?}, of {calls:#?}"
        );
        assert!(runs <= 1, "run twice: {seen}");
        assert!(stdout.is_empty() || stdout == token, "wrong output: {seen}");
        match code {
            Some(0) => assert!(runs == 1 && stdout == token && stderr.is_empty(), "not done: {seen}"),
            None => assert!(
                output.status.signal() == Some(Signal::KILL.as_raw())
                    && call.faults.iter().any(Fault::kills_client),
                "killed by nobody: {seen}"
            ),
            Some(69 | 70 | 74) => {
                assert!(!harmless, "failed of nothing: {seen}");
                assert!(stderr.starts_with("faulty"), "no reason: {seen}");
            }
            Some(_) => panic!("not of the framework's exit codes: {seen}"),
        }
        *ends.lock().unwrap().entry(code.map_or("died".into(), |code| code.to_string())).or_default() += 1;
    }
    let all = fs::read_to_string(scene.path("reached")).unwrap_or_default();
    reached.lock().unwrap().extend(all.lines().map(str::to_owned));

    // Whatever is left, and in whatever state: once everything has died, one call suffices.
    while let living @ [_, ..] = &*scene.processes() {
        for process in living {
            let _ = kill_process(*process, Signal::KILL);
        }
    }
    let after = told(&scene.run(FAULTY, "afterwards"));
    assert_eq!(after, success("afterwards"), "seed {seed}: {calls:#?}");
}

/// Tells which schedule it was, however the test fails.
struct ToldOnPanic(u64);

impl Drop for ToldOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("it was DAEMON_RPC_SEED={}: {:#?}", self.0, schedule(self.0));
        }
    }
}

fn happen(scene: &Scene, incident: Option<Incident>) {
    let daemon = scene.daemon_pid("faulty").filter(|pid| scene.processes().contains(pid));
    match (incident, daemon) {
        // Gone already is as good.
        (Some(Incident::Terminated), Some(daemon)) => drop(kill_process(daemon, Signal::TERM)),
        (Some(Incident::Killed), Some(daemon)) => drop(kill_process(daemon, Signal::KILL)),
        (Some(Incident::SocketDeleted), _) => drop(fs::remove_file(scene.file("faulty", "sock"))),
        _ => {}
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().expect("a number"))
}

#[test]
fn nothing_is_lost_run_twice_or_left_in_the_way() {
    let (reached, ends) = (Mutex::default(), Mutex::default());
    if let Some(seed) = number("DAEMON_RPC_SEED") {
        run(seed, &reached, &ends);
        return println!("{:#?}", ends.into_inner().unwrap());
    }
    let schedules = number("DAEMON_RPC_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let work = || {
            while let seed = next.fetch_add(1, Ordering::Relaxed)
                && seed < schedules
            {
                run(seed, &reached, &ends);
            }
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    println!("{schedules} schedules, in which clients ended so often with: {:?}", ends.into_inner().unwrap());
    let reached = reached.into_inner().unwrap();
    let missed = POINTS
        .iter()
        .map(|(role, point, _)| format!("{role}:{point}"))
        .filter(|point| !reached.contains(point));
    let missed: Vec<_> = missed.collect();
    assert!(schedules < REACHING_ALL || missed.is_empty(), "never reached: {missed:?}");
}
