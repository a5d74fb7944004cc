//! The check of one statement: from its text to its types.

use std::cell::RefCell;
use std::rc::Rc;

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Origin, Result};
use super::arguments::Arguments;
use super::composite::Replaced;
use super::expr::Span;
use super::fault::Fault;
use super::locks::Reach;
use super::memo::Memo;
use super::options::check_options;
use super::raw::{parameter, span_of, syntax_error};
use super::scope::{Analyzed, TableColumn};
use super::types;
use super::{Column, Parameter, Query, Rows};
use crate::Catalog;
use crate::replay::syntax::brackets::parse_in_brackets;
use crate::replay::syntax::parse::{Unparsed, parse};
use crate::replay::syntax::tree::{child, children, is_query, path, seen, statements, tokens};

/// Checks one statement.
pub(super) fn check<'a>(
    catalog: &'a Catalog,
    search_path: &Rc<[String]>,
    version: Option<u32>,
    memo: &RefCell<Option<Memo<'a>>>,
    sql: &str,
    nullable: &[bool],
) -> Result<Query> {
    let analyze = |sql: &str| {
        let statement = only_statement(sql)?;
        let known = memo.take().unwrap_or_else(|| Memo::new(catalog, version));
        let mut analyzer = Analyzer::new(catalog, Rc::clone(search_path), known, nullable);
        let query = analyzer.statement(&statement, sql);
        memo.replace(Some(analyzer.into_memo()));
        query.map_err(|fault| syntax_error(&statement).unwrap_or(fault))
    };
    let (mut query, with_fields) = analyze(sql)?;
    let Some(text) = with_fields else {
        return Ok(query);
    };
    // A row cannot always be written as its fields: `GROUP BY t` groups by no column of `t`.
    let sent = analyze(&text).ok().map(|(sent, _)| sent);
    if sent.is_some_and(|sent| is_same(&query, &sent)) {
        query.sql = text;
    } else {
        query.columns.iter_mut().for_each(|it| it.row = None);
    }
    Ok(query)
}

/// Returns true if two texts have the same parameters, columns and number of rows, apart from the
/// types of rows.
fn is_same(query: &Query, sent: &Query) -> bool {
    let is_alike = |(one, other): (&Column, &Column)| {
        one.name == other.name
            && one.nullable == other.nullable
            && (one.row.is_some() || one.data_type == other.data_type)
    };
    query.rows == sent.rows
        && query.parameters == sent.parameters
        && query.columns.len() == sent.columns.len()
        && query.columns.iter().zip(&sent.columns).all(is_alike)
}

/// Returns a message of the parser with words of SQL in place of the parser's names of tokens.
fn plain_words(message: &str) -> String {
    let is_kind = |c: char| c.is_ascii_uppercase() || c == '_';
    let words = message.split(' ').map(|word| {
        let kind = word.trim_matches(|c| !is_kind(c));
        let plain = match kind {
            "L_PAREN" => "\"(\"",
            "R_PAREN" => "\")\"",
            "L_BRACK" => "\"[\"",
            "R_BRACK" => "\"]\"",
            "COMMA" => "\",\"",
            "DOT" => "\".\"",
            "COLON" => "\":\"",
            "SEMICOLON" => "\";\"",
            "EQ" => "\"=\"",
            "STAR" => "\"*\"",
            "IDENT" => "a name",
            "EOF" => "the end",
            "STRING" => "a string",
            "INT_NUMBER" | "FLOAT_NUMBER" => "a number",
            _ => match kind.strip_suffix("_KW") {
                Some(keyword) => keyword,
                None => return word.to_owned(),
            },
        };
        word.replace(kind, plain)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the error of a text in which brackets are missing, or that has the LIMIT of another
/// database. `span` is where the parser stopped.
fn certain_error(sql: &str, span: &Span) -> Option<Fault> {
    let all: Vec<_> = bowline_sql::tokens(sql).collect();
    let mut open: Vec<Span> = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let start = token.start();
        let place = start..start + token.text().len();
        match token.text() {
            "(" | "[" => open.push(place),
            ")" | "]" if open.pop().is_none() => {
                let message = format!("syntax error at or near \"{}\"", token.text());
                let hint = "no bracket before it is open";
                return Some(Fault::error("42601", place, message).hint(hint));
            }
            "," if place.start == span.start && at > 1 && all[at - 2].is_word("limit") => {
                let message = "LIMIT #,# syntax is not supported";
                return Some(
                    Fault::error("42601", place, message)
                        .hint("write LIMIT and OFFSET: LIMIT 10 OFFSET 5"),
                );
            }
            _ => {}
        }
    }
    let unclosed = open.pop()?;
    Some(
        Fault::error("42601", unclosed, "syntax error at end of input")
            .hint("this bracket is not closed"),
    )
}

/// Returns the only statement of a text.
fn only_statement(sql: &str) -> Result<SyntaxNode> {
    let file = match parse(sql).or_else(|error| parse_in_brackets(sql).ok_or(error)) {
        Ok(file) => file,
        Err(Unparsed::TooDeep) => {
            return Err(Fault::refused(
                0..sql.len(),
                "brackets are nested too deeply",
            ));
        }
        Err(Unparsed::Error { span, message }) => {
            if let Some(fault) = certain_error(sql, &span) {
                return Err(fault);
            }
            // The source of a MERGE is one item.
            if message == "expected on clause" && sql[span.end..].trim_start().starts_with(',') {
                let message = "syntax error at or near \",\"";
                return Err(Fault::error("42601", span, message).hint("write CROSS JOIN"));
            }
            // In a query file `:name` is a parameter, and no longer in the text that arrives here.
            let mut rest = sql.get(span.start..).unwrap_or_default().chars();
            let is_name = rest.next() == Some(':') && rest.next().is_some_and(char::is_alphabetic);
            if is_name {
                let message = "syntax error at or near \":\"";
                return Err(Fault::error("42601", span, message)
                    .hint("write $1: only query files have parameters such as `:name`"));
            }
            // PostgreSQL's grammar may accept what this parser does not.
            let message = plain_words(&message);
            return Err(Fault::refused(span, format!("syntax error: {message}")));
        }
    };
    let mut all = statements(&file);
    let statement = all
        .next()
        .ok_or_else(|| Fault::error("42601", 0..sql.len(), "there is no statement"))?;
    if let Some(second) = all.next() {
        let message = "cannot insert multiple commands into a prepared statement";
        return Err(
            Fault::error("42601", span_of(&second), message).hint("write each statement by itself")
        );
    }
    check_options(&statement)?;
    Ok(statement)
}

/// Returns true for the commands that return no rows and take no parameters: all statements except
/// queries and those in this list.
fn is_command(kind: K) -> bool {
    !is_query(kind)
        && !matches!(
            kind,
            K::INSERT
                | K::UPDATE
                | K::DELETE
                | K::MERGE
                | K::CALL
                | K::COPY
                | K::EXPLAIN
                | K::SHOW
                | K::FETCH
                | K::EXECUTE
                | K::DECLARE
        )
}

fn command(node: &SyntaxNode) -> Result<Analyzed> {
    let mut all = tokens(node);
    if let Some(token) = all.find(|token| parameter(token.text()).is_some()) {
        let range = token.text_range();
        let message = "a command takes no parameters: syntax error at or near its parameter";
        return Err(Fault::error(
            "42601",
            range.start().into()..range.end().into(),
            message,
        ));
    }
    Ok(Analyzed {
        columns: Vec::new(),
        is_single: false,
        keys: Rc::default(),
        has_row: false,
        outer: Vec::new(),
        has_no_result: true,
        reach: Reach::default(),
    })
}

impl Analyzer<'_> {
    fn statement(&mut self, statement: &SyntaxNode, sql: &str) -> Result<(Query, Option<String>)> {
        let analyzed = match seen(statement.kind()) {
            K::CALL => self.call_statement(statement)?,
            kind if is_command(kind) => command(statement)?,
            _ => self.query(statement, false)?,
        };
        let shards = self.shards_of(statement);
        let (mut query, with_fields) = self.finish_statement(sql, analyzed)?;
        query.shards = shards;
        Ok((query, with_fields))
    }

    fn call_statement(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        let span = span_of(node);
        self.scopes.push(super::scope::Scope::default());
        let name = child(node, K::PROCEDURE_NAME_REF)
            .ok_or_else(|| Fault::refused(span.clone(), "no procedure is named"))?;
        let mut given = Arguments {
            is_procedure: true,
            ..Default::default()
        };
        let list = child(node, K::ARG_LIST);
        if let Some(query) = node.descendants().find(|it| is_query(it.kind())) {
            let message = "cannot use subquery in CALL argument";
            return Err(Fault::error("0A000", span_of(&query), message));
        }
        self.scope().no_aggregate = Some("CALL arguments");
        for argument in list.iter().flat_map(|list| children(list, K::ARG)) {
            self.read_argument(&argument, &mut given)?;
        }
        given.check_names()?;
        let call = self.call(&path(&name), given, span.clone())?;
        self.scopes.pop();
        // PostgreSQL does not look for open parameters in the arguments of a command.
        self.open_parameters.clear();
        let columns = match call.kind {
            super::expr::Kind::Call(call) => call.columns,
            _ => Vec::new(),
        };
        let columns: Vec<_> = columns
            .into_iter()
            .map(|(name, ty)| super::scope::ResultColumn {
                name,
                ty,
                nullable: true,
                origin: None,
                open: None,
                composite: None,
                span: span.clone(),
                form: super::form::Form::default(),
            })
            .collect();
        Ok(Analyzed {
            has_no_result: columns.is_empty(),
            reach: Reach::default(),
            columns,
            is_single: true,
            keys: Rc::default(),
            has_row: true,
            outer: Vec::new(),
        })
    }

    /// Returns the query, and its text with the fields of each row among the results, if there are
    /// rows.
    fn finish_statement(
        &mut self,
        sql: &str,
        analyzed: Analyzed,
    ) -> Result<(Query, Option<String>)> {
        for (span, index) in std::mem::take(&mut self.open_parameters) {
            let is_decided = self.parameters[index].ty != Some(types::UNKNOWN);
            if is_decided {
                let number = index + 1;
                let message = format!("could not determine data type of parameter ${number}");
                return Err(Fault::error("42P08", span, message).hint(format!(
                    "another use of ${number} decides its type, but not this one: cast it here too"
                )));
            }
        }
        let mut parameters = Vec::new();
        for (at, parameter) in self.parameters.clone().into_iter().enumerate() {
            let Some(ty) = parameter.ty.filter(|ty| *ty != types::UNKNOWN) else {
                let message = format!("could not determine data type of parameter ${}", at + 1);
                return Err(Fault::error("42P18", parameter.span, message)
                    .hint(format!("cast it, as ${}::text", at + 1)));
            };
            parameters.push(Parameter {
                data_type: self.types.data_type(ty),
                column: match parameter.column {
                    Origin::One(column) => Some(Rc::unwrap_or_clone(column)),
                    Origin::None | Origin::Several => None,
                },
            });
        }
        if let Some(fault) = self.late.take() {
            return Err(fault);
        }
        let rows = if analyzed.has_no_result {
            Rows::Affected
        } else if analyzed.is_single && analyzed.has_row {
            Rows::One
        } else if analyzed.is_single {
            Rows::Optional
        } else {
            Rows::Many
        };
        let replaced = std::mem::take(&mut self.edits);
        let with_fields = self.with_fields(&analyzed.columns, sql, &replaced);
        let reads = std::mem::take(&mut self.reads);
        let columns = analyzed.columns.into_iter();
        let columns = columns.map(|it| self.public_column(it.table_column()));
        let query = Query {
            sql: edited(sql, replaced),
            parameters,
            columns: columns.collect(),
            rows,
            reads: reads.into_iter().map(Rc::unwrap_or_clone).collect(),
            writes: std::mem::take(&mut self.writes),
            assigns: std::mem::take(&mut self.assigns),
            indexes: std::mem::take(&mut self.indexes),
            shards: None,
            omitted: self.omitted.take(),
        };
        Ok((query, with_fields))
    }

    pub(super) fn public_column(&self, column: TableColumn) -> Column {
        let comment = column.origin.as_deref().and_then(|(name, wanted)| {
            let relation = self.catalog.relations.get(name)?;
            let found = relation.columns.iter().find(|it| it.name == *wanted)?;
            found.comment.clone()
        });
        Column {
            name: column.name,
            data_type: self.types.data_type(column.ty),
            nullable: column.nullable,
            column: column.origin.map(Rc::unwrap_or_clone),
            row: self.public_row(column.composite.as_ref()),
            comment,
        }
    }
}

/// Returns a text in which some parts are replaced.
pub(super) fn edited(sql: &str, mut edits: Vec<Replaced>) -> String {
    edits.sort_by_key(|edit| edit.span.start);
    let mut text = String::with_capacity(sql.len());
    let mut end = 0;
    for Replaced { span, pieces } in edits {
        if span.start < end {
            continue;
        }
        text.push_str(&sql[end..span.start]);
        text.push_str(&pieces.join(", "));
        end = span.end;
    }
    text.push_str(&sql[end..]);
    text
}
