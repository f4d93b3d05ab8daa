//! Leaves tasks behind that hold what the command had, and that write their names into a directory when they end.

use std::path::PathBuf;

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "left-behind")]
async fn left_behind(
    args: Args,
    mut stdin: Stdin,
    mut terminal: Terminal,
    cancel: CancellationToken,
    mut out: Stdout,
) -> anyhow::Result<()> {
    let ended = |name: &str| {
        let path = PathBuf::from(args.first().cloned().unwrap_or_default()).join(name);
        move || drop(std::fs::write(path, ""))
    };
    let (input_ended, terminal_ended, token_cancelled) = (ended("input"), ended("terminal"), ended("token"));
    out.write_all(b"done\n").await?;
    tokio::spawn(async move {
        while stdin.read(&mut [0]).await.is_ok_and(|count| count > 0) {}
        input_ended();
    });
    tokio::spawn(async move {
        while terminal.resized().await.is_some() {}
        terminal_ended();
    });
    tokio::spawn(async move {
        cancel.cancelled().await;
        token_cancelled();
    });
    Ok(())
}
