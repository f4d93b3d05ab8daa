//! Tells what its output should look like, by its caller's terminal and by its caller's environment.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "appearance")]
async fn appearance(terminal: Terminal, env: Env, mut out: Stdout) -> std::io::Result<()> {
    let columns = terminal.size().map(|size| size.columns);
    let mut told = format!("{columns:?} {:?}", terminal.stdout_colors());
    for name in ["NO_COLOR", "TERM", "COLUMNS"] {
        let value = env.get(name).map_or("none".into(), |value| value.to_string_lossy());
        told += &format!(" {name}={value}");
    }
    out.write_all(format!("{told}\n").as_bytes()).await
}
