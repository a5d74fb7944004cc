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
    /// The folder; `None` for that of the settings.
    migrations: Option<String>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self {
            own_database: false,
            migrations: None,
        };
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if name == "database" {
                options.own_database = true;
            } else if name == "migrations" {
                input.parse::<Token![=]>()?;
                options.migrations = Some(input.parse::<LitStr>()?.value());
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
    let argument = match signature.inputs.first() {
        Some(FnArg::Typed(argument)) if signature.inputs.len() == 1 => argument,
        _ => {
            return Err(syn::Error::new(
                signature.span(),
                "a test of bowline takes one argument: `db: Database`, or `db: AsyncDatabase` of an async fn",
            ));
        }
    };
    let (attributes, visibility, name, body) = (
        &function.attrs,
        &function.vis,
        &signature.ident,
        &function.block,
    );
    let output = &signature.output;
    let migrations = match &options.migrations {
        Some(folder) => {
            quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #folder))
        }
        None => quote!(&::bowline::testing::migrations_of(::core::env!(
            "CARGO_MANIFEST_DIR"
        ))),
    };
    let asyncness = &signature.asyncness;
    let run = match (options.own_database, asyncness) {
        (false, None) => quote!(run_in_sandbox),
        (true, None) => quote!(run_in_database),
        (false, Some(_)) => quote!(run_async_in_sandbox),
        (true, Some(_)) => quote!(run_async_in_database),
    };
    let call = quote_spanned! {argument.span()=>
        ::bowline::testing::#run(
            #migrations,
            #asyncness |#argument| #output #body,
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
