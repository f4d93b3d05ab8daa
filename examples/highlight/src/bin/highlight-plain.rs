//! The same highlighter as a plain program, which loads everything each time: what `highlight` is compared with.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write as _, stdin, stdout};

use clap::Parser as _;
use daemon_rpc::ColorSupport;
use highlight::{Arguments, Highlighter, Painter};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let highlighter = Highlighter::load();
    let colors = arguments.color.colors(ColorSupport::None);
    if arguments.files.is_empty() {
        paint(stdin().lock(), highlighter.painter(&arguments, None, colors)?)?;
    }
    for path in &arguments.files {
        let painter = highlighter.painter(&arguments, Some(path), colors)?;
        paint(BufReader::new(File::open(path)?), painter)?;
    }
    Ok(())
}

fn paint(mut text: impl BufRead, mut painter: Painter<'_>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    let mut line = String::new();
    while text.read_line(&mut line)? > 0 {
        out.write_all(painter.paint(&line)?.as_bytes())?;
        line.clear();
    }
    Ok(out.flush()?)
}
