//! A syntax highlighter that has its syntaxes ready: `git diff | highlight`, `highlight < script.sh`.

use std::sync::LazyLock;

use daemon_rpc::prelude::*;
use highlight::Highlighter;

/// Loaded for the first command and kept for all others.
static HIGHLIGHTER: LazyLock<Highlighter> = LazyLock::new(Highlighter::load);

#[daemon_rpc::main]
async fn highlight(text: String, mut out: Stdout, cancel: CancellationToken) -> anyhow::Result<()> {
    for line in HIGHLIGHTER.lines(&text) {
        if cancel.is_cancelled() {
            break;
        }
        out.write_all(line?.as_bytes()).await?;
    }
    Ok(())
}
