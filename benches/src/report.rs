//! The figures as Markdown.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::Context as _;

use crate::aims::{self, Aim, Limit};
use crate::measure::{Measured, Named, Numbers};
use crate::placement::Placement;
use crate::programs::{output, root};

/// What the figures are put into, from the repository's root.
const TEMPLATE: &str = "benches/src/performance.md";

/// The whole page, of a run that was described when it began.
///
/// # Errors
///
/// When there is no template.
pub fn render(measured: &Measured, run: String) -> anyhow::Result<String> {
    let mut page = fs::read_to_string(root().join(TEMPLATE))?;
    let callers: Vec<_> =
        measured.callers.iter().map(|(callers, named)| (callers.to_string(), named)).collect();
    let by_output: Vec<_> = measured.by_output.iter().map(|(bytes, named)| (size(*bytes), named)).collect();
    let by_state: Vec<_> =
        measured.by_state.iter().map(|(mib, named)| (format!("{mib} MiB"), named)).collect();
    let by_daemons: Vec<_> =
        measured.by_daemons.iter().map(|(count, named)| (count.to_string(), named)).collect();
    let bulk: Vec<_> = measured
        .bulk
        .iter()
        .map(|bulk| (format!("{}, {}", bulk.kind.name(), bulk.placement.name()), &bulk.named))
        .collect();
    for (place, text) in [
        ("{{run}}", run),
        ("{{aims}}", aims(measured)),
        ("{{warm}}", table(&measured.warm, "µs")),
        ("{{warm_peers}}", table(&measured.warm_peers, "µs")),
        ("{{static}}", table(&measured.warm_static, "µs")),
        ("{{cold}}", table(&measured.cold, "µs")),
        ("{{first_chunk}}", percentiles(&measured.first_chunk)),
        ("{{bulk}}", grid("what is moved", &bulk, "ms")),
        ("{{callers}}", grid("callers", &callers, "a second")),
        ("{{by_output}}", grid("output", &by_output, "µs")),
        ("{{by_state}}", grid("state", &by_state, "µs")),
        ("{{by_daemons}}", grid("daemons", &by_daemons, "µs")),
        ("{{memory}}", numbers(&measured.memory, "KiB")),
        ("{{counts}}", numbers(&measured.counts, "")),
    ] {
        page = page.replace(place, text.trim_end());
    }
    Ok(page)
}

/// What was aimed at.
#[must_use]
pub fn aims(measured: &Measured) -> String {
    let mut text = String::from("| what | measured | aim | |\n| --- | --- | --- | --- |\n");
    for aim @ Aim { what, measured, unit, limit } in &aims::all(measured) {
        let (sign, limit) = match limit {
            Limit::Most(limit) => ('≤', limit),
            Limit::Least(limit) => ('≥', limit),
        };
        let digits = if *unit == "×" || *unit == "MiB" { 2 } else { 0 };
        let (measured, met) = match measured {
            Some(value) => (format!("{value:.digits$} {unit}"), if aim.is_met() { "" } else { "not met" }),
            None => (String::new(), "not measured"),
        };
        let _ = writeln!(text, "| {what} | {measured} | {sign} {limit} {unit} | {met} |");
    }
    text
}

/// The machine, the day, the commit.
///
/// # Errors
///
/// When they can't be told.
pub fn described_run(quick: bool) -> anyhow::Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "))
        .unwrap_or("an unknown processor")
        .to_owned();
    let cores = std::thread::available_parallelism()?;
    let kernel = output(Command::new("uname").arg("-sr"))?;
    let rustc = output(Command::new("rustc").arg("--version"))?;
    let date = output(Command::new("date").arg("+%Y-%m-%d"))?;
    let mut git = Command::new("git");
    let commit = output(git.current_dir(root()).args(["describe", "--always", "--dirty"]))
        .context("it is a repository")?;
    let kind = if quick { "A quick run" } else { "Run" };
    Ok(format!(
        "{kind} on {}, commit `{}`: {cores} processors ({cpu}), {}, {}.",
        date.trim(),
        commit.trim(),
        kernel.split('-').next().unwrap_or_default().trim(),
        rustc.trim()
    ))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// A number as wide as it has to be.
fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn table(named: &Named, unit: &str) -> String {
    let mut text = format!(
        "| | median, {unit} | lower quartile | upper quartile | × the first |\n| --- | --- | --- | --- | --- |\n"
    );
    write_rows(&mut text, "", named, [0.5, 0.25, 0.75]);
    text
}

fn percentiles(placed: &[(Placement, Named)]) -> String {
    let mut text = String::from(
        "| client and server | which | p50, µs | p90 | p99 | p50 × the first |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    placed.iter().for_each(|(placement, named)| {
        write_rows(&mut text, &format!("| {} ", placement.name()), named, [0.5, 0.9, 0.99]);
    });
    text
}

/// Medians, with the quartiles.
fn grid(what: &str, rows: &[(String, &Named)], unit: &str) -> String {
    let mut text = format!(
        "| {what} | which | median, {unit} | lower quartile | upper quartile | × the first |\n| --- | --- | --- | --- | --- | --- |\n"
    );
    rows.iter().for_each(|(label, named)| {
        write_rows(&mut text, &format!("| {label} "), named, [0.5, 0.25, 0.75]);
    });
    text
}

/// A row for each, the first of them with a label.
fn write_rows(text: &mut String, label: &str, named: &Named, parts: [f64; 3]) {
    let first = named.first().map_or(f64::NAN, |(_, sample)| sample.median());
    let no_label = if label.is_empty() { "" } else { "| " };
    for (place, (name, sample)) in named.iter().enumerate() {
        let label = if place == 0 { label } else { no_label };
        let [a, b, c] = parts.map(|part| number(sample.at(part)));
        // One alone has nothing to be compared with.
        let ratio = if named.len() > 1 { format!("{:.2}", sample.median() / first) } else { String::new() };
        let _ = writeln!(text, "{label}| {name} | {a} | {b} | {c} | {ratio} |");
    }
}

fn numbers(numbers: &Numbers, unit: &str) -> String {
    let mut text = format!("| | {unit} |\n| --- | --- |\n");
    for (what, value) in numbers {
        let _ = writeln!(text, "| {what} | {} |", number(*value));
    }
    text
}
