//! SHA-256 sums of files, as `sha256sum` shows them, with a progress bar, and remembered as long as a file doesn't change.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use daemon_rpc::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest as _, Sha256};

const PIECE: usize = 128 * 1024;

/// A file as it was when it was read: device, number, size and time of its last change.
type Version = (u64, u64, u64, i64, i64);

/// The sums that are known. Commands share them, so they are behind a lock.
#[derive(Debug, Default)]
struct Known(Mutex<HashMap<Version, String>>);

impl Known {
    fn get(&self, version: &Version) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(version).cloned()
    }

    fn insert(&self, version: Version, sum: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(version, sum.to_owned());
    }
}

#[daemon_rpc::main(state = Known::default, errors = "stderr")]
async fn checksum(
    args: Args,
    cwd: Cwd,
    terminal: Terminal,
    known: State<Known>,
    cancel: CancellationToken,
    out: Stdout,
    err: Stderr,
) -> anyhow::Result<()> {
    let bar = ProgressBar::with_draw_target(Some(0), err.draw_target(&terminal));
    bar.set_style(ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}")?);
    // Reading and computing block, so they have a thread of their own.
    spawn_blocking(move || {
        let mut out = SyncIoBridge::new(out);
        for name in &args {
            let sum = sum(&cwd.join(name), &known, &bar, &cancel);
            let sum = sum.with_context(|| format!("can't read {}", name.display()))?;
            bar.suspend(|| out.write_all(&[sum.as_bytes(), b"  ", name.as_encoded_bytes(), b"\n"].concat()))?;
        }
        bar.finish_and_clear();
        Ok(())
    })
    .await?
}

fn sum(
    path: &std::path::Path,
    known: &Known,
    bar: &ProgressBar,
    cancel: &CancellationToken,
) -> anyhow::Result<String> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    bar.inc_length(metadata.len());
    if let Some(sum) = known.get(&version(&metadata)) {
        tracing::debug!(?path, "known already");
        bar.inc(metadata.len());
        return Ok(sum);
    }
    let mut sha = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        // Nobody can abort a thread, so it looks by itself whether anybody still waits.
        anyhow::ensure!(!cancel.is_cancelled(), "interrupted");
        let count = file.read(&mut piece)?;
        if count == 0 {
            break;
        }
        sha.update(piece.get(..count).unwrap_or_default());
        bar.inc(count as u64);
    }
    let sum: String = sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    known.insert(version(&metadata), &sum);
    Ok(sum)
}

fn version(file: &Metadata) -> Version {
    (file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec())
}
