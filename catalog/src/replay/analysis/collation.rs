//! The collations of index expressions.

use bowline_sql::{Kind, Token, tokens};

use super::{analyze_node, qualified};
use crate::replay::builtin;
use crate::replay::state::State;
use crate::replay::state::functions::{Function, Returned};
use crate::replay::syntax::parse::parse_again;
use crate::replay::syntax::tree::is_query;
use crate::{DataType, Name, TypeKind};

/// Returns the collation of an expression over the columns of a table, if it differs from that of
/// its type.
pub(crate) fn collation_over(state: &State, expression: &str, table: &Name) -> Option<Name> {
    if !may_have_collation(state, expression, table) {
        return None;
    }
    let query = format!("SELECT {expression} FROM {}", qualified(table));
    let parsed = parse_again(&query);
    let select = parsed.descendants().find(|node| is_query(node.kind()))?;
    let (columns, _) = analyze_node(state, &select).ok()?;
    columns.into_iter().next()?.collation
}

/// Returns false if no part of an expression can have a collation that is not the database's. Most
/// expressions are so, and need no analysis.
fn may_have_collation(state: &State, expression: &str, table: &Name) -> bool {
    let mut makes_rows = false;
    let mut before: Option<Token<'_>> = None;
    let mut has_other_calls = false;
    let mut has_fields = false;
    let mut tokens = tokens(expression).peekable();
    while let Some(token) = tokens.next() {
        let is_called = tokens.peek().is_some_and(|next| next.is("("));
        has_fields |= token.is(".") && before.is_some_and(|before| before.is(")"));
        if let Some(name) = token.name() {
            // A column can be called `name`. As a type, it stands after `::` or AS, or before a
            // value.
            let is_type = before.is_some_and(|it| it.is("::") || it.is(".") || it.is_word("as"))
                || is_called
                || tokens
                    .peek()
                    .is_some_and(|next| next.kind() == Kind::String);
            if token.is_word("collate")
                || (name == "name" && is_type)
                || is_column_with_collation(state, table, &name)
                || is_type_with_collation(state, &name)
            {
                return true;
            }
            let overloads = state.overloads(&name);
            if overloads.iter().any(|it| returns_collation(state, it)) {
                return true;
            }
            makes_rows |= overloads.iter().any(|it| returns_row(state, it));
            has_other_calls |= is_called && overloads.is_empty() && !builtin::has_function(&name);
        }
        before = Some(token);
    }
    // A field of a row has a collation of its own: `(f(a)).b`, also written `b(f(a))`.
    makes_rows && (has_fields || has_other_calls)
}

fn is_column_with_collation(state: &State, table: &Name, name: &str) -> bool {
    let relation = state.catalog().relations.get(table);
    let mut columns = relation.into_iter().flat_map(|it| &it.columns);
    columns.any(|column| {
        column.name == name
            && (state.collation_of_column(column).is_some() || is_row(state, &column.data_type))
    })
}

/// Returns true for the name of a type of migrations whose values have a collation, or fields.
fn is_type_with_collation(state: &State, name: &str) -> bool {
    let mut types = state.catalog().types.values();
    types.any(|defined| {
        defined.name.name == name
            && matches!(
                &defined.kind,
                TypeKind::Domain { .. } | TypeKind::Composite { .. }
            )
    })
}

/// Returns true if a function can return a value with a collation of its own.
fn returns_collation(state: &State, function: &Function) -> bool {
    match &function.result {
        Returned::Nothing => false,
        Returned::One { data_type, .. } => state.collation_of_type(data_type).is_some(),
        Returned::Columns { .. } | Returned::Unknown => true,
    }
}

fn returns_row(state: &State, function: &Function) -> bool {
    match &function.result {
        Returned::One { data_type, .. } => is_row(state, data_type),
        _ => false,
    }
}

/// Returns true for a composite type, a domain, or the rows of a relation.
fn is_row(state: &State, data_type: &DataType) -> bool {
    let catalog = state.catalog();
    catalog.relations.contains_key(&data_type.name)
        || catalog.types.get(&data_type.name).is_some_and(|defined| {
            matches!(
                &defined.kind,
                TypeKind::Domain { .. } | TypeKind::Composite { .. }
            )
        })
}
