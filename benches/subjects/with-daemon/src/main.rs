//! The tiny command on the crate `with_daemon`, written as its documentation has it. Its files are those that the arguments name.

use std::error::Error;
use std::io::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let pid_file = arguments.next().ok_or("the pid file's path")?;
    let socket = arguments.next().ok_or("the socket's path")?;
    let answer = with_daemon::with_daemon(
        &pid_file,
        &socket,
        |_| async { Ok::<_, String>(()) },
        |_, mut stream| async move {
            // A client that goes early is none of the daemon's business.
            let _ = stream.write_all(b"hello\n").await;
        },
        |mut stream| async move {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.map(|_| answer)
        },
    )?;
    std::io::stdout().write_all(&answer?)?;
    Ok(())
}
