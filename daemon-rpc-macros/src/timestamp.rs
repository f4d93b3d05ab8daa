//! When the program was built.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Error;

const EXPLICIT: &str = "DAEMON_RPC_BUILD_TIMESTAMP";
const REPRODUCIBLE: &str = "SOURCE_DATE_EPOCH";

/// What both sides of a handshake can hold.
const MAX_LENGTH: usize = 64;

/// The expression for the build of the crate that is being compiled.
pub(crate) fn build(input: &TokenStream) -> TokenStream {
    if !input.is_empty() {
        return Error::new_spanned(input, "`build!()` takes nothing").into_compile_error();
    }
    let build =
        constructor().unwrap_or_else(|message| Error::new(Span::call_site(), message).into_compile_error());
    quote! {{
        // Has the crate compiled anew when one of the variables changes.
        const _: [::core::option::Option<&str>; 2] =
            [::core::option_env!(#EXPLICIT), ::core::option_env!(#REPRODUCIBLE)];
        #build
    }}
}

fn constructor() -> Result<TokenStream, String> {
    let name = binary_name();
    if let Some(timestamp) = variable(EXPLICIT) {
        check_explicit(&timestamp)?;
        return Ok(quote!(::daemon_rpc::Build::unique(#name, #timestamp)));
    }
    if let Some(timestamp) = variable(REPRODUCIBLE) {
        check_epoch(&timestamp)?;
        return Ok(quote!(::daemon_rpc::Build::reproducible(#name, #timestamp)));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let timestamp = now.as_nanos().to_string();
    Ok(quote!(::daemon_rpc::Build::unique(#name, #timestamp)))
}

/// The name of the binary, which only Cargo knows. Where something else compiles, the crate's own name is the best guess.
fn binary_name() -> String {
    let named = ["CARGO_BIN_NAME", "CARGO_CRATE_NAME"].into_iter().find_map(variable);
    named.unwrap_or_else(|| "daemon".into())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn check_explicit(timestamp: &str) -> Result<(), String> {
    if timestamp.len() > MAX_LENGTH || !timestamp.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "{EXPLICIT} has at most {MAX_LENGTH} visible ASCII characters without spaces, not {timestamp:?}"
        ));
    }
    Ok(())
}

fn check_epoch(timestamp: &str) -> Result<(), String> {
    match timestamp.parse::<u64>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{REPRODUCIBLE} is a number of seconds since 1970, not {timestamp:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_fit_the_handshake() {
        for good in ["1763886646", "2026-11-23T08:30:46Z", &"x".repeat(MAX_LENGTH)] {
            assert_eq!(check_explicit(good), Ok(()), "{good}");
        }
        for bad in ["with space", "line\n", "ä", &"x".repeat(MAX_LENGTH + 1)] {
            assert!(check_explicit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_source_date_is_a_number_of_seconds() {
        assert_eq!(check_epoch("1763886646"), Ok(()));
        for bad in ["yesterday", "-1", "1.5", " 1"] {
            assert!(check_epoch(bad).is_err(), "{bad}");
        }
    }
}
