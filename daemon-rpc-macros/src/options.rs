//! The attribute's options: one table that parsing and messages read from.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprLit, ExprPath, Ident, Lit, Result, Token};

use crate::quantity;

/// Takes an option's value, of this name.
type Take = fn(&mut Options, &str, &Expr) -> Result<()>;

/// Every option.
const OPTIONS: [(&str, Take); 11] = [
    ("id", id),
    ("state", state),
    ("idle_timeout", duration),
    ("grace_period", duration),
    ("handshake_timeout", duration),
    ("max_command", |options, name, value| size(options, name, value, LARGEST_MAX_COMMAND)),
    ("max_concurrent", count),
    ("chunk_size", |options, name, value| size(options, name, value, LARGEST_CHUNK_SIZE)),
    ("errors", errors),
    ("worker_threads", count),
    ("subcommand", subcommand),
];

/// The most that sizes can be; the builder has the same limits.
const LARGEST_MAX_COMMAND: u64 = 1024 * 1024 * 1024;
const LARGEST_CHUNK_SIZE: u64 = 1024 * 1024;

/// What the author said in the attribute's parentheses.
#[derive(Default)]
pub(crate) struct Options {
    /// As calls of the builder.
    pub(crate) calls: Vec<TokenStream>,
    /// The function that loads the state.
    pub(crate) state: Option<ExprPath>,
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
            let Some((known, take)) = OPTIONS.iter().find(|(known, _)| name == known) else {
                return Err(unknown(&name));
            };
            if given.contains(&name) {
                return Err(Error::new(
                    name.span(),
                    format!("the option `{name}` is given twice; keep one of them"),
                ));
            }
            take(&mut options, known, &value)?;
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
fn id(options: &mut Options, _: &str, value: &Expr) -> Result<()> {
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
    options.calls.push(quote_spanned!(value.span()=> .id(|| { #check #value })));
    Ok(())
}

fn state(options: &mut Options, _: &str, value: &Expr) -> Result<()> {
    let Expr::Path(path) = value else {
        let message = "`state` is the name of a function that loads it, such as `state = load`";
        return Err(Error::new_spanned(value, message));
    };
    options.state = Some(path.clone());
    Ok(())
}

fn size(options: &mut Options, name: &str, value: &Expr, limit: u64) -> Result<()> {
    let bytes = Literal::u64_unsuffixed(quantity::size(value, limit)?);
    options.call(name, quote!(#bytes))
}

fn duration(options: &mut Options, name: &str, value: &Expr) -> Result<()> {
    let milliseconds = quantity::milliseconds(value)?;
    options.call(name, quote!(::core::time::Duration::from_millis(#milliseconds)))
}

fn count(options: &mut Options, name: &str, value: &Expr) -> Result<()> {
    let number = quantity::count(value)?;
    options.call(name, quote!(const { ::core::num::NonZeroUsize::new(#number).unwrap() }))
}

fn errors(options: &mut Options, name: &str, value: &Expr) -> Result<()> {
    let stream = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(stream), .. }) => stream.value(),
        _ => String::new(),
    };
    match stream.as_str() {
        "stdout" => options.call(name, quote!(::daemon_rpc::Errors::ToStdout)),
        "stderr" => options.call(name, quote!(::daemon_rpc::Errors::ToStderr)),
        _ => Err(Error::new_spanned(value, "`errors` is \"stdout\" or \"stderr\"")),
    }
}

fn subcommand(options: &mut Options, name: &str, value: &Expr) -> Result<()> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(word), .. }) if !word.value().is_empty() => {
            options.call(name, quote!(#word))
        }
        _ => Err(Error::new_spanned(value, "`subcommand` is a word, such as `subcommand = \"daemon\"`")),
    }
}

impl Options {
    /// The builder's method of the option's name.
    fn call(&mut self, name: &str, value: TokenStream) -> Result<()> {
        let method = Ident::new(name, Span::call_site());
        self.calls.push(quote!(.#method(#value)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_documented_and_nothing_else() {
        let names: Vec<_> = OPTIONS.iter().map(|(name, _)| *name).collect();
        let rows = |text: &'static str, before: &str| -> Vec<_> {
            text.lines()
                .filter_map(|line| line.strip_prefix(before))
                .filter(|row| row.starts_with("| `"))
                .collect()
        };
        let documented = |text: &'static str, before: &str| -> Vec<_> {
            text.lines().filter_map(|line| Some(line.strip_prefix(before)?.split_once('`')?.0)).collect()
        };
        assert_eq!(documented(include_str!("lib.rs"), "/// | `"), names);
        let (_, readme) = include_str!("../../README.md").split_once("\n## Options\n").unwrap();
        let (table, _) = readme.split_once("\n\nDurations").unwrap();
        assert_eq!(documented(table, "| `"), names);
        assert_eq!(rows(table, ""), rows(include_str!("lib.rs"), "/// "));
    }
}
