//! What is measured.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use daemon_rpc_tests::scene::{anonymous_kib, resident_kib, until};
use rustix::process::Pid;

use crate::bulk::{self, Bulk};
use crate::placement::{Placed, Placement};
use crate::programs::{LIBRARY_PATH, Programs, clean_build, crates, output, run};
use crate::sample::{Sample, Turn, in_turns, timed};
use crate::wire::Server;

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Rounds of whole processes.
    pub calls: usize,
    /// Rounds of what takes long.
    pub long: usize,
    /// How often all bulk is measured over again: a machine's speed changes within minutes.
    pub passes: usize,
    /// Rounds of bulk in each pass.
    pub bulk_rounds: usize,
    /// The same of lines through a buffer, which take little time.
    pub line_rounds: usize,
    /// Rounds inside one process.
    pub connections: usize,
    /// Bytes that are moved at once.
    pub bulk: u64,
    /// Lines that are written through a buffer.
    pub lines: u64,
    /// Lines that are written one by one, which takes a hundred times as long.
    pub single_lines: u64,
    /// Commands for each number of callers.
    pub commands: usize,
    /// Commands that one daemon has to bear.
    pub many_commands: usize,
    /// Bytes that one daemon has to stream.
    pub stream: u64,
    /// Whether to build anew what takes minutes.
    pub builds: bool,
}

impl Extent {
    /// All that the documentation tells.
    pub const FULL: Self = Self {
        calls: 300,
        long: 15,
        passes: 3,
        bulk_rounds: 5,
        line_rounds: 25,
        connections: 20_000,
        bulk: 1 << 30,
        lines: 10_000_000,
        single_lines: 2_000_000,
        commands: 20_000,
        many_commands: 1_000_000,
        stream: 10 << 30,
        builds: true,
    };

    /// A minute's worth.
    pub const QUICK: Self = Self {
        calls: 40,
        long: 3,
        passes: 1,
        bulk_rounds: 3,
        line_rounds: 15,
        connections: 2000,
        bulk: 1 << 28,
        lines: 500_000,
        single_lines: 100_000,
        commands: 2000,
        many_commands: 20_000,
        stream: 1 << 30,
        builds: false,
    };
}

/// How many times system calls are counted.
const STRACES: usize = 10;

/// How many connections are idle at once.
const IDLE: u16 = 1000;

/// What all is about.
pub const OURS: &str = "daemon-rpc";

/// What a call is compared with.
pub const EMPTY: &str = "an empty program";

/// What tells the cost of loading `libm`.
const EMPTY_WITH_LIBM: &str = "an empty program that loads `libm`";

/// A program that does what ours does, by itself.
const PLAIN: &str = "the same command without a daemon";

/// What a call's system calls are compared with.
pub const CLIENT: &str = "the least-possible client";

/// What connections are compared with.
pub const SERVER: &str = "the least-possible server";

/// What bulk is compared with.
pub const PAIR: &str = "the least-possible pair";

/// What a user could take in our place.
pub const WITH_DAEMON: &str = "with_daemon";

/// Another.
pub const NAILGUN: &str = "Nailgun's C client";

/// Things that were measured in turns, with their names.
pub type Named = Vec<(&'static str, Sample)>;

/// Numbers, by what they tell.
pub type Numbers = BTreeMap<String, f64>;

/// All that was measured.
#[derive(Debug, Default)]
pub struct Measured {
    /// Whole processes, in microseconds.
    pub warm: Named,
    /// The same beside what else a user could take.
    pub warm_peers: Named,
    /// The same, linked statically.
    pub warm_static: Named,
    /// With nothing there, in microseconds.
    pub cold: Named,
    /// From connecting to the first chunk, in microseconds, by where client and server run.
    pub first_chunk: Vec<(Placement, Named)>,
    /// Moving much, in milliseconds.
    pub bulk: Vec<Bulk>,
    /// Commands a second, by the number of callers.
    pub callers: Vec<(usize, Named)>,
    /// In KiB.
    pub memory: Numbers,
    /// Numbers that are the same each time.
    pub counts: Numbers,
    /// A call by the size of its output (bytes), in microseconds.
    pub by_output: Vec<(u64, Named)>,
    /// A call by the size of the state (MiB): warm and cold.
    pub by_state: Vec<(u64, Named)>,
    /// A call by the number of daemons.
    pub by_daemons: Vec<(usize, Named)>,
}

/// Measures everything.
///
/// # Errors
///
/// When a program doesn't do what it should.
pub fn everything(programs: &Programs, extent: Extent) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let step = |what: &str| eprintln!("measuring {what}");
    step("what doesn't take time");
    measured.counts = counts(programs, extent)?;
    step("calls");
    measured.warm = warm(programs, extent)?;
    measured.warm_peers = warm_peers(programs, extent)?;
    measured.warm_static = warm_static(programs, extent)?;
    measured.cold = cold(programs, extent)?;
    step("connections");
    measured.first_chunk = first_chunk(programs, extent)?;
    measured.callers = callers(programs, extent)?;
    step("bulk");
    measured.bulk = bulk::measure(programs, extent)?;
    step("how cost grows");
    measured.by_output = by_output(programs, extent)?;
    measured.by_state = by_state(programs, extent)?;
    measured.by_daemons = by_daemons(programs, extent)?;
    step("memory");
    measured.memory = memory(programs, extent)?;
    Ok(measured)
}

/// What is measured in turns, with the names.
pub type NamedTurns<'a> = Vec<(&'static str, Turn<'a>)>;

/// Measures them in turns.
///
/// # Errors
///
/// The first one of a turn.
pub fn named(rounds: usize, turns: NamedTurns<'_>) -> anyhow::Result<Named> {
    let (names, mut turns): (Vec<_>, Vec<_>) = turns.into_iter().unzip();
    Ok(names.into_iter().zip(in_turns(rounds, &mut turns)?).collect())
}

/// A whole process, in microseconds.
fn process<'a>(command: impl Fn() -> Command + 'a) -> Turn<'a> {
    Box::new(move || timed(|| run(&mut command())))
}

fn warm(programs: &Programs, extent: Extent) -> anyhow::Result<Named> {
    named(
        extent.calls,
        vec![
            (EMPTY, process(|| programs.command("floor-empty"))),
            (EMPTY_WITH_LIBM, process(|| programs.command("floor-libm"))),
            (PLAIN, process(|| programs.command("floor-plain"))),
            (CLIENT, process(|| programs.floor_call("tiny"))),
            (OURS, process(|| programs.command("ours-tiny"))),
        ],
    )
}

/// Apart from the others, since what these leave behind slows down who comes next.
fn warm_peers(programs: &Programs, extent: Extent) -> anyhow::Result<Named> {
    let mut turns: NamedTurns<'_> = vec![
        (EMPTY, process(|| programs.command("floor-empty"))),
        (OURS, process(|| programs.command("ours-tiny"))),
        (WITH_DAEMON, process(|| programs.with_daemon_call())),
    ];
    if let Some(nailgun) = &programs.nailgun {
        turns.push((NAILGUN, process(|| nailgun.call(programs))));
    }
    named(extent.calls, turns)
}

fn warm_static(programs: &Programs, extent: Extent) -> anyhow::Result<Named> {
    let [Some(_), Some(_)] = ["floor-empty", "ours-tiny"].map(|name| programs.static_command(name)) else {
        return Ok(Vec::new());
    };
    let call = |name: &'static str| process(move || programs.static_command(name).expect("it was there"));
    // It takes the place of the daemon of the other build, which would otherwise be replaced in turns.
    named(extent.calls, vec![(EMPTY, call("floor-empty")), (OURS, call("ours-tiny"))])
}

fn cold(programs: &Programs, extent: Extent) -> anyhow::Result<Named> {
    let turns: NamedTurns<'_> = vec![
        (EMPTY, process(|| programs.command("floor-empty"))),
        ("daemon-rpc, but only started twice", process(|| programs.command("ours-twice"))),
        (
            OURS,
            Box::new(|| {
                programs.end_ours("ours-tiny")?;
                timed(|| run(&mut programs.command("ours-tiny")))
            }),
        ),
        (
            WITH_DAEMON,
            Box::new(|| {
                programs.end_with_daemon()?;
                timed(|| run(&mut programs.with_daemon_call()))
            }),
        ),
    ];
    // For the first round to have something to end.
    run(&mut programs.command("ours-tiny"))?;
    named(extent.calls / 3, turns)
}

/// The tiny command's servers, with what is measured of each.
fn servers(programs: &Programs) -> anyhow::Result<Vec<(&'static str, Server)>> {
    run(&mut programs.command("ours-tiny"))?;
    Ok(vec![
        (SERVER, Server::of_floor(programs.socket("floor-server"), "tiny")),
        ("an event loop and a handler's thread", Server::of_floor(programs.socket("floor-loop"), "tiny")),
        (OURS, Server::of_daemon(programs.daemon_socket("ours-tiny"), &[0x80])?),
    ])
}

fn first_chunk(programs: &Programs, extent: Extent) -> anyhow::Result<Vec<(Placement, Named)>> {
    let servers = servers(programs)?;
    let processes: Vec<_> = programs.floor_servers().chain([programs.daemon("ours-tiny")?]).collect();
    let of = |placement| {
        let _placed = Placed::new(placement, &processes)?;
        let turns = servers.iter().map(|(name, server)| {
            let turn: Turn<'_> = Box::new(|| server.first_chunk());
            (*name, turn)
        });
        anyhow::Ok((placement, named(extent.connections, turns.collect())?))
    };
    Placement::all()?.into_iter().map(of).collect()
}

/// Commands a second while so many callers wait: each gets its answer, and calls again.
fn rate(server: &Server, callers: usize, commands: usize) -> anyhow::Result<f64> {
    let mut waiting: Vec<UnixStream> = (0..callers).map(|_| server.call()).collect::<Result<_, _>>()?;
    let begun = Instant::now();
    for number in 0..commands {
        let place = &mut waiting[number % callers];
        server.finish(place, Vec::with_capacity(128))?;
        *place = server.call()?;
    }
    let took = begun.elapsed();
    waiting.iter_mut().try_for_each(|last| server.finish(last, Vec::new()))?;
    Ok(commands as f64 / took.as_secs_f64())
}

fn callers(programs: &Programs, extent: Extent) -> anyhow::Result<Vec<(usize, Named)>> {
    let servers = servers(programs)?;
    let of = |callers: usize| {
        let turns = servers.iter().map(|(name, server)| {
            let turn: Turn<'_> = Box::new(move || rate(server, callers, extent.commands));
            (*name, turn)
        });
        anyhow::Ok((callers, named(extent.long, turns.collect())?))
    };
    [1, 10, 100, 1000].into_iter().map(of).collect()
}

fn by_output(programs: &Programs, extent: Extent) -> anyhow::Result<Vec<(u64, Named)>> {
    let of = |bytes: u64| {
        let ours = process(move || {
            let mut command = programs.command("ours-work");
            command.args(["bulk", &bytes.to_string()]);
            command
        });
        let floor = process(move || programs.floor_call(&format!("bulk {bytes}")));
        anyhow::Ok((bytes, named(extent.long, vec![(PAIR, floor), (OURS, ours)])?))
    };
    [1, 1 << 10, 1 << 20, 1 << 24, extent.bulk / 4].into_iter().map(of).collect()
}

/// A call of the daemon of this name, whose state is so large.
fn grown(programs: &Programs, name: usize, mib: u64) -> Command {
    let mut command = programs.command("ours-grown");
    command.env("GROWN_NAME", name.to_string()).env("GROWN_STATE", mib.to_string());
    command
}

fn stop_grown(programs: &Programs, name: usize) -> anyhow::Result<()> {
    run(grown(programs, name, 0).arg("--daemon-stop"))
}

fn by_state(programs: &Programs, extent: Extent) -> anyhow::Result<Vec<(u64, Named)>> {
    let of = |mib: u64| {
        let warm = process(move || grown(programs, 0, mib));
        let cold: Turn<'_> = Box::new(move || {
            stop_grown(programs, 1)?;
            timed(|| run(&mut grown(programs, 1, mib)))
        });
        // One after the other, since a cold call leaves much memory to be freed.
        let mut sample = named(extent.long, vec![("warm", warm)])?;
        sample.extend(named(extent.long, vec![("cold", cold)])?);
        stop_grown(programs, 0)?;
        anyhow::Ok((mib, sample))
    };
    [0, 16, 256].into_iter().map(of).collect()
}

fn by_daemons(programs: &Programs, extent: Extent) -> anyhow::Result<Vec<(usize, Named)>> {
    let mut all = Vec::new();
    let mut started = 0;
    for daemons in [1, 10, 100] {
        for name in started..daemons {
            run(&mut grown(programs, name, 0))?;
        }
        started = daemons;
        let warm = process(|| grown(programs, 0, 0));
        all.push((daemons, named(extent.calls / 3, vec![("warm", warm)])?));
    }
    (0..started).try_for_each(|name| stop_grown(programs, name))?;
    Ok(all)
}

/// Whose system calls, instructions and memory are told.
fn clients(programs: &Programs) -> Vec<(String, Command)> {
    let mut clients = vec![
        (EMPTY.to_owned(), programs.command("floor-empty")),
        (EMPTY_WITH_LIBM.to_owned(), programs.command("floor-libm")),
        (CLIENT.to_owned(), programs.floor_call("tiny")),
        (OURS.to_owned(), programs.command("ours-tiny")),
    ];
    let static_client = programs.static_command("floor-client");
    let linked_statically = [
        (EMPTY, programs.static_command("floor-empty")),
        (CLIENT, static_client.map(|client| programs.asking(client, "tiny"))),
        (OURS, programs.static_command("ours-tiny")),
    ];
    clients.extend(
        linked_statically
            .into_iter()
            .filter_map(|(name, command)| Some((format!("{name}, linked statically"), command?))),
    );
    clients
}

fn counts(programs: &Programs, extent: Extent) -> anyhow::Result<Numbers> {
    let mut counts = Numbers::new();
    for (name, mut command) in clients(programs) {
        // The daemon is there, and of this build.
        run(&mut command)?;
        if let Some(count) = count_system_calls(programs, &command)? {
            counts.insert(format!("system calls, {name}"), count);
        }
        if let Some(count) = count_instructions(programs, &command)? {
            counts.insert(format!("instructions, {name}"), count);
        }
    }
    counts.insert("crates, daemon-rpc".into(), crates("bench-ours")? as f64);
    counts.insert("crates, with_daemon".into(), crates("bench-with-daemon")? as f64);
    if extent.builds {
        for (build, size, package, program) in [
            (
                "seconds of a clean build, daemon-rpc",
                "bytes of the program, daemon-rpc",
                "bench-ours",
                "ours-tiny",
            ),
            (
                "seconds of a clean build, with_daemon",
                "bytes of the program, with_daemon",
                "bench-with-daemon",
                "bench-with-daemon",
            ),
        ] {
            let (took, length) = clean_build(package, program)?;
            counts.insert(build.into(), took);
            counts.insert(size.into(), length as f64);
        }
    }
    Ok(counts)
}

/// The same command, run by a tool that watches it.
fn under(programs: &Programs, tool: &str, options: &[&str], command: &Command) -> Command {
    let mut watched = programs.scene.command(tool);
    watched.args(options).arg(command.get_program()).args(command.get_args());
    watched.env_remove(LIBRARY_PATH).stdin(Stdio::null());
    watched
}

fn is_installed(tool: &str, option: &str) -> bool {
    let found = Command::new(tool).arg(option).output().is_ok();
    if !found {
        eprintln!("skipped what takes {tool}");
    }
    found
}

fn count_system_calls(programs: &Programs, command: &Command) -> anyhow::Result<Option<f64>> {
    if !is_installed("strace", "-V") {
        return Ok(None);
    }
    let trace = programs.scene.path("trace");
    let options = ["-f", "-qq", "-o", trace.to_str().context("a path is text")?];
    let mut fewest = usize::MAX;
    // What comes together once is received one by one another time.
    for _ in 0..STRACES {
        output(&mut under(programs, "strace", &options, command))?;
        fewest = fewest.min(fs::read_to_string(&trace)?.lines().count());
    }
    Ok(Some(fewest as f64))
}

fn count_instructions(programs: &Programs, command: &Command) -> anyhow::Result<Option<f64>> {
    if !is_installed("valgrind", "--version") {
        return Ok(None);
    }
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let told = under(programs, "valgrind", &options, command).output()?;
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    Ok(collected.and_then(|(_, count)| count.trim().parse().ok()))
}

fn memory(programs: &Programs, extent: Extent) -> anyhow::Result<Numbers> {
    let mut memory = Numbers::new();
    let mut insert = |what: &str, kib: u64| memory.insert(what.to_owned(), kib as f64);

    let peak = programs.path("peak");
    for (name, mut command) in clients(programs) {
        run(&mut command)?;
        let told = output(&mut under(programs, peak.to_str().context("a path is text")?, &[], &command))?;
        insert(&format!("client's peak, {name}"), told.trim().parse().context("peak tells a number")?);
    }

    if let Some(mut call) = programs.static_command("ours-tiny") {
        run(&mut call)?;
        insert("idle daemon, linked statically", resident_kib(programs.daemon("ours-tiny")?));
    }
    programs.end_ours("ours-tiny")?;
    run(&mut programs.command("ours-tiny"))?;
    let daemon = programs.daemon("ours-tiny")?;
    insert("idle daemon", resident_kib(daemon));
    insert("idle daemon, its pages of `libm`", mapped_kib(daemon, "/libm.so")?);
    insert("idle daemon, its pages of no file", anonymous_kib(daemon));
    if let Some(server) = programs.floor_servers().next() {
        insert(SERVER, resident_kib(server));
    }

    let server = Server::of_daemon(programs.daemon_socket("ours-tiny"), &[0x80])?;
    rate(&server, 100, extent.many_commands / 20)?;
    let before = resident_kib(daemon);
    rate(&server, 100, extent.many_commands)?;
    memory.insert("grown by many commands".into(), resident_kib(daemon) as f64 - before as f64);

    programs.end_ours("ours-work").ok();
    run(programs.command("ours-work").arg("tiny"))?;
    let daemon = programs.daemon("ours-work")?;
    let waiting = Server::of_daemon(programs.daemon_socket("ours-work"), b"\x81\xa4args\x91\xc4\x04wait")?;
    let before = resident_kib(daemon);
    let connections: Vec<_> = (0..IDLE).map(|_| waiting.call()).collect::<Result<_, _>>()?;
    until("all of them run", || {
        let status = output(programs.command("ours-work").arg("--daemon-status"));
        status.is_ok_and(|status| status.contains(&format!(" {IDLE} running, 0 waiting")))
    });
    let each = (resident_kib(daemon) as f64 - before as f64) / f64::from(IDLE);
    memory.insert("each of 1,000 commands that wait for ever".into(), each);
    drop(connections);

    programs.end_ours("ours-work").ok();
    run(programs.command("ours-work").args(["bulk", "1000000"]))?;
    let daemon = programs.daemon("ours-work")?;
    memory.insert("grown while much is streamed".into(), streamed(programs, extent, daemon)?);
    Ok(memory)
}

/// How much of a process's resident memory is of files with this in their paths, in KiB.
fn mapped_kib(process: Pid, part: &str) -> anyhow::Result<u64> {
    let mappings = fs::read_to_string(format!("/proc/{}/smaps", process.as_raw_pid()))?;
    let (mut is_part, mut kib) = (false, 0);
    for line in mappings.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Rss:") if is_part => kib += words.next().context("it has a size")?.parse::<u64>()?,
            Some(field) if field.ends_with(':') => {}
            _ => is_part = line.contains(part),
        }
    }
    Ok(kib)
}

/// By how many KiB a daemon grows at most while it streams.
fn streamed(programs: &Programs, extent: Extent, daemon: Pid) -> anyhow::Result<f64> {
    let before = resident_kib(daemon);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let most = scope.spawn(|| {
            let mut most = before;
            while !done.load(Ordering::Relaxed) {
                most = most.max(resident_kib(daemon));
                thread::sleep(Duration::from_millis(5));
            }
            most
        });
        let ran = run(programs.command("ours-work").args(["bulk", &extent.stream.to_string()]));
        done.store(true, Ordering::Relaxed);
        let most = most.join().ok().context("looking doesn't panic")?;
        ran.map(|()| (most - before) as f64)
    })
}
