//! The attribute's options: one table that parsing and messages read from.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprLit, Ident, Lit, Result, Token};

use crate::size;

/// Turns an option's value into a call of the builder.
type ToCall = fn(&Expr) -> Result<TokenStream>;

/// Every option.
const OPTIONS: [(&str, ToCall); 3] = [("id", id), ("max_command", max_command), ("errors", errors)];

/// The most that `max_command` can be; the builder has the same limit.
const LARGEST_MAX_COMMAND: u64 = 1024 * 1024 * 1024;

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

fn max_command(value: &Expr) -> Result<TokenStream> {
    let bytes = size::parse(value, LARGEST_MAX_COMMAND)?;
    Ok(quote!(.max_command(#bytes)))
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
