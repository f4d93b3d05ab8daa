//! The least-possible server: one connection after another, a line from each, and what that asks for.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use bench_floor::{BLOCK, FRAME_HEADER, LINE, TINY, copy};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the socket's path")?;
    for client in UnixListener::bind(path)?.incoming() {
        // A client that goes early is none of the others' business.
        let _ = serve(client?);
    }
    Ok(())
}

fn serve(client: UnixStream) -> Result<(), Box<dyn Error>> {
    let mut input = BufReader::new(&client);
    let mut request = String::new();
    input.read_line(&mut request)?;
    let (kind, count) = request.trim_end().split_once(' ').unwrap_or((request.trim_end(), "0"));
    let mut count: usize = count.parse()?;
    let mut output = &client;
    match kind {
        "tiny" => output.write_all(TINY)?,
        "bulk" => {
            let block = vec![b'x'; BLOCK];
            while count > 0 {
                let piece = block.get(..count).unwrap_or(&block);
                output.write_all(piece)?;
                count -= piece.len();
            }
        }
        "copy" => {
            // What came with the request.
            output.write_all(input.buffer())?;
            copy(&client, &client)?;
        }
        "lines" => {
            let mut output = BufWriter::new(output);
            (0..count).try_for_each(|_| output.write_all(LINE))?;
            output.flush()?;
        }
        "framed-lines" => {
            let mut output = BufWriter::new(Framed { output, frame: Vec::new() });
            (0..count).try_for_each(|_| output.write_all(LINE))?;
            output.flush()?;
        }
        "single-lines" => (0..count).try_for_each(|_| output.write_all(LINE))?,
        other => return Err(other.into()),
    }
    Ok(())
}

/// Puts a header before whatever is written.
struct Framed<W> {
    output: W,
    frame: Vec<u8>,
}

impl<W: Write> Write for Framed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.clear();
        self.frame.extend([0; FRAME_HEADER]);
        self.frame.extend_from_slice(bytes);
        self.output.write_all(&self.frame)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
