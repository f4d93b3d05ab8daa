//! `Cwd`: the directory that the caller is in.

use std::ffi::OsString;
use std::ops::Deref;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::{FromInvocation, Invocation, Needs};

/// The directory of this command's caller: an absolute [`Path`]. The daemon's own is `/`, so a relative path that the caller
/// gave is to be joined to this. A caller whose directory has been deleted is told so, with exit code 78.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn manifest(cwd: Cwd, mut out: Stdout) -> std::io::Result<()> {
///     out.write_all(&std::fs::read(cwd.join("Cargo.toml"))?).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (out, written) = Stdout::captured();
/// manifest(Cwd::from(env!("CARGO_MANIFEST_DIR")), out).await.unwrap();
/// assert!(written.text().starts_with("[package]"));
/// # })
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cwd(PathBuf);

impl FromInvocation for Cwd {
    const NEEDS: Needs = Needs::DIRECTORY;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        let cwd = invocation.command.cwd.as_ref().context("the command came without its directory")?;
        Ok(Self(OsString::from_vec(cwd.to_vec()).into()))
    }
}

impl Deref for Cwd {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for Cwd {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// For the author's own tests.
impl<P: Into<PathBuf>> From<P> for Cwd {
    fn from(directory: P) -> Self {
        Self(directory.into())
    }
}
