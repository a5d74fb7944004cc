//! `bowline::query!` and `bowline::query_as!`: SQL that is checked when the crate is compiled.
//!
//! - `text` reads the SQL of the call, with the position of each character in the source.
//! - `schema` has the catalog of the package's migrations, once per process.
//! - `check` checks the SQL against it, and `message` formats a mistake.
//! - `code` writes the expansion.

mod check;
mod code;
mod message;
mod schema;
mod text;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use proc_macro::{Delimiter, Group, Span, TokenStream, TokenTree};

use crate::migrations::{Wrong, compile_error};
use message::Mistake;
use text::{Location, Sql};

/// Expands `query!`, or `query_as!` with a struct before the SQL.
pub(crate) fn expand(input: TokenStream, reads_struct: bool) -> TokenStream {
    let expanded = catch_unwind(AssertUnwindSafe(|| {
        Call::read(input, reads_struct).and_then(|call| call.expanded())
    }));
    match expanded {
        Ok(Ok(code)) => code,
        Ok(Err(wrong)) => braced(compile_error(&wrong)),
        Err(panic) => braced(compile_error(&Wrong {
            message: format!(
                "the check of this query failed: {}\n = help: this is a bug: https://github.com/bowline-rs/bowline/issues",
                check::reason(&*panic)
            ),
            span: Span::call_site(),
        })),
    }
}

/// Returns a compile error in the form of an expression.
fn braced(tokens: TokenStream) -> TokenStream {
    TokenTree::Group(Group::new(Delimiter::Brace, tokens)).into()
}

/// A call of one of the macros.
struct Call {
    target: Option<TokenStream>,
    sql: Sql,
    /// The span of the SQL.
    span: Span,
    arguments: Vec<Argument>,
}

/// An argument, and whether it can be NULL.
struct Argument {
    tokens: TokenStream,
    is_nullable: bool,
}

impl Call {
    fn read(input: TokenStream, reads_struct: bool) -> Result<Self, Wrong> {
        let mut parts = separated(input).into_iter();
        let target = if reads_struct {
            let target = parts.next().filter(|part| !part.is_empty());
            Some(target.ok_or_else(|| Wrong {
                message: "expected a struct and SQL: query_as!(Account, \"SELECT ..\")".to_owned(),
                span: Span::call_site(),
            })?)
        } else {
            None
        };
        let mut sql = Sql::default();
        let written = parts.next().unwrap_or_default();
        let span = written
            .first()
            .map_or_else(Span::call_site, TokenTree::span);
        add(&mut sql, written)?;
        let arguments = parts
            .filter(|part| !part.is_empty())
            .map(Argument::of)
            .collect();
        Ok(Self {
            target: target.map(TokenStream::from_iter),
            sql,
            span,
            arguments,
        })
    }

    fn expanded(self) -> Result<TokenStream, Wrong> {
        let nullable: Vec<bool> = self.arguments.iter().map(|it| it.is_nullable).collect();
        let package = package(self.span);
        let checked = check::check(&package, &self.sql.text, &nullable)
            .and_then(|checked| match &self.target {
                Some(_) if !checked.returns_rows => Err(Mistake::new(
                    "the statement returns no rows, so there is nothing to read into a struct",
                )
                .hint("use query!, or add RETURNING to the statement")),
                _ => Ok(checked),
            })
            .map_err(|mistake| Wrong {
                message: mistake.shown(&self.sql, &self.span.file()),
                span: self.span,
            })?;
        let tracked: &[PathBuf] = if is_first() { &checked.files } else { &[] };
        let code = code::function(&checked, self.target.is_some(), tracked);
        let code: TokenStream = code.parse().map_err(|error| Wrong {
            message: format!("a type of an alias is not Rust: {error}"),
            span: self.span,
        })?;
        let code = match &self.target {
            Some(target) => replaced(code, target),
            None => code,
        };
        let mut arguments = TokenStream::new();
        for argument in self.arguments {
            arguments.extend(argument.tokens);
            arguments.extend(",".parse::<TokenStream>().unwrap_or_default());
        }
        // (block)(arguments)
        let function = TokenTree::Group(Group::new(Delimiter::Parenthesis, code));
        let mut given = Group::new(Delimiter::Parenthesis, arguments);
        given.set_span(self.span);
        Ok([function, TokenTree::Group(given)].into_iter().collect())
    }
}

impl Argument {
    /// Reads an expression. A trailing `as Option<_>` says that it can be NULL.
    fn of(tokens: Vec<TokenTree>) -> Self {
        const NULLABLE: [&str; 5] = ["as", "Option", "<", "_", ">"];
        let is_nullable = tokens.len() > NULLABLE.len()
            && tokens[tokens.len() - NULLABLE.len()..]
                .iter()
                .map(ToString::to_string)
                .eq(NULLABLE);
        let kept = tokens.len() - if is_nullable { NULLABLE.len() } else { 0 };
        Self {
            tokens: tokens.into_iter().take(kept).collect(),
            is_nullable,
        }
    }
}

/// Returns true for the first call in a process. That expansion tells the compiler on which files
/// the crate depends.
fn is_first() -> bool {
    static IS_TRACKED: AtomicBool = AtomicBool::new(false);
    !IS_TRACKED.swap(true, Ordering::Relaxed)
}

/// Returns the folder of the package that is compiled. For a source file of another package, which
/// `#[path]` can name, it is the folder of that package.
fn package(span: Span) -> PathBuf {
    let compiled = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let file = span.local_file().filter(|file| file.is_absolute());
    let outside = file.filter(|file| !file.starts_with(&compiled));
    let mut folders = outside.as_deref().into_iter().flat_map(Path::ancestors);
    let other = folders.find(|folder| folder.join("Cargo.toml").is_file());
    other.map_or(compiled, Path::to_owned)
}

/// Splits tokens at their commas. A comma between the angle brackets of a path does not count.
fn separated(input: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0usize;
    let mut before = ' ';
    for token in input {
        let mark = match &token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
        let is_first = parts.len() == 1;
        match mark {
            // The struct of `query_as!` can have parameters. In an expression, `<` is a comparison
            // unless `::` precedes it.
            '<' if is_first || before == ':' || depth > 0 => depth += 1,
            '>' if before != '-' && before != '=' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(Vec::new());
                before = ' ';
                continue;
            }
            _ => {}
        }
        before = mark;
        if let Some(last) = parts.last_mut() {
            last.push(token);
        }
    }
    parts
}

/// Adds the SQL of a literal, or of `concat!` with literals.
fn add(sql: &mut Sql, tokens: Vec<TokenTree>) -> Result<(), Wrong> {
    let span = tokens.first().map_or_else(Span::call_site, TokenTree::span);
    let no_sql = |span| Wrong {
        message: "expected SQL as a string, or concat! of strings\n = help: SQL that is built \
                  when the program runs cannot be checked: use bowline::sql_query"
            .to_owned(),
        span,
    };
    match &tokens[..] {
        // A `macro_rules!` macro passes `$sql:literal` on in such a group.
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            add(sql, group.stream().into_iter().collect())
        }
        [TokenTree::Literal(literal)] => {
            let at = Location {
                line: span.line(),
                column: span.column(),
            };
            sql.push(&literal.to_string(), at).map_err(|_| no_sql(span))
        }
        [TokenTree::Ident(word)] if ["true", "false"].contains(&&*word.to_string()) => {
            let at = Location {
                line: span.line(),
                column: span.column(),
            };
            sql.push(&word.to_string(), at).map_err(|_| no_sql(span))
        }
        [
            ..,
            TokenTree::Ident(name),
            TokenTree::Punct(mark),
            TokenTree::Group(group),
        ] if name.to_string() == "concat" && mark.as_char() == '!' => {
            let parts = separated(group.stream()).into_iter();
            parts
                .filter(|part| !part.is_empty())
                .try_for_each(|part| add(sql, part))
        }
        _ => Err(no_sql(span)),
    }
}

/// Replaces the placeholder by the struct of the call.
fn replaced(code: TokenStream, target: &TokenStream) -> TokenStream {
    code.into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(name) if name.to_string() == code::TARGET => target.clone(),
            TokenTree::Group(group) => {
                let inside = replaced(group.stream(), target);
                TokenTree::Group(Group::new(group.delimiter(), inside)).into()
            }
            other => other.into(),
        })
        .collect()
}
