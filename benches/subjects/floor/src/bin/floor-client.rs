//! The least-possible client: sends a line, copies what comes back. With `copy`, it sends its standard input as well.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use bench_floor::BLOCK;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("the socket's path")?;
    let request = arguments.next().ok_or("a request")?;
    let mut server = UnixStream::connect(path)?;
    server.write_all(format!("{request}\n").as_bytes())?;
    if request == "copy" {
        let mut to_server = server.try_clone()?;
        thread::spawn(move || {
            copy(&mut io::stdin(), &mut to_server)?;
            to_server.shutdown(Shutdown::Write)
        });
    }
    copy(&mut server, &mut io::stdout())?;
    Ok(())
}

/// `std::io::copy` might leave it to the kernel, which is another measurement.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match from.read(&mut block)? {
            0 => return Ok(()),
            count => to.write_all(block.get(..count).unwrap_or_default())?,
        }
    }
}
