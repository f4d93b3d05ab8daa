//! Tells the time zones of places.

use daemon_rpc::prelude::*;
use port::{Arguments, zone};
use tzf_rs::DefaultFinder;

#[daemon_rpc::main(state = DefaultFinder::new, errors = "stderr")]
async fn main(
    Cli(arguments): Cli<Arguments>,
    finder: State<DefaultFinder>,
    stdin: Stdin,
    mut out: Stdout,
) -> anyhow::Result<()> {
    for place in &arguments.places {
        out.write_all(format!("{}\n", zone(&finder, place)?).as_bytes()).await?;
    }
    if arguments.places.is_empty() {
        let mut lines = stdin.lines();
        while let Some(line) = lines.next_line().await? {
            out.write_all(format!("{}\n", zone(&finder, &line)?).as_bytes()).await?;
        }
    }
    Ok(())
}
