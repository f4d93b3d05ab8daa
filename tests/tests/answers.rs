//! What gets which answer: bad input, bad places, and wrong peers.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Output;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use daemon_rpc_tests::scene::{Scene, both_ways, finish, start, told};

const IMPATIENT: &str = env!("CARGO_BIN_EXE_impatient");
const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const ECHO: &str = env!("CARGO_BIN_EXE_echo");
const HELLO: &str = env!("CARGO_BIN_EXE_hello");
const SHORT: &str = env!("CARGO_BIN_EXE_short");
const PER_PROJECT: &str = env!("CARGO_BIN_EXE_per-project");

const MAX_COMMAND: usize = 16 * 1024 * 1024;

/// Checks that a command said nothing on standard output, and this on standard error, with this exit code.
#[track_caller]
fn assert_refused(output: &Output, message: &str, code: i32) {
    assert_eq!(told(output), (String::new(), format!("{message}\n"), Some(code)));
}

mod input {
    use super::*;

    #[test]
    fn that_is_not_utf8() {
        both_ways(|scene| {
            let output = scene.run(ECHO, b"gr\xc3\xbc\xdfe");
            assert_refused(
                &output,
                "echo: standard input is not UTF-8: byte 5 (counted from 1) is 0xdf; convert it to UTF-8 first",
                65,
            );
            assert!(scene.processes().is_empty());
        });
    }

    #[test]
    fn that_is_as_long_as_the_limit() {
        both_ways(|scene| {
            let longest = vec![b'x'; MAX_COMMAND];
            assert!(scene.run(ECHO, &longest).stdout == longest);
        });
    }

    #[test]
    fn that_is_over_the_limit() {
        both_ways(|scene| {
            let output = scene.run(ECHO, vec![b'x'; MAX_COMMAND + 1]);
            let message = "echo: standard input is longer than this command's limit of 16777216 bytes (max_command); give \
                       it less at a time";
            assert_refused(&output, message, 65);
            assert!(scene.processes().is_empty());
        });
    }

    #[test]
    fn that_is_over_a_limit_of_the_applications_own() {
        both_ways(|scene| {
            assert_eq!(told(&scene.run(SHORT, "x".repeat(1024))).0.len(), 1024);
            let message = "short: standard input is longer than this command's limit of 1024 bytes (max_command); give it \
                       less at a time";
            assert_refused(&scene.run(SHORT, "x".repeat(1025)), message, 65);
        });
    }

    #[test]
    fn that_is_empty_or_closed() {
        both_ways(|scene| {
            assert_eq!(told(&scene.run(ECHO, "")), (String::new(), String::new(), Some(0)));
            let mut command = scene.command("sh");
            command.args(["-c", "\"$ECHO\" <&-"]).env("ECHO", ECHO);
            assert_eq!(told(&finish(start(&mut command, ""))), (String::new(), String::new(), Some(0)));
        });
    }

    #[test]
    fn that_cannot_be_read() {
        both_ways(|scene| {
            let mut command = scene.command("sh");
            command.args(["-c", "\"$ECHO\" < /"]).env("ECHO", ECHO);
            let output = finish(start(&mut command, ""));
            assert_refused(&output, "echo: can't read standard input: Is a directory (os error 21)", 74);
        });
    }
}

mod output {
    use super::*;

    #[test]
    fn that_finds_no_room() {
        both_ways(|scene| {
            let mut command = scene.command("sh");
            command.args(["-c", "\"$ECHO\" > /dev/full"]).env("ECHO", ECHO);
            let output = finish(start(&mut command, "text"));
            assert_refused(
                &output,
                "echo: can't write to standard output: No space left on device (os error 28)",
                74,
            );
        });
    }

    #[test]
    fn that_is_closed() {
        both_ways(|scene| {
            let mut command = scene.command("sh");
            command.args(["-c", "\"$ECHO\" >&- 2>&-"]).env("ECHO", ECHO);
            assert_eq!(told(&finish(start(&mut command, "text"))), (String::new(), String::new(), Some(0)));
        });
    }

    #[test]
    fn that_is_not_blocking() {
        both_ways(|scene| {
            let (ours, theirs) = UnixStream::pair().unwrap();
            theirs.set_nonblocking(true).unwrap();
            let text = "a line\n".repeat(200_000);
            let mut command = scene.command(ECHO);
            command.stdout(std::os::fd::OwnedFd::from(theirs));
            let client = start(&mut command, &text);
            drop(command);
            let mut received = String::new();
            (&ours).read_to_string(&mut received).unwrap();
            assert!(received == text);
            assert!(finish(client).status.success());
        });
    }
}

mod arguments {
    use super::*;

    #[test]
    fn are_refused() {
        both_ways(|scene| {
            for (program, name, reads) in
                [(ECHO, "echo", ", it reads its standard input"), (HELLO, "hello", "")]
            {
                for argument in ["file.txt", "--help", "--daemon", "--daemon-statistics"] {
                    let output = finish(start(scene.command(program).arg(argument), ""));
                    let message = format!(
                        "{name}: unexpected argument {argument:?}: this command takes no arguments{reads}"
                    );
                    assert_refused(&output, &message, 64);
                }
            }
            assert!(scene.processes().is_empty());
        });
    }
}

mod ids {
    use super::*;

    #[test]
    fn that_make_no_file_name_are_refused() {
        let scene = Scene::new();
        for (id, reason) in [
            ("", "a daemon's id has at least one character"),
            ("../up", "a daemon's id has only the characters A-Z, a-z, 0-9, `.`, `_` and `-`"),
            (".hidden", "a daemon's id doesn't start with a dot"),
            (&"x".repeat(65), "a daemon's id has at most 64 characters"),
        ] {
            let output = finish(start(scene.command(PER_PROJECT).env("PROJECT", id), ""));
            assert_refused(
                &output,
                &format!("per-project: the daemon id {id:?} can't be used: {reason}"),
                78,
            );
        }
    }
}

mod places {
    use super::*;

    fn in_directory(scene: &Scene, directory: &Path) -> (String, Option<i32>) {
        let output = finish(start(scene.command(SCRIPTED).env("DAEMON_RPC_DIR", directory), "print hello"));
        assert_eq!(output.stdout, b"");
        let (_, stderr, code) = told(&output);
        let (name, message) = stderr.split_once(": ").unwrap();
        assert_eq!(name, "scripted");
        (message.trim_end().to_owned(), code)
    }

    #[test]
    fn a_directory_that_does_not_exist() {
        let scene = Scene::new();
        let missing = scene.path("missing");
        let message = format!(
            "the directory {} can't be used for the daemon's files; set DAEMON_RPC_DIR to a directory that exists and \
             that you can write: No such file or directory (os error 2)",
            missing.display()
        );
        assert_eq!(in_directory(&scene, &missing), (message, Some(78)));
    }

    #[test]
    fn a_directory_that_is_a_file() {
        let scene = Scene::new();
        let file = scene.path("file");
        fs::write(&file, "").unwrap();
        let message = format!(
            "{} is not a directory; set DAEMON_RPC_DIR to a directory that you can write",
            file.display()
        );
        assert_eq!(in_directory(&scene, &file), (message, Some(78)));
    }

    #[test]
    fn a_directory_that_cannot_be_written() {
        let scene = Scene::new();
        // Not even root can write there.
        let (message, code) = in_directory(&scene, Path::new("/proc"));
        assert!(message.starts_with("the directory /proc can't be used for the daemon's files"), "{message}");
        assert_eq!(code, Some(78));
    }

    #[test]
    fn a_directory_that_others_can_change() {
        let scene = Scene::new();
        let shared = scene.path("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
        let (message, code) = in_directory(&scene, &shared);
        assert!(
            message.starts_with(&format!("others can write the directory {}", shared.display())),
            "{message}"
        );
        assert_eq!(code, Some(77));
    }

    #[test]
    fn a_directory_of_another_user() {
        let scene = Scene::new();
        let theirs = scene.path("theirs");
        fs::create_dir(&theirs).unwrap();
        if !given_away(&theirs) {
            return;
        }
        let (message, code) = in_directory(&scene, &theirs);
        assert!(
            message.contains(&format!("{} belongs to another user (uid 54321)", theirs.display())),
            "{message}"
        );
        assert_eq!(code, Some(77));
    }

    #[test]
    fn files_of_another_user() {
        for extension in ["sock", "pid", "lock", "log"] {
            let scene = Scene::new();
            let file = scene.file("scripted", extension);
            if extension == "sock" {
                drop(UnixListener::bind(&file).unwrap());
            } else {
                fs::write(&file, "theirs").unwrap();
            }
            if !given_away(&file) {
                return;
            }
            let (message, code) = in_directory(&scene, scene.directory());
            let expected = format!("{} belongs to another user (uid 54321); ", file.display());
            assert!(message.starts_with(&expected), "{message}");
            assert_eq!(code, Some(77));
            // Nothing is left behind but the start lock.
            for extension in ["sock", "pid", "log"] {
                assert_eq!(
                    scene.file("scripted", extension).exists(),
                    scene.file("scripted", extension) == file
                );
            }
        }
    }

    #[test]
    fn links_are_not_followed() {
        for extension in ["sock", "pid", "lock", "log"] {
            let scene = Scene::new();
            let target = scene.path("precious");
            fs::write(&target, "untouched").unwrap();
            symlink(&target, scene.file("scripted", extension)).unwrap();
            let (message, code) = in_directory(&scene, scene.directory());
            let file = scene.file("scripted", extension);
            let kind = if extension == "sock" { "a socket" } else { "a file" };
            assert_eq!(message, format!("{} is not {kind} but a link; remove it", file.display()));
            assert_eq!(code, Some(77));
            assert_eq!(fs::read(&target).unwrap(), b"untouched");
        }
    }

    /// Only root can give a file to somebody else.
    fn given_away(path: &Path) -> bool {
        let given = std::os::unix::fs::lchown(path, Some(54321), None).is_ok();
        if !given {
            eprintln!("skipped: only root can make a file of another user");
        }
        given
    }
}

mod peers {
    use super::*;

    /// Something else listens where the daemon's socket belongs. It returns all that it received.
    fn impostor(
        scene: &Scene,
        id: &str,
        behave: impl Fn(&mut UnixStream) + Send + 'static,
    ) -> (UnixListener, JoinHandle<Vec<u8>>) {
        let listener = UnixListener::bind(scene.file(id, "sock")).unwrap();
        let accepting = listener.try_clone().unwrap();
        let received = thread::spawn(move || {
            let (mut client, _) = accepting.accept().unwrap();
            behave(&mut client);
            let mut received = Vec::new();
            // A client that gives up may reset the connection.
            let _ = client.read_to_end(&mut received);
            received
        });
        (listener, received)
    }

    const SILENT: &str = "it doesn't answer as one; if it is a supervisor, see why it starts no daemon";

    const SCRIPT: &str = "print hello";

    /// What a client says before it knows whom it talks to, who has its user's rights: which build it is, and the command behind that.
    #[track_caller]
    fn assert_only_the_opening_was_told(received: JoinHandle<Vec<u8>>) {
        let received = received.join().unwrap();
        let length = |at: usize| u32::from_be_bytes(received[at..][..4].try_into().unwrap()) as usize;
        let command = 4 + length(0);
        assert_eq!((received[4], received[command + 4]), (1, 2));
        assert_eq!(received.len(), command + 4 + length(command));
    }

    #[track_caller]
    fn assert_not_a_daemon(scene: &Scene, id: &str, output: &Output, reason: &str) {
        let message = format!(
            "{id}: what listens at {} is not this command's daemon: {reason}; stop that program, or set \
             DAEMON_RPC_DIR to another directory",
            scene.file(id, "sock").display()
        );
        assert_refused(output, &message, 76);
        assert!(scene.file(id, "sock").exists());
    }

    #[test]
    fn that_speak_another_protocol() {
        let scene = Scene::new();
        let (_listener, received) = impostor(&scene, "scripted", |client| {
            client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        });
        let output = scene.run(SCRIPTED, SCRIPT);
        assert_not_a_daemon(
            &scene,
            "scripted",
            &output,
            "a frame is empty or longer than the 257 bytes allowed here",
        );
        assert_only_the_opening_was_told(received);
    }

    #[test]
    fn that_answer_with_another_message() {
        let scene = Scene::new();
        let (_listener, received) =
            impostor(&scene, "scripted", |client| client.write_all(&[0, 0, 0, 2, 5, 0]).unwrap());
        let output = scene.run(SCRIPTED, SCRIPT);
        assert_not_a_daemon(&scene, "scripted", &output, "an unexpected Exit message came");
        assert_only_the_opening_was_told(received);
    }

    #[test]
    fn that_say_nothing() {
        let scene = Scene::new();
        let (listener, received) = impostor(&scene, "impatient", |_| {});
        let output = scene.run(IMPATIENT, SCRIPT);
        assert_not_a_daemon(&scene, "impatient", &output, SILENT);
        assert_only_the_opening_was_told(received);
        // A supervisor that still starts its daemon would have had longer.
        listener.accept().unwrap();
    }

    #[test]
    fn that_answer_one_byte_at_a_time_for_ever() {
        let scene = Scene::new();
        let (_listener, _received) = impostor(&scene, "impatient", |client| {
            for byte in [0, 0, 0, 200, 1, 0x92, 1].into_iter().chain(std::iter::repeat(b'x')) {
                if client.write_all(&[byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        let output = scene.run(IMPATIENT, SCRIPT);
        assert_not_a_daemon(&scene, "impatient", &output, SILENT);
    }

    #[test]
    fn that_close_at_once() {
        let scene = Scene::new();
        let listener = UnixListener::bind(scene.file("scripted", "sock")).unwrap();
        thread::spawn(move || listener.incoming().for_each(drop));
        let output = scene.run(SCRIPTED, SCRIPT);
        assert_not_a_daemon(&scene, "scripted", &output, SILENT);
    }
}
