//! What an id may be.

/// Ids become part of file names and of a socket's path, which has little room.
const MAX_LENGTH: usize = 64;

/// Says what is wrong with an id, if anything is: an id has 1 to 64 characters out of `A-Z`, `a-z`, `0-9`, `.`, `_`
/// and `-`, of which the first is not a dot.
///
/// It can be called at compile time, which the attribute does for ids that are literals.
///
/// ```
/// const _: () = assert!(daemon_rpc::check_id("spell-1000").is_ok());
/// assert!(daemon_rpc::check_id("../etc").is_err());
/// ```
///
/// # Errors
///
/// The rule that the id breaks.
pub const fn check(id: &str) -> Result<(), &'static str> {
    let bytes = id.as_bytes();
    if bytes.is_empty() {
        return Err("a daemon's id has at least one character");
    }
    if bytes.len() > MAX_LENGTH {
        return Err("a daemon's id has at most 64 characters");
    }
    let mut rest = bytes;
    while let [first, others @ ..] = rest {
        if !matches!(first, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-') {
            return Err("a daemon's id has only the characters A-Z, a-z, 0-9, `.`, `_` and `-`");
        }
        rest = others;
    }
    if let [b'.', ..] = bytes {
        return Err("a daemon's id doesn't start with a dot");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_file_names_that_need_no_quoting() {
        for good in ["a", "spell-1000", "A.b_c-9", "-", &"x".repeat(64)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "a b", "a\0", "ä", "a\n", &"x".repeat(65)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
