//! Starts itself once more, and waits until that has come as far. It has all of the smallest application in it, but makes no use of it: what
//! loading costs that is the client and then the daemon.

use std::env;
use std::io::{self, Read as _, Write as _};
use std::process::{Command, ExitCode, Stdio};

fn main() -> anyhow::Result<ExitCode> {
    match env::args().nth(1).as_deref() {
        None => {
            let mut second =
                Command::new(env::current_exe()?).arg("second").stdout(Stdio::piped()).spawn()?;
            second.stdout.take().map_or(Ok(()), |mut said| said.read_exact(&mut [0]))?;
        }
        Some("second") => io::stdout().write_all(b"\n")?,
        Some(_) => return Ok(tiny::run()),
    }
    Ok(ExitCode::SUCCESS)
}

mod tiny {
    use daemon_rpc::prelude::*;

    #[daemon_rpc::main]
    async fn tiny(mut out: Stdout) -> anyhow::Result<()> {
        out.write_all(b"hello\n").await?;
        Ok(())
    }

    pub(super) fn run() -> std::process::ExitCode {
        main()
    }
}
