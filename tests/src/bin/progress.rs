//! Shows a progress bar of 40 steps, and waits for the file that its argument names before the last one.

use std::path::Path;
use std::time::Duration;

use daemon_rpc::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};

#[daemon_rpc::main(id = "progress")]
async fn progress(args: Args, err: Stderr, terminal: Terminal, mut out: Stdout) -> anyhow::Result<()> {
    if args.first().is_some_and(|arg| arg == "flood") {
        // More than any terminal takes that nobody reads.
        let bar = ProgressBar::with_draw_target(None, err.draw_target(&terminal));
        for number in 0..2000 {
            bar.println(format!("{number} {}", "x".repeat(1000)));
        }
        return Ok(());
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}")?;
    let bar = ProgressBar::with_draw_target(Some(40), err.draw_target(&terminal)).with_style(style);
    for step in 1..=40 {
        if step == 40
            && let Some(path) = args.first()
        {
            while !Path::new(path).exists() {
                bar.tick();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    out.write_all(b"done\n").await?;
    Ok(())
}
