//! It says what `sha256sum` says, and draws a bar only for those who see it.

use std::fs;
use std::io::Read as _;

use daemon_rpc_tests::scene::{both_ways, finish_status, told};
use pty_process::blocking::{Command, open};

const CHECKSUM: &str = env!("CARGO_BIN_EXE_checksum");

#[test]
fn the_sums_are_right_also_when_they_are_known_and_when_the_file_has_changed() {
    both_ways(|scene| {
        let (file, name) = (scene.path("file"), "file");
        for content in [&b"abc"[..], &[7; 500_000]] {
            fs::write(&file, content).unwrap();
            let expected = std::process::Command::new("sha256sum")
                .arg(name)
                .current_dir(scene.directory())
                .output()
                .unwrap();
            for _ in 0..2 {
                let mut command = scene.command(CHECKSUM);
                let output = command.arg(name).current_dir(scene.directory()).output().unwrap();
                assert_eq!(told(&output), told(&expected));
            }
        }
        let (_, error, code) = told(&scene.run_with(CHECKSUM, &["/nowhere"], ""));
        assert_eq!(
            (error.as_str(), code),
            ("checksum: can't read /nowhere: No such file or directory (os error 2)\n", Some(1))
        );
    });
}

#[test]
fn a_terminal_shows_a_bar_that_goes_again() {
    both_ways(|scene| {
        fs::write(scene.path("file"), vec![7; 5_000_000]).unwrap();
        let (mut pty, pts) = open().unwrap();
        let command = Command::new(CHECKSUM).arg("file").current_dir(scene.directory());
        let inline = if scene.is_inline() { "1" } else { "0" };
        let command = command.env("DAEMON_RPC_DIR", scene.directory()).env("DAEMON_RPC_INLINE", inline);
        let mut client = command.spawn(pts).unwrap();
        assert!(finish_status(&mut client).success());
        let mut shown = Vec::new();
        // A terminal whose last program has gone gives an error instead of an end.
        let _ = pty.read_to_end(&mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(shown.contains("/4.77 MiB"), "{shown:?}");
        assert!(shown.ends_with("\r\x1b[2K"), "{shown:?}");
    });
}
