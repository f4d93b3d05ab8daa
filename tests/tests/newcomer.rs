//! The README's first program, built as a new user would: an empty crate, the dependencies that the README names, the code
//! that stands there. Then what only building again can show: the next call is served by the new build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use daemon_rpc_tests::scene::{Scene, told};
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// The README's program, in a crate that can be changed and built again.
struct Newcomer {
    directory: TempDir,
    workspace: PathBuf,
}

impl Newcomer {
    fn new() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let readme = fs::read_to_string(workspace.join("README.md")).unwrap();
        let newcomer = Self { directory: tempfile::tempdir().unwrap(), workspace };

        let manifest = format!(
            "[package]\nname = \"shout\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{}",
            newcomer.dependencies(&readme)
        );
        fs::create_dir(newcomer.path("src")).unwrap();
        fs::write(newcomer.path("Cargo.toml"), manifest).unwrap();
        fs::write(newcomer.path("src/main.rs"), first_block(&readme, "```rust\n")).unwrap();
        // The versions that this workspace has, so that nothing needs to be fetched.
        fs::copy(newcomer.workspace.join("Cargo.lock"), newcomer.path("Cargo.lock")).unwrap();
        newcomer
    }

    /// What the README says to add, ourselves by path.
    fn dependencies(&self, readme: &str) -> String {
        let added = readme.lines().filter_map(|line| line.strip_prefix("$ cargo add "));
        let entry = |added: &str| match added {
            "--path ../daemon-rpc/daemon-rpc" => {
                format!(
                    "daemon-rpc = {{ path = {:?} }}\n",
                    self.workspace.join("daemon-rpc").to_str().unwrap()
                )
            }
            other => format!("{other} = \"*\"\n"),
        };
        added.map(entry).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn replace(&self, from: &str, to: &str) {
        let source = fs::read_to_string(self.path("src/main.rs")).unwrap();
        assert!(source.contains(from), "{source}");
        fs::write(self.path("src/main.rs"), source.replace(from, to)).unwrap();
    }

    /// Builds the program and moves it to where a user would have installed it.
    fn build(&self, variables: &[(&str, &str)]) -> PathBuf {
        let target = SharedTarget::take();
        let built = target.cargo(self, variables);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        fs::copy(target.directory.join("debug/shout"), self.path("new")).unwrap();
        let installed = self.path("installed");
        fs::rename(self.path("new"), &installed).unwrap();
        installed
    }
}

/// Where the tests build in turns, so that they compile the dependencies only once.
struct SharedTarget {
    directory: PathBuf,
    _lock: File,
}

impl SharedTarget {
    fn take() -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("newcomer");
        fs::create_dir_all(&directory).unwrap();
        let lock = File::create(directory.join("turn")).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        Self { directory, _lock: lock }
    }

    fn cargo(&self, newcomer: &Newcomer, variables: &[(&str, &str)]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline"]).current_dir(newcomer.directory.path());
        cargo.env("CARGO_TARGET_DIR", &self.directory).env("CARGO_PROFILE_DEV_DEBUG", "0");
        cargo.env_remove("SOURCE_DATE_EPOCH").env_remove("DAEMON_RPC_BUILD_TIMESTAMP");
        cargo.envs(variables.iter().copied()).output().unwrap()
    }
}

fn first_block<'a>(readme: &'a str, fence: &str) -> &'a str {
    let (_, block) = readme.split_once(fence).unwrap();
    block.split_once("```").unwrap().0
}

fn id() -> String {
    format!("shout-{}", rustix::process::geteuid().as_raw())
}

#[test]
fn the_readmes_program_works_and_follows_its_rebuilds() {
    let newcomer = Newcomer::new();
    let program = newcomer.build(&[]);
    let scene = Scene::new();
    assert_eq!(told(&scene.run(&program, "hello\n")), ("HELLO\n".into(), String::new(), Some(0)));
    let first = scene.daemon_pid(&id()).unwrap();

    newcomer.replace("to_uppercase", "to_lowercase");
    let program = newcomer.build(&[]);
    assert_eq!(told(&scene.run(&program, "Hello\n")), ("hello\n".into(), String::new(), Some(0)));
    let second = scene.daemon_pid(&id()).unwrap();
    assert_ne!(first, second);
    assert_eq!(told(&scene.run(&program, "Hello\n")).0, "hello\n");
    assert_eq!(scene.daemon_pid(&id()), Some(second));
}

#[test]
fn builds_that_share_a_source_date_are_told_apart() {
    const DATE: &[(&str, &str)] = &[("SOURCE_DATE_EPOCH", "1700000000")];
    let newcomer = Newcomer::new();
    let scene = Scene::new();
    let program = newcomer.build(DATE);
    assert_eq!(told(&scene.run(&program, "Hello\n")).0, "HELLO\n");
    assert_eq!(told(&scene.run(&program, "Hello\n")).0, "HELLO\n");
    let first = scene.daemon_pid(&id()).unwrap();

    newcomer.replace("to_uppercase", "to_lowercase");
    let program = newcomer.build(DATE);
    assert_eq!(told(&scene.run(&program, "Hello\n")).0, "hello\n");
    assert_ne!(scene.daemon_pid(&id()), Some(first));
    // The first daemon's log is set aside if that hadn't ended yet.
    let logs = ["log.old", "log"].map(|name| fs::read_to_string(scene.file(&id(), name)).unwrap_or_default());
    let logs = logs.concat();
    assert_eq!(logs.matches("build=\"1700000000-").count(), 2, "{logs}");
}

#[test]
fn a_build_scripts_timestamp_is_the_builds() {
    let newcomer = Newcomer::new();
    let script =
        "fn main() { println!(\"cargo::rustc-env=DAEMON_RPC_BUILD_TIMESTAMP=2026-11-23T08:30:46Z\"); }";
    fs::write(newcomer.path("build.rs"), script).unwrap();
    let scene = Scene::new();
    // It goes before the other.
    let program = newcomer.build(&[("SOURCE_DATE_EPOCH", "1700000000")]);
    assert_eq!(told(&scene.run(&program, "Hello\n")).0, "HELLO\n");
    let log = fs::read_to_string(scene.file(&id(), "log")).unwrap();
    assert!(log.contains("build=\"2026-11-23T08:30:46Z\""), "{log}");
}

#[test]
fn a_source_date_that_is_no_number_stops_the_build() {
    let newcomer = Newcomer::new();
    let failed = SharedTarget::take().cargo(&newcomer, &[("SOURCE_DATE_EPOCH", "yesterday")]);
    let stderr = String::from_utf8_lossy(&failed.stderr);
    assert!(
        stderr.contains("SOURCE_DATE_EPOCH is a number of seconds since 1970, not \"yesterday\""),
        "{stderr}"
    );
}
