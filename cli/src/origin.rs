//! The migrations that generated code names, so that a build can detect that it is stale.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::migrations::Migration;
use bowline_plan::paths::relative;

/// The migrations that the files are generated from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Their folder, relative to that of the package.
    pub folder: String,
    /// The name and the fingerprint of each, in order.
    pub migrations: Vec<(String, u64)>,
    /// The folder of the query files relative to that of the package, and the name and the
    /// fingerprint of each file. `None` if there are no query files.
    pub queries: Option<(String, Vec<(String, u64)>)>,
}

impl Origin {
    pub(crate) fn new(package: &Path, folder: &Path, migrations: &[Migration]) -> Self {
        Self {
            folder: relative(folder, package),
            migrations: migrations
                .iter()
                .map(|migration| (migration.name.clone(), migration.up.fingerprint()))
                .collect(),
            queries: None,
        }
    }

    /// Adds query files, by name and text.
    pub(crate) fn with_queries(
        mut self,
        package: &Path,
        folder: &Path,
        files: &[(&str, &str)],
    ) -> Self {
        if !files.is_empty() {
            let files = files.iter().map(|(name, text)| {
                let fingerprint = bowline_migrations::query_fingerprint(text);
                ((*name).to_owned(), fingerprint)
            });
            self.queries = Some((relative(folder, package), files.collect()));
        }
        self
    }
}

/// Returns the fingerprints of the migrations that a generated `mod.rs` names; `None` if the text
/// is not one.
pub(crate) fn fingerprints(module: &str) -> Option<BTreeSet<u64>> {
    let file: TokenStream = module.parse().ok()?;
    let call = braces(file.into_iter(), |before| {
        matches!(before, [TokenTree::Ident(name), TokenTree::Punct(mark)]
            if name == "migrations" && mark.as_char() == '!')
    })?;
    let list = braces(call.into_iter(), |before| {
        matches!(before, [TokenTree::Ident(name), TokenTree::Punct(mark)]
            if name == "migrations" && mark.as_char() == '=')
    })?;
    // `"NAME" => 0x0123456789abcdef,`, of which the numbers are not strings.
    let numbers = list.into_iter().filter_map(|token| match token {
        TokenTree::Literal(literal) => Some(literal.to_string()),
        _ => None,
    });
    let numbers = numbers.filter_map(|text| {
        let digits = text.strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok()
    });
    Some(numbers.collect())
}

/// Returns what is within the first braces that come after two tokens.
fn braces(
    tokens: impl Iterator<Item = TokenTree>,
    follow: impl Fn(&[TokenTree]) -> bool,
) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.collect();
    tokens.windows(3).find_map(|window| match &window[2] {
        TokenTree::Group(group)
            if group.delimiter() == Delimiter::Brace && follow(&window[..2]) =>
        {
            Some(group.stream())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_module_names_its_migrations() {
        let module = r#"// @generated
            #![allow(dead_code)]
            ::bowline::migrations! {
                format = 2,
                folder = "migrations",
                migrations = { "1_a" => 0x15e260c212fb9761, "2_0xb" => 0x01, },
                queries_folder = "queries",
                queries = { "a.sql" => 0x02 },
            }"#;
        let expected = BTreeSet::from([0x15e2_60c2_12fb_9761, 1]);
        assert_eq!(fingerprints(module), Some(expected));
        assert_eq!(fingerprints("mod accounts;"), None);
    }
}
