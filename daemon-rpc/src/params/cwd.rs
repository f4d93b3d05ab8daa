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
/// async fn readme(cwd: Cwd, mut out: Stdout) -> std::io::Result<()> {
///     out.write_all(&std::fs::read(cwd.join("README.md"))?).await
/// }
///
/// assert_eq!(Cwd::from("/home".as_ref()).join("me").to_str(), Some("/home/me"));
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

impl From<&Path> for Cwd {
    fn from(directory: &Path) -> Self {
        Self(directory.to_owned())
    }
}
