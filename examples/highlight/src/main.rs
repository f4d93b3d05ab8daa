//! A syntax highlighter that has its syntaxes ready: `git diff | highlight`, `highlight < script.sh`.

use std::sync::LazyLock;

use daemon_rpc::prelude::*;
use highlight::Highlighter;

/// Loaded for the first command and kept for all others.
static HIGHLIGHTER: LazyLock<Highlighter> = LazyLock::new(Highlighter::load);

/// How much is coloured before it is shown: about a screen.
const PAGE: usize = 8 * 1024;

#[daemon_rpc::main]
async fn highlight(text: String, mut out: Stdout, cancel: CancellationToken) -> anyhow::Result<()> {
    let mut page = String::new();
    for line in HIGHLIGHTER.lines(&text) {
        page.push_str(&line?);
        if page.len() >= PAGE {
            if cancel.is_cancelled() {
                return Ok(());
            }
            out.write_all(page.as_bytes()).await?;
            page.clear();
        }
    }
    out.write_all(page.as_bytes()).await?;
    Ok(())
}
