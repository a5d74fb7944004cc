//! `#[derive(bowline::Row)]`: a struct read from a row by the names of the columns.
//!
//! It does not use a parser such as `syn`, since every user would have to compile that. Only the
//! names and types of the fields are needed, and types are copied unchanged.

use proc_macro::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};

use crate::migrations::{Wrong, compile_error};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    read(input)
        .and_then(|written| written.expression())
        .unwrap_or_else(|wrong| compile_error(&wrong))
}

/// The struct to derive for.
struct Struct {
    name: TokenTree,
    /// The table of `table!` whose columns define the SQL types.
    table: Option<TokenStream>,
    fields: Vec<Field>,
}

struct Field {
    name: TokenTree,
    rust_type: TokenStream,
    options: Options,
}

/// The options in the attributes of a struct or field.
#[derive(Default)]
struct Options {
    sql_type: Option<TokenStream>,
    column: Option<String>,
    table: Option<TokenStream>,
    is_embedded: bool,
}

pub(crate) fn wrong(message: &str, span: Span) -> Wrong {
    Wrong {
        message: message.to_owned(),
        span,
    }
}

fn read(input: TokenStream) -> Result<Struct, Wrong> {
    const STRUCT: &str =
        "bowline::Row is derived for a struct with named fields and without parameters";
    let mut tokens = input.into_iter().peekable();
    let mut options = Options::default();
    let mut name = None;
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.next() {
                    options.read(attribute.stream())?;
                }
            }
            TokenTree::Ident(ident) if ident.to_string() == "struct" => {
                name = tokens.next();
            }
            TokenTree::Ident(ident) if matches!(&*ident.to_string(), "enum" | "union") => {
                return Err(wrong(STRUCT, ident.span()));
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let Some(name) = name else { break };
                return Ok(Struct {
                    name,
                    table: options.table,
                    fields: fields(group.stream())?,
                });
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
        let mut options = Options::default();
        let mut name = None;
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(TokenTree::Group(attribute)) = tokens.next() {
                        options.read(attribute.stream())?;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => break,
                TokenTree::Ident(_) => name = Some(token),
                _ => {}
            }
        }
        if let Some(name) = name {
            fields.push(Field {
                name,
                rust_type: tokens.collect(),
                options,
            });
        }
    }
    Ok(fields)
}

/// Splits tokens at commas, except commas between `<` and `>`.
pub(crate) fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    let mut depth = 0_usize;
    let mut before = ' ';
    for token in tokens {
        let mark = match &token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
        match mark {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(TokenStream::new());
                before = ' ';
                continue;
            }
            _ => {}
        }
        before = mark;
        if let Some(part) = parts.last_mut() {
            part.extend([token]);
        }
    }
    parts
}

impl Options {
    /// Reads the tokens between the brackets of an attribute.
    fn read(&mut self, attribute: TokenStream) -> Result<(), Wrong> {
        let mut tokens = attribute.into_iter();
        let Some(TokenTree::Ident(whose)) = tokens.next() else {
            return Ok(());
        };
        let is_ours = match &*whose.to_string() {
            "row" => true,
            "diesel" => false,
            _ => return Ok(()),
        };
        let Some(TokenTree::Group(list)) = tokens.next() else {
            return Ok(());
        };
        for part in split(list.stream()) {
            let mut tokens = part.into_iter();
            let Some(key) = tokens.next() else { continue };
            let value: TokenStream = tokens.skip(1).collect();
            match &*key.to_string() {
                "sql_type" => self.sql_type = Some(value),
                "column" | "column_name" => {
                    let name = value.to_string();
                    self.column = Some(name.trim_matches('"').trim_start_matches("r#").to_owned());
                }
                "table" | "table_name" => self.table = Some(value),
                "embed" => self.is_embedded = true,
                // diesel has other options, such as `check_for_backend`.
                _ if !is_ours => {}
                other => {
                    let message = format!(
                        "there is no option {other:?}: sql_type, column, table and embed are known"
                    );
                    return Err(wrong(&message, key.span()));
                }
            }
        }
        Ok(())
    }
}

impl Field {
    fn column(&self) -> String {
        self.options.column.clone().unwrap_or_else(|| {
            let name = self.name.to_string();
            name.trim_start_matches("r#").to_owned()
        })
    }

    /// Returns the SQL type of the column: that of the option, else that of the table's column,
    /// else the default for the Rust type.
    fn sql_type(&self, table: Option<&TokenStream>) -> Result<TokenStream, Wrong> {
        if let Some(sql_type) = &self.options.sql_type {
            return Ok(sql_type.clone());
        }
        let mut sql_type = TokenStream::new();
        if let Some(table) = table {
            sql_type.extend(code("::diesel::dsl::SqlTypeOf <")?);
            sql_type.extend(table.clone());
            sql_type.extend(code("::")?);
            sql_type.extend(match &self.options.column {
                Some(column) => code(column)?,
                None => TokenStream::from(self.name.clone()),
            });
        } else {
            sql_type.extend(code("<")?);
            sql_type.extend(self.rust_type.clone());
            sql_type.extend(code(
                "as ::bowline::statement::DefaultSqlType > :: SqlType",
            )?);
            return Ok(sql_type);
        }
        sql_type.extend(code(">")?);
        Ok(sql_type)
    }
}

impl Struct {
    fn expression(&self) -> Result<TokenStream, Wrong> {
        let (mut described, mut read) = (TokenStream::new(), TokenStream::new());
        for field in &self.fields {
            read.extend([field.name.clone()]);
            if field.options.is_embedded {
                described.extend(code("<")?);
                described.extend(field.rust_type.clone());
                described.extend(code("as ::bowline::Row> :: describe(columns);")?);
                read.extend(code(": <")?);
                read.extend(field.rust_type.clone());
                read.extend(code("as ::bowline::Row> :: read(row)?,")?);
                continue;
            }
            let sql_type = field.sql_type(self.table.as_ref())?;
            let column = Literal::string(&field.column());
            described.extend(code("columns.named :: <")?);
            described.extend(sql_type.clone());
            described.extend(code(&format!("> ({column});"))?);
            read.extend(code(": ::bowline::__generated::row_value :: <")?);
            read.extend(sql_type);
            read.extend(code(",")?);
            read.extend(field.rust_type.clone());
            read.extend(code(&format!("> (row, {column})?,"))?);
        }
        let mut functions = code("fn describe(columns: &mut ::bowline::__generated::RowColumns)")?;
        functions.extend([braces(described)]);
        functions.extend(code(
            "fn read(row: &::bowline::__generated::SessionRow) -> ::bowline::__generated::RowResult<Self>",
        )?);
        let mut built = code("::core::result::Result::Ok")?;
        let mut value = code("Self")?;
        value.extend([braces(read)]);
        built.extend([TokenTree::Group(Group::new(Delimiter::Parenthesis, value))]);
        functions.extend([braces(built)]);
        let mut expression = code("#[automatically_derived] impl ::bowline::Row for")?;
        expression.extend([self.name.clone(), braces(functions)]);
        Ok(expression)
    }
}

pub(crate) fn braces(tokens: TokenStream) -> TokenTree {
    TokenTree::Group(Group::new(Delimiter::Brace, tokens))
}

pub(crate) fn code(text: &str) -> Result<TokenStream, Wrong> {
    text.parse().map_err(|_| {
        wrong(
            "the name of a column is not a name in Rust",
            Span::call_site(),
        )
    })
}
