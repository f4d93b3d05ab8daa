use std::rc::Rc;

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn shout(text: String, mut out: Stdout) -> std::io::Result<()> {
    let text = Rc::new(text);
    out.write_all(text.as_bytes()).await?;
    out.write_all(text.as_bytes()).await
}
