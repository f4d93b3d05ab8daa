//! A parameter of the application's own.

use daemon_rpc::{FromInvocation, Invocation, Needs};

struct Lines(Vec<String>);

impl FromInvocation for Lines {
    const NEEDS: Needs = <String as FromInvocation>::NEEDS;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        let text = String::from_invocation(invocation)?;
        Ok(Self(text.lines().map(str::to_owned).collect()))
    }
}

#[daemon_rpc::main]
async fn count(lines: Lines) -> u8 {
    u8::try_from(lines.0.len()).unwrap_or(u8::MAX)
}
