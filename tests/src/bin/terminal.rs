//! Describes its caller's terminal, and with an argument goes on to do so whenever its size changes.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "terminal")]
async fn terminal(args: Args, mut terminal: Terminal, mut out: Stdout) -> std::io::Result<()> {
    let is = |name, terminal| if terminal { name } else { "-" };
    let streams = [
        is("stdin", terminal.stdin_is_terminal()),
        is("stdout", terminal.stdout_is_terminal()),
        is("stderr", terminal.stderr_is_terminal()),
    ];
    let size = terminal.size().map_or("no size".into(), |size| format!("{}x{}", size.columns, size.rows));
    let colors = (terminal.stdout_colors(), terminal.stderr_colors());
    out.write_all(format!("{} {size} {colors:?}\n", streams.join(" ")).as_bytes()).await?;
    if args.is_empty() {
        return Ok(());
    }
    while let Some(size) = terminal.resized().await {
        assert_eq!(terminal.size(), Some(size));
        out.write_all(format!("{}x{}\n", size.columns, size.rows).as_bytes()).await?;
    }
    Ok(())
}
