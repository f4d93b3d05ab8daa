//! A server with an event loop, which is Linux's.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the socket's path")?;
    #[cfg(target_os = "linux")]
    return bench_floor::event_loop::serve(path.as_ref());
    #[cfg(not(target_os = "linux"))]
    Err(format!("it can't listen at {} without epoll", path.display()).into())
}
