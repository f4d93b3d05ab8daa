//! The function that the attribute stands on, and what makes it a handler.

use quote::ToTokens as _;
use syn::{Attribute, Error, FnArg, ItemFn, Result, Safety, Signature, Type};

/// Says everything that keeps the function from being a handler.
pub(crate) fn check(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    let problems = [not_async(signature), not_safe(signature), generic(signature), method(signature)];
    let types = parameter_types(signature);
    let wrong = types.iter().filter_map(|ty| parameter(ty));
    let conditional = signature.inputs.iter().filter_map(conditional);
    let problems = problems.into_iter().flatten().chain(wrong).chain(twice(&types)).chain(conditional);
    match problems.reduce(combine) {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// The types of the handler's parameters, in order.
pub(crate) fn parameter_types(signature: &Signature) -> Vec<&Type> {
    signature
        .inputs
        .iter()
        .filter_map(|parameter| match parameter {
            FnArg::Typed(parameter) => Some(&*parameter.ty),
            FnArg::Receiver(_) => None,
        })
        .collect()
}

fn combine(mut first: Error, second: Error) -> Error {
    first.combine(second);
    first
}

fn not_async(signature: &Signature) -> Option<Error> {
    let message = format!("a handler is an async function: write `async fn {}`", signature.ident);
    signature.asyncness.is_none().then(|| Error::new_spanned(signature.fn_token, message))
}

fn not_safe(signature: &Signature) -> Option<Error> {
    let Safety::Unsafe(unsafety) = &signature.safety else {
        return None;
    };
    Some(Error::new_spanned(
        unsafety,
        "a handler is a safe function: remove `unsafe`, and keep it to blocks inside",
    ))
}

fn generic(signature: &Signature) -> Option<Error> {
    let generics = &signature.generics;
    (!generics.params.is_empty()).then(|| {
        Error::new_spanned(generics, "a handler has no generic parameters: name the types that it takes")
    })
}

fn method(signature: &Signature) -> Option<Error> {
    let receiver = signature.receiver()?;
    let message = "a handler is a function, not a method: move it out of the `impl` and remove `self`";
    Some(Error::new_spanned(receiver, message))
}

/// Says what keeps a type from being a parameter's, as far as its looks tell. The rest is for the compiler.
fn parameter(ty: &Type) -> Option<Error> {
    let message = match ty {
        Type::Reference(_) => {
            "a handler owns its parameters: take the type itself, without `&`, and `String` for `&str`"
        }
        Type::ImplTrait(_) => "a handler's parameters name their types: say which one instead of `impl`",
        _ => return None,
    };
    Some(Error::new_spanned(ty, message))
}

/// Says that a parameter can't depend on the configuration, of which the attribute knows nothing.
fn conditional(parameter: &FnArg) -> Option<Error> {
    let FnArg::Typed(parameter) = parameter else { return None };
    let is_condition =
        |attribute: &&Attribute| ["cfg", "cfg_attr"].iter().any(|name| attribute.path().is_ident(name));
    let condition = parameter.attrs.iter().find(is_condition)?;
    let message = "a handler's parameters are always there: write one function for each configuration";
    Some(Error::new_spanned(condition, message))
}

/// Says which parameters are there already: what a command has once, only one of them can have.
fn twice(types: &[&Type]) -> Vec<Error> {
    let written: Vec<_> = types.iter().map(|ty| ty.to_token_stream().to_string()).collect();
    let is_repeated =
        |number: usize| written.iter().take(number).any(|known| Some(known) == written.get(number));
    let message = "a handler has each parameter once: remove this one";
    let repeated = types.iter().enumerate().filter(|(number, _)| is_repeated(*number));
    repeated.map(|(_, ty)| Error::new_spanned(ty, message)).collect()
}
