struct Shouter;

impl Shouter {
    #[daemon_rpc::main]
    async fn shout(&self, text: String) {
        let _ = text;
    }
}

fn main() {}
