//! A disk on which nothing can be written any more.

use std::process::{Command, Stdio};

use daemon_rpc_tests::scene::{Scene, finish, start, success, told};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");

/// Has a small disk of its own in the place of the scene's directory, which only its own processes see.
const OWN_DISK: &str =
    "mount -t tmpfs -o size=64k tmpfs \"$DAEMON_RPC_DIR\" && cd \"$DAEMON_RPC_DIR\" || exit 9
fill() { head -c 1M /dev/zero > filler 2> /dev/null; test \"$(df --output=avail . | tail -n 1)\" -eq 0; }
";

/// What a shell script on a small disk writes. `None` where a process can't have one.
fn on_small_disk(script: &str) -> Option<(String, String, Option<i32>)> {
    let namespaces = ["-r", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    let possible = Command::new("unshare").args(namespaces).stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no file system can be mounted here");
        return None;
    }
    let scene = Scene::new();
    let mut command = scene.command("unshare");
    command.args(["-r", "-m", "sh", "-c", &format!("{OWN_DISK}{script}")]).env("SCRIPTED", SCRIPTED);
    Some(told(&finish(start(&mut command, ""))))
}

#[test]
fn that_is_full_lets_a_daemon_start_and_serve() {
    let script = "fill && echo print served | \"$SCRIPTED\" && echo print on | \"$SCRIPTED\" \
                  && \"$SCRIPTED\" --daemon-restart > /dev/null && \"$SCRIPTED\" --daemon-stop";
    let Some(told) = on_small_disk(script) else { return };
    assert_eq!(told, success("served\non\nscripted: stopped\n"));
}

#[test]
fn that_gets_full_lets_a_daemon_serve_on() {
    let script = "echo print before | \"$SCRIPTED\"; fill; echo print after | \"$SCRIPTED\"
                  echo panic at the disk | \"$SCRIPTED\"; echo $?
                  rm filler; echo print again | \"$SCRIPTED\"
                  \"$SCRIPTED\" --daemon-status | grep commands";
    let Some(told) = on_small_disk(script) else { return };
    let expected = "before\nafter\nscripted: the command panicked: at the disk\n101\nagain\n  \
                    commands  0 running, 0 waiting, 3 done, 1 failed\n";
    assert_eq!(told, success(expected));
}

#[test]
fn that_cannot_take_another_file_is_an_error_that_says_so() {
    let script = "mount -o remount,nr_inodes=20 tmpfs .
                  i=0; while touch inode-$i 2> /dev/null; do i=$((i + 1)); done
                  echo print hello | \"$SCRIPTED\"; echo $?";
    let Some((stdout, stderr, code)) = on_small_disk(script) else { return };
    assert_eq!((&*stdout, code), ("69\n", Some(0)), "{stderr}");
    assert!(stderr.contains("scripted: ") && stderr.contains("No space left on device"), "{stderr}");
}
