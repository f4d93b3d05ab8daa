use daemon_rpc::prelude::*;

struct Arguments;

#[daemon_rpc::main]
async fn spell(arguments: Cli<Arguments>) {}
