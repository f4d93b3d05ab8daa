//! Writes each line of its input to the stream that the line names, and tells errors on standard error.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(errors = "stderr")]
async fn two_streams(text: String, mut err: Stderr, mut out: Stdout) -> anyhow::Result<()> {
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("out", rest)) => out.write_all(format!("{rest}\n").as_bytes()).await?,
            Some(("err", rest)) => err.write_all(format!("{rest}\n").as_bytes()).await?,
            Some(("fail", rest)) => anyhow::bail!("{rest}"),
            _ => panic!("{line}"),
        }
    }
    Ok(())
}
