//! Neighbours who wish ill: what they put where the daemon's files belong, who they connect as, and how many they are.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use daemon_rpc_tests::scene::{
    DEADLINE, Scene, finish, peak_kib, resident_kib, start, success, told, until, until_ended,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const IMPATIENT: &str = env!("CARGO_BIN_EXE_impatient");
const SURROUNDINGS: &str = env!("CARGO_BIN_EXE_surroundings");
const TWO_THREADS: &str = env!("CARGO_BIN_EXE_two-threads");
const STRANGER: &str = env!("CARGO_BIN_EXE_stranger");

/// A user who is nobody here.
const STRANGERS_UID: u32 = 54321;

mod in_the_place_of_files {
    use super::*;

    fn dangling_link(path: &Path) {
        symlink("nowhere", path).unwrap();
    }

    fn link_to_a_device(path: &Path) {
        symlink("/dev/full", path).unwrap();
    }

    fn fifo(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    fn directory(path: &Path) {
        fs::create_dir(path).unwrap();
    }

    fn second_name(path: &Path) {
        let first = path.with_extension("precious");
        fs::write(&first, "untouched").unwrap();
        fs::hard_link(first, path).unwrap();
    }

    fn socket(path: &Path) {
        drop(UnixListener::bind(path).unwrap());
    }

    fn file(path: &Path) {
        fs::write(path, "").unwrap();
    }

    type Put = fn(&Path);

    const EVERYWHERE: [Put; 5] = [dangling_link, link_to_a_device, fifo, directory, second_name];

    /// What can be in this file's place and isn't the file.
    fn kinds(extension: &str) -> impl Iterator<Item = Put> {
        let last: Put = if extension == "sock" { file } else { socket };
        EVERYWHERE.into_iter().chain([last])
    }

    #[test]
    fn is_refused_and_works_again_when_it_is_gone() {
        for extension in ["sock", "pid", "lock", "log"] {
            for put in kinds(extension) {
                let scene = Scene::new();
                let path = scene.file("scripted", extension);
                put(&path);
                let kind = fs::symlink_metadata(&path).unwrap().file_type();
                let (stdout, stderr, code) = told(&scene.run(SCRIPTED, "print hello"));
                assert_eq!((&*stdout, code), ("", Some(77)), "{kind:?}: {stderr}");
                assert!(stderr.starts_with(&format!("scripted: {} is not ", path.display())), "{stderr}");
                assert!(stderr.ends_with("; remove it\n"), "{stderr}");
                assert_eq!(fs::symlink_metadata(&path).unwrap().file_type(), kind);
                let precious = fs::read(path.with_extension("precious"));
                assert!(precious.is_err() || precious.unwrap() == b"untouched");
                assert!(scene.processes().is_empty());

                if kind.is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) }.unwrap();
                assert_eq!(told(&scene.run(SCRIPTED, "print hello")), success("hello\n"));
            }
        }
    }

    #[test]
    fn of_the_old_log_is_no_obstacle() {
        for put in kinds("log.old") {
            let scene = Scene::new();
            let go_on = scene.path("go-on");
            put(&scene.file("scripted", "log.old"));
            let running = scene.begin(SCRIPTED, &format!("await {}\nprint done", go_on.display()));
            let daemon = scene.daemon_pid("scripted").unwrap();
            kill_process(daemon, Signal::TERM).unwrap();
            until("the socket is free", || !scene.file("scripted", "sock").exists());
            assert_eq!(told(&scene.run(SCRIPTED, "print next")), success("next\n"));
            fs::write(go_on, "").unwrap();
            assert_eq!(told(&finish(running)), success("done\n"));
            let precious = fs::read(scene.file("scripted", "log.precious"));
            assert!(precious.is_err() || precious.unwrap() == b"untouched");
        }
    }
}

/// What a client says first.
fn said_by(program: &str, id: &str, script: &str) -> Vec<u8> {
    let scene = Scene::new();
    let listener = UnixListener::bind(scene.file(id, "sock")).unwrap();
    fs::set_permissions(scene.file(id, "sock"), Permissions::from_mode(0o600)).unwrap();
    let mut client = start(&mut scene.command(program), script);
    let mut said = vec![0; 64 * 1024];
    let length = listener.accept().unwrap().0.read(&mut said).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
    said.truncate(length);
    said
}

#[test]
fn one_that_never_stops_talking_keeps_nobody_from_the_daemon() {
    /// An `InputChunk` of nothing, as often as a client likes.
    const NOTHING: [u8; 5] = [0, 0, 0, 1, 8];
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    assert_eq!(told(&scene.run(SCRIPTED, "print first")), success("first\n"));
    let daemon = scene.daemon_pid("scripted").unwrap();
    let socket = scene.file("scripted", "sock");
    let mut talker = UnixStream::connect(&socket).unwrap();
    talker.write_all(&said_by(SCRIPTED, "scripted", &format!("await {}", go_on.display()))).unwrap();
    let talking = thread::spawn(move || while talker.write_all(&NOTHING.repeat(10_000)).is_ok() {});

    for _ in 0..5 {
        let status = scene.run_with(SCRIPTED, &["--daemon-status"], "");
        assert!(told(&status).0.contains(" 1 running,"), "{:?}", told(&status));
        // Longer than what an acceptor takes.
        let text = "x".repeat(100_000);
        assert_eq!(told(&scene.run(SCRIPTED, format!("print {text}"))), success(&format!("{text}\n")));
    }
    assert_eq!(scene.daemon_pid("scripted"), Some(daemon));
    kill_process(daemon, Signal::TERM).unwrap();
    until("it retires", || !socket.exists());
    assert!(!talking.is_finished());
    fs::write(go_on, "").unwrap();
    talking.join().unwrap();
    until_ended(daemon);
}

mod of_another_user {
    use super::*;

    /// A scene in which everybody may make files, as in `/tmp`, and a program of somebody else in it. `None` for all but root.
    fn with_stranger() -> Option<(Scene, PathBuf)> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can act as another user");
            return None;
        }
        let scene = Scene::new();
        fs::set_permissions(scene.directory(), Permissions::from_mode(0o1777)).unwrap();
        let stranger = scene.path("stranger");
        fs::copy(STRANGER, &stranger).unwrap();
        Some((scene, stranger))
    }

    fn stranger(scene: &Scene, program: &Path, what: &str) -> Command {
        let mut command = scene.command(program);
        command.arg(what).arg(scene.file("scripted", "sock")).uid(STRANGERS_UID).gid(STRANGERS_UID);
        command
    }

    #[test]
    fn whose_whole_command_comes_at_once_is_refused_all_the_same() {
        let Some((scene, program)) = with_stranger() else { return };
        let script = format!("touch {}", scene.path("touched").display());
        let said = said_by(TWO_THREADS, "two-threads", &script);
        until("an acceptor takes commands", || {
            told(&scene.run(TWO_THREADS, "thread")) == success("acceptor\n")
        });
        let socket = scene.file("two-threads", "sock");
        fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
        let mut command = scene.command(&program);
        command.arg("replay").arg(&socket).uid(STRANGERS_UID).gid(STRANGERS_UID);
        assert_eq!(told(&finish(start(&mut command, &said))).0, "[]\n");
        assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
        assert!(!scene.path("touched").exists());

        // It is what the user may say.
        let mut client = UnixStream::connect(&socket).unwrap();
        client.write_all(&said).unwrap();
        until("it is run", || scene.path("touched").exists());
    }

    #[test]
    fn whoever_listens_is_told_nothing() {
        let Some((scene, program)) = with_stranger() else { return };
        let mut listening = stranger(&scene, &program, "listen").spawn().unwrap();
        let mut heard = BufReader::new(listening.stdout.take().unwrap()).lines();
        assert_eq!(heard.next().unwrap().unwrap(), "listening");
        let (stdout, stderr, code) = told(&scene.run(SCRIPTED, "print secret"));
        assert_eq!((&*stdout, code), ("", Some(77)));
        assert!(stderr.contains(&format!(" belongs to another user (uid {STRANGERS_UID}); ")), "{stderr}");
        // Not even a connection: it still waits for one.
        drop(UnixStream::connect(scene.file("scripted", "sock")).unwrap());
        assert_eq!(heard.next().unwrap().unwrap(), "[]");
        listening.wait().unwrap();
    }

    #[test]
    fn whoever_connects_is_kept_out_by_the_sockets_mode() {
        let Some((scene, program)) = with_stranger() else { return };
        assert!(scene.run(SCRIPTED, "").status.success());
        let output = finish(start(&mut stranger(&scene, &program, "connect"), ""));
        assert!(String::from_utf8_lossy(&output.stderr).contains("PermissionDenied"), "{:?}", told(&output));
    }

    #[test]
    fn whoever_connects_is_disconnected_where_modes_do_not_count() {
        let Some((scene, program)) = with_stranger() else { return };
        let daemon = told(&scene.run(SCRIPTED, "pid"));
        fs::set_permissions(scene.file("scripted", "sock"), Permissions::from_mode(0o666)).unwrap();
        let output = finish(start(&mut stranger(&scene, &program, "connect"), ""));
        assert_eq!(told(&output), success("[]\n"));
        assert_eq!(told(&scene.run(SCRIPTED, "pid")), daemon);
    }

    /// Who owns a file can read it, and have another process hold its locks.
    #[test]
    fn files_of_his_are_not_used() {
        for extension in ["pid", "lock", "log"] {
            let Some((scene, _)) = with_stranger() else { return };
            // Where no setting of the kernel's keeps one user from opening another one's.
            fs::set_permissions(scene.directory(), Permissions::from_mode(0o755)).unwrap();
            let path = scene.file("scripted", extension);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
            chown(&path, Some(STRANGERS_UID), Some(STRANGERS_UID)).unwrap();
            let (stdout, stderr, code) = told(&scene.run(SCRIPTED, "print hello"));
            assert_eq!((&*stdout, code), ("", Some(77)), "{extension}: {stderr}");
            let expected = format!("{} belongs to another user (uid {STRANGERS_UID}); ", path.display());
            assert!(stderr.contains(&expected), "{stderr}");
            assert!(fs::read(&path).unwrap().is_empty());
            assert!(scene.processes().is_empty());
        }
    }

    /// What its mode says of the socket's owner may be wrong: he may have given it away.
    #[test]
    fn whoever_listens_at_a_socket_of_ours_is_told_nothing() {
        let Some((scene, program)) = with_stranger() else { return };
        let mut listening = stranger(&scene, &program, "listen").spawn().unwrap();
        let mut heard = BufReader::new(listening.stdout.take().unwrap()).lines();
        assert_eq!(heard.next().unwrap().unwrap(), "listening");
        chown(scene.file("scripted", "sock"), Some(0), Some(0)).unwrap();
        let (stdout, stderr, code) = told(&scene.run(SCRIPTED, "print secret"));
        assert_eq!((&*stdout, code), ("", Some(77)), "{stderr}");
        assert!(stderr.contains(&format!("(uid {STRANGERS_UID})")), "{stderr}");
        assert_eq!(heard.next().unwrap().unwrap(), "[]");
        listening.wait().unwrap();
    }

    /// Nobody can take the daemon's files away, or make them first under the names of another id.
    #[test]
    fn files_can_be_neither_read_nor_removed() {
        let Some((scene, _)) = with_stranger() else { return };
        assert!(scene.run(SCRIPTED, "").status.success());
        for extension in ["sock", "pid", "lock", "log"] {
            for attempt in ["cat", "rm -f", "truncate -s 0"] {
                let mut command = scene.command("sh");
                command.args(["-c", &format!("{attempt} \"$0\"")]).arg(scene.file("scripted", extension));
                let output = finish(start(command.uid(STRANGERS_UID).gid(STRANGERS_UID), ""));
                assert!(!output.status.success(), "{attempt} {extension}");
            }
        }
        assert!(scene.run(SCRIPTED, "").status.success());
    }
}

mod in_crowds {
    use super::*;

    const CROWD: usize = 10_000;

    /// How many descriptors this process may have beside the crowd's.
    const OWN: usize = 500;

    fn descriptors(process: Pid) -> usize {
        fs::read_dir(format!("/proc/{}/fd", process.as_raw_pid())).map_or(0, Iterator::count)
    }

    /// Connects, as soon as there is a place in the queue.
    fn connect(path: &Path) -> UnixStream {
        let mut connected = None;
        until("there is room in the queue", || {
            connected = UnixStream::connect(path).ok();
            connected.is_some()
        });
        connected.unwrap()
    }

    /// As large a crowd as this process has descriptors for.
    fn size() -> usize {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
        let most = limit.maximum.map_or(CROWD, |most| usize::try_from(most).unwrap().saturating_sub(OWN));
        if most < CROWD {
            eprintln!("only {most} connections: there are no descriptors for {CROWD}");
        }
        CROWD.min(most)
    }

    /// One after another, since they share this process's descriptors.
    static CROWDS: Mutex<()> = Mutex::new(());

    fn silent_crowd(limit: usize) {
        let _crowds = CROWDS.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = Scene::new();
        let mut first = scene.command("sh");
        first.args(["-c", &format!("ulimit -n {limit}; exec \"$SCRIPTED\"")]).env("SCRIPTED", SCRIPTED);
        let daemon_told = told(&finish(start(&mut first, "pid")));
        let daemon = scene.daemon_pid("scripted").unwrap();
        let (descriptors_before, memory_before) = (descriptors(daemon), resident_kib(daemon));
        let socket = scene.file("scripted", "sock");

        let crowd: Vec<_> = thread::scope(|scope| {
            let crowd = scope.spawn(|| (0..size()).map(|_| connect(&socket)).collect::<Vec<_>>());
            // Honest callers wait no longer than the silent ones are listened to.
            for _ in 0..5 {
                assert_eq!(told(&scene.run(SCRIPTED, "pid")), daemon_told);
            }
            crowd.join().unwrap()
        });
        assert_eq!(told(&scene.run(SCRIPTED, "pid")), daemon_told);
        assert!(descriptors(daemon) <= limit);
        until("they have been given up", || descriptors(daemon) <= descriptors_before + 2);
        let kib_each = (peak_kib(daemon) - memory_before) / crowd.len() as u64;
        assert!(kib_each < 8, "{kib_each} KiB for each connection");
        assert_eq!(told(&scene.run(SCRIPTED, "pid")), daemon_told);
    }

    #[test]
    fn that_say_nothing_and_find_room() {
        silent_crowd(size() + OWN);
    }

    #[test]
    fn that_say_nothing_and_find_none() {
        silent_crowd(300);
    }
}

mod by_what_they_say {
    use super::*;

    /// The daemon's own build, which it tells whoever asks, as a `VersionCheck`.
    fn check(scene: &Scene, id: &str) -> Vec<u8> {
        let mut stranger = UnixStream::connect(scene.file(id, "sock")).unwrap();
        stranger.set_read_timeout(Some(DEADLINE)).unwrap();
        stranger.write_all(b"\0\0\0\x05\x01\x92\x01\xa1?").unwrap();
        let mut check = Vec::new();
        stranger.read_to_end(&mut check).unwrap();
        check
    }

    #[test]
    fn one_byte_after_another_is_not_waited_for() {
        let scene = Scene::new();
        assert!(scene.run(IMPATIENT, "").status.success());
        let daemon = scene.daemon_pid("impatient");
        let mut slow = UnixStream::connect(scene.file("impatient", "sock")).unwrap();
        slow.set_nonblocking(true).unwrap();
        // A frame that is never whole.
        let mut bytes = [&b"\0\0\0\xf0\x01"[..], &[0x92; 0xb0]].concat().into_iter();
        until("it is disconnected", || {
            let refused = slow.write(&[bytes.next().expect("it was heard out")]).is_err();
            thread::sleep(std::time::Duration::from_millis(20));
            refused || !slow.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        });
        assert_eq!(told(&scene.run(IMPATIENT, "hello")), success("hello"));
        assert_eq!(scene.daemon_pid("impatient"), daemon);
    }

    /// Whoever listens isn't waited for once he has announced more than a daemon's first word can be.
    #[test]
    fn a_first_word_that_is_too_long_is_not_heard_out() {
        let scene = Scene::new();
        let listener = UnixListener::bind(scene.file("scripted", "sock")).unwrap();
        let caller = start(&mut scene.command(SCRIPTED), "print secret");
        let talking = thread::spawn(move || {
            let (mut caller, _) = listener.accept().unwrap();
            caller.write_all(b"\0\x10\0\0\x01").unwrap();
            // Until he goes.
            let _ = caller.read_to_end(&mut Vec::new());
        });
        let (stdout, stderr, code) = told(&finish(caller));
        assert_eq!((&*stdout, code), ("", Some(76)), "{stderr}");
        assert!(!stderr.contains("doesn't answer"), "{stderr}");
        talking.join().unwrap();
    }

    #[test]
    fn a_list_of_nothing_over_and_over_takes_no_memory() {
        const ITEMS: u32 = 8_000_000;
        let scene = Scene::new();
        assert!(scene.run(SURROUNDINGS, "").status.success());
        let id = format!("surroundings-{}", rustix::process::geteuid().as_raw());
        let daemon = scene.daemon_pid(&id).unwrap();
        let mut client = UnixStream::connect(scene.file(&id, "sock")).unwrap();
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        let check = check(&scene, &id);
        client.write_all(&check).unwrap();
        let mut answer = vec![0; check.len()];
        client.read_exact(&mut answer).unwrap();
        // Empty binaries, of 2 bytes each.
        let body = [b"\x02\x81\xa4args\xdd".as_slice(), &ITEMS.to_be_bytes()].concat();
        let items = [0xc4, 0].repeat(ITEMS as usize);
        let length = u32::try_from(body.len() + items.len()).unwrap();
        let _ = client.write_all(&[&length.to_be_bytes()[..], &body, &items].concat());
        let _ = client.read_to_end(&mut answer);
        assert_eq!(answer.len(), check.len());
        let held = peak_kib(daemon) / 1024;
        assert!(held < 120, "{held} MiB for a command of 16 MiB");
        assert!(scene.run(SURROUNDINGS, "").status.success());
    }

    #[test]
    fn a_daemon_that_is_called_by_garbage_without_end_serves_on() {
        let scene = Scene::new();
        let daemon_told = told(&scene.run(SCRIPTED, "pid"));
        let daemon = scene.daemon_pid("scripted").unwrap();
        let before = peak_kib(daemon);
        // All of them may be there at once, in the worst case.
        const ROUNDS: u32 = 2000;
        for round in 0..ROUNDS {
            let mut client = UnixStream::connect(scene.file("scripted", "sock")).unwrap();
            let garbage: Vec<u8> =
                (0..300).map(|place: u32| (round.wrapping_mul(place ^ 0x9e37) >> 5) as u8).collect();
            let _ = client.write_all(&garbage);
        }
        assert_eq!(told(&scene.run(SCRIPTED, "pid")), daemon_told);
        let grown = peak_kib(daemon) - before;
        assert!(grown < u64::from(4 * ROUNDS), "it has grown by {grown} KiB");
        kill_process(daemon, Signal::TERM).unwrap();
        until_ended(daemon);
    }
}
