//! Tells the terminal's size behind what was typed.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn typed(text: String, terminal: Terminal, mut out: Stdout) -> std::io::Result<()> {
    let columns = terminal.size().map(|size| size.columns);
    out.write_all(format!("{} {columns:?}\n", text.trim_end()).as_bytes()).await
}
