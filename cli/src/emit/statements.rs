//! The statements of the generated functions, complete, so that a server can prepare them.

use std::collections::BTreeSet;

use super::table::constants;
use bowline_plan::plan::{Plan, QueryFunction};

/// A statement of a generated function.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The function: `Account::find`.
    pub(crate) function: String,
    pub(crate) sql: String,
    /// The file, and the line if it is known: `src/db/accounts.rs:12`.
    pub(crate) at: Option<String>,
}

/// Returns the statements of all functions. Where a call chooses the columns, all are given. Their
/// files are those of the generated code, and of the queries, without a line.
pub(crate) fn statements(plan: &Plan) -> Vec<Statement> {
    let mut all = Vec::new();
    for table in &plan.tables {
        for constant in constants(table) {
            let sql = [Some(&constant.sql), constant.unchanged.as_ref()];
            all.extend(sql.into_iter().flatten().map(|sql| Statement {
                function: format!("{}::{}", table.full_row(), constant.function),
                sql: sql.filled(table),
                at: Some(format!("{}.rs", table.file)),
            }));
        }
    }
    for file in &plan.queries {
        for function in &file.functions {
            all.extend(texts(function).into_iter().map(|sql| Statement {
                function: super::queries::function_name(file, function),
                sql,
                at: Some(file.source.clone()),
            }));
        }
    }
    all
}

/// Returns the texts of a query: in each of its orders, of the first page and of later ones, with
/// all conditions and without them.
fn texts(function: &QueryFunction) -> BTreeSet<String> {
    let orders = function.orders.iter().flat_map(|it| &it.orders);
    let pages = function.pages.iter().flat_map(|it| &it.lists);
    let pages = pages.flat_map(|list| {
        let texts = [
            Some(&list.first),
            Some(&list.after),
            list.after_null.as_ref(),
        ];
        texts.into_iter().flatten()
    });
    let templates = orders.map(|order| &order.sql).chain(pages);
    let templates = templates.chain([&function.sql]);
    if !function.is_template {
        return templates.cloned().collect();
    }
    let composed = |template| [true, false].map(|all| bowline_sql::compose(template, |_| all));
    templates.flat_map(|template| composed(template)).collect()
}
