//! Does nothing, and is no application: what every program costs.

fn main() {}
