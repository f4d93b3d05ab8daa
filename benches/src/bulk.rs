//! Moving much: output and input of whole processes.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::measure::{Extent, Named, NamedTurns, OURS, PAIR, named};
use crate::placement::{Placed, Placement};
use crate::programs::{Programs, run};
use crate::sample::{Turn, timed};

/// Moving much.
#[derive(Debug)]
pub struct Bulk {
    /// What is moved.
    pub kind: Kind,
    /// Where client and server run.
    pub placement: Placement,
    /// By whom.
    pub named: Named,
}

/// What is moved, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Blocks, to where nobody reads them.
    ToNull,
    /// Blocks, to another process.
    IntoPipe,
    /// What the handler reads, it writes.
    Copy,
    /// Lines that reach the client a full buffer at a time.
    Lines,
    /// Lines of which each is a write of its own.
    SingleLines,
}

impl Kind {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ToNull => "output to `/dev/null`",
            Self::IntoPipe => "output into a pipe",
            Self::Copy => "standard input to output",
            Self::Lines => "lines through `BufWriter`",
            Self::SingleLines => "lines, each written by itself",
        }
    }
}

/// Measures all of it.
///
/// # Errors
///
/// When a program fails.
pub fn measure(programs: &Programs, extent: Extent) -> anyhow::Result<Vec<Bulk>> {
    let input = programs.scene.path("input");
    let text = File::create(&input)?;
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b'x'), extent.bulk), &mut &text)?;
    run(programs.command("ours-work").arg("tiny"))?;
    let servers: Vec<_> = programs.floor_servers().chain([programs.daemon("ours-work")?]).collect();
    let mut all = Vec::new();
    for _ in 0..extent.passes {
        for placement in Placement::all_at_once()? {
            let _placed = Placed::new(placement, &servers)?;
            for (kind, named) in pass_of_bulk(programs, extent, &input)? {
                add(&mut all, Bulk { kind, placement, named });
            }
        }
    }
    Ok(all)
}

/// Adds what was measured in one pass to what was in others.
fn add(all: &mut Vec<Bulk>, pass: Bulk) {
    let is_same = |bulk: &&mut Bulk| bulk.kind == pass.kind && bulk.placement == pass.placement;
    let Some(bulk) = all.iter_mut().find(is_same) else {
        all.push(pass);
        return;
    };
    for ((_, sample), (_, more)) in bulk.named.iter_mut().zip(pass.named) {
        sample.add(more);
    }
}

fn pass_of_bulk(programs: &Programs, extent: Extent, input: &Path) -> anyhow::Result<Vec<(Kind, Named)>> {
    let ours = |kind: &'static str, count: u64| {
        let mut command = programs.command("ours-work");
        command.arg(kind).arg(count.to_string());
        command
    };
    let floor = |kind: &str, count: u64| programs.floor_call(&format!("{kind} {count}"));
    let both = |kind: &'static str, count: u64, through_cat: bool| -> NamedTurns<'_> {
        vec![
            (PAIR, Box::new(move || moved(floor(kind, count), None, through_cat))),
            (OURS, Box::new(move || moved(ours(kind, count), None, through_cat))),
        ]
    };
    let copy: NamedTurns<'_> = vec![
        (PAIR, Box::new(|| moved(programs.floor_call("copy"), Some(input), false))),
        (OURS, Box::new(|| moved(ours("copy", 0), Some(input), false))),
        ("cat alone", Box::new(|| moved(programs.quiet("cat".into()), Some(input), false))),
    ];
    let mut lines = both("lines", extent.lines, false);
    let framed: Turn<'_> = Box::new(|| moved(floor("framed-lines", extent.lines), None, false));
    lines.insert(1, ("the least-possible pair, in frames", framed));
    lines.push(("daemon-rpc, async", Box::new(|| moved(ours("async-lines", extent.lines), None, false))));
    Ok(vec![
        (Kind::ToNull, named(extent.bulk_rounds, both("bulk", extent.bulk, false))?),
        (Kind::IntoPipe, named(extent.bulk_rounds, both("bulk", extent.bulk, true))?),
        (Kind::Copy, named(extent.bulk_rounds, copy)?),
        (Kind::Lines, named(extent.line_rounds, lines)?),
        (Kind::SingleLines, named(extent.bulk_rounds, both("single-lines", extent.single_lines, false))?),
    ])
}

/// How long a command takes whose output goes to `/dev/null`, or through `cat`, in milliseconds.
fn moved(mut command: Command, input: Option<&Path>, through_cat: bool) -> anyhow::Result<f64> {
    if let Some(input) = input {
        command.stdin(File::open(input)?);
    }
    let took = timed(|| {
        if !through_cat {
            return run(&mut command);
        }
        let mut writer = command.stdout(Stdio::piped()).spawn()?;
        let output = writer.stdout.take().context("it is piped")?;
        run(Command::new("cat").stdin(output).stdout(Stdio::null()))?;
        ensure!(writer.wait()?.success(), "{command:?} failed");
        Ok(())
    })?;
    Ok(took / 1000.0)
}
