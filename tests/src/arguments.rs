//! Arguments of all the kinds that matter, for a program with a daemon and one without.
#![allow(missing_docs)]

use std::path::PathBuf;

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};

/// Does one thing or another.
#[derive(Debug, Parser)]
#[command(version = "1.2.3", after_help = daemon_rpc::control::HELP, group = ArgGroup::new("where").required(true).args(["here", "there"]))]
pub struct Arguments {
    /// How loud.
    #[arg(long, env = "CLI_LOUD", value_enum, default_value_t = Loud::Quiet, global = true)]
    loud: Loud,
    #[arg(long, env = "CLI_HERE")]
    here: Option<PathBuf>,
    #[arg(long, conflicts_with = "here")]
    there: Option<PathBuf>,
    #[arg(long, value_parser = existing)]
    file: Option<PathBuf>,
    #[arg(short, env = "CLI_VERBOSE", action = clap::ArgAction::SetTrue)]
    verbose: bool,
    #[command(subcommand)]
    what: What,
}

fn existing(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    if path.exists() { Ok(path) } else { Err("there is no such file".into()) }
}

#[derive(Clone, Debug, ValueEnum)]
pub enum Loud {
    Quiet,
    Shouting,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Adds numbers.
    Add {
        #[arg(required = true, env = "CLI_NUMBERS", value_delimiter = ',', value_parser = clap::value_parser!(i64).range(-100..=100))]
        numbers: Vec<i64>,
    },
    /// Says a word.
    Say {
        #[arg(env = "CLI_WORD")]
        word: String,
        #[arg(long, requires = "word")]
        twice: bool,
    },
}
