//! Every method of the builder.

use std::num::NonZeroUsize;
use std::time::Duration;

use daemon_rpc::{App, CommandHandler, Errors, IntoOutcome, Invocation, Needs, Outcome, async_trait, build};

struct Nothing;

#[async_trait]
impl CommandHandler for Nothing {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    async fn handle(&self, _: Invocation) -> Outcome {
        ().into_outcome()
    }
}

fn main() -> std::process::ExitCode {
    App::new(build!())
        .id(|| "nothing")
        .state(async || Ok(7))
        .idle_timeout(Duration::MAX)
        .grace_period(Duration::MAX)
        .handshake_timeout(Duration::MAX)
        .max_command(1)
        .max_concurrent(NonZeroUsize::MIN)
        .chunk_size(1)
        .errors(Errors::ToStderr)
        .worker_threads(NonZeroUsize::MIN)
        .run(Nothing)
}
