//! `Args`: the caller's arguments.

use std::ffi::OsString;
use std::ops::Deref;
use std::os::unix::ffi::OsStringExt as _;

use anyhow::Context as _;

use crate::{FromInvocation, Invocation, Needs};

/// The arguments after the program's name, exactly as the caller gave them. It is a slice of [`OsString`]s.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn echo(args: Args, mut out: Stdout) -> std::io::Result<()> {
///     for arg in &args {
///         out.write_all(arg.as_encoded_bytes()).await?;
///         out.write_all(b"\n").await?;
///     }
///     Ok(())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (out, written) = Stdout::captured();
/// echo(Args::from_iter(["-n", "5"]), out).await.unwrap();
/// assert_eq!(written.text(), "-n\n5\n");
/// # })
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args(Vec<OsString>);

impl FromInvocation for Args {
    const NEEDS: Needs = Needs::ARGUMENTS;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        let args = invocation.command.args.as_ref().context("the command came without its arguments")?;
        Ok(Self(args.iter().map(|arg| OsString::from_vec(arg.to_vec())).collect()))
    }
}

impl Deref for Args {
    type Target = [OsString];

    fn deref(&self) -> &[OsString] {
        &self.0
    }
}

impl<A: Into<OsString>> FromIterator<A> for Args {
    fn from_iter<I: IntoIterator<Item = A>>(args: I) -> Self {
        Self(args.into_iter().map(Into::into).collect())
    }
}

impl IntoIterator for Args {
    type Item = OsString;
    type IntoIter = std::vec::IntoIter<OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Args {
    type Item = &'a OsString;
    type IntoIter = std::slice::Iter<'a, OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
