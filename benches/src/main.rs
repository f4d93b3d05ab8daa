//! Measures daemon-rpc against floors and peers, all in one run and in turns, and writes `docs/performance.md` and its plots.
//!
//! ```sh
//! cargo run --release -p daemon-rpc-bench
//! cargo run --release -p daemon-rpc-bench -- --quick
//! ```
//!
//! `--quick` takes a minute once everything is built, and writes beside the programs instead of into `docs/`.

mod aims;
mod bulk;
mod measure;
mod placement;
mod plots;
mod programs;
mod report;
mod sample;
mod wire;

use std::fs;

use anyhow::bail;

use measure::Extent;
use programs::Programs;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let quick = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--quick"] => true,
        _ => bail!("it takes --quick or nothing"),
    };
    let directory =
        if quick { programs::target_directory()?.join("benchmark") } else { programs::root().join("docs") };
    fs::create_dir_all(&directory)?;

    let run = report::described_run(quick)?;
    let programs = Programs::start()?;
    let measured = measure::everything(&programs, if quick { Extent::QUICK } else { Extent::FULL })?;
    plots::draw(&measured, &directory)?;
    let report = directory.join("performance.md");
    fs::write(&report, report::render(&measured, run)?)?;
    print!("{}", report::aims(&measured));
    println!("\n{} has the rest", report.display());
    Ok(())
}
