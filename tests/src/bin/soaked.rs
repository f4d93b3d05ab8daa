//! Commands of every kind, by the first argument.

use anyhow::bail;
use daemon_rpc::prelude::*;

const BULK: usize = 256 * 1024;

#[daemon_rpc::main(id = "soaked", grace_period = "1s")]
async fn soaked(
    args: Args,
    env: Env,
    mut input: Stdin,
    mut out: Stdout,
    mut err: Stderr,
    cancel: CancellationToken,
) -> anyhow::Result<ExitCode> {
    match args.first().and_then(|kind| kind.to_str()) {
        Some("say") => {
            let said = env.get("SAID").and_then(|said| said.to_str()).unwrap_or_default();
            out.write_all(said.as_bytes()).await?;
            err.write_all(said.as_bytes()).await?;
        }
        Some("bulk") => out.write_all(&vec![b'x'; BULK]).await?,
        Some("copy") => drop(tokio::io::copy(&mut input, &mut out).await?),
        Some("exit") => return Ok(ExitCode::from(7)),
        Some("fail") => bail!("it failed"),
        Some("panic") => panic!("it panicked"),
        Some("endless") => loop {
            out.write_all(b"on and on\n").await?;
        },
        Some("wait") => cancel.cancelled().await,
        other => bail!("there is no kind {other:?}"),
    }
    Ok(ExitCode::SUCCESS)
}
