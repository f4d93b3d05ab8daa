//! A million commands for one daemon: `cargo run --release -p daemon-rpc-tests --bin soak -- 1000000`.

use std::path::PathBuf;

use daemon_rpc_tests::soak;

fn main() -> anyhow::Result<()> {
    let commands = std::env::args().nth(1).map_or(Ok(1_000_000), |number| number.parse())?;
    let program: PathBuf = std::env::current_exe()?.with_file_name("soaked");
    let looks = soak::run(commands, &program, |look| println!("{look}"));
    if let [_, first, .., last] = &*looks {
        let grown = i128::from(last.memory_kib) - i128::from(first.memory_kib);
        println!("grown by {grown} KiB from the first tenth to the last");
    }
    Ok(())
}
