//! Returns the number that it is given.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn number(args: Args) -> u8 {
    args.first().and_then(|number| number.to_str()?.parse().ok()).unwrap_or_default()
}
