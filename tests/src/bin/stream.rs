//! Streams its input, in the way that its arguments say.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "stream", errors = "stderr")]
async fn stream(
    args: Args,
    mut stdin: Stdin,
    mut out: Stdout,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    for step in &args {
        let step = step.to_string_lossy();
        let (verb, rest) = step.split_once(' ').unwrap_or((&step, ""));
        match verb {
            "copy" => drop(tokio::io::copy_buf(&mut stdin, &mut out).await?),
            "line" => {
                let mut line = String::new();
                stdin.read_line(&mut line).await?;
                out.write_all(line.as_bytes()).await?;
            }
            "print" => out.write_all(format!("{rest}\n").as_bytes()).await?,
            "touch" => std::fs::write(rest, "")?,
            "await" => {
                while !Path::new(rest).exists() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            "until-cancelled" => {
                cancel.cancelled().await;
                std::fs::write(
                    rest,
                    format!("{:?}", stdin.read(&mut [0]).await.map_err(|error| error.kind())),
                )?;
            }
            "bye" => {
                cancel.cancelled().await;
                out.write_all(&vec![b'x'; 1_000_000]).await?;
            }
            "numbers-sync" => {
                let (mut input, mut output) = (SyncIoBridge::new(stdin), SyncIoBridge::new(out));
                return spawn_blocking(move || {
                    let mut numbers = std::io::BufRead::lines(&mut input).enumerate();
                    numbers.try_for_each(|(number, line)| Ok(writeln!(output, "{number} {}", line?)?))
                })
                .await?;
            }
            other => anyhow::bail!("there is no step {other:?}"),
        }
    }
    Ok(())
}
