//! Does what its arguments say: the bulk of the benchmark.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use daemon_rpc::prelude::*;

const LINE: &[u8] = b"a short line\n";
const BLOCK: usize = 64 * 1024;

#[daemon_rpc::main(max_concurrent = 4096)]
async fn work(args: Args, mut stdin: Stdin, mut out: Stdout) -> anyhow::Result<()> {
    let mut args = args.into_iter().filter_map(|argument| argument.into_string().ok());
    let kind = args.next().context("what to do")?;
    let mut count = args.next().map_or(Ok(0), |count| count.parse::<usize>())?;
    match &*kind {
        "tiny" => out.write_all(b"hello\n").await?,
        "bulk" => {
            let block = vec![b'x'; BLOCK];
            while count > 0 {
                let piece = block.get(..count).unwrap_or(&block);
                out.write_all(piece).await?;
                count -= piece.len();
            }
        }
        "copy" => loop {
            let piece = stdin.fill_buf().await?;
            if piece.is_empty() {
                break;
            }
            let length = piece.len();
            out.write_all(piece).await?;
            stdin.consume(length);
        },
        "lines" => {
            spawn_blocking(move || {
                let mut out = std::io::BufWriter::new(SyncIoBridge::new(out));
                (0..count).try_for_each(|_| out.write_all(LINE))?;
                out.flush()
            })
            .await??;
        }
        "async-lines" => {
            let mut out = BufWriter::new(out);
            for _ in 0..count {
                out.write_all(LINE).await?;
            }
            out.flush().await?;
        }
        "single-lines" => {
            for _ in 0..count {
                out.write_all(LINE).await?;
            }
        }
        "wait" => std::future::pending().await,
        other => bail!("there is no {other:?}"),
    }
    Ok(())
}
