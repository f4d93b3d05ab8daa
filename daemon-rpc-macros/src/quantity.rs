//! Quantities as people write them: `"16MiB"`, `"90s"`, `8`.

use syn::{Error, Expr, ExprLit, Lit, Result};

const SIZES: &[(&str, u64)] = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Units of time, in milliseconds. Those whose name ends like another's come first.
const TIMES: &[(&str, u64)] = &[("ms", 1), ("min", 60_000), ("s", 1000), ("h", 3_600_000), ("d", 86_400_000)];

/// The number of bytes that a literal stands for, from 1 to `limit`.
pub(crate) fn size(value: &Expr, limit: u64) -> Result<u64> {
    let bytes = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => with_unit(&text.value(), SIZES),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    };
    let wanted = "a size is a whole number with a unit, such as \"64KiB\", \"16MiB\" or \"1GiB\", or a number of bytes";
    let bytes = bytes.ok_or_else(|| Error::new_spanned(value, wanted))?;
    if (1..=limit).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(Error::new_spanned(value, format!("this size is from 1 to {limit} bytes")))
    }
}

/// The number of milliseconds that a literal stands for, at least 1.
pub(crate) fn milliseconds(value: &Expr) -> Result<u64> {
    let milliseconds = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => with_unit(&text.value(), TIMES),
        _ => None,
    };
    let wanted = "a duration is a whole number, at least 1, with a unit: \"500ms\", \"90s\", \"5min\", \"2h\" or \"1d\"";
    milliseconds.filter(|milliseconds| *milliseconds > 0).ok_or_else(|| Error::new_spanned(value, wanted))
}

/// The number that a literal is, at least 1.
pub(crate) fn count(value: &Expr) -> Result<usize> {
    let count = match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<usize>().ok(),
        _ => None,
    };
    let wanted = "a number is a whole one, at least 1, such as 8";
    count.filter(|count| *count > 0).ok_or_else(|| Error::new_spanned(value, wanted))
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_number_and_a_unit() {
        for (text, bytes) in [("16MiB", 16 << 20), ("64 KiB", 64 << 10), ("1GiB", 1 << 30), ("100B", 100)] {
            assert_eq!(with_unit(text, SIZES), Some(bytes), "{text}");
        }
        for wrong in ["", "MiB", "16", "16MB", "1.5MiB", "-1B", "16 MiB ", "99999999999GiB"] {
            assert_eq!(with_unit(wrong, SIZES), None, "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, ms) in
            [("500ms", 500), ("90s", 90_000), ("5min", 300_000), ("2 h", 7_200_000), ("1d", 86_400_000)]
        {
            assert_eq!(with_unit(text, TIMES), Some(ms), "{text}");
        }
        for wrong in ["", "s", "90", "1.5s", "-1s", "1 hour", "5m", "99999999999999999d"] {
            assert_eq!(with_unit(wrong, TIMES), None, "{wrong}");
        }
    }
}
