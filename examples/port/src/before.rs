//! Tells the time zones of places.

use std::io::{Write as _, stdin, stdout};

use clap::Parser as _;
use port::{Arguments, zone};
use tzf_rs::DefaultFinder;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let finder = DefaultFinder::new();
    let mut out = stdout();
    for place in &arguments.places {
        out.write_all(format!("{}\n", zone(&finder, place)?).as_bytes())?;
    }
    if arguments.places.is_empty() {
        let mut lines = stdin().lines();
        while let Some(line) = lines.next().transpose()? {
            out.write_all(format!("{}\n", zone(&finder, &line)?).as_bytes())?;
        }
    }
    Ok(())
}
