//! Terminals: programs that run in one, what it shows, and what is typed.

use std::io::Read as _;
use std::process::Child;

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

use crate::scene::Scene;

/// Typed to interrupt what runs in the foreground.
pub const CTRL_C: &[u8] = b"\x03";

/// Typed to end the input.
pub const CTRL_D: &[u8] = b"\x04";

/// What a terminal has here until it is resized.
const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// Starts a program in a terminal of its own, of the usual size, which knows the basic colours unless `variables` say otherwise.
///
/// # Panics
///
/// If there is no terminal to be had, or the program can't be started.
pub fn in_terminal(
    scene: &Scene,
    program: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (Pty, Child) {
    in_terminal_of(Size::new(ROWS, COLUMNS), scene, program, arguments, variables)
}

/// The same in one of any size.
///
/// # Panics
///
/// If there is no terminal to be had, or the program can't be started.
pub fn in_terminal_of(
    size: Size,
    scene: &Scene,
    program: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (Pty, Child) {
    let (pty, pts) = open().expect("a terminal");
    pty.resize(size).expect("it can be resized");
    let mut command = Command::new(program)
        .args(arguments)
        .env("DAEMON_RPC_DIR", scene.directory())
        .env("DAEMON_RPC_INLINE", if scene.is_inline() { "1" } else { "0" });
    for inherited in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "COLUMNS", "LINES"] {
        command = command.env_remove(inherited);
    }
    let command = command.env("TERM", "xterm").envs(variables.iter().copied());
    (pty, command.spawn(pts).expect("the program starts"))
}

/// Reads what the terminal shows until this text is there.
///
/// # Panics
///
/// If the program ends before.
#[track_caller]
pub fn read_until(pty: &mut Pty, text: &str) -> String {
    let mut shown = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&shown).contains(text) {
        pty.read_exact(&mut byte).expect("the program goes on");
        shown.push(byte[0]);
    }
    String::from_utf8(shown).expect("whole characters")
}
