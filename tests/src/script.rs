//! A handler that does what its input says, one step a line. Files are how it and the test wait for each other.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use daemon_rpc::prelude::*;

const LOOK_AGAIN: Duration = Duration::from_millis(2);
const BULK: usize = 64 * 1024;

/// How a command ends that had to begin at an acceptor and didn't.
pub const NOT_AT_ACCEPTOR: u8 = 99;

/// Runs the script.
///
/// # Errors
///
/// Those that the script asks for, and scripts that make no sense.
pub async fn run(script: &str, out: &mut Stdout, cancel: &CancellationToken) -> anyhow::Result<ExitCode> {
    let mut touched_at_end = Vec::new();
    for step in script.lines() {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let path = || PathBuf::from(rest);
        match verb {
            "print" => out.write_all(format!("{rest}\n").as_bytes()).await?,
            "pid" => out.write_all(format!("{}\n", std::process::id()).as_bytes()).await?,
            "thread" => {
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                out.write_all(format!("{name}\n").as_bytes()).await?;
            }
            "only-at-acceptor" => {
                if std::thread::current().name() != Some("acceptor") {
                    return Ok(NOT_AT_ACCEPTOR.into());
                }
                touch(&path())?;
            }
            "bulk" => bulk(rest.parse()?, None, out).await?,
            "counted-bulk" => {
                let (count, progress) = rest.split_once(' ').context("counted-bulk BYTES FILE")?;
                bulk(count.parse()?, Some(Path::new(progress)), out).await?;
            }
            "touch" => touch(&path())?,
            "append" => append(&path())?,
            "await" => wait_for(&path()).await,
            "touch-at-end" => touched_at_end.push(TouchedOnDrop(path())),
            "until-cancelled" => {
                cancel.cancelled().await;
                touch(&path())?;
            }
            "until-aborted" => {
                let _touched = TouchedOnDrop(path());
                std::future::pending::<()>().await;
            }
            "read" => drop(std::fs::read(path())?),
            "log" => {
                for line in 0..rest.parse::<u32>()? {
                    eprintln!("{line:9}");
                }
            }
            "block-thread" => {
                while !path().exists() {
                    std::thread::sleep(LOOK_AGAIN);
                }
            }
            "block-until-cancelled" => {
                while !cancel.is_cancelled() {
                    std::thread::sleep(LOOK_AGAIN);
                }
                touch(&path())?;
            }
            "fail" => {
                let mut causes = rest.rsplit(": ");
                let root = anyhow!(causes.next().unwrap_or_default().to_owned());
                return Err(causes.fold(root, |error, cause| error.context(cause.to_owned())));
            }
            "panic" => std::panic::panic_any(rest.to_owned()),
            "exit" => return Ok(rest.parse::<u8>()?.into()),
            "" => {}
            other => bail!("there is no step {other:?}"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes so many bytes, and if asked how far it is.
async fn bulk(mut count: usize, progress: Option<&Path>, out: &mut Stdout) -> anyhow::Result<()> {
    let block: Vec<u8> = (0..=u8::MAX).cycle().take(BULK).collect();
    let mut written = 0;
    while count > 0 {
        let piece = block.get(..count).unwrap_or(&block);
        out.write_all(piece).await?;
        count -= piece.len();
        written += piece.len();
        if let Some(progress) = progress {
            std::fs::write(progress, written.to_string())?;
        }
    }
    Ok(())
}

async fn wait_for(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn touch(path: &Path) -> anyhow::Result<()> {
    std::fs::write(path, "").with_context(|| format!("can't write {}", path.display()))
}

/// Adds a line, so that they can be counted.
fn append(path: &Path) -> anyhow::Result<()> {
    Ok(OpenOptions::new().create(true).append(true).open(path)?.write_all(b"once\n")?)
}

struct TouchedOnDrop(PathBuf);

impl Drop for TouchedOnDrop {
    fn drop(&mut self) {
        // The test that waits for the file will say that it is missing.
        let _ = touch(&self.0);
    }
}
