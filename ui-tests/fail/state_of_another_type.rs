use daemon_rpc::prelude::*;

struct Dictionary;
struct Thesaurus;

async fn load() -> std::io::Result<Thesaurus> {
    Ok(Thesaurus)
}

#[daemon_rpc::main(state = load)]
async fn spell(text: String, dictionary: State<Dictionary>) {}
