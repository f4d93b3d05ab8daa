//! The attribute's options: one table that parsing and messages read from.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprLit, Ident, Lit, Result, Token};

use crate::quantity;

/// Turns an option's value into a call of the builder.
type ToCall = fn(&Expr) -> Result<TokenStream>;

/// Every option.
const OPTIONS: [(&str, ToCall); 9] = [
    ("id", id),
    ("idle_timeout", |value| duration("idle_timeout", value)),
    ("grace_period", |value| duration("grace_period", value)),
    ("handshake_timeout", |value| duration("handshake_timeout", value)),
    ("max_command", |value| size("max_command", value, LARGEST_MAX_COMMAND)),
    ("max_concurrent", |value| count("max_concurrent", value)),
    ("chunk_size", |value| size("chunk_size", value, LARGEST_CHUNK_SIZE)),
    ("errors", errors),
    ("worker_threads", |value| count("worker_threads", value)),
];

/// The most that sizes can be; the builder has the same limits.
const LARGEST_MAX_COMMAND: u64 = 1024 * 1024 * 1024;
const LARGEST_CHUNK_SIZE: u64 = 1024 * 1024;

/// What the author said in the attribute's parentheses, as calls of the builder.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) calls: Vec<TokenStream>,
}

struct Setting {
    name: Ident,
    value: Expr,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        if !input.peek(Token![=]) {
            return Err(Error::new(name.span(), format!("an option has a value: `{name} = …`")));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { name, value: input.parse()? })
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        let mut given = Vec::new();
        for Setting { name, value } in Punctuated::<Setting, Token![,]>::parse_terminated(input)? {
            let Some((_, call)) = OPTIONS.iter().find(|(known, _)| name == known) else {
                return Err(unknown(&name));
            };
            if given.contains(&name) {
                return Err(Error::new(
                    name.span(),
                    format!("the option `{name}` is given twice; keep one of them"),
                ));
            }
            options.calls.push(call(&value)?);
            given.push(name);
        }
        Ok(options)
    }
}

fn unknown(name: &Ident) -> Error {
    let known: Vec<_> = OPTIONS.iter().map(|(known, _)| format!("`{known}`")).collect();
    Error::new(name.span(), format!("there is no option `{name}`; the options are: {}", known.join(", ")))
}

/// A string, or an expression that gives one. Where it is written out, it is checked at compile time.
fn id(value: &Expr) -> Result<TokenStream> {
    let check = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => Some(quote_spanned! {value.span()=>
            const _: () = if let ::core::result::Result::Err(reason) = ::daemon_rpc::check_id(#value) {
                ::core::panic!("{}", reason)
            };
        }),
        Expr::Lit(_) => {
            let message = "`id` is a string, such as `id = \"spell\"`, or an expression that gives one";
            return Err(Error::new_spanned(value, message));
        }
        _ => None,
    };
    Ok(quote_spanned!(value.span()=> .id(|| { #check #value })))
}

fn size(option: &str, value: &Expr, limit: u64) -> Result<TokenStream> {
    let bytes = Literal::u64_unsuffixed(quantity::size(value, limit)?);
    Ok(call(option, quote!(#bytes)))
}

fn duration(option: &str, value: &Expr) -> Result<TokenStream> {
    let milliseconds = quantity::milliseconds(value)?;
    Ok(call(option, quote!(::core::time::Duration::from_millis(#milliseconds))))
}

fn count(option: &str, value: &Expr) -> Result<TokenStream> {
    let number = quantity::count(value)?;
    Ok(call(option, quote!(const { ::core::num::NonZeroUsize::new(#number).unwrap() })))
}

fn call(option: &str, value: TokenStream) -> TokenStream {
    let method = Ident::new(option, Span::call_site());
    quote!(.#method(#value))
}

fn errors(value: &Expr) -> Result<TokenStream> {
    let stream = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(stream), .. }) => stream.value(),
        _ => String::new(),
    };
    match stream.as_str() {
        "stdout" => Ok(quote!(.errors(::daemon_rpc::Errors::ToStdout))),
        "stderr" => Ok(quote!(.errors(::daemon_rpc::Errors::ToStderr))),
        _ => Err(Error::new_spanned(value, "`errors` is \"stdout\" or \"stderr\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_documented_and_nothing_else() {
        let names: Vec<_> = OPTIONS.iter().map(|(name, _)| *name).collect();
        let documented = |text: &'static str, before: &str| -> Vec<_> {
            text.lines().filter_map(|line| Some(line.strip_prefix(before)?.split_once('`')?.0)).collect()
        };
        assert_eq!(documented(include_str!("lib.rs"), "/// - `"), names);
        let (_, readme) = include_str!("../../README.md").split_once("\n## Options\n").unwrap();
        let (table, _) = readme.split_once("\n\nDurations").unwrap();
        assert_eq!(documented(table, "| `"), names);
    }
}
