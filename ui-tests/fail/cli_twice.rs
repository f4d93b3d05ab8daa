use clap::Parser;
use daemon_rpc::prelude::*;

#[derive(Parser)]
struct Some {}

#[derive(Parser)]
struct Others {}

#[daemon_rpc::main]
async fn spell(some: Cli<Some>, others: Cli<Others>) {}
