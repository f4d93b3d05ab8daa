//! What the targets of `fuzz/` run. A finding is a panic, or more memory than a target may take; `docs/fuzzing.md` has the rest.
#![allow(clippy::expect_used, clippy::panic, reason = "a panic is how a finding is told")]

mod answer;
mod frames;
mod messages;
#[cfg(test)]
mod seeds;
mod session;

#[cfg(test)]
pub(crate) use frames::joined;

use crate::limits::MAX_SURROUNDINGS;
use crate::protocol::{FrameReader, Message, ProtocolError, VersionCheck};

/// Something that takes any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As in `fuzz/fuzz_targets` and `fuzz/corpus`.
    pub name: &'static str,
    /// Takes the bytes, and panics if what follows isn't as it must be.
    pub run: fn(&[u8]),
    /// The most memory, in bytes, that it may hold at once for so many bytes.
    pub most_memory: fn(usize) -> usize,
}

/// The decoder of frames, however their bytes are split. A frame's header is enough to have room made for all of it, as long as it may
/// be.
pub const FRAMES: Target = Target {
    name: "frames",
    run: frames::run,
    most_memory: |length| 2 * frames::LARGEST_LIMIT + 64 * KIB + 100 * length,
};

/// The decoder of each kind's body.
pub const MESSAGES: Target =
    Target { name: "messages", run: messages::run, most_memory: |length| 64 * KIB + 200 * length };

/// A client's bytes, and a session of the daemon. The same is true of a command there.
pub const SESSION: Target =
    Target { name: "session", run: session::run, most_memory: |_| MAX_SURROUNDINGS + 4 * MIB };

/// A daemon's bytes, and the client.
pub const ANSWER: Target = Target { name: "answer", run: answer::run, most_memory: |_| 4 * MIB };

/// All of them.
pub const TARGETS: [Target; 4] = [FRAMES, MESSAGES, SESSION, ANSWER];

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Who both sides are.
const BUILD: &str = "fuzzed";

fn version_check() -> Message {
    Message::VersionCheck(VersionCheck::of(BUILD))
}

/// A reader that has these bytes and no others.
fn reader_of(bytes: &[u8], body_limit: usize) -> FrameReader {
    let mut reader = FrameReader::new(body_limit);
    reader.received().extend_from_slice(bytes);
    reader
}

/// An error with its causes, which can be told whatever it is.
fn told(error: ProtocolError) -> String {
    let told = format!("{:#}", anyhow::Error::from(error));
    assert!(!told.is_empty() && told.len() < KIB, "{} bytes of error", told.len());
    assert!(!told.contains(char::is_control), "{told:?}");
    told
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn directory() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
    }

    fn names_in(directory: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn each_target_has_its_program_and_its_corpus() {
        let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        assert_eq!(names_in(&directory().join("corpus")), names);
        let programs = names.iter().map(|name| format!("{name}.rs")).collect();
        assert_eq!(names_in(&directory().join("fuzz_targets")), programs);
    }

    #[test]
    fn the_corpus_finds_nothing() {
        for target in TARGETS {
            let corpus = directory().join("corpus").join(target.name);
            let names = names_in(&corpus);
            assert!(names.len() >= 10, "{} has a corpus of {} files", target.name, names.len());
            for name in names {
                eprintln!("{}/{name}", target.name);
                (target.run)(&fs::read(corpus.join(name)).unwrap());
            }
        }
    }
}
