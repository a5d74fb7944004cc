//! `bowline::migrations!`: whether generated code is of the migrations that are there, asked at each compilation.

use std::path::{Path, PathBuf};

use bowline_migrations::{
    Difference, FolderError, Migration, differences, read_folder, version_of,
};
use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    compared(input).unwrap_or_else(|wrong| compile_error(&wrong))
}

/// Why this does not compile, and where.
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) span: Span,
}

/// What the macro is given.
struct Written {
    folder: String,
    span: Span,
    /// Name and print, and where they stand.
    migrations: Vec<(String, u64)>,
    spans: Vec<Span>,
}

fn compared(input: TokenStream) -> Result<TokenStream, Wrong> {
    let written = read(input)?;
    // Cargo names the package's folder to whatever it compiles.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&package).join(&written.folder);
    let there = read_folder(&folder).map_err(|error| Wrong {
        message: unreadable_folder(&error, &written.folder),
        span: written.span,
    })?;
    let differences = differences(&written.migrations, &there);
    if let Some(first) = differences.first() {
        return Err(stale(&written, first, &differences));
    }
    expression(&written.migrations, &there).map_err(|error| Wrong {
        message: format!("cannot name the migrations: {error}"),
        span: written.span,
    })
}

/// The message for a folder that cannot be read. A folder that is missing has most often been left
/// out of an image, so the message names the line of the Dockerfile that copies it.
fn unreadable_folder(error: &FolderError, written: &str) -> String {
    if !error.is_missing() {
        return format!("{error}: {}", error.hint());
    }
    // An image copies from the root of its build context, above which no path leads.
    let copied = written.trim_start_matches("../").trim_start_matches("./");
    format!(
        "{error}: {}; in a Dockerfile, put `COPY {copied} {copied}` before the build",
        error.hint()
    )
}

fn stale(written: &Written, first: &Difference, differences: &[Difference]) -> Wrong {
    const SHOWN: usize = 5;
    let mut told: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if differences.len() > SHOWN {
        told.push(format!("{} more", differences.len() - SHOWN));
    }
    let span = match first {
        Difference::Added(_) => None,
        Difference::Changed(name) | Difference::Removed(name) => {
            let mut names = written.migrations.iter().zip(&written.spans);
            names
                .find(|((written, _), _)| written == name)
                .map(|(_, span)| *span)
        }
    };
    Wrong {
        message: format!(
            "{} since this code was generated from {}: run `bowline generate`",
            told.join(", "),
            written.folder
        ),
        span: span.unwrap_or(written.span),
    }
}

/// `::bowline::Migrations::generated(&[("version", "name", print), ..])`, for which the compiler reads each file too,
/// so that cargo looks again when one has changed.
fn expression(
    written: &[(String, u64)],
    there: &[Migration],
) -> Result<TokenStream, proc_macro::LexError> {
    let files: Vec<&PathBuf> = there.iter().map(|migration| &migration.up.path).collect();
    let list: Vec<(String, &String, u64)> = written
        .iter()
        .map(|(name, print)| (version_of(name), name, *print))
        .collect();
    let read: String = files
        .iter()
        .map(|path| format!("const _: &[u8] = ::core::include_bytes!({path:?});"))
        .collect();
    format!("{{ {read} ::bowline::Migrations::generated(&{list:?}) }}").parse()
}

fn read(input: TokenStream) -> Result<Written, Wrong> {
    let mut tokens = input.into_iter();
    let (folder, span) = string(tokens.next())?;
    let mut written = Written {
        folder,
        span,
        migrations: Vec::new(),
        spans: Vec::new(),
    };
    while punctuation(tokens.next(), ',')? {
        let Some(next) = tokens.next() else { break };
        let (name, span) = string(Some(next))?;
        let arrow = punctuation(tokens.next(), '=')? && punctuation(tokens.next(), '>')?;
        if !arrow {
            return Err(unreadable(span));
        }
        written.migrations.push((name, number(tokens.next())?));
        written.spans.push(span);
    }
    Ok(written)
}

/// Whether this mark comes next; `false` at the end.
fn punctuation(token: Option<TokenTree>, mark: char) -> Result<bool, Wrong> {
    match token {
        None => Ok(false),
        Some(TokenTree::Punct(punct)) if punct.as_char() == mark => Ok(true),
        Some(other) => Err(unreadable(other.span())),
    }
}

fn string(token: Option<TokenTree>) -> Result<(String, Span), Wrong> {
    let Some(token) = token else {
        return Err(unreadable(Span::call_site()));
    };
    let span = token.span();
    let text = token.to_string();
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let decoded = inner.and_then(unescaped).ok_or_else(|| unreadable(span))?;
    Ok((decoded, span))
}

fn number(token: Option<TokenTree>) -> Result<u64, Wrong> {
    let span = token.as_ref().map_or_else(Span::call_site, TokenTree::span);
    let text = token.map(|token| token.to_string()).unwrap_or_default();
    let digits = text.strip_prefix("0x");
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| unreadable(span))
}

/// A string without the escapes that `{:?}` writes.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            'u' => {
                let (digits, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                chars = rest.chars();
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            other => other,
        });
    }
    Some(out)
}

fn unreadable(span: Span) -> Wrong {
    Wrong {
        message: "bowline::migrations! is written by `bowline generate`: run it again".to_owned(),
        span,
    }
}

/// `::core::compile_error! { "message" }`, told where the fault is.
pub(crate) fn compile_error(wrong: &Wrong) -> TokenStream {
    let mark = |mark, spacing| TokenTree::Punct(Punct::new(mark, spacing));
    let word = |word| TokenTree::Ident(Ident::new(word, wrong.span));
    let message = TokenTree::Literal(Literal::string(&wrong.message));
    let tokens = [
        mark(':', Spacing::Joint),
        mark(':', Spacing::Alone),
        word("core"),
        mark(':', Spacing::Joint),
        mark(':', Spacing::Alone),
        word("compile_error"),
        mark('!', Spacing::Alone),
        TokenTree::Group(Group::new(Delimiter::Brace, TokenStream::from(message))),
    ];
    let with_span = |mut token: TokenTree| {
        token.set_span(wrong.span);
        token
    };
    tokens.into_iter().map(with_span).collect()
}
