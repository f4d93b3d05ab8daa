//! `Env`: the caller's environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;

use anyhow::Context as _;

use crate::{FromInvocation, Invocation, Needs};

/// The environment of this command's caller, never the daemon's, which is that of whoever happened to start it.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn editor(env: Env, mut out: Stdout) -> std::io::Result<()> {
///     let editor = env.get("EDITOR").unwrap_or("vi".as_ref());
///     out.write_all(editor.as_encoded_bytes()).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// for (env, expected) in [(Env::from_iter([("EDITOR", "ed")]), "ed"), (Env::default(), "vi")] {
///     let (out, written) = Stdout::captured();
///     editor(env, out).await.unwrap();
///     assert_eq!(written.text(), expected);
/// }
/// # })
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(Vec<(OsString, OsString)>);

impl Env {
    /// The value of a variable, if the caller has it set.
    #[must_use]
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.iter().find_map(|(known, value)| (known == name.as_ref()).then_some(value))
    }

    /// All variables with their values, in the caller's order.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl FromInvocation for Env {
    const NEEDS: Needs = Needs::ENVIRONMENT;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        let env = invocation.command.env.as_ref().context("the command came without its environment")?;
        let text = |bytes: &bytes::Bytes| OsString::from_vec(bytes.to_vec());
        Ok(Self(env.iter().map(|(name, value)| (text(name), text(value))).collect()))
    }
}

impl IntoIterator for Env {
    type Item = (OsString, OsString);
    type IntoIter = std::vec::IntoIter<(OsString, OsString)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
