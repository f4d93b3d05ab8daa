//! The part of the command that stays as it is.

use anyhow::Context as _;
use clap::Parser;
use tzf_rs::DefaultFinder;

/// Tells the time zone of a place.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// Degrees east and north, as in `13.4,52.5`. Without any, each line of standard input is a place.
    #[arg(allow_hyphen_values = true)]
    pub places: Vec<String>,
}

/// The name of a place's time zone.
///
/// # Errors
///
/// When `place` isn't two numbers with a comma between them, or there is no such place.
pub fn zone(finder: &DefaultFinder, place: &str) -> anyhow::Result<String> {
    let coordinates = || -> Option<(f64, f64)> {
        let (longitude, latitude) = place.split_once(',')?;
        Some((longitude.trim().parse().ok()?, latitude.trim().parse().ok()?))
    };
    let (longitude, latitude) = coordinates()
        .filter(|(longitude, latitude)| longitude.abs() <= 180.0 && latitude.abs() <= 90.0)
        .with_context(|| format!("{place:?} is no place, such as 13.4,52.5"))?;
    Ok(finder.get_tz_name(longitude, latitude).to_owned())
}
