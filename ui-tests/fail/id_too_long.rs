#[daemon_rpc::main(id = "a-daemon-whose-name-says-all-that-there-is-to-say-about-what-it-does")]
async fn shout(text: String) {
    let _ = text;
}
