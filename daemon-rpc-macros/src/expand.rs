//! From the annotated function to a program.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, ExprPath, ItemFn, ReturnType, parse2};

use crate::handler;
use crate::options::Options;

/// The program, or what is wrong together with as much of the program as helps an editor to go on.
pub(crate) fn main(options: TokenStream, function: TokenStream) -> TokenStream {
    let item = match parse2::<ItemFn>(function.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = Error::new(
                error.span(),
                format!("`#[daemon_rpc::main]` stands on an async function: {error}"),
            );
            return beside(error, function);
        }
    };
    match (parse2::<Options>(options), handler::check(&item)) {
        (Ok(options), Ok(())) => program(&options, &item),
        (Err(mut error), Err(other)) => {
            error.combine(other);
            without_program(error, &item)
        }
        (Err(error), Ok(())) | (Ok(_), Err(error)) => without_program(error, &item),
    }
}

fn beside(error: Error, function: TokenStream) -> TokenStream {
    let error = error.into_compile_error();
    quote!(#error #function)
}

/// The function with a `main` beside it, or inside it where the function itself has that name, so that the error is the
/// only one.
fn without_program(error: Error, item: &ItemFn) -> TokenStream {
    let error = error.into_compile_error();
    if item.sig.receiver().is_some() {
        quote!(#error #item)
    } else if item.sig.ident == "main" {
        quote!(#error fn main() { #[allow(dead_code)] #item })
    } else {
        quote!(#error #[allow(dead_code)] #item fn main() {})
    }
}

fn program(options: &Options, item: &ItemFn) -> TokenStream {
    let (beside, inside) = if item.sig.ident == "main" { (None, Some(item)) } else { (Some(item), None) };
    let handler = handler_impl(item);
    let calls = &options.calls;
    let load = own("load");
    let (loader, set_state) = match &options.state {
        Some(path) => (Some(loader(&load, path)), Some(quote!(.state(#load)))),
        None => (None, None),
    };
    let check_state = check_state(options.state.as_ref().map(|_| &load), item);
    quote! {
        #beside

        fn main() -> ::std::process::ExitCode {
            #inside

            #handler

            #loader
            #check_state
            ::daemon_rpc::App::new(::daemon_rpc::build!()) #(#calls)* #set_state .run(__Handler)
        }
    }
}

/// A name of the macro's own, so that nothing of the author's is taken for it.
fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The author's function, whether it is async or not and whether it can fail or not, as one that is and can.
fn loader(load: &Ident, path: &ExprPath) -> TokenStream {
    quote_spanned! {path.span()=>
        let #load = || async {
            #[allow(unused_imports)]
            use ::daemon_rpc::state::{Asynchronous as _, Fallible as _, Infallible as _, Synchronous as _};
            let returned = ::daemon_rpc::state::call(#path).await?;
            let when = (&returned).__daemon_rpc_when();
            let value = when.value(returned).await;
            let how = (&value).__daemon_rpc_how();
            how.result(value)
        };
    }
}

/// Has the compiler say at the parameter if it is a `State` of something else than what is loaded.
fn check_state(load: Option<&Ident>, item: &ItemFn) -> TokenStream {
    let state = own("state");
    let loaded = match load {
        Some(load) => quote!(::daemon_rpc::state::StateOf::loaded_by(&#load)),
        None => quote!(::daemon_rpc::state::StateOf::nothing()),
    };
    let parameters = handler::parameter_types(&item.sig)
        .into_iter()
        .map(|ty| quote_spanned!(ty.span()=> #state.satisfies(::daemon_rpc::state::Asked::<#ty>::parameter().wants());));
    quote! {{
        #[allow(unused_imports)]
        use ::daemon_rpc::state::WantsNothing as _;
        let #state = #loaded;
        #(#parameters)*
    }}
}

fn handler_impl(item: &ItemFn) -> TokenStream {
    let function = &item.sig.ident;
    let types = handler::parameter_types(&item.sig);
    let invocation = own("invocation");
    let names: Vec<_> = (0..types.len()).map(|number| own(&format!("parameter_{number}"))).collect();
    let needs = types.iter().map(|ty| {
        quote_spanned! {ty.span()=>
            let needs = ::daemon_rpc::Needs::and(needs, <#ty as ::daemon_rpc::FromInvocation>::NEEDS);
        }
    });
    let takes = types.iter().map(|ty| {
        quote_spanned!(ty.span()=> <#ty as ::daemon_rpc::FromInvocation>::from_invocation(&mut #invocation)?)
    });
    let call = quote_spanned! {function.span()=>
        let returned = ::daemon_rpc::on_any_thread(#function(#(#names),*)).await;
    };
    let returned_type = match &item.sig.output {
        ReturnType::Default => function.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let outcome = quote_spanned!(returned_type=> ::daemon_rpc::IntoOutcome::into_outcome(returned));
    quote! {
        struct __Handler;

        #[::daemon_rpc::async_trait]
        impl ::daemon_rpc::CommandHandler for __Handler {
            fn needs(&self) -> ::daemon_rpc::Needs {
                const NEEDS: ::daemon_rpc::Needs = {
                    let needs = ::daemon_rpc::Needs::NOTHING;
                    #(#needs)*
                    needs
                };
                NEEDS
            }

            #[allow(unused_mut, unused_variables)]
            async fn handle(&self, mut #invocation: ::daemon_rpc::Invocation) -> ::daemon_rpc::Outcome {
                #(let #names = #takes;)*
                #call
                #outcome
            }
        }
    }
}
