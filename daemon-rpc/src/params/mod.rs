//! What a handler can ask for, one file each.

mod args;
mod bytes;
mod cancellation;
#[cfg(feature = "clap")]
mod cli;
mod cwd;
mod env;
mod output;
#[cfg(feature = "indicatif")]
mod progress;
mod state;
mod stderr;
mod stdin;
mod stdout;
mod terminal;
mod text;

pub use ::bytes::Bytes;
pub use args::Args;
#[cfg(feature = "clap")]
pub use cli::Cli;
pub use cwd::Cwd;
pub use env::Env;
pub use state::State;
pub use stderr::Stderr;
pub use stdin::Stdin;
pub(crate) use stdin::given;
pub use stdout::Stdout;
pub use terminal::Terminal;
pub use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// The types that this directory makes parameters.
    fn parameters() -> BTreeSet<String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/params");
        let sources =
            fs::read_dir(directory).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let name = |line: &str| {
            let (_, rest) =
                line.split_once("FromInvocation for ").or_else(|| line.split_once("output_parameter!("))?;
            Some(rest.split(['<', ',', ' ']).next()?.to_owned())
        };
        let all: BTreeSet<_> =
            sources.flat_map(|source| source.lines().filter_map(name).collect::<Vec<_>>()).collect();
        all.into_iter().filter(|name| name.chars().all(char::is_alphanumeric)).collect()
    }

    /// Everything in backquotes in the first column of a table.
    fn first_column(table: &str, before: &str) -> BTreeSet<String> {
        let rows = table.lines().filter_map(|line| line.strip_prefix(before)?.split('|').next());
        let quoted = rows.flat_map(|column| column.split('`').skip(1).step_by(2));
        quoted.map(|name| name.split('<').next().unwrap_or(name).to_owned()).collect()
    }

    #[test]
    fn the_readme_and_the_crate_say_the_same_of_moving_a_tool() {
        let (_, readme) =
            include_str!("../../../README.md").split_once("# Moving an existing tool\n").unwrap();
        let (readme, _) = readme.split_once("[`examples/port`]").unwrap();
        let (_, crates) = include_str!("../lib.md").split_once("# Moving an existing tool\n").unwrap();
        assert_eq!(crates.split_once("# Testing").unwrap().0, readme);
    }

    #[test]
    fn every_parameter_is_documented_and_nothing_else() {
        let parameters = parameters();
        assert!(parameters.contains("Stdout") && parameters.contains("Cli"), "{parameters:?}");
        let (_, handler) = include_str!("../handler.rs").split_once("These exist:").unwrap();
        let (table, _) = handler.split_once("An application's own").unwrap();
        assert_eq!(first_column(table, "/// | "), parameters);
        let (_, readme) =
            include_str!("../../../README.md").split_once("\n## What a handler can ask for\n").unwrap();
        let (table, _) = readme.split_once("\n\nAt most one").unwrap();
        assert_eq!(first_column(table, "| "), parameters);
        let (_, note) =
            include_str!("../handler.rs").split_once("note = \"a handler's parameters are ").unwrap();
        let (note, _) = note.split_once(", and types that").unwrap();
        assert_eq!(first_column(note, ""), parameters);
    }
}
