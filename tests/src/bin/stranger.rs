//! Somebody else on the machine: `connect PATH` says hello to a daemon and tells what it hears, `listen PATH` sits where a daemon's
//! socket belongs and tells what it hears there, `replay PATH` says its input to a daemon and tells what it hears.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};

/// A `VersionCheck` of no build.
const HELLO: &[u8] = b"\0\0\0\x05\x01\x92\x01\xa1?";

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (what, path) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let mut stream = match &*what {
        "connect" => {
            let mut stream = UnixStream::connect(path)?;
            // The daemon may have closed already.
            let _ = stream.write_all(HELLO);
            stream
        }
        "replay" => {
            let mut stream = UnixStream::connect(path)?;
            let mut said = Vec::new();
            std::io::stdin().read_to_end(&mut said)?;
            let _ = stream.write_all(&said);
            stream
        }
        _ => {
            let listener = UnixListener::bind(path)?;
            println!("listening");
            listener.accept()?.0
        }
    };
    let mut heard = Vec::new();
    // Being disconnected is what it is there for.
    let _ = stream.read_to_end(&mut heard);
    println!("{heard:?}");
    Ok(())
}
