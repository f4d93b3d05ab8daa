//! Loads what the file `load` says that is beside the daemon's files, and tells what was loaded and how often it was used.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use daemon_rpc::prelude::*;

struct Loaded {
    uses: AtomicU32,
    directory: PathBuf,
}

async fn load() -> anyhow::Result<Loaded> {
    let directory = PathBuf::from(std::env::var_os("DAEMON_RPC_DIR").context("no directory")?);
    let script = std::fs::read_to_string(directory.join("load")).unwrap_or_default();
    for step in script.lines() {
        match step.split_once(' ').unwrap_or((step, "")) {
            ("await", path) => {
                while !Path::new(path).exists() {
                    // Inside the runtime, or there would be no timer.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            ("count", _) => {
                let path = directory.join("loads");
                let loads = std::fs::read_to_string(&path).unwrap_or_default();
                std::fs::write(path, loads + ".")?;
            }
            ("fail", _) => Err(std::fs::read(directory.join("words")).context("no dictionary").unwrap_err())?,
            ("panic", text) => panic!("{text}"),
            other => bail!("there is no step {other:?}"),
        }
    }
    Ok(Loaded { uses: AtomicU32::new(0), directory })
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // Inside the runtime, or this would panic.
        drop(tokio::runtime::Handle::current());
        let uses = self.uses.load(Ordering::Relaxed);
        std::fs::write(self.directory.join("dropped"), format!("after {uses}")).unwrap();
    }
}

#[daemon_rpc::main(id = "stateful", state = load)]
async fn stateful(args: Args, loaded: State<Loaded>, mut out: Stdout) -> anyhow::Result<()> {
    let uses = loaded.uses.fetch_add(1, Ordering::Relaxed) + 1;
    out.write_all(format!("{uses}\n").as_bytes()).await?;
    if let Some(path) = args.first() {
        while !Path::new(path).exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    Ok(())
}
