//! Parse analysis of the queries and expressions of migrations, by the query engine.
//!
//! It gives the columns of views and of tables that are created from a query, and the objects that
//! a query uses, which prevent them from being dropped. A query that is not understood is refused.

mod collation;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::query::Fault;
use crate::query::describe::{self, Around, describe, describe_call};
use crate::query::objects::{Objects, Overload};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::expressions::Columns;
use crate::replay::state::{State, TEMPORARY};
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::parse::parse_again;
use crate::replay::syntax::routine::Source;
use crate::replay::syntax::tree::{is_of_rows, is_query, text};
use crate::{DataType, Name};

pub(crate) use self::collation::collation_over;
pub(crate) use crate::query::describe::Output;

/// The objects that a query uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    pub(crate) relations: BTreeSet<Name>,
    pub(crate) columns: BTreeSet<(Name, String)>,
    /// The types that the query casts to.
    pub(crate) types: BTreeSet<Name>,
    /// The functions of migrations that the query calls, with the types of their arguments.
    pub(crate) functions: BTreeSet<(Name, Vec<DataType>)>,
}

/// The state, as the query engine sees it.
struct StateObjects<'a>(&'a State);

impl Objects for StateObjects<'_> {
    fn overloads(&self, name: &str) -> Vec<Overload<'_>> {
        let overloads = self.0.overloads(name).iter();
        overloads
            .map(|function| Overload {
                name: &function.name,
                routine: function.routine.as_ref(),
                argument_types: &function.argument_types,
                is_function: function.is_function(),
            })
            .collect()
    }

    fn finds_extension(&self, extension: &str, schema: Option<&str>) -> bool {
        match (schema, self.0.schema_of_extension(extension)) {
            (None, Some(own)) => self.0.search_path().contains(own),
            (Some(schema), Some(own)) => own == schema,
            (_, None) => true,
        }
    }

    fn collation(&self, path: &[String]) -> Name {
        self.0.find_collation(path)
    }

    fn collation_of_type(&self, data_type: &DataType) -> Option<Name> {
        self.0.collation_of_type(data_type)
    }
}

/// Returns the columns of a query, and the objects that it uses.
pub(crate) fn analyze(state: &State, query: &SyntaxNode) -> Result<(Vec<Output>, Used)> {
    analyze_node(state, query).map_err(|fault| {
        let mut refused = refusal(query, &fault);
        refused.span = fault.span;
        refused
    })
}

/// Returns the columns of a query that reads itself by this name, as in `CREATE RECURSIVE VIEW`.
pub(crate) fn analyze_recursive(
    state: &State,
    query: &SyntaxNode,
    itself: &str,
    columns: &[String],
) -> Result<(Vec<Output>, Used)> {
    let names: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
    let (itself, names) = (identifier(itself), names.join(", "));
    let written = format!(
        "WITH RECURSIVE {itself} ({names}) AS ({}) SELECT {names} FROM {itself}",
        text(query)
    );
    let parsed = parse_again(&written);
    let whole = parsed.descendants().find(|node| is_query(node.kind()));
    let whole = whole.ok_or_else(|| Refused::new(query, "the query is incomplete"))?;
    analyze_node(state, &whole).map_err(|fault| refusal(query, &fault))
}

fn analyze_node(state: &State, query: &SyntaxNode) -> Result<(Vec<Output>, Used), Fault> {
    let objects = StateObjects(state);
    let path = with_temporary(state.search_path());
    let (columns, used) = describe(state.catalog(), &objects, path, query);
    let functions = used.calls.iter().filter_map(|(_, name, index)| {
        let function = state.overloads(name).get(*index)?;
        Some((function.name.clone(), function.argument_types.clone()))
    });
    let used = Used {
        functions: functions.collect(),
        relations: used.relations,
        columns: used.columns,
        types: used.types,
    };
    Ok((columns?, used))
}

/// Returns the overload that each call in an expression means: the index in the list of overloads,
/// by the position of the call. Bare names are searched for in these schemas.
pub(crate) fn overloads_called(
    state: &State,
    expression: &str,
    columns: Columns<'_>,
    path: &[String],
) -> BTreeMap<usize, usize> {
    const BEFORE: &str = "SELECT ";
    let from = match columns {
        Columns::Nothing => String::new(),
        Columns::Table(table) => format!(" FROM {}", qualified(table)),
        Columns::OldAndNew(table) => format!(" FROM {0} AS old, {0} AS new", qualified(table)),
        Columns::Value(data_type) => {
            format!(
                " FROM (SELECT NULL::{} AS value) AS domain",
                data_type.sql()
            )
        }
    };
    let parsed = parse_again(&format!("{BEFORE}{expression}{from}"));
    let Some(select) = parsed.descendants().find(|node| is_query(node.kind())) else {
        return BTreeMap::new();
    };
    let objects = StateObjects(state);
    // An error ends the analysis, but the calls found before it remain valid.
    let (_, used) = describe(state.catalog(), &objects, with_temporary(path), &select);
    let calls = used.calls.into_iter();
    let calls =
        calls.filter_map(|(start, _, index)| Some((start.checked_sub(BEFORE.len())?, index)));
    calls.collect()
}

/// Returns the result of a function for arguments of these types.
pub(crate) fn result_of_call(
    state: &State,
    function: &[String],
    arguments: &[DataType],
) -> Option<DataType> {
    let objects = StateObjects(state);
    let path = with_temporary(state.search_path());
    describe_call(state.catalog(), &objects, path, function, arguments)
}

/// Returns the error that PostgreSQL raises for a statement that reads or writes rows, if it is
/// certain.
pub(crate) fn fault(state: &State, statement: &SyntaxNode) -> Option<Refused> {
    let fault = fault_in(state, statement, None)?;
    let mut refused = refusal(statement, &fault);
    refused.span = fault.span;
    Some(refused)
}

/// Returns the error that PostgreSQL raises for this query.
pub(crate) fn fault_of_text(state: &State, query: &str) -> Option<Refused> {
    let parsed = parse_again(query);
    let query = parsed.descendants().find(|node| is_query(node.kind()))?;
    fault(state, &query)
}

/// Returns the refusal of an expression that names a column which its table does not have.
pub(crate) fn unknown_column(
    state: &State,
    expression: &SyntaxNode,
    table: &Name,
) -> Option<Refused> {
    let refused = fault_of_text(state, &query_over(expression, table))?;
    let range = expression.text_range();
    let refused = Refused {
        span: range.start().into()..range.end().into(),
        ..refused
    };
    (refused.raises == Some("undefined_column")).then_some(refused)
}

/// Returns the error that PostgreSQL raises for the body of a new function in SQL, which it reads
/// when the function is created.
pub(crate) fn fault_of_body(state: &State, definition: &SyntaxNode) -> Option<Refused> {
    let mut functions = state.functions().values().flatten();
    let function = functions.find(|function| function.definition == *definition)?;
    let Source::Sql(statements) = function.source() else {
        return None;
    };
    let arguments = function.routine.as_ref()?.arguments.iter();
    let arguments: Vec<_> = arguments
        .filter(|argument| argument.mode.is_given())
        .map(|argument| (argument.name.clone(), argument.data_type.clone()))
        .collect();
    let around = Around {
        name: &function.name.name,
        arguments: &arguments,
    };
    statements.iter().find_map(|statement| {
        let is_read = is_of_rows(statement.kind());
        let fault = is_read.then(|| fault_in(state, statement, Some(&around)))??;
        let mut refused = refusal(definition, &fault);
        refused.why = format!("of its body: {}", refused.why);
        Some(refused)
    })
}

/// Returns why PostgreSQL refuses a default of a column.
pub(crate) fn fault_of_default(
    state: &State,
    default: &SyntaxNode,
    table: &Name,
    column: &str,
) -> Option<String> {
    if state.has_own_casts() {
        return None;
    }
    let insert = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        qualified(table),
        identifier(column),
        text(default)
    );
    let parsed = parse_again(&insert);
    let insert = parsed
        .descendants()
        .find(|node| node.kind() == SyntaxKind::INSERT)?;
    let fault = fault_in(state, &insert, None)?;
    let is_of_value = fault
        .code
        .is_some_and(|code| code == "42804" || code.starts_with("22"));
    is_of_value.then_some(fault.message)
}

/// Returns a query with an expression over the columns of a table.
fn query_over(expression: &SyntaxNode, table: &Name) -> String {
    format!("SELECT {} FROM {}", text(expression), qualified(table))
}

/// Returns the type of an expression over the columns of a table, if it is known.
pub(crate) fn type_of(state: &State, expression: &SyntaxNode, table: &Name) -> Option<DataType> {
    let parsed = parse_again(&query_over(expression, table));
    let query = parsed.descendants().find(|node| is_query(node.kind()))?;
    let (columns, _) = analyze_node(state, &query).ok()?;
    columns.into_iter().next().map(|column| column.data_type)
}

/// Returns true if a value of a type may be given to a column of another type without a cast.
pub(crate) fn assigns(state: &State, from: &DataType, to: &DataType) -> bool {
    let is_known = |data_type: &DataType| {
        let base = state.base_type(data_type).name;
        base.schema == SYSTEM || state.catalog().types.contains_key(&base)
    };
    if from == to || state.has_own_casts() || !is_known(from) || !is_known(to) {
        return true;
    }
    let objects = StateObjects(state);
    let path = with_temporary(state.search_path());
    describe::assigns(state.catalog(), &objects, path, from, to)
}

/// Returns true if values of two types may be compared by `=`.
pub(crate) fn may_equal(state: &State, one: &DataType, other: &DataType) -> bool {
    let (one, other) = (state.base_type(one), state.base_type(other));
    state.has_own_casts() || describe::equals(state.catalog(), &one, &other)
}

fn fault_in(state: &State, statement: &SyntaxNode, around: Option<&Around<'_>>) -> Option<Fault> {
    let objects = StateObjects(state);
    let path = with_temporary(state.search_path());
    let fault = describe::fault(state.catalog(), &objects, path, statement, around)?;
    // Casts and operators of migrations are not known.
    let is_of_types = fault.code.is_some_and(|code| code.starts_with("428"));
    (!state.has_own_casts() || !is_of_types).then_some(fault)
}

/// Returns the columns with the names that are given to the first of them.
pub(crate) fn renamed(mut columns: Vec<Output>, names: &[String]) -> Vec<Output> {
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    columns
}

/// Returns a name with its schema, which the search path need not contain.
fn qualified(name: &Name) -> String {
    format!("{}.{}", identifier(&name.schema), identifier(&name.name))
}

/// Returns the search path with the schema of temporary objects, which PostgreSQL searches first
/// unless the path names it.
fn with_temporary(path: &[String]) -> Rc<[String]> {
    let is_named = path.iter().any(|schema| schema == TEMPORARY);
    let first = (!is_named).then(|| TEMPORARY.to_owned());
    first.into_iter().chain(path.iter().cloned()).collect()
}

/// Returns a fault of a query as the refusal of its statement.
fn refusal(node: &SyntaxNode, fault: &Fault) -> Refused {
    const SPELLING: &str = "check the spelling, and whether an earlier migration creates it";
    const CAST: &str = "add a cast to its type";
    let message = fault.message.as_str();
    let quoted = || message.split('"').nth(1).unwrap_or_default();
    let between = |before: &str, after: &str| {
        let rest = message.strip_prefix(before)?;
        rest.strip_suffix(after)
    };
    if let Some(column) = between("column ", " does not exist")
        && fault.code == Some("42703")
    {
        let column = column.trim_matches('"');
        let why = format!("there is no column {column} in what this reads");
        return Refused::new(node, why)
            .hint(SPELLING)
            .raises("undefined_column");
    }
    if fault.code == Some("42P01") {
        return if message.starts_with("relation") {
            Refused::new(node, format!("there is no table {}", quoted()))
                .hint(SPELLING)
                .raises("undefined_table")
        } else {
            let why = format!("there is no table {} in what this reads", quoted());
            Refused::new(node, why).hint(SPELLING)
        };
    }
    let call = between("function ", " does not exist")
        .or_else(|| between("function ", " is not unique"))
        .or_else(|| between("operator does not exist: ", ""))
        .or_else(|| between("operator is not unique: ", ""))
        .or_else(|| between("whether there is a function ", " is not known"))
        .or_else(|| between("whether there is an operator ", " is not known"));
    if let Some(call) = call {
        return Refused::new(node, format!("the result of {call} is not known")).hint(CAST);
    }
    if fault.code == Some("42601") {
        return Refused::error(node, message);
    }
    Refused::new(node, message)
}
