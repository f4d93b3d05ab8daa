//! Does nothing either, but could call a function of `libm`, which is loaded for it.

use std::hint::black_box;

fn main() {
    black_box::<fn(f64, f64) -> f64>(f64::powf);
}
