//! ORDER BY a value that is the same for all rows.
//!
//! PostgreSQL accepts `ORDER BY $1` and sorts nothing. The parameter was meant to name a column.

use super::analyzer::Analyzer;
use super::expr::{Expr, Kind};
use super::fault::Fault;
use crate::replay::builtin;

/// Functions that return another value for each row, and those that are called for their effect.
const VOLATILE: [&str; 10] = [
    "random",
    "random_normal",
    "clock_timestamp",
    "timeofday",
    "nextval",
    "setval",
    "lastval",
    "currval",
    "setseed",
    "set_config",
];

/// The beginnings of names of further such functions.
const VOLATILE_KINDS: [&str; 5] = ["gen_", "uuid", "pg_", "lo_", "dblink"];

impl Analyzer<'_> {
    /// Records the first key of an ORDER BY that sorts nothing.
    pub(super) fn note_unsorted(&mut self, key: &Expr) {
        if self.omitted.is_some() || key.any(&mut |part| may_differ(&part.kind)) {
            return;
        }
        let message = "ORDER BY a value that is the same for all rows sorts nothing";
        let hint = "a parameter is a value, not a column: order by columns, or name orders in a \
                    query file, `-- order: newest = created_at DESC, id`, for `ORDER BY :order`";
        self.omitted = Some(Fault::error("42P10", key.span.clone(), message).hint(hint));
    }
}

/// Returns true for a part of an expression that can have another value in each row.
fn may_differ(kind: &Kind) -> bool {
    match kind {
        Kind::Var { .. }
        | Kind::Row(_)
        | Kind::Aggregate(_)
        | Kind::Query(_)
        | Kind::Default
        | Kind::Grouping(_)
        | Kind::Other(_) => true,
        Kind::Call(call) => {
            let name = call.name.as_str();
            let is_volatile = VOLATILE.contains(&name)
                || VOLATILE_KINDS.iter().any(|kind| name.starts_with(kind));
            let is_known = call.is_operator || builtin::has_function(name);
            call.returns_set || call.over.is_some() || is_volatile || !is_known
        }
        _ => false,
    }
}
