//! The declaration of the generated module in the root of a crate.

use syn::spanned::Spanned as _;

/// The state of a module's declaration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Declaration {
    /// The module is declared.
    Exists,
    /// There is another module of that name: an inline one, or one with another path.
    Taken,
    /// The text of the file with the declaration.
    Added(String),
}

/// Declares a module in a file, in the order of names that rustfmt uses. `files` are the paths of
/// the module's file, relative to the folder of this file, of which a `#[path]` may name one.
pub(crate) fn declare(
    source: &str,
    module: &str,
    files: &[String],
    is_public: bool,
) -> syn::Result<Declaration> {
    let file = syn::parse_file(source)?;
    let modules: Vec<&syn::ItemMod> = file
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Mod(module) => Some(module),
            _ => None,
        })
        .collect();
    if let Some(found) = modules.iter().find(|found| found.ident == module) {
        let path = found.attrs.iter().find_map(path);
        let has_file = path.is_none_or(|path| files.contains(&path));
        return Ok(if found.content.is_none() && has_file {
            Declaration::Exists
        } else {
            Declaration::Taken
        });
    }
    let declared = modules
        .into_iter()
        .filter(|module| module.content.is_none());
    let declared: Vec<&syn::ItemMod> = declared.collect();
    let later = declared
        .iter()
        .find(|other| plain(&other.ident.to_string()) > plain(module));
    let line = format!("{}mod {module};", if is_public { "pub " } else { "" });
    let mut lines: Vec<&str> = source.lines().collect();
    // Spans count lines from 1.
    if let Some(later) = later {
        lines.insert(above_comments(&lines, later.span().start().line - 1), &line);
    } else if let Some(last) = declared.last() {
        lines.insert(last.span().end().line, &line);
    } else {
        let first = file
            .items
            .first()
            .map_or(lines.len(), |item| item.span().start().line - 1);
        let at = above_comments(&lines, first);
        lines.splice(at..at, [line.as_str(), ""]);
    }
    Ok(Declaration::Added(format!(
        "{}\n",
        lines.join("\n").trim_end()
    )))
}

/// Returns an identifier without `r#`.
fn plain(identifier: &str) -> &str {
    identifier.trim_start_matches("r#")
}

/// Returns the path in a `#[path = ".."]`.
fn path(attribute: &syn::Attribute) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(path),
            ..
        }) if pair.path.is_ident("path") => Some(path.value()),
        _ => None,
    }
}

/// Returns the line above the comments before a line, unless these comments begin the file.
fn above_comments(lines: &[&str], line: usize) -> usize {
    let is_comment =
        |line: &&&str| line.trim_start().starts_with("//") && !line.trim_start().starts_with("//!");
    let comments = lines[..line].iter().rev().take_while(is_comment).count();
    if comments == line {
        line
    } else {
        line - comments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(source: &str) -> String {
        match declare(source, "db", &[], false).expect("it is Rust") {
            Declaration::Added(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_module_is_added_before_the_first_item() {
        insta::assert_snapshot!(added("fn main() {}\n"), @r"
        mod db;

        fn main() {}
        ");
        insta::assert_snapshot!(added("//! About.\n\n#![warn(missing_docs)]\n\n// Why.\n/// What.\n#[tokio::main]\nasync fn main() {}\n"), @r"
        //! About.

        #![warn(missing_docs)]

        mod db;

        // Why.
        /// What.
        #[tokio::main]
        async fn main() {}
        ");
        insta::assert_snapshot!(added("// A licence.\n\nuse std::fs;\n\nfn main() {}\n"), @r"
        // A licence.

        mod db;

        use std::fs;

        fn main() {}
        ");
        insta::assert_snapshot!(added("//! Nothing yet.\n"), @r"
        //! Nothing yet.
        mod db;
        ");
    }

    #[test]
    fn the_module_is_added_in_the_order_of_names() {
        insta::assert_snapshot!(added("mod a;\nmod z;\n\nfn main() {}\n"), @r"
        mod a;
        mod db;
        mod z;

        fn main() {}
        ");
        insta::assert_snapshot!(added("mod a;\n\nmod tests {\n    mod z;\n}\n"), @r"
        mod a;
        mod db;

        mod tests {
            mod z;
        }
        ");
        insta::assert_snapshot!(added("use x;\n\n// The end.\n#[cfg(test)]\nmod z;\n"), @r"
        use x;

        mod db;
        // The end.
        #[cfg(test)]
        mod z;
        ");
    }

    #[test]
    fn raw_identifiers_are_in_the_order_of_names() {
        let declared = declare("mod r#type;\n", "r#type", &[], false).expect("it is Rust");
        assert_eq!(declared, Declaration::Exists);
        let added = declare("mod z;\n", "r#type", &[], false).expect("it is Rust");
        assert_eq!(
            added,
            Declaration::Added("mod r#type;\nmod z;\n".to_owned())
        );
    }

    #[test]
    fn an_existing_declaration_is_not_changed() {
        let files = ["db/mod.rs".to_owned()];
        let found = |source: &str| declare(source, "db", &files, true).expect("it is Rust");
        assert_eq!(found("pub(crate) mod db;\n"), Declaration::Exists);
        assert_eq!(found("mod db {}\n"), Declaration::Taken);
        let with_path = |path: &str| found(&format!("#[path = \"{path}\"]\nmod db;\n"));
        assert_eq!(with_path("db/mod.rs"), Declaration::Exists);
        assert_eq!(with_path("other.rs"), Declaration::Taken);
        assert_eq!(
            found("/* mod db; */\n"),
            Declaration::Added("/* mod db; */\npub mod db;\n".to_owned())
        );
    }
}
