//! `#[derive(bowline::Graph)]`: a struct with a row and the rows that it is related to.

use std::iter::Peekable;

use proc_macro::token_stream::IntoIter;
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::migrations::{Wrong, compile_error};
use crate::row::{braces, code, split, wrong};

const STRUCT: &str =
    "bowline::Graph is derived for a struct with named fields and without parameters";
const FIRST: &str = "the first field of a graph is a row of a table, without options";

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    read(input)
        .and_then(|written| written.expression())
        .unwrap_or_else(|wrong| compile_error(&wrong))
}

/// The struct to derive for.
struct Struct {
    name: TokenTree,
    row: Field,
    related: Vec<Field>,
}

struct Field {
    name: Ident,
    rust_type: TokenStream,
    options: Options,
}

/// The options of a field.
#[derive(Default)]
struct Options {
    /// `first = 10` or `last = 10`.
    limit: Option<(&'static str, TokenTree)>,
    by: Option<TokenTree>,
    relation: Option<TokenTree>,
    /// The first option.
    span: Option<Span>,
}

fn read(input: TokenStream) -> Result<Struct, Wrong> {
    let mut tokens = input.into_iter().peekable();
    let mut name = None;
    while let Some(token) = tokens.next() {
        match &token {
            // An attribute, which may contain any word.
            TokenTree::Punct(punct) if punct.as_char() == '#' => drop(tokens.next()),
            TokenTree::Ident(ident) if ident.to_string() == "struct" => name = tokens.next(),
            TokenTree::Ident(ident) if matches!(&*ident.to_string(), "enum" | "union") => {
                return Err(wrong(STRUCT, ident.span()));
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let Some(name) = name else { break };
                let mut fields = fields(group.stream())?.into_iter();
                let row = fields.next();
                let row = row.ok_or_else(|| wrong(FIRST, group.span()))?;
                if let Some(span) = row.options.span {
                    return Err(wrong(FIRST, span));
                }
                let related = fields.collect();
                return Ok(Struct { name, row, related });
            }
            other if name.is_some() => return Err(wrong(STRUCT, other.span())),
            _ => {}
        }
    }
    Err(wrong(STRUCT, Span::call_site()))
}

fn fields(body: TokenStream) -> Result<Vec<Field>, Wrong> {
    let mut fields = Vec::new();
    for part in split(body) {
        let mut tokens = part.into_iter().peekable();
        let options = options(&mut tokens)?;
        let mut name = None;
        for token in tokens.by_ref() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => break,
                TokenTree::Ident(ident) => name = Some(ident),
                _ => {}
            }
        }
        fields.extend(name.map(|name| Field {
            name,
            rust_type: tokens.collect(),
            options,
        }));
    }
    Ok(fields)
}

/// Reads the attributes of a field.
fn options(tokens: &mut Peekable<IntoIter>) -> Result<Options, Wrong> {
    let mut options = Options::default();
    let is_mark = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == '#');
    while tokens.next_if(is_mark).is_some() {
        let Some(TokenTree::Group(attribute)) = tokens.next() else {
            continue;
        };
        let mut attribute = attribute.stream().into_iter();
        let is_ours = matches!(attribute.next(), Some(it) if it.to_string() == "graph");
        if let Some(TokenTree::Group(list)) = attribute.next().filter(|_| is_ours) {
            options.read(list.stream())?;
        }
    }
    Ok(options)
}

impl Options {
    fn read(&mut self, list: TokenStream) -> Result<(), Wrong> {
        for part in split(list) {
            let mut tokens = part.into_iter();
            let Some(key) = tokens.next() else { continue };
            self.span.get_or_insert(key.span());
            let value = tokens.nth(1);
            let value = value.ok_or_else(|| wrong("the option has no value", key.span()))?;
            match &*key.to_string() {
                "first" | "last" if self.limit.is_some() => {
                    return Err(wrong("a field has one of first and last", key.span()));
                }
                "first" => self.limit = Some(("First", value)),
                "last" => self.limit = Some(("Last", value)),
                "by" => self.by = Some(value),
                "relation" => self.relation = Some(value),
                other => {
                    let message = format!(
                        "there is no option {other:?}: first, last, by and relation are known"
                    );
                    return Err(wrong(&message, key.span()));
                }
            }
        }
        Ok(())
    }
}

impl Struct {
    /// Returns the call of the macro that implements the traits, whose patterns are easier to read
    /// than tokens that are put together.
    fn expression(self) -> Result<TokenStream, Wrong> {
        let mut body = TokenStream::from(TokenTree::Ident(self.row.name));
        body.extend(code(":")?);
        body.extend(self.row.rust_type);
        body.extend(code(";")?);
        for field in self.related {
            let relation = match field.options.relation {
                Some(TokenTree::Ident(relation)) => relation,
                Some(other) => return Err(wrong("a relation is a name", other.span())),
                None => field.name.clone(),
            };
            let constant = relation.to_string();
            let constant = constant.trim_start_matches("r#").to_uppercase();
            let constant = Ident::new(&constant, relation.span());
            body.extend([TokenTree::Ident(field.name)]);
            body.extend(code(":")?);
            body.extend(field.rust_type);
            body.extend(code("=")?);
            body.extend([TokenTree::Ident(constant)]);
            body.extend(match field.options.limit {
                Some((limit, rows)) => {
                    let mut limit = code(limit)?;
                    limit.extend([parenthesized(TokenStream::from(rows))]);
                    limit
                }
                None => code("All")?,
            });
            body.extend(field.options.by);
            body.extend(code(";")?);
        }
        let mut expression = code("::bowline::__generated::graph!")?;
        let call = TokenStream::from_iter([self.name, braces(body)]);
        expression.extend([braces(call)]);
        Ok(expression)
    }
}

fn parenthesized(tokens: TokenStream) -> TokenTree {
    TokenTree::Group(Group::new(Delimiter::Parenthesis, tokens))
}
