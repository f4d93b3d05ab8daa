//! The same highlighter as a plain program, which loads everything each time: what `highlight` is compared with.

use std::io::{Read as _, Write as _};

use highlight::Highlighter;

fn main() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut out = std::io::stdout().lock();
    for line in Highlighter::load().lines(&text) {
        out.write_all(line?.as_bytes())?;
    }
    Ok(())
}
