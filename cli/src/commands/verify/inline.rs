//! The SQL of `query!` and `query_as!` in the sources of a package.

use std::fs;
use std::path::{Path, PathBuf};

use bowline_plan::paths::shown_path;
use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::emit::Statement;

/// The folders of a package with Rust sources.
const SOURCES: [&str; 4] = ["src", "tests", "examples", "benches"];

/// The names of the macros.
const MACROS: [&str; 2] = ["query", "query_as"];

/// Returns the SQL of each call, by file and line. Paths begin at `root` if they are in it. Files
/// that are not valid Rust, and SQL that is not a string, are skipped: the compiler reports them.
pub(in crate::commands) fn statements(package: &Path, root: &Path) -> Vec<Statement> {
    let mut files = Vec::new();
    for folder in SOURCES {
        add_files(&package.join(folder), &mut files);
    }
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let Ok(tokens) = text.parse::<TokenStream>() else {
            continue;
        };
        let shown = match file.strip_prefix(root) {
            Ok(within) => within.display().to_string(),
            Err(_) => shown_path(&file),
        };
        add_calls(tokens, &shown, &mut found);
    }
    found
}

fn add_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        // A link can lead back to a folder above.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => add_files(&path, files),
            Ok(_) if path.extension().is_some_and(|end| end == "rs") => files.push(path),
            _ => {}
        }
    }
}

fn add_calls(tokens: TokenStream, file: &str, found: &mut Vec<Statement>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let before = &tokens[..index];
        if let [path @ .., TokenTree::Ident(name), TokenTree::Punct(mark)] = before
            && mark.as_char() == '!'
            && MACROS.iter().any(|known| name == known)
            && !is_of_another_crate(path)
            && let Some(sql) = sql_of(group.stream(), name == "query_as")
        {
            let line = name.span().start().line;
            found.push(Statement {
                function: format!("the query in {file}:{line}"),
                sql,
                at: None,
            });
        }
        add_calls(group.stream(), file, found);
    }
}

/// Returns true for a path such as `sqlx::`, which is before the name of the macro.
fn is_of_another_crate(path: &[TokenTree]) -> bool {
    match path {
        [
            ..,
            TokenTree::Ident(name),
            TokenTree::Punct(first),
            TokenTree::Punct(second),
        ] => first.as_char() == ':' && second.as_char() == ':' && *name != "bowline",
        _ => false,
    }
}

/// Returns the SQL of a call, without its semicolon.
fn sql_of(arguments: TokenStream, has_struct: bool) -> Option<String> {
    let mut parts = arguments.into_iter().skip_while(move |token| {
        // The struct is a path without commas, so the first comma is the one before the SQL.
        has_struct && !matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',')
    });
    let first = if has_struct {
        parts.nth(1)?
    } else {
        parts.next()?
    };
    let sql = match first {
        TokenTree::Literal(literal) => string(&literal.to_string())?,
        TokenTree::Ident(name) => joined(&name, parts.nth(1)?)?,
        _ => return None,
    };
    Some(sql.trim_end().trim_end_matches(';').to_owned())
}

/// Returns the text of `concat!`.
fn joined(name: &Ident, arguments: TokenTree) -> Option<String> {
    let TokenTree::Group(group) = arguments else {
        return None;
    };
    if name != "concat" {
        return None;
    }
    let parts = group.stream().into_iter().filter_map(|part| match part {
        TokenTree::Literal(literal) => Some(literal.to_string()),
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    Some(parts.map(|part| string(&part).unwrap_or(part)).collect())
}

fn string(literal: &str) -> Option<String> {
    let literal = syn::parse_str::<syn::LitStr>(literal).ok()?;
    Some(literal.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_at_any_depth() {
        let source = r##"
            fn f() {
                let a = db.run(query!("SELECT 1;", x).all());
                vec![bowline::query_as!(Vec<A>, r#"SELECT "a""#)];
                sqlx::query!("SELECT 3");
                query(x); query!(text); // query!("SELECT 4")
                query!(concat!("SELECT ", 5, " AS a"));
            }
        "##;
        let mut found = Vec::new();
        add_calls(source.parse().expect("Rust"), "a.rs", &mut found);
        let shown = found
            .iter()
            .map(|found| format!("{}: {}\n", found.function, found.sql));
        insta::assert_snapshot!(shown.collect::<String>(), @r#"
        the query in a.rs:3: SELECT 1
        the query in a.rs:4: SELECT "a"
        the query in a.rs:7: SELECT 5 AS a
        "#);
    }
}
