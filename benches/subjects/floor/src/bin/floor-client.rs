//! The least-possible client: sends a line, copies what comes back. With `copy`, it sends its standard input as well.

use std::error::Error;
use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use bench_floor::copy;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("the socket's path")?;
    let request = arguments.next().ok_or("a request")?;
    let mut server = UnixStream::connect(path)?;
    server.write_all(format!("{request}\n").as_bytes())?;
    if request == "copy" {
        let to_server = server.try_clone()?;
        thread::spawn(move || {
            copy(rustix::stdio::stdin(), &to_server)?;
            to_server.shutdown(Shutdown::Write)
        });
    }
    // Rust's own standard output looks for line ends, and writes up to the last of them apart.
    copy(&server, rustix::stdio::stdout())?;
    Ok(())
}
