//! Shell scripts that use a daemon-backed command as scripts use commands, each under `sh` and `bash`.
//!
//! A script succeeds, and prints what stands in the `.expected` file beside it, where there is one.

use std::path::Path;
use std::process::{Command, Stdio};

use daemon_rpc_tests::scene::{Scene, finish, start, told};

fn run(name: &str) {
    for shell in ["sh", "bash"] {
        if Command::new(shell).args(["-c", ":"]).status().is_err() {
            eprintln!("skipped: there is no {shell}");
            continue;
        }
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let expected =
            std::fs::read_to_string(scripts.join(name).with_extension("expected")).unwrap_or_default();
        let scene = Scene::new();
        let mut command = scene.command(shell);
        command
            .arg(scripts.join(name))
            .env("SCENE", scene.directory())
            .env("ECHO", env!("CARGO_BIN_EXE_echo"))
            .env("HELLO", env!("CARGO_BIN_EXE_hello"))
            .env("STREAM", env!("CARGO_BIN_EXE_stream"))
            .env("SCRIPTED", env!("CARGO_BIN_EXE_scripted"))
            .stdin(Stdio::null());
        assert_eq!(
            told(&finish(start(&mut command, ""))),
            (expected, String::new(), Some(0)),
            "under {shell}"
        );
    }
}

#[test]
fn pipelines() {
    run("pipelines.sh");
}

#[test]
fn status() {
    run("status.sh");
}

#[test]
fn parallel() {
    run("parallel.sh");
}

#[test]
fn streaming() {
    run("streaming.sh");
}

#[test]
fn signals() {
    run("signals.sh");
}
