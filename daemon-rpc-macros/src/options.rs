//! The attribute's options.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, Result, Token};

/// What the author said in the attribute's parentheses.
#[derive(Default)]
pub(crate) struct Options {
    /// A string, or an expression that gives one.
    pub(crate) id: Option<Expr>,
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
        for Setting { name, value } in Punctuated::<Setting, Token![,]>::parse_terminated(input)? {
            if name != "id" {
                let message = format!("there is no option `{name}`; the options are: `id`");
                return Err(Error::new(name.span(), message));
            }
            check_string(&value)?;
            if options.id.replace(value).is_some() {
                return Err(Error::new(
                    name.span(),
                    format!("the option `{name}` is given twice; keep one of them"),
                ));
            }
        }
        Ok(options)
    }
}

fn check_string(value: &Expr) -> Result<()> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => Ok(()),
        Expr::Lit(other) => Err(Error::new_spanned(
            other,
            "`id` is a string, such as `id = \"spell\"`, or an expression that gives one",
        )),
        _ => Ok(()),
    }
}
