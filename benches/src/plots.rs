//! The figures as pictures.

use std::path::Path;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::aims;
use crate::bulk::Bulk;
use crate::measure::{self, Measured, Named, PAIR};

/// Before the names of what are all ours.
const OURS_PREFIX: &str = "daemon-rpc: ";

const SIZE: (u32, u32) = (760, 300);
const OURS: RGBColor = RGBColor(0x1b, 0x7f, 0x79);
const OTHERS: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);
const TEXT: RGBColor = RGBColor(0x33, 0x3d, 0x47);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws all plots into files of this directory.
///
/// # Errors
///
/// When they can't be written.
pub fn draw(measured: &Measured, directory: &Path) -> anyhow::Result<()> {
    let calls = [("warm call, µs", &measured.warm_peers), ("cold call, µs", &measured.cold)];
    for ((title, named), file) in calls.into_iter().zip(["warm-call.svg", "cold-call.svg"]) {
        drawn(&directory.join(file), |area| bars(area, title, named))?;
    }
    drawn(&directory.join("bulk.svg"), |area| speed_bars(area, &measured.bulk))?;
    drawn(&directory.join("callers.svg"), |area| lines(area, &measured.callers))
}

fn drawn(path: &Path, draw: impl FnOnce(&Area<'_>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    draw(&area)?;
    area.present().map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("can't draw: {error}")
}

fn color(name: &str) -> RGBColor {
    if name == measure::OURS || name.starts_with(OURS_PREFIX) { OURS } else { OTHERS }
}

fn font<'a>(size: i32) -> TextStyle<'a> {
    ("sans-serif", size).into_font().color(&TEXT)
}

/// A bar for each, with its quartiles and its median in figures.
fn bars(area: &Area<'_>, title: &str, named: &Named) -> anyhow::Result<()> {
    let rows: Vec<_> = named
        .iter()
        .map(|(name, sample)| ((*name).to_owned(), sample.median(), [sample.at(0.25), sample.at(0.75)]))
        .collect();
    bar_rows(area, title, &rows, |value| format!("{value:.0}"), None)
}

/// A bar for each kind of bulk, in the first placement in which it was measured.
fn speed_bars(area: &Area<'_>, bulk: &[Bulk]) -> anyhow::Result<()> {
    let Some(first) = bulk.first() else { return Ok(()) };
    let rows: Vec<_> = bulk
        .iter()
        .filter(|bulk| bulk.placement == first.placement)
        .filter_map(|Bulk { kind, named, .. }| {
            let speed = aims::of(named, PAIR)?.median() / aims::of(named, measure::OURS)?.median();
            Some((format!("{OURS_PREFIX}{}", kind.name().replace('`', "")), speed, [speed; 2]))
        })
        .collect();
    let title = format!("speed, {PAIR} being 1 ({})", first.placement.name());
    bar_rows(area, &title, &rows, |value| format!("{value:.2}"), Some(1.0))
}

fn bar_rows(
    area: &Area<'_>,
    title: &str,
    rows: &[(String, f64, [f64; 2])],
    figure: impl Fn(f64) -> String,
    mark: Option<f64>,
) -> anyhow::Result<()> {
    const LEFT: f64 = 290.0;
    const TOP: i32 = 46;
    area.draw(&Text::new(title.to_owned(), (16, 14), font(17))).map_err(failed)?;
    let most = rows.iter().map(|(_, median, [_, high])| median.max(*high)).chain(mark).fold(0.0, f64::max);
    let scale = (f64::from(SIZE.0) - LEFT - 70.0) / most;
    let height = (SIZE.1 as i32 - TOP - 14) / rows.len().max(1) as i32;
    let x = |value: f64| (LEFT + value * scale) as i32;
    for (place, (name, median, quartiles)) in rows.iter().enumerate() {
        let top = TOP + place as i32 * height;
        let (middle, bottom) = (top + height / 2 - 3, top + height - 8);
        let label = name.strip_prefix(OURS_PREFIX).unwrap_or(name).to_owned();
        area.draw(&Text::new(label, (16, middle - 6), font(14))).map_err(failed)?;
        let bar = Rectangle::new([(x(0.0), top + 2), (x(*median), bottom)], color(name).filled());
        area.draw(&bar).map_err(failed)?;
        let spread = quartiles.map(|value| (x(value), middle)).to_vec();
        area.draw(&PathElement::new(spread, TEXT)).map_err(failed)?;
        let beside = x(median.max(quartiles[1]).max(mark.unwrap_or(0.0))) + 8;
        area.draw(&Text::new(figure(*median), (beside, middle - 6), font(14))).map_err(failed)?;
    }
    if let Some(mark) = mark {
        let line = vec![(x(mark), TOP - 6), (x(mark), SIZE.1 as i32 - 12)];
        area.draw(&PathElement::new(line, TEXT)).map_err(failed)?;
    }
    Ok(())
}

/// Commands a second by the number of callers.
fn lines(area: &Area<'_>, callers: &[(usize, Named)]) -> anyhow::Result<()> {
    let rate = |named: &Named, place: usize| named.get(place).map_or(0.0, |(_, sample)| sample.median());
    let names: Vec<_> =
        callers.first().map(|(_, named)| named.iter().map(|(name, _)| *name).collect()).unwrap_or_default();
    let most = callers
        .iter()
        .flat_map(|(_, named)| named.iter().map(|(_, sample)| sample.median()))
        .fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption("commands a second, by the number of callers that wait", font(17))
        .margin(14)
        .x_label_area_size(34)
        .y_label_area_size(60)
        .build_cartesian_2d((1.0..1400.0_f64).log_scale(), 0.0..most * 1.1)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .x_desc("callers")
        .label_style(font(13))
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()
        .map_err(failed)?;
    for (place, name) in names.iter().enumerate() {
        let points: Vec<_> =
            callers.iter().map(|(count, named)| (*count as f64, rate(named, place))).collect();
        let color = if place == 0 { TEXT } else { color(name) };
        let series = LineSeries::new(points, color.stroke_width(2));
        let drawn = chart.draw_series(series).map_err(failed)?;
        drawn
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .label_font(font(13))
        .draw()
        .map_err(failed)?;
    Ok(())
}
