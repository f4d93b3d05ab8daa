//! Sizes as people write them: `"16MiB"`.

use syn::{Error, Expr, ExprLit, Lit, Result};

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// The number of bytes that a literal stands for, from 1 to `limit`.
pub(crate) fn parse(value: &Expr, limit: u64) -> Result<usize> {
    let bytes = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => bytes(&text.value()),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    };
    let Some(bytes) = bytes else {
        let message = "a size is a whole number with a unit, such as \"64KiB\", \"16MiB\" or \"1GiB\", or a number of bytes";
        return Err(Error::new_spanned(value, message));
    };
    match usize::try_from(bytes) {
        Ok(bytes) if (1..=limit).contains(&(bytes as u64)) => Ok(bytes),
        _ => Err(Error::new_spanned(value, format!("this size is from 1 to {limit} bytes"))),
    }
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_number_and_a_unit() {
        assert_eq!(bytes("16MiB"), Some(16 << 20));
        assert_eq!(bytes("64 KiB"), Some(64 << 10));
        assert_eq!(bytes("1GiB"), Some(1 << 30));
        assert_eq!(bytes("100B"), Some(100));
        for wrong in ["", "MiB", "16", "16MB", "1.5MiB", "-1B", "16 MiB ", "99999999999GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
