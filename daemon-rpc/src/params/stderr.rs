//! `Stderr`: the caller's standard error.

use super::output::{OutputStream, output_parameter};
use crate::protocol::Stream;

/// The caller's standard error. It is written like [`Stdout`](super::Stdout), and the order between what is written to the two
/// is kept.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn convert(text: String, mut out: Stdout, mut err: Stderr) -> std::io::Result<()> {
///     for line in text.lines() {
///         match line.parse::<f64>() {
///             Ok(number) => out.write_all(format!("{}\n", number * 2.54).as_bytes()).await?,
///             Err(error) => err.write_all(format!("{line}: {error}\n").as_bytes()).await?,
///         }
///     }
///     Ok(())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let ((out, converted), (err, errors)) = (Stdout::captured(), Stderr::captured());
/// convert("1\nx\n".into(), out, err).await.unwrap();
/// assert_eq!((converted.text(), errors.text()), ("2.54\n".into(), "x: invalid float literal\n".into()));
/// # })
/// ```
#[derive(Debug)]
pub struct Stderr(pub(super) OutputStream);

output_parameter!(Stderr, Stream::Stderr);
