//! The programs that are measured: built as their users would, and their servers started.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use daemon_rpc_tests::scene::{Scene, until};
use rustix::process::Pid;

/// Where the loader looks for libraries first.
pub const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// For static programs, which are built for a named target, lest build scripts be static too.
const STATIC_FLAGS: &str = "-C target-feature=+crt-static";

/// Where programs run, and which there are. Its end ends their servers.
#[derive(Debug)]
pub struct Programs {
    /// Their directory and their processes.
    pub scene: Scene,
    release: PathBuf,
    static_release: Option<PathBuf>,
    /// The least-possible server, and the one with an event loop.
    servers: Vec<Child>,
    /// If it is installed.
    pub nailgun: Option<Nailgun>,
}

impl Programs {
    /// Builds them and starts their servers.
    ///
    /// # Errors
    ///
    /// When one of them can't be built.
    pub fn start() -> anyhow::Result<Self> {
        let target = target_directory()?;
        for package in ["bench-floor", "bench-ours", "bench-with-daemon"] {
            build(&["--package", package], "")?;
        }
        build(&["--package", "daemon-rpc-bench", "--bin", "peak"], "")?;
        let scene = Scene::without_watchdog();
        let static_target = static_programs(&target)?;
        let mut programs = Self {
            release: install(&target.join("release"), scene.path("bin"))?,
            static_release: static_target.map(|from| install(&from, scene.path("static-bin"))).transpose()?,
            nailgun: None,
            servers: Vec::new(),
            scene,
        };
        programs.servers = vec![programs.serve("floor-server")?, programs.serve("floor-loop")?];
        programs.nailgun = Nailgun::start(&programs.scene)?;
        Ok(programs)
    }

    fn serve(&self, name: &str) -> anyhow::Result<Child> {
        let socket = self.socket(name);
        let server = self.scene.command(self.path(name)).arg(&socket).spawn()?;
        until("a server listens", || socket.exists());
        Ok(server)
    }

    /// The socket of one of the servers.
    #[must_use]
    pub fn socket(&self, server: &str) -> PathBuf {
        self.scene.path(&format!("{server}.sock"))
    }

    /// A program by its name.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.release.join(name)
    }

    /// A program with its streams at `/dev/null`.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        self.quiet(self.path(name))
    }

    /// The same, linked statically. `None` where that can't be done.
    #[must_use]
    pub fn static_command(&self, name: &str) -> Option<Command> {
        Some(self.quiet(self.static_release.as_ref()?.join(name)))
    }

    /// Any program with its streams at `/dev/null`.
    #[must_use]
    pub fn quiet(&self, program: PathBuf) -> Command {
        let mut command = self.scene.command(program);
        // Cargo's, which has the loader look for libraries where there are none.
        command.env_remove(LIBRARY_PATH);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        command
    }

    /// A call of the least-possible client.
    #[must_use]
    pub fn floor_call(&self, request: &str) -> Command {
        self.asking(self.command("floor-client"), request)
    }

    /// The same by this build of the client.
    #[must_use]
    pub fn asking(&self, mut client: Command, request: &str) -> Command {
        client.arg(self.socket("floor-server")).arg(request);
        client
    }

    /// A call of the program on `with_daemon`.
    #[must_use]
    pub fn with_daemon_call(&self) -> Command {
        let mut command = self.command("bench-with-daemon");
        command.args([self.scene.path("with-daemon.pid"), self.scene.path("with-daemon.sock")]);
        command
    }

    /// Ends the daemon on `with_daemon`, which has no way of its own, and removes its files.
    ///
    /// # Errors
    ///
    /// When it can't be told which it is.
    pub fn end_with_daemon(&self) -> anyhow::Result<()> {
        let pid = fs::read_to_string(self.scene.path("with-daemon.pid"))?;
        let pid = Pid::from_raw(pid.trim().parse()?).context("a pid isn't 0")?;
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)?;
        daemon_rpc_tests::scene::until_ended(pid);
        fs::remove_file(self.scene.path("with-daemon.pid"))?;
        Ok(fs::remove_file(self.scene.path("with-daemon.sock"))?)
    }

    /// Ends our daemon of this program, and removes what it leaves.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub fn end_ours(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.daemon(name);
        run(self.command(name).arg("--daemon-stop"))?;
        pid.ok().into_iter().for_each(daemon_rpc_tests::scene::until_ended);
        for extension in ["lock", "log"] {
            fs::remove_file(self.scene.file(&id(name), extension))?;
        }
        Ok(())
    }

    /// The pid of our daemon of this program.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn daemon(&self, name: &str) -> anyhow::Result<Pid> {
        self.scene.daemon_pid(&id(name)).with_context(|| format!("{name} has no daemon"))
    }

    /// The socket of our daemon of this program.
    #[must_use]
    pub fn daemon_socket(&self, name: &str) -> PathBuf {
        self.scene.file(&id(name), "sock")
    }

    /// The pids of the least-possible server, and of the one with an event loop.
    pub fn floor_servers(&self) -> impl Iterator<Item = Pid> {
        self.servers.iter().map(Pid::from_child)
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // Those that have ended by themselves have nothing more to do.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn id(name: &str) -> String {
    format!("{name}-{}", rustix::process::geteuid().as_raw())
}

/// Runs a command that has to succeed.
///
/// # Errors
///
/// When it doesn't.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("can't run {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// What a command that has to succeed says on standard output.
///
/// # Errors
///
/// When it doesn't.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().with_context(|| format!("can't run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Where this very build put its programs.
///
/// # Errors
///
/// When this program isn't where Cargo puts one.
pub fn target_directory() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).context("a program is in target/release")?.to_owned())
}

/// Cargo, in the repository.
#[must_use]
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

fn build(what: &[&str], flags: &str) -> anyhow::Result<()> {
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--quiet", "--locked"]).args(what);
    if !flags.is_empty() {
        cargo.env("RUSTFLAGS", flags);
    }
    run(&mut cargo)
}

/// Copies programs to where they are run, as `cargo install` and packages do. What the linker has written is scattered in memory, and
/// loading that takes longer.
fn install(from: &Path, to: PathBuf) -> anyhow::Result<PathBuf> {
    const PREFIXES: [&str; 4] = ["floor-", "ours-", "bench-with-daemon", "peak"];
    fs::create_dir(&to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && path.is_file() && !name.contains('.') {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(to)
}

/// Builds what is measured statically linked as well. `None` where the system has no static C library.
fn static_programs(target: &Path) -> anyhow::Result<Option<PathBuf>> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc tells its host")?;
    let directory = target.join("static");
    let to = directory.to_str().context("Cargo takes paths as text")?;
    let built = build(
        &["--package", "bench-floor", "--package", "bench-ours", "--target", host, "--target-dir", to],
        STATIC_FLAGS,
    );
    if let Err(error) = built {
        eprintln!("skipped what is linked statically: {error:#}");
        return Ok(None);
    }
    Ok(Some(directory.join(host).join("release")))
}

/// How long a package takes to build with all that it depends on, in seconds, and how long its program is, in bytes.
///
/// # Errors
///
/// When it can't be built.
pub fn clean_build(package: &str, program: &str) -> anyhow::Result<(f64, u64)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().to_str().context("Cargo takes paths as text")?;
    let begun = Instant::now();
    build(&["--package", package, "--bin", program, "--target-dir", path], "")?;
    let took = begun.elapsed().as_secs_f64();
    Ok((took, fs::metadata(directory.path().join("release").join(program))?.len()))
}

/// How many crates a package depends on, macros and what they need included.
///
/// # Errors
///
/// When Cargo doesn't tell.
pub fn crates(package: &str) -> anyhow::Result<usize> {
    let tree = output(cargo().args([
        "tree",
        "--locked",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--no-dedupe",
        "-p",
        package,
    ]))?;
    let names: std::collections::BTreeSet<_> =
        tree.lines().filter(|line| !line.starts_with(&format!("{package} "))).collect();
    Ok(names.len())
}

/// A Nailgun server, as Debian's package `nailgun` has it.
#[derive(Debug)]
pub struct Nailgun {
    server: Child,
    port: String,
}

impl Nailgun {
    const JAR: &str = "/usr/share/java/nailgun-server.jar";

    fn start(scene: &Scene) -> anyhow::Result<Option<Self>> {
        let found = Command::new("ng-nailgun").arg("--nailgun-version").output().is_ok();
        if !found || !Path::new(Self::JAR).exists() || Command::new("javac").arg("-version").output().is_err()
        {
            eprintln!("skipped Nailgun: it takes Debian's package nailgun, and a JDK");
            return Ok(None);
        }
        let source = root().join("benches/subjects/nailgun/Tiny.java");
        run(Command::new("javac").args(["-cp", Self::JAR, "-d"]).arg(scene.directory()).arg(source))?;
        let path = format!("{}:{}", Self::JAR, scene.directory().display());
        let mut java = scene.command("java");
        java.args(["-cp", &path, "com.martiansoftware.nailgun.NGServer", "127.0.0.1:0"]);
        let mut server = java.stderr(Stdio::null()).spawn()?;
        let said = server.stdout.take().context("it is piped")?;
        // "NGServer 0.9.3 started on /127.0.0.1, port 40123."
        for line in BufReader::new(said).lines() {
            if let Some((_, port)) = line?.rsplit_once("port ") {
                return Ok(Some(Self { server, port: port.trim_end_matches('.').to_owned() }));
            }
        }
        bail!("the Nailgun server doesn't tell its port")
    }

    /// A call of its C client.
    #[must_use]
    pub fn call(&self, programs: &Programs) -> Command {
        let mut command = programs.quiet("ng-nailgun".into());
        command.args(["--nailgun-server", "127.0.0.1", "--nailgun-port", &self.port, "Tiny"]);
        command
    }
}

impl Drop for Nailgun {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
