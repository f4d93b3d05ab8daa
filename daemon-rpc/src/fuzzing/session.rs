//! A client's bytes, and a whole session of the daemon, whose answer is judged as a client would.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | how it stands with client and daemon: see [`option`] |
//! | 1 | how the client sends: in pieces of so many bytes (lower 7 bits; 0 for a frame each), and with bit 7 the first ones each only when nothing happens any more |
//! | 1 | how many more times it sends its last frame |
//! | rest | what it sends |
//!
//! Client, control plane and handlers share one thread, whose clock is made to pass when nothing else happens. So what has happened
//! once happens again, and no time limit is too long to be waited for.

use std::future::pending;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use rustix::net::sockopt::set_socket_send_buffer_size;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{BUILD, reader_of, version_check};
use crate::app::Program;
use crate::daemon::{Daemon, Socket};
use crate::limits::{BODY_OVERHEAD, INPUT_WINDOW, MAX_ERROR_TEXT, MAX_SURROUNDINGS, MAX_VERSION_CHECK};
use crate::params::{Args, Cwd, Env, Stderr, Stdin, Stdout, Terminal};
use crate::protocol::{FrameReader, Message};
use crate::settings::Settings;
use crate::state::{self, Loader};
use crate::{CommandHandler, ExitCode, FromInvocation, Invocation, Needs, Outcome};

pub(super) mod option {
    /// The client's handshake comes first.
    pub(crate) const MET: u8 = 1;
    /// The application loads its state for 2 seconds.
    pub(crate) const LOADS_LONG: u8 = 2;
    /// It can't be loaded. With `LOADS_LONG`, it is loaded for ever instead.
    pub(crate) const LOADS_IN_VAIN: u8 = 4;
    /// There is no room for the client.
    pub(crate) const TURNED_AWAY: u8 = 8;
    /// The daemon retires behind the client's first piece.
    pub(crate) const RETIRES: u8 = 0x10;
    /// It ends running commands behind the client's last piece.
    pub(crate) const STOPS: u8 = 0x20;
    /// The client stays until the daemon has done, as long as anybody waits. Otherwise it closes its writing side at once.
    pub(crate) const STAYS: u8 = 0x40;
    /// The client reads nothing until it has sent everything.
    pub(crate) const READS_LATE: u8 = 0x80;
}

/// A piece goes when nothing happens any more.
pub(super) const WAITS: u8 = 0x80;

/// Small, but more than the socket takes at once of what fits no more.
pub(super) const CHUNK_SIZE: usize = 3000;

/// Small, so that short inputs reach beyond it.
pub(super) const MAX_COMMAND: usize = 3500;

/// The smallest that there is, so that a handler is soon held back.
const SEND_BUFFER: usize = 1;

/// How much a handler writes that writes much: more than has room.
const MUCH: usize = 5 * CHUNK_SIZE;

/// How many things a handler does at most.
const MOST_STEPS: usize = 16;

/// How many times a client waits at most before it sends more: hundreds of times would take as long as many other inputs.
const MOST_WAITS: usize = 64;

/// How long the state may be loaded: longer than it takes until the client is told.
const LOADING: Duration = Duration::from_secs(2);

/// A turn of the runtime: what the kernel has for anybody is taken, then the clock passes.
const TURN: Duration = Duration::from_millis(1);

/// So many turns without anything new mean that nothing happens any more: what one side says takes one to reach the other.
const QUIET_TURNS: u32 = 3;

/// Longer than any of the daemon's time limits.
const PATIENCE: Duration = Duration::from_secs(120);

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("there is a runtime");
}

pub(super) fn run(input: &[u8]) {
    hold(input);
}

/// What has come of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) heard: Vec<Message>,
    /// The client had not closed before the daemon did.
    pub(super) stayed: bool,
}

pub(super) fn hold(input: &[u8]) -> Option<Held> {
    let plan = Plan::of(input)?;
    let held = RUNTIME.with(|runtime| runtime.block_on(plan.hold()));
    plan.judge(&held);
    Some(held)
}

struct Plan {
    options: u8,
    waits: bool,
    stream: Vec<u8>,
    /// How long the pieces are; `None` for a frame each.
    length: Option<usize>,
}

impl Plan {
    fn of(input: &[u8]) -> Option<Self> {
        let [options, pace, repeats, said @ ..] = input else { return None };
        let mut stream = if options & option::MET != 0 { version_check().encode() } else { Vec::new() };
        stream.extend(said);
        let last = frames(&stream).last().filter(|_| !said.is_empty()).map_or(0, <[u8]>::len);
        let last = stream.len() - last..stream.len();
        (0..*repeats).for_each(|_| stream.extend_from_within(last.clone()));
        let length = Some(usize::from(pace & !WAITS)).filter(|length| *length > 0);
        Some(Self { options: *options, waits: pace & WAITS != 0, stream, length })
    }

    fn pieces(&self) -> Box<dyn Iterator<Item = &[u8]> + '_> {
        match self.length {
            None => Box::new(frames(&self.stream)),
            Some(length) => Box::new(self.stream.chunks(length)),
        }
    }

    fn has(&self, option: u8) -> bool {
        self.options & option == option
    }

    async fn hold(&self) -> Held {
        let (client, socket) = StdUnixStream::pair().expect("there is a pair of sockets");
        client.set_nonblocking(true).expect("it is open");
        socket.set_nonblocking(true).expect("it is open");
        set_socket_send_buffer_size(&socket, SEND_BUFFER).expect("it is a socket");
        let socket = Socket::new(socket.into());
        let settings = Settings { chunk_size: CHUNK_SIZE, max_command: MAX_COMMAND, ..Settings::default() };
        let program = Program { name: "program".into(), build: BUILD.into(), settings };

        let loading = CancellationToken::new();
        let daemon = Daemon::here(&program, self.loader(loading.clone()), Arc::new(Script));
        let session = async {
            if self.has(option::TURNED_AWAY) {
                Arc::clone(&daemon).turn_away(socket).await;
            } else {
                Arc::clone(&daemon).serve(socket).await;
            }
        };
        let mut client = Client::new(client, !self.has(option::READS_LATE));
        let (stayed, ()) = tokio::join!(client.follow(self, &daemon), session);
        loading.cancel();
        nothing_is_left().await;
        assert!(daemon.is_idle(), "a command counts as there that has ended");
        Held { heard: client.heard, stayed }
    }

    fn loader(&self, end: CancellationToken) -> Loader {
        let (long, in_vain) = (self.has(option::LOADS_LONG), self.has(option::LOADS_IN_VAIN));
        state::loader(async move || {
            if long && in_vain {
                end.cancelled().await;
            } else if long {
                sleep(LOADING).await;
            } else if in_vain {
                anyhow::bail!("nothing to load");
            }
            Ok(())
        })
    }

    /// Makes sure that the protocol allows what the daemon said, and that the daemon did what it had to.
    fn judge(&self, held: &Held) {
        let (mut granted, mut errors) = (0, 0);
        for (index, message) in held.heard.iter().enumerate() {
            let is_last = index + 1 == held.heard.len();
            match message {
                Message::VersionCheck(_) => assert!(index == 0 && *message == version_check()),
                Message::StatusReply(status) => {
                    assert!(is_last && held.is_refused() && status.build == BUILD && status.log.is_none());
                }
                Message::NotLoaded(_) => {
                    assert!(is_last && held.is_refused() && self.has(option::LOADS_IN_VAIN));
                }
                _ if index == 0 => panic!("the daemon begins with {message:?}"),
                Message::OutputChunk(chunk) | Message::ErrorChunk(chunk) => {
                    assert!((1..=CHUNK_SIZE).contains(&chunk.len()), "a chunk of {}", chunk.len());
                }
                Message::InputWindow(bytes) => granted += usize::try_from(*bytes).unwrap_or(usize::MAX),
                Message::Loading => assert!(index == 1 && self.has(option::LOADS_LONG)),
                Message::CommandError(text) => {
                    errors += 1;
                    assert!(text.len() <= MAX_ERROR_TEXT && !text.starts_with("the command panicked"));
                }
                Message::Exit(_) => assert!(is_last),
                Message::NotRun => assert!(is_last && held.is_refused()),
                Message::Busy => assert!(is_last && held.is_refused() && self.has(option::TURNED_AWAY)),
                _ => panic!("a daemon said {message:?}"),
            }
            let errs = matches!(message, Message::CommandError(_));
            assert!(!errs || is_last || matches!(held.heard.get(index + 1), Some(Message::Exit(_))));
        }
        assert!(errors <= 1);
        let spoken = self.spoken();
        assert!(granted <= INPUT_WINDOW + spoken.input, "{granted} bytes of input are granted");
        if held.stayed && spoken.faultless && !self.has(option::STOPS) {
            assert!(held.is_ended(), "the daemon leaves a client without an answer");
        }
    }

    /// What the client says, as the protocol has it.
    fn spoken(&self) -> Spoken {
        let mut reader = reader_of(&self.stream, MAX_VERSION_CHECK);
        let mut spoken = Spoken { input: 0, faultless: false };
        if !matches!(reader.next(), Ok(Some(check)) if check == version_check()) {
            return spoken;
        }
        reader.set_body_limit(MAX_COMMAND + MAX_SURROUNDINGS + BODY_OVERHEAD);
        let Ok(Some(Message::Command(command))) = reader.next() else { return spoken };
        spoken.faultless = command.input_length() <= MAX_COMMAND;
        reader.set_body_limit(INPUT_WINDOW + BODY_OVERHEAD);
        loop {
            match reader.next() {
                Ok(None) => return spoken,
                Ok(Some(Message::TerminalSize(_))) if command.terminal.is_some() => {}
                Ok(Some(Message::InputChunk(chunk))) => {
                    spoken.input += chunk.len();
                    // Nobody here knows what was granted by then.
                    spoken.faultless = false;
                }
                Ok(Some(_)) => spoken.faultless = false,
                Err(_) => return Spoken { faultless: false, ..spoken },
            }
        }
    }
}

/// What a client says.
struct Spoken {
    /// How many bytes of input.
    input: usize,
    /// A command, and nothing against the protocol for sure.
    faultless: bool,
}

impl Held {
    /// The daemon had said nothing of a command before its last message.
    fn is_refused(&self) -> bool {
        self.heard
            .iter()
            .rev()
            .skip(1)
            .all(|message| matches!(message, Message::VersionCheck(_) | Message::Loading))
    }

    fn is_ended(&self) -> bool {
        let last = self.heard.last();
        matches!(last, Some(Message::Exit(_) | Message::NotRun | Message::NotLoaded(_) | Message::Busy))
    }
}

/// The frames that a stream says it has. What is behind the last whole one counts as one.
fn frames(mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let header = stream.first_chunk().map(|header| u32::from_be_bytes(*header));
        let length = header.and_then(|length| usize::try_from(length).ok()?.checked_add(size_of::<u32>()));
        let (frame, rest) = stream.split_at(length.unwrap_or(usize::MAX).min(stream.len()));
        stream = rest;
        (!frame.is_empty()).then_some(frame)
    })
}

/// Makes sure that no task goes on behind its session for longer than it takes to notice.
async fn nothing_is_left() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    for _ in 0..QUIET_TURNS {
        if tasks() == 0 {
            return;
        }
        sleep(BETWEEN_LEFT_WRITES).await;
    }
    assert_eq!(tasks(), 0, "a session's tasks go on behind its end");
}

/// The other end of a session.
struct Client {
    socket: StdUnixStream,
    reader: FrameReader,
    heard: Vec<Message>,
    reads: bool,
    /// The daemon has closed.
    closed: bool,
    /// How many turns in a row have brought nothing.
    quiet: u32,
}

impl Client {
    fn new(socket: StdUnixStream, reads: bool) -> Self {
        let reader = FrameReader::new(MAX_VERSION_CHECK);
        Self { socket, reader, heard: Vec::new(), reads, closed: false, quiet: 0 }
    }

    /// Goes through with it and says whether it was the daemon that closed.
    async fn follow(&mut self, plan: &Plan, daemon: &Daemon) -> bool {
        for (index, piece) in plan.pieces().enumerate() {
            self.send(piece).await;
            if plan.waits && index < MOST_WAITS {
                self.settle().await;
            }
            if index == 0 && plan.has(option::RETIRES) {
                self.settle().await;
                daemon.retire();
                // Before anything else happens: which of the two counts is a matter of luck otherwise.
                self.settle().await;
            }
        }
        if plan.has(option::STOPS) {
            self.settle().await;
            daemon.stop();
        }
        self.reads = true;
        let stayed = plan.has(option::STAYS) && self.waits_for_the_end().await;
        if !stayed {
            // It fails if the daemon has closed.
            let _ = self.socket.shutdown(Shutdown::Write);
            assert!(self.waits_for_the_end().await, "a session goes on without its client");
        }
        let ended = matches!(self.heard.last(), Some(Message::Exit(_)));
        assert!(!ended || self.reader.received().is_empty(), "something follows the end");
        stayed
    }

    async fn send(&mut self, mut bytes: &[u8]) {
        let mut waited = Duration::ZERO;
        while !bytes.is_empty() {
            match self.socket.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    assert!(waited < PATIENCE, "the daemon doesn't listen");
                    // What keeps it from that may be that nobody listens to it.
                    self.reads = true;
                    waited += self.turn().await;
                }
                // It has closed. What it said before is still to be read.
                Err(_) => return,
            }
        }
    }

    /// Has everybody go on until nothing happens any more.
    async fn settle(&mut self) {
        self.quiet = 0;
        while self.quiet < QUIET_TURNS && !self.closed {
            self.turn().await;
        }
    }

    async fn waits_for_the_end(&mut self) -> bool {
        let mut waited = Duration::ZERO;
        self.quiet = 0;
        while !self.closed && waited < PATIENCE {
            waited += self.turn().await;
        }
        self.closed
    }

    /// Takes a turn and says how long it was: the longer it has been quiet, the longer the next thing is away.
    async fn turn(&mut self) -> Duration {
        let turn = TURN * 2_u32.saturating_pow(self.quiet.saturating_sub(QUIET_TURNS)).min(1 << 16);
        sleep(turn).await;
        if self.reads && self.receive() {
            self.quiet = 0;
        } else {
            self.quiet += 1;
        }
        turn
    }

    /// Receives what there is, and says whether there was anything.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let mut some = false;
        while !self.closed {
            match self.socket.read(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(count) => {
                    self.reader.received().extend_from_slice(buffer.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // It has closed without having read everything.
                Err(_) => self.closed = true,
            }
            some = true;
        }
        while let Some(message) = self.reader.next().expect("a daemon speaks the protocol") {
            self.reader.set_body_limit(MAX_ERROR_TEXT + BODY_OVERHEAD);
            self.heard.push(message);
        }
        some
    }
}

/// How often a task writes that a handler has left behind.
const BETWEEN_LEFT_WRITES: Duration = Duration::from_secs(1);

/// Does what the first bytes of its arguments say, one after the other.
struct Script;

#[async_trait]
impl CommandHandler for Script {
    fn needs(&self) -> Needs {
        let surroundings = Needs::ARGUMENTS.and(Needs::ENVIRONMENT).and(Needs::DIRECTORY);
        surroundings.and(Needs::TERMINAL).and(Needs::STREAMED_INPUT)
    }

    async fn handle(&self, mut invocation: Invocation) -> Outcome {
        let script = Args::from_invocation(&mut invocation);
        echo(&mut invocation).await?;
        let mut running = Running::of(&mut invocation)?;
        // What isn't there is an error only for a handler that can't do without, such as one whose script is missing.
        for step in script?.iter().take(MOST_STEPS) {
            let (step, rest) = step.as_bytes().split_first().map_or((0, [].as_slice()), |(s, r)| (*s, r));
            if let Some(code) = running.step(step, rest, &mut invocation).await? {
                return Ok(code);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Gives back all that has come with the command.
async fn echo(invocation: &mut Invocation) -> anyhow::Result<()> {
    let mut out = Stdout::from_invocation(invocation)?;
    let mut err = Stderr::from_invocation(invocation)?;
    if let Ok(text) = String::from_invocation(invocation) {
        out.write_all(text.as_bytes()).await?;
    }
    if let Ok(bytes) = Bytes::from_invocation(invocation) {
        err.write_all(&bytes).await?;
    }
    if let Ok(env) = Env::from_invocation(invocation) {
        for (name, value) in env.iter() {
            out.write_all(name.as_bytes()).await?;
            err.write_all(value.as_bytes()).await?;
        }
    }
    if let Ok(cwd) = Cwd::from_invocation(invocation) {
        out.write_all(cwd.as_os_str().as_bytes()).await?;
    }
    if let Ok(terminal) = Terminal::from_invocation(invocation) {
        let told = format!("{:?} {:?} ", terminal.stdout_colors(), terminal.size());
        out.write_all(told.as_bytes()).await?;
    }
    Ok(())
}

/// What a script works with.
struct Running {
    out: Stdout,
    err: Stderr,
    stdin: Stdin,
    terminal: Option<Terminal>,
    cancellation: CancellationToken,
}

impl Running {
    fn of(invocation: &mut Invocation) -> anyhow::Result<Self> {
        Ok(Self {
            out: Stdout::from_invocation(invocation)?,
            err: Stderr::from_invocation(invocation)?,
            stdin: Stdin::from_invocation(invocation)?,
            terminal: Terminal::from_invocation(invocation).ok(),
            cancellation: CancellationToken::from_invocation(invocation)?,
        })
    }

    /// Takes a step, which may be the last one.
    async fn step(
        &mut self,
        step: u8,
        rest: &[u8],
        invocation: &mut Invocation,
    ) -> anyhow::Result<Option<ExitCode>> {
        match step {
            b'w' => self.out.write_all(rest).await?,
            b'e' => self.err.write_all(rest).await?,
            b'm' => self.out.write_all(&[b'.'; MUCH]).await?,
            b'r' => {
                let input = self.stdin.fill_buf().await?;
                self.out.write_all(input).await?;
                let length = input.len();
                self.stdin.consume(length);
            }
            b'R' => drop(tokio::io::copy_buf(&mut self.stdin, &mut self.out).await?),
            // Takes the input and gives nothing back.
            b'd' => drop(tokio::io::copy_buf(&mut self.stdin, &mut tokio::io::sink()).await?),
            b's' => {
                let terminal = self.terminal.as_mut().context("there is no terminal")?;
                let size = terminal.resized().await;
                self.out.write_all(format!("{size:?} ").as_bytes()).await?;
            }
            b'c' => self.cancellation.cancelled().await,
            b'z' => sleep(Duration::from_secs(rest.len().try_into()?)).await,
            // Ends only when it is aborted.
            b'i' => pending().await,
            b'l' => {
                let mut out = Stdout::from_invocation(invocation)?;
                drop(tokio::spawn(async move {
                    while out.write_all(b"left behind").await.is_ok() {
                        sleep(BETWEEN_LEFT_WRITES).await;
                    }
                }));
            }
            b't' => tracing::info!(rest = &*String::from_utf8_lossy(rest), "told"),
            b'f' => anyhow::bail!("{}", String::from_utf8_lossy(rest)),
            b'F' => anyhow::bail!("{}", "é".repeat(MAX_ERROR_TEXT)),
            b'x' => return Ok(rest.first().map(|code| (*code).into())),
            _ => {}
        }
        Ok(None)
    }
}
