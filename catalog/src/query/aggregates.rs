//! The names of aggregates: a query that calls one has other values with more rows.

use crate::replay::builtin;

/// Words before a bracket that are no functions.
const NO_FUNCTIONS: [&str; 32] = [
    "all",
    "and",
    "any",
    "array",
    "as",
    "bit",
    "by",
    "cast",
    "char",
    "character",
    "coalesce",
    "decimal",
    "else",
    "exists",
    "extract",
    "filter",
    "greatest",
    "in",
    "least",
    "not",
    "nullif",
    "numeric",
    "or",
    "row",
    "select",
    "some",
    "then",
    "time",
    "timestamp",
    "timestamptz",
    "varchar",
    "when",
];

/// Returns true for the name of an aggregate, and of a function that could be one of the schema.
pub(crate) fn may_aggregate(name: &str) -> bool {
    let mut functions = builtin::functions(name, |_| true).peekable();
    match functions.peek() {
        Some(_) => functions.any(|function| function.is_aggregate()),
        None => !NO_FUNCTIONS.contains(&name),
    }
}
