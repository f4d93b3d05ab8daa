//! What handlers write through other crates: events of `tracing`, bars of `indicatif`.

use std::fs;

use daemon_rpc_tests::scene::{Scene, both_ways, finish, start, success, told, until};

mod events {
    use super::*;

    const EVENTS: &str = env!("CARGO_BIN_EXE_events");

    fn call(scene: &Scene, name: &str, filter: Option<&str>) -> (String, String, Option<i32>) {
        let mut command = scene.command(EVENTS);
        command.arg(name).envs(filter.map(|filter| ("DAEMON_RPC_LOG", filter)));
        told(&finish(start(&mut command, "")))
    }

    #[test]
    fn go_to_the_log_with_their_commands_number() {
        let scene = Scene::new();
        for name in ["first", "second"] {
            assert_eq!(call(&scene, name, None), ("done\n".into(), "between\n".into(), Some(0)));
        }
        let log = || fs::read_to_string(scene.file("events", "log")).unwrap();
        for event in [
            r#"command{number=1}: events: began name="first""#,
            r#"command{number=2}: events: began name="second""#,
        ] {
            until("the event is in the log", || log().contains(event));
        }
        assert!(!log().contains("computing"));
    }

    #[test]
    fn go_to_the_caller_who_asks_in_their_order_with_the_rest() {
        both_ways(|scene| {
            let all = " INFO events: began name=\"x\"\nbetween\nDEBUG events: computing answer=42\nTRACE events: inside\nTRACE events: on a thread\n";
            assert_eq!(call(scene, "x", Some("events=trace")), ("done\n".into(), all.into(), Some(0)));
            let some = " INFO events: began name=\"y\"\nbetween\n";
            assert_eq!(call(scene, "y", Some("info")), ("done\n".into(), some.into(), Some(0)));
            for nothing in [None, Some("")] {
                assert_eq!(call(scene, "z", nothing), ("done\n".into(), "between\n".into(), Some(0)));
            }
        });
    }

    #[test]
    fn are_whole_however_long_they_are() {
        let scene = Scene::new();
        let name = "x".repeat(100_000);
        let (_, stderr, _) = call(&scene, &name, Some("events=info"));
        assert!(
            stderr == format!(" INFO events: began name=\"{name}\"\nbetween\n"),
            "{} bytes",
            stderr.len()
        );
    }

    #[test]
    fn go_to_nobody_else() {
        let scene = Scene::new();
        let callers: Vec<_> = (0..20)
            .map(|number: u32| {
                let mut command = scene.command(EVENTS);
                command.arg(number.to_string());
                if number.is_multiple_of(2) {
                    command.env("DAEMON_RPC_LOG", "events=info");
                }
                start(&mut command, "")
            })
            .collect();
        for (number, caller) in callers.into_iter().enumerate() {
            let event = format!(" INFO events: began name=\"{number}\"\n");
            let expected = if number % 2 == 0 { event + "between\n" } else { "between\n".into() };
            assert_eq!(told(&finish(caller)), ("done\n".into(), expected, Some(0)));
        }
    }

    #[test]
    fn a_filter_that_is_none_is_said_to_be_none() {
        let scene = Scene::new();
        let (stdout, stderr, code) = call(&scene, "x", Some("events=loud"));
        assert!(stderr.starts_with("DAEMON_RPC_LOG=events=loud is no filter"), "{stderr}");
        assert_eq!((&*stdout, code), ("done\n", Some(0)));
    }
}

mod progress {
    use std::io::Read as _;

    use pty_process::Size;
    use pty_process::blocking::{Command, open};

    use super::*;

    const PROGRESS: &str = env!("CARGO_BIN_EXE_progress");

    #[test]
    fn is_shown_as_wide_as_the_callers_terminal() {
        for inline in ["0", "1"] {
            let scene = Scene::new();
            let go_on = scene.path("go-on");
            let (mut pty, pts) = open().unwrap();
            pty.resize(Size::new(24, 60)).unwrap();
            let command = Command::new(PROGRESS)
                .arg(&go_on)
                .env("DAEMON_RPC_DIR", scene.directory())
                .env("DAEMON_RPC_INLINE", inline);
            let mut client = command.spawn(pts).unwrap();
            let mut shown = String::new();
            let mut byte = [0];
            let mut read_until = |text: &str, shown: &mut String| {
                let mut bytes = Vec::new();
                while !String::from_utf8_lossy(&bytes).contains(text) {
                    pty.read_exact(&mut byte).unwrap();
                    bytes.push(byte[0]);
                }
                shown.push_str(&String::from_utf8_lossy(&bytes));
            };
            read_until("39/40", &mut shown);
            let last = shown.rsplit(['\r', 'K']).next().unwrap();
            assert_eq!(last.chars().count(), 60, "{last:?}");
            fs::write(&go_on, "").unwrap();
            read_until("done\r\n", &mut shown);
            assert!(shown.ends_with("\x1b[2Kdone\r\n"), "{shown:?}");
            assert!(client.wait().unwrap().success());
        }
    }

    #[test]
    fn never_waits_for_a_terminal_that_nobody_reads() {
        let scene = Scene::new();
        assert_eq!(told(&scene.run(PROGRESS, "")), success("done\n"));
        let stuck: Vec<_> = (0..8)
            .map(|_| {
                let (pty, pts) = open().unwrap();
                let command = Command::new(PROGRESS).arg("flood").env("DAEMON_RPC_DIR", scene.directory());
                let client = command.spawn(pts).unwrap();
                (pty, client)
            })
            .collect();
        // More of them than there are threads for handlers, and others are served.
        for _ in 0..20 {
            assert_eq!(told(&scene.run(PROGRESS, "")), success("done\n"));
        }
        for (pty, mut client) in stuck {
            drop(pty);
            client.wait().unwrap();
        }
    }

    #[test]
    fn is_absent_where_there_is_no_terminal() {
        both_ways(|scene| assert_eq!(told(&scene.run(PROGRESS, "")), success("done\n")));
    }
}
