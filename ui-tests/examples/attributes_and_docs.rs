//! Attributes, documentation and visibility stay as they are.

#![deny(warnings)]

/// The function keeps what stands on it, and stays a function.
#[daemon_rpc::main]
#[expect(clippy::unused_async)]
#[inline]
pub async fn shout(#[allow(unused_variables)] text: String) {}

#[allow(dead_code)]
async fn call_it() {
    shout(String::new()).await;
}
