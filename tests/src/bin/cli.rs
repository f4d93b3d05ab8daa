//! Takes its arguments through clap, and tells what it got.

use daemon_rpc::prelude::*;
use daemon_rpc_tests::arguments::Arguments;

#[daemon_rpc::main(id = "cli")]
async fn cli(Cli(arguments): Cli<Arguments>, mut out: Stdout) -> std::io::Result<()> {
    out.write_all(format!("{arguments:?}\n").as_bytes()).await
}
