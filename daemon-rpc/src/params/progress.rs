//! Progress bars of `indicatif` on the caller's terminal.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressDrawTarget, TermLike};
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Handle;

use super::output::OutputStream;
use super::{Stderr, Terminal};

/// What most terminals have, should one not tell.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// How many bytes of drawings may wait for a terminal: seconds of them.
const MOST_LATE: usize = 64 * 1024;

/// How often a bar is drawn, at most, in a second.
const REFRESH_RATE: u8 = 20;

impl Stderr {
    /// Where [`indicatif`] draws its progress bars: on the caller's standard error, as wide as that terminal is at that moment. If
    /// it isn't a terminal, nothing is drawn. Feature `indicatif`.
    ///
    /// Drawing never waits: what a terminal has no room for (Ctrl+S) is drawn later, and left out where it becomes too much.
    ///
    /// ```
    /// use daemon_rpc::prelude::*;
    /// use indicatif::ProgressBar;
    ///
    /// async fn work(err: Stderr, terminal: Terminal) {
    ///     let bar = ProgressBar::with_draw_target(Some(3), err.draw_target(&terminal));
    ///     for _ in 0..3 {
    ///         bar.inc(1);
    ///     }
    ///     bar.finish_and_clear();
    /// }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (err, drawn) = Stderr::captured();
    /// work(err, Terminal::of_size(80, 24)).await;
    /// assert!(drawn.text().contains("3/3"));
    ///
    /// let (err, drawn) = Stderr::captured();
    /// work(err, Terminal::none()).await;
    /// assert_eq!(drawn.text(), "");
    /// # })
    /// ```
    #[must_use]
    pub fn draw_target(&self, terminal: &Terminal) -> ProgressDrawTarget {
        if !terminal.stderr_is_terminal() {
            return ProgressDrawTarget::hidden();
        }
        let late = Arc::new(Late { stderr: self.0.clone(), drawings: Mutex::default() });
        let runtime = Handle::try_current().ok();
        let canvas = Canvas { late, terminal: terminal.clone(), drawing: Mutex::default(), runtime };
        ProgressDrawTarget::term_like_with_hz(Box::new(canvas), REFRESH_RATE)
    }
}

/// A part of the caller's terminal.
#[derive(Debug)]
struct Canvas {
    terminal: Terminal,
    /// What the next flush sends, in one piece.
    drawing: Mutex<String>,
    late: Arc<Late>,
    /// Where what is late is sent from.
    runtime: Option<Handle>,
}

/// What the terminal had no room for.
#[derive(Debug)]
struct Late {
    stderr: OutputStream,
    drawings: Mutex<Vec<u8>>,
}

impl Late {
    fn drawings(&self) -> MutexGuard<'_, Vec<u8>> {
        // Bytes are whole at any moment.
        self.drawings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends all of it, as room comes. Only one at a time does, which is over when nothing is left.
    async fn send(self: Arc<Self>) {
        let mut stderr = self.stderr.clone();
        loop {
            let drawings = self.drawings().clone();
            if stderr.write_all(&drawings).await.is_err() {
                return;
            }
            // Until now they stood there for those who draw on to see that they are behind them.
            let mut late = self.drawings();
            late.drain(..drawings.len());
            if late.is_empty() {
                return;
            }
        }
    }
}

impl Canvas {
    fn drawing(&self) -> MutexGuard<'_, String> {
        // A drawing that a panic cut short is still one.
        self.drawing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the cursor. To a terminal, a count of 0 means 1.
    fn go(&self, count: usize, direction: char) -> io::Result<()> {
        if count > 0 {
            // Writing to a string can't fail.
            let _ = write!(self.drawing(), "\x1b[{count}{direction}");
        }
        Ok(())
    }

    fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or(USUAL_SIZE, |size| (size.columns, size.rows))
    }
}

impl TermLike for Canvas {
    fn width(&self) -> u16 {
        self.size().0
    }

    fn height(&self) -> u16 {
        self.size().1
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.go(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.go(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.go(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.go(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.drawing().extend([text, "\r\n"]);
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.drawing().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.drawing().push_str("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let drawing = std::mem::take(&mut *self.drawing());
        let mut late = self.late.drawings();
        let was_late = !late.is_empty();
        let written = if was_late { 0 } else { self.late.stderr.write_now(drawing.as_bytes())? };
        let rest = drawing.as_bytes().get(written..).unwrap_or_default();
        if rest.is_empty() || late.len() + rest.len() > MOST_LATE {
            return Ok(());
        }
        late.extend_from_slice(rest);
        if let (false, Some(runtime)) = (was_late, &self.runtime) {
            runtime.spawn(Arc::clone(&self.late).send());
        }
        Ok(())
    }
}
