//! An error that is not `anyhow`'s.

#[daemon_rpc::main]
async fn parse(text: String) -> Result<u8, std::num::ParseIntError> {
    text.trim().parse()
}
