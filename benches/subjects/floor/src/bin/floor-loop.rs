//! The server of `event_loop`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the socket's path")?;
    #[cfg(target_os = "linux")]
    return bench_floor::event_loop::serve(path.as_ref());
    #[cfg(not(target_os = "linux"))]
    Err(format!("to listen at {} it needs epoll, which is Linux's", path.display()).into())
}
