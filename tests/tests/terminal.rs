//! A command in a terminal.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;

use daemon_rpc_tests::scene::{Scene, finish_status, told, until};
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const CTRL_C: &[u8] = b"\x03";
const CTRL_D: &[u8] = b"\x04";

/// Starts a program in a terminal of its own.
fn in_terminal(scene: &Scene, program: &str, arguments: &[&str]) -> (Pty, Child) {
    let (pty, pts) = open().unwrap();
    let command = Command::new(program)
        .args(arguments)
        .env("DAEMON_RPC_DIR", scene.directory())
        .env("SCRIPTED", SCRIPTED);
    let child = command.spawn(pts).unwrap();
    (pty, child)
}

/// A first call in a terminal of its own, so that its client is the one that starts the daemon. It runs until it is
/// cancelled.
fn running_in_terminal(scene: &Scene) -> (Pty, Child, Pid) {
    let (mut pty, client) = in_terminal(scene, SCRIPTED, &[]);
    let cancelled = scene.path("cancelled");
    pty.write_all(format!("print running\nuntil-cancelled {}\n", cancelled.display()).as_bytes()).unwrap();
    pty.write_all(CTRL_D).unwrap();
    read_until(&mut pty, "\r\nrunning\r\n");
    (pty, client, scene.daemon_pid("scripted").unwrap())
}

/// The command was cancelled, and the daemon serves on.
#[track_caller]
fn assert_cancelled(scene: &Scene, daemon: Pid) {
    until("the command is cancelled", || scene.path("cancelled").exists());
    assert_eq!(told(&scene.run(SCRIPTED, "pid")).0, format!("{}\n", daemon.as_raw_pid()));
}

/// Reads what the terminal shows until this text is there.
fn read_until(pty: &mut Pty, text: &str) -> String {
    let mut shown = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&shown).contains(text) {
        pty.read_exact(&mut byte).unwrap();
        shown.push(byte[0]);
    }
    String::from_utf8(shown).unwrap()
}

#[test]
fn ctrl_c_interrupts_the_command_and_not_the_daemon() {
    let scene = Scene::new();
    let (mut pty, mut client, daemon) = running_in_terminal(&scene);
    pty.write_all(CTRL_C).unwrap();
    assert_eq!(finish_status(&mut client).signal(), Some(Signal::INT.as_raw()));
    assert_cancelled(&scene, daemon);
}

#[test]
fn a_shell_loop_stops_at_ctrl_c() {
    let scene = Scene::new();
    let script = "for i in 1 2 3; do printf 'print round\nuntil-cancelled %s\n' \"$DAEMON_RPC_DIR/cancelled\" | \
                  \"$SCRIPTED\"; done; echo never";
    let (mut pty, mut shell) = in_terminal(&scene, "bash", &["-c", script]);
    read_until(&mut pty, "round");
    pty.write_all(CTRL_C).unwrap();
    finish_status(&mut shell);
    let mut rest = Vec::new();
    // A terminal whose last program has gone gives an error instead of an end.
    let _ = pty.read_to_end(&mut rest);
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(!rest.contains("round") && !rest.contains("never"), "{rest}");
}

#[test]
fn a_terminal_that_closes_takes_its_command_with_it_and_not_the_daemon() {
    let scene = Scene::new();
    let (pty, mut client, daemon) = running_in_terminal(&scene);
    drop(pty);
    assert!(!finish_status(&mut client).success());
    assert_cancelled(&scene, daemon);
}
