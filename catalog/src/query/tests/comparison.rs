//! The comparison of the checker with a server.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::query_names::type_name;
use super::server::{Server, Statement};
use super::wire::Refusal;
use crate::query::{Fault, Query};
use crate::{Catalog, DataType, TypeKind};

/// The verdict on one query.
pub(super) enum Verdict {
    /// Both accept the statement, with the same types. Running it returned this number of rows.
    Accepted {
        rows: usize,
    },
    /// Both refuse the statement, with the same SQLSTATE.
    Error,
    /// The checker refuses, since it does not know the types.
    Refused(Fault),
    Wrong(Failure),
}

pub(super) struct Failure {
    /// The kind of the failure. A shorter query has to fail in the same way.
    pub(super) class: &'static str,
    pub(super) words: String,
}

impl Verdict {
    pub(super) fn wrong(class: &'static str, words: String) -> Self {
        Self::Wrong(Failure { class, words })
    }
}

/// Returns the base type of a domain, and each other type itself. Describe does the same.
fn base_type(catalog: &Catalog, data_type: &DataType) -> String {
    let mut found = data_type.clone();
    while found.dimensions == 0 {
        let kind = catalog.types.get(&found.name).map(|found| &found.kind);
        let Some(TypeKind::Domain { base, .. }) = kind else {
            break;
        };
        found = base.clone();
    }
    type_name(&found)
}

/// The checker of one catalog.
pub(super) type Check<'c> = dyn Fn(&str, &[bool]) -> Result<Query, Fault> + 'c;

/// Returns the differences between the answers of the checker and of the server.
fn differences(catalog: &Catalog, query: &Query, described: &Statement) -> Vec<String> {
    let ours: Vec<String> = query
        .parameters
        .iter()
        .map(|parameter| type_name(&parameter.data_type))
        .collect();
    let theirs: Vec<String> = described.parameters.iter().map(type_name).collect();
    let mut found = Vec::new();
    if ours != theirs {
        found.push(format!(
            "parameters {ours:?}, the server reports {theirs:?}"
        ));
    }
    let ours: Vec<String> = query
        .columns
        .iter()
        .map(|column| format!("{} {}", column.name, base_type(catalog, &column.data_type)))
        .collect();
    let theirs: Vec<String> = described
        .columns
        .iter()
        .map(|(name, kind)| format!("{name} {}", type_name(kind)))
        .collect();
    if ours != theirs {
        found.push(format!("columns {ours:?}, the server reports {theirs:?}"));
    }
    found
}

/// Returns the checker's answer if the server reports the same types.
pub(super) fn judge(
    catalog: &Catalog,
    check: &Check<'_>,
    server: &mut Server,
    sql: &str,
) -> Result<Query, Verdict> {
    let checked = catch_unwind(AssertUnwindSafe(|| check(sql, &[])));
    let Ok(checked) = checked else {
        return Err(Verdict::wrong("panic", "the checker panics".to_owned()));
    };
    let described = server.describe(sql);
    match (checked, described) {
        (Ok(query), Ok(described)) => {
            let found = differences(catalog, &query, &described);
            if !found.is_empty() {
                return Err(Verdict::wrong("types", found.join("\n")));
            }
            rewritten(server, sql, query)
        }
        (Ok(_), Err(refusal)) => Err(differing("accepted", "accepted", &refusal)),
        (Err(fault), described) => Err(match (fault.code, described) {
            (None, _) => Verdict::Refused(fault),
            (Some(ours), Err(refusal)) if is_same(ours, &refusal, server.version) => Verdict::Error,
            (Some(ours), Err(refusal)) => differing("code", &format!("{ours}: {fault}"), &refusal),
            (Some(ours), Ok(described)) if is_unplanned(server, sql, &described, ours) => {
                Verdict::Error
            }
            (Some(ours), Ok(_)) => {
                Verdict::wrong("error", format!("{ours}: {fault}, the server accepts it"))
            }
        }),
    }
}

/// Returns true if the server refuses to plan or to run a statement as the checker refuses it.
fn is_unplanned(server: &mut Server, sql: &str, described: &Statement, ours: &str) -> bool {
    let planned = server.plan(sql, described.parameters.len());
    // What else is wrong may be found first, such as a literal.
    ours == "0A000" && planned.is_err() || planned.is_err_and(|refusal| refusal.code == ours)
}

/// Returns true if the server refuses a statement as the checker does.
fn is_same(ours: &str, refusal: &Refusal, version: u32) -> bool {
    // Before PostgreSQL 16, USING determined the common type before the operator.
    let is_of_using = refusal.message.starts_with("JOIN/USING types")
        || refusal
            .message
            .starts_with("failed to find conversion function");
    ours == refusal.code || version < 16 && matches!(ours, "42883" | "42702") && is_of_using
}

/// Returns the verdict if the server refuses a statement in another way than the checker.
fn differing(class: &'static str, ours: &str, Refusal { code, message }: &Refusal) -> Verdict {
    // The checker knows the input functions of types, which read literals, only in part.
    let is_value = code.starts_with("22") || code == "23502";
    let class = if is_value { "value" } else { class };
    Verdict::wrong(
        class,
        format!("{ours}, the server reports {code}: {message}"),
    )
}

/// Compares the text to send with the text that was checked.
fn rewritten(server: &mut Server, sql: &str, query: Query) -> Result<Query, Verdict> {
    let show = |statement: Result<Statement, Refusal>| match statement {
        Err(Refusal { code, message }) => vec![format!("{code}: {message}")],
        Ok(statement) => {
            let parameters = statement.parameters.iter().map(type_name);
            let columns = statement.columns.iter().zip(&query.columns);
            // A row that can be missing is sent without its type.
            let columns = columns.map(|((name, kind), column)| match column.row {
                Some(_) => name.clone(),
                None => format!("{name} {}", type_name(kind)),
            });
            parameters.chain(columns).collect()
        }
    };
    let (before, after) = (server.describe(sql), server.describe(&query.sql));
    let (before, after) = (show(before), show(after));
    if before != after {
        let words = format!(
            "is sent as {}\nwhich gives {after:?} in place of {before:?}",
            query.sql
        );
        return Err(Verdict::wrong("text", words));
    }
    Ok(query)
}
