//! The statements of the generated functions, complete, so that a server can prepare them.

use super::table::constants;
use bowline_plan::plan::Plan;

/// A statement of a generated function.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The function: `Account::find`.
    pub(crate) function: String,
    pub(crate) sql: String,
}

/// Returns the statements of all functions. Where a call chooses the columns, all are given.
pub(crate) fn statements(plan: &Plan) -> Vec<Statement> {
    let mut all = Vec::new();
    for table in &plan.tables {
        for constant in constants(table) {
            let sql = [Some(&constant.sql), constant.unchanged.as_ref()];
            all.extend(sql.into_iter().flatten().map(|sql| Statement {
                function: format!("{}::{}", table.full_row(), constant.function),
                sql: sql.filled(table),
            }));
        }
    }
    for file in &plan.queries {
        all.extend(file.functions.iter().map(|function| Statement {
            function: super::queries::function_name(file, function),
            sql: function.sql.clone(),
        }));
    }
    all
}
