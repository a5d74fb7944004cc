//! `bowline::migrations!`: checks, at each compilation, that generated code matches the library and
//! the migrations.

use std::path::{Path, PathBuf};

use bowline_migrations::{
    Difference, FolderError, Migration, SqlFile, Tool, UNNAMED, differences, differences_of,
    mismatch, query_fingerprint, read_folder, read_queries,
};
use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// Expands to the constant `MIGRATIONS`, the schema modules and the code.
///
/// Code of an unsupported format is left out, since it may use names that the library does not
/// have. The compiler then reports only the error about the format: in a module with a
/// `compile_error!`, it does not report missing names.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = input.into_iter().collect();
    let (format, span) = match format(&tokens) {
        Ok(found) => found,
        Err(wrong) => return compile_error(&wrong),
    };
    if let Some(message) = mismatch(format) {
        let mut expanded = compile_error(&Wrong { message, span });
        // The schema uses only diesel, so it compiles with any version of the library.
        expanded.extend(schema(&tokens));
        return expanded;
    }
    match read(tokens) {
        Ok(written) => written.expanded(),
        Err(wrong) => compile_error(&wrong),
    }
}

/// A compile error and its location.
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) span: Span,
}

/// The arguments of the macro.
struct Written {
    folder: String,
    span: Span,
    /// The name and the fingerprint of each migration; `spans` has the spans of the names.
    migrations: Vec<(String, u64)>,
    spans: Vec<Span>,
    /// The folder of the query files, if there are any.
    queries_folder: Option<String>,
    /// The name and the fingerprint of each query file.
    queries: Vec<(String, u64)>,
    schema: TokenStream,
    code: TokenStream,
}

/// Returns the format of generated code, which is the first argument. Code of version 0.1 has no
/// format argument.
fn format(tokens: &[TokenTree]) -> Result<(u32, Span), Wrong> {
    match tokens {
        [TokenTree::Literal(first), ..] => Ok((UNNAMED, first.span())),
        [TokenTree::Ident(key), TokenTree::Punct(mark), number, ..]
            if key.to_string() == "format" && mark.as_char() == '=' =>
        {
            let format = number.to_string().parse();
            format
                .map(|format| (format, number.span()))
                .map_err(|_| unreadable(number.span()))
        }
        _ => Err(unreadable(Span::call_site())),
    }
}

/// Returns the schema modules of code in any format.
fn schema(tokens: &[TokenTree]) -> TokenStream {
    let found = tokens.windows(3).find_map(|window| match window {
        [
            TokenTree::Ident(key),
            TokenTree::Punct(_),
            TokenTree::Group(group),
        ] if key.to_string() == "schema" => Some(group.stream()),
        _ => None,
    });
    found.unwrap_or_default()
}

impl Written {
    fn expanded(self) -> TokenStream {
        const CONSTANT: &str = "/// The migrations that this code is generated from. With others in the folder it does \
            not compile.\npub const MIGRATIONS: ::bowline::Migrations =";
        let value = self
            .compared()
            .unwrap_or_else(|wrong| compile_error(&wrong));
        let mut expanded: TokenStream = CONSTANT.parse().unwrap_or_default();
        expanded.extend(value);
        expanded.extend([TokenTree::Punct(Punct::new(';', Spacing::Alone))]);
        expanded.extend(self.schema);
        expanded.extend(self.code);
        expanded
    }

    /// Returns the value of `MIGRATIONS`; fails with the differences if the folder has changed.
    fn compared(&self) -> Result<TokenStream, Wrong> {
        // Cargo sets this variable to the package's folder.
        let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        let folder = Path::new(&package).join(&self.folder);
        let found = read_folder(&folder).map_err(|error| Wrong {
            message: unreadable_folder(&error, &self.folder),
            span: self.span,
        })?;
        let differences = differences(&self.migrations, &found);
        if let Some(first) = differences.first() {
            return Err(self.stale(&self.folder, first, &differences));
        }
        let queries = self.compared_queries(Path::new(&package))?;
        expression(&found, &queries).map_err(|error| Wrong {
            message: format!("cannot name the migrations: {error}"),
            span: self.span,
        })
    }

    /// Returns the query files; fails with the differences if they have changed.
    fn compared_queries(&self, package: &Path) -> Result<Vec<SqlFile>, Wrong> {
        let Some(folder) = &self.queries_folder else {
            return Ok(Vec::new());
        };
        let found = read_queries(&package.join(folder)).map_err(|error| Wrong {
            message: unreadable_folder(&error, folder),
            span: self.span,
        })?;
        let fingerprints: Vec<(String, u64)> = found
            .iter()
            .map(|file| {
                let name = file.path.file_name().unwrap_or_default();
                (
                    name.to_string_lossy().into_owned(),
                    query_fingerprint(&file.text),
                )
            })
            .collect();
        let differences = differences_of(&self.queries, &fingerprints);
        match differences.first() {
            Some(first) => Err(self.stale(folder, first, &differences)),
            None => Ok(found),
        }
    }

    fn stale(&self, folder: &str, first: &Difference, differences: &[Difference]) -> Wrong {
        const SHOWN: usize = 5;
        let mut shown: Vec<String> = differences
            .iter()
            .take(SHOWN)
            .map(ToString::to_string)
            .collect();
        if differences.len() > SHOWN {
            shown.push(format!("{} more", differences.len() - SHOWN));
        }
        let span = match first {
            Difference::Added(_) => None,
            Difference::Changed(name) | Difference::Removed(name) => {
                let mut names = self.migrations.iter().zip(&self.spans);
                names
                    .find(|((written, _), _)| written == name)
                    .map(|(_, span)| *span)
            }
        };
        Wrong {
            message: format!(
                "{} since this code was generated from {folder}: run `bowline generate`",
                shown.join(", "),
            ),
            span: span.unwrap_or(self.span),
        }
    }
}

/// Returns the message for a folder that cannot be read. The most frequent reason for a missing
/// folder is a Dockerfile that does not copy it, so the message contains the line to add.
fn unreadable_folder(error: &FolderError, written: &str) -> String {
    if !error.is_missing() {
        return format!("{error}: {}", error.hint());
    }
    // COPY cannot reach folders above the root of the build context.
    let copied = written.trim_start_matches("../").trim_start_matches("./");
    format!(
        "{error}: {}; in a Dockerfile, put `COPY {copied} {copied}` before the build",
        error.hint()
    )
}

/// Returns `::bowline::Migrations::generated(&[("version", "name", fingerprint), ..])`.
///
/// The code also includes each file, so that cargo recompiles when a file has changed. A file that
/// creates the whole schema is no migration, which a database could have run.
fn expression(
    found: &[Migration],
    queries: &[SqlFile],
) -> Result<TokenStream, proc_macro::LexError> {
    let migrations = found.iter().map(|migration| &migration.up);
    let files: Vec<&PathBuf> = migrations.chain(queries).map(|file| &file.path).collect();
    let list: Vec<(&str, &str, u64)> = found
        .iter()
        .filter(|migration| migration.tool != Tool::Schema)
        .map(|found| (&*found.version, &*found.name, found.fingerprint()))
        .collect();
    let read: String = files
        .iter()
        .map(|path| format!("const _: &[u8] = ::core::include_bytes!({path:?});"))
        .collect();
    format!("{{ {read} ::bowline::Migrations::generated(&{list:?}) }}").parse()
}

/// Reads `key = value,` for each key of the format that the command writes.
fn read(tokens: Vec<TokenTree>) -> Result<Written, Wrong> {
    let mut written = Written {
        folder: String::new(),
        span: Span::call_site(),
        migrations: Vec::new(),
        spans: Vec::new(),
        queries_folder: None,
        queries: Vec::new(),
        schema: TokenStream::new(),
        code: TokenStream::new(),
    };
    let mut tokens = tokens.into_iter();
    while let Some(key) = tokens.next() {
        if !punctuation(tokens.next(), '=')? {
            return Err(unreadable(key.span()));
        }
        let value = tokens.next();
        match (&*key.to_string(), value) {
            ("format", Some(_)) => {}
            ("folder", value) => (written.folder, written.span) = string(value)?,
            ("migrations", Some(TokenTree::Group(list))) => {
                (written.migrations, written.spans) = migrations(list.stream())?;
            }
            ("queries_folder", value) => written.queries_folder = Some(string(value)?.0),
            ("queries", Some(TokenTree::Group(list))) => {
                (written.queries, _) = migrations(list.stream())?;
            }
            ("schema", Some(TokenTree::Group(modules))) => written.schema = modules.stream(),
            ("code", Some(TokenTree::Group(modules))) => written.code = modules.stream(),
            _ => return Err(unreadable(key.span())),
        }
        punctuation(tokens.next(), ',')?;
    }
    Ok(written)
}

/// The names and fingerprints of migrations, and the spans of the names.
type Listed = (Vec<(String, u64)>, Vec<Span>);

/// Reads `"name" => fingerprint,` for each migration.
fn migrations(list: TokenStream) -> Result<Listed, Wrong> {
    let (mut migrations, mut spans) = (Vec::new(), Vec::new());
    let mut tokens = list.into_iter();
    while let Some(next) = tokens.next() {
        let (name, span) = string(Some(next))?;
        let arrow = punctuation(tokens.next(), '=')? && punctuation(tokens.next(), '>')?;
        if !arrow {
            return Err(unreadable(span));
        }
        migrations.push((name, number(tokens.next())?));
        spans.push(span);
        punctuation(tokens.next(), ',')?;
    }
    Ok((migrations, spans))
}

/// Returns true if the token is this mark, and false at the end; fails for any other token.
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

/// Returns a string without the escapes that `{:?}` writes.
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

/// Returns `::core::compile_error! { "message" }` at the span of the error.
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
