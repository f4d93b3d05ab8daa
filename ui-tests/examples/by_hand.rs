//! All that the attribute does, without it.

use daemon_rpc::{App, CommandHandler, IntoOutcome, Invocation, Needs, Outcome, async_trait, build};

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
    App::new(build!()).id(|| "nothing").run(Nothing)
}
