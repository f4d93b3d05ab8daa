//! What was measured many times, and measuring in turns.

use std::time::{Duration, Instant};

/// What was measured of one thing: its median, and how far it spreads.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Of these measurements.
    #[must_use]
    pub fn of(mut measured: Vec<f64>) -> Self {
        measured.sort_by(f64::total_cmp);
        Self(measured)
    }

    /// Takes in what was measured of the same thing another time.
    pub fn add(&mut self, more: Self) {
        self.0.extend(more.0);
        self.0.sort_by(f64::total_cmp);
    }

    /// The value that this part of the measurements, from 0 to 1, stays below.
    #[must_use]
    pub fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// The value in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }
}

/// One of several things that are measured in turns.
pub type Turn<'a> = Box<dyn FnMut() -> anyhow::Result<f64> + 'a>;

/// Measures each of them once in each round, so that whatever drifts hits all alike. What one leaves behind hits all alike as well: every
/// second round is in another order, and each round after such a one is in the opposite order. The first round warms up and doesn't count.
///
/// # Errors
///
/// The first one of a turn.
pub fn in_turns(rounds: usize, turns: &mut [Turn<'_>]) -> anyhow::Result<Vec<Sample>> {
    let mut measured = vec![Vec::with_capacity(rounds); turns.len()];
    let mut order: Vec<_> = (0..turns.len()).collect();
    for round in 0..=rounds {
        if round % 2 == 1 {
            fastrand::shuffle(&mut order);
        } else {
            order.reverse();
        }
        for &next in &order {
            let value = turns[next]()?;
            if round > 0 {
                measured[next].push(value);
            }
        }
    }
    Ok(measured.into_iter().map(Sample::of).collect())
}

/// How long this takes, in microseconds.
///
/// # Errors
///
/// Its own.
pub fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(micros(begun.elapsed()))
}

/// A duration in microseconds.
#[must_use]
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
