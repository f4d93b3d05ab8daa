//! The same arguments in a program without a daemon: what `cli` is compared with.

use clap::Parser as _;
use daemon_rpc_tests::arguments::Arguments;

fn main() {
    println!("{:?}", Arguments::parse());
}
