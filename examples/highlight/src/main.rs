//! A syntax highlighter that has its syntaxes ready: `git diff | highlight`, `highlight src/*.rs`.

use std::future::ready;
use std::pin::pin;

use anyhow::Context as _;
use daemon_rpc::prelude::*;
use highlight::{Arguments, Highlighter, Painter};
use tokio::fs::File;
use tokio::io::{AsyncBufRead, BufReader, BufWriter};
use tokio::select;

#[daemon_rpc::main(state = Highlighter::load, errors = "stderr")]
async fn highlight(
    Cli(arguments): Cli<Arguments>,
    cwd: Cwd,
    stdin: Stdin,
    terminal: Terminal,
    highlighter: State<Highlighter>,
    mut out: Stdout,
) -> anyhow::Result<()> {
    if arguments.list_themes {
        let names: String = highlighter.themes().map(|name| format!("{name}\n")).collect();
        return Ok(out.write_all(names.as_bytes()).await?);
    }
    let colors = arguments.color.colors(terminal.stdout_colors());
    if arguments.files.is_empty() {
        return paint(stdin, highlighter.painter(&arguments, None, colors)?, &mut out).await;
    }
    let mut stdin = Some(stdin);
    for path in &arguments.files {
        let painter = highlighter.painter(&arguments, Some(path), colors)?;
        if path.as_os_str() == "-" {
            // Named twice, it is empty the second time.
            let Some(stdin) = stdin.take() else { continue };
            paint(stdin, painter, &mut out).await?;
        } else {
            let file = File::open(cwd.join(path)).await;
            let file = file.with_context(|| format!("can't read {}", path.display()))?;
            paint(BufReader::new(file), painter, &mut out).await?;
        }
    }
    Ok(())
}

/// Colours a text while it comes.
async fn paint(
    mut text: impl AsyncBufRead + Unpin,
    mut painter: Painter<'_>,
    out: &mut Stdout,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(out);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut next = pin!(text.read_until(b'\n', &mut line));
        let read = select! {
            biased;
            read = &mut next => read,
            // Before there is nothing to do but wait, what is done is shown.
            () = ready(()) => {
                out.flush().await?;
                next.await
            }
        };
        if read? == 0 {
            break;
        }
        out.write_all(painter.paint(&String::from_utf8_lossy(&line))?.as_bytes()).await?;
    }
    Ok(out.flush().await?)
}
