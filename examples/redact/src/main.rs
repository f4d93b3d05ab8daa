//! Blanks out secrets in what passes through: `tail -f app.log | redact`.

mod secrets;

use std::future::ready;
use std::pin::pin;

use daemon_rpc::prelude::*;
use secrets::Secrets;
use tokio::io::BufWriter;
use tokio::select;

/// A longer line is taken in pieces. A secret that lies across two of them is missed.
const LONGEST_LINE: u64 = 1024 * 1024;

#[daemon_rpc::main(state = Secrets::load, errors = "stderr")]
async fn redact(mut stdin: Stdin, secrets: State<Secrets>, out: Stdout) -> std::io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut redaction = secrets.redaction();
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut piece = (&mut stdin).take(LONGEST_LINE);
        let mut next = pin!(piece.read_until(b'\n', &mut line));
        let read = select! {
            biased;
            read = &mut next => read,
            // Before there is nothing to do but wait, what is done is shown.
            () = ready(()) => {
                out.flush().await?;
                next.await
            }
        };
        if read? == 0 {
            return out.flush().await;
        }
        out.write_all(&redaction.blanked_out(&line)).await?;
    }
}

#[cfg(test)]
mod tests {
    use daemon_rpc::handler_fn;
    use daemon_rpc::testing::Call;

    use super::*;

    #[tokio::test]
    async fn secrets_go_and_the_rest_stays() {
        let log = "started\npassword=hunter2 user=ada\n\u{1F600} no newline at the end";
        let call = Call::new().state(Secrets::load().unwrap()).input(log);
        let finished = call.run(handler_fn(redact)).await;
        assert_eq!(
            finished.stdout_text(),
            "started\npassword=<password> user=ada\n\u{1F600} no newline at the end"
        );
    }
}
