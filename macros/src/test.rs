//! The attribute `#[bowline::test]`.

use proc_macro::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{FnArg, Ident, ItemFn, LitStr, Token, parse_macro_input};

pub(crate) fn test(options: TokenStream, function: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as Options);
    let function = parse_macro_input!(function as ItemFn);
    expand(&options, &function)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

struct Options {
    own_database: bool,
    migrations: String,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self {
            own_database: false,
            migrations: "migrations".to_owned(),
        };
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if name == "database" {
                options.own_database = true;
            } else if name == "migrations" {
                input.parse::<Token![=]>()?;
                options.migrations = input.parse::<LitStr>()?.value();
            } else {
                return Err(syn::Error::new(
                    name.span(),
                    "expected `database` or `migrations = \"folder\"`",
                ));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

fn expand(options: &Options, function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let signature = &function.sig;
    if let Some(asyncness) = &signature.asyncness {
        return Err(syn::Error::new(
            asyncness.span,
            "a test of bowline is not async: a Database blocks",
        ));
    }
    let argument = match signature.inputs.first() {
        Some(FnArg::Typed(argument)) if signature.inputs.len() == 1 => argument,
        _ => {
            return Err(syn::Error::new(
                signature.span(),
                "a test of bowline takes one argument: `db: Database`",
            ));
        }
    };
    let (attributes, visibility, name, body) = (
        &function.attrs,
        &function.vis,
        &signature.ident,
        &function.block,
    );
    let (output, migrations) = (&signature.output, &options.migrations);
    let run = if options.own_database {
        quote!(run_in_database)
    } else {
        quote!(run_in_sandbox)
    };
    let call = quote_spanned! {argument.span()=>
        ::bowline::testing::#run(
            ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #migrations),
            |#argument| #output #body,
        )
    };
    Ok(quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        #visibility fn #name() #output {
            #call
        }
    })
}
