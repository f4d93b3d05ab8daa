//! The tiny command with a state of as many MiB as the environment says, and as many daemons as it has names for.

use daemon_rpc::prelude::*;

async fn load() -> Vec<u8> {
    let mib = std::env::var("GROWN_STATE").ok().and_then(|mib| mib.parse::<usize>().ok()).unwrap_or_default();
    vec![1; mib * 1024 * 1024]
}

fn id() -> String {
    format!("grown-{}", std::env::var("GROWN_NAME").unwrap_or_default())
}

#[daemon_rpc::main(id = id(), state = load)]
async fn grown(state: State<Vec<u8>>, mut out: Stdout) -> anyhow::Result<()> {
    out.write_all(if state.first() == Some(&0) { b"what?\n" } else { b"hello\n" }).await?;
    Ok(())
}
