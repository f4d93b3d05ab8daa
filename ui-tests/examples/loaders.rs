//! Every kind of function that can load a state, in one program each.

use daemon_rpc::prelude::*;

struct Dictionary(u8);

fn plain() -> Dictionary {
    Dictionary(1)
}

fn fallible() -> Result<Dictionary, std::num::ParseIntError> {
    Ok(Dictionary("2".parse()?))
}

async fn asynchronous() -> Dictionary {
    Dictionary(3)
}

async fn both() -> anyhow::Result<Dictionary> {
    Ok(Dictionary(4))
}

impl Dictionary {
    fn associated() -> Self {
        Self(5)
    }
}

mod plainly {
    use super::*;

    #[daemon_rpc::main(state = plain)]
    async fn spell(dictionary: State<Dictionary>) -> u8 {
        dictionary.0
    }

    pub const MAIN: fn() -> std::process::ExitCode = main;
}

mod fallibly {
    use super::*;

    #[daemon_rpc::main(state = fallible)]
    async fn spell(dictionary: State<Dictionary>) -> u8 {
        dictionary.0
    }

    pub const MAIN: fn() -> std::process::ExitCode = main;
}

mod asynchronously {
    use super::*;

    #[daemon_rpc::main(state = asynchronous)]
    async fn spell(dictionary: State<Dictionary>) -> u8 {
        dictionary.0
    }

    pub const MAIN: fn() -> std::process::ExitCode = main;
}

mod in_both_ways {
    use super::*;

    #[daemon_rpc::main(state = super::both)]
    async fn spell(dictionary: State<Dictionary>) -> u8 {
        dictionary.0
    }

    pub const MAIN: fn() -> std::process::ExitCode = main;
}

mod associated {
    use super::*;

    type Words = State<Dictionary>;

    #[daemon_rpc::main(state = Dictionary::associated)]
    async fn main(dictionary: Words) -> u8 {
        dictionary.0
    }

    pub const MAIN: fn() -> std::process::ExitCode = main;
}

fn main() -> std::process::ExitCode {
    let mains = [plainly::MAIN, fallibly::MAIN, asynchronously::MAIN, in_both_ways::MAIN, associated::MAIN];
    mains[0]()
}
