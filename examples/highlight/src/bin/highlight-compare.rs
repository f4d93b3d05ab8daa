//! Measures what the daemon buys: `highlight` against `highlight-plain`, whole processes, in turns.
//!
//! ```sh
//! cargo run --release -p highlight --bin highlight-compare -- FILE
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

const ROUNDS: usize = 200;

fn main() -> anyhow::Result<()> {
    let input = std::env::args_os().nth(1).map(PathBuf::from).context("say which file to highlight")?;
    let programs = std::env::current_exe()?;
    let [plain, warm] = ["highlight-plain", "highlight"].map(|name| programs.with_file_name(name));
    build()?;
    ensure!(output(&plain, &input)? == output(&warm, &input)?, "the two programs disagree");

    let (mut plain_times, mut warm_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        plain_times.push(time(&plain, &input)?);
        warm_times.push(time(&warm, &input)?);
    }
    let (plain, warm) = (median(plain_times), median(warm_times));
    println!("a fresh process each time: {plain:>8.1?}");
    println!("warm calls of the daemon:  {warm:>8.1?}");
    println!("ratio:                     {:>8.1}", plain.as_secs_f64() / warm.as_secs_f64());
    Ok(())
}

/// Cargo builds only the program that it was asked to run.
fn build() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built =
        Command::new(cargo).args(["build", "--release", "--quiet", "--package", "highlight"]).status()?;
    ensure!(built.success(), "the programs can't be built");
    Ok(())
}

fn output(program: &Path, input: &Path) -> anyhow::Result<Vec<u8>> {
    let run = Command::new(program).arg("--color").stdin(File::open(input)?).output()?;
    ensure!(run.status.success(), "{} failed: {}", program.display(), String::from_utf8_lossy(&run.stderr));
    Ok(run.stdout)
}

fn time(program: &Path, input: &Path) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let status =
        Command::new(program).arg("--color").stdin(File::open(input)?).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "{} failed", program.display());
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
