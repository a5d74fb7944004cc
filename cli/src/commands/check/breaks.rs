//! What of a release does not work on a later schema.

use std::collections::BTreeSet;

use serde::Serialize;

use super::release::{Compiled, Function, Release};
use super::result::{Expected, add_columns, is_read_as};
use crate::emit::Statement;
use bowline_catalog::query::{Checker, Query};
use bowline_catalog::{Catalog, Name, RelationKind};
use bowline_sql::Kind;

/// A statement that breaks, or that cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(in crate::commands) struct Break {
    #[serde(flatten)]
    pub(in crate::commands) function: Function,
    pub(in crate::commands) why: String,
    /// The column that is gone or has changed, with its table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::commands) column: Option<String>,
}

/// The result of all statements.
#[derive(Default)]
pub(super) struct Found {
    pub(super) breaks: Vec<Break>,
    pub(super) not_checked: Vec<Break>,
}

/// Checks the statements of a release against a catalog.
pub(super) fn find(release: &Release, catalog: &Catalog, postgres: Option<u32>) -> Found {
    let checker = Checker::new(catalog).for_version(postgres);
    let mut found = Found::default();
    for statement in &release.statements {
        match check(statement, catalog, &checker) {
            Ok(causes) => {
                let first = causes.into_iter().next();
                found
                    .breaks
                    .extend(first.map(|cause| broken(statement, cause)));
            }
            Err(why) => found.not_checked.push(broken(statement, (why, None))),
        }
    }
    for (function, why) in &release.not_checked {
        found.not_checked.push(Break {
            function: function.clone(),
            why: why.clone(),
            column: None,
        });
    }
    found
}

/// Returns everything that breaks on a catalog, also where a statement breaks for several causes.
pub(in crate::commands) fn all(
    release: &Release,
    catalog: &Catalog,
    postgres: Option<u32>,
) -> BTreeSet<Break> {
    let checker = Checker::new(catalog).for_version(postgres);
    let breaks = release.statements.iter().flat_map(|statement| {
        let causes = check(statement, catalog, &checker).unwrap_or_default();
        causes.into_iter().map(|cause| broken(statement, cause))
    });
    breaks.collect()
}

/// Why a statement breaks, and the column that is gone.
type Cause = (String, Option<String>);

/// Returns the causes for which a statement breaks; fails if that is not known.
fn check(
    statement: &Compiled,
    catalog: &Catalog,
    checker: &Checker<'_>,
) -> Result<Vec<Cause>, String> {
    let gone = gone(statement, catalog);
    if !gone.is_empty() {
        return Ok(gone);
    }
    match checker
        .check(&statement.sql)
        .and_then(Query::without_omitted)
    {
        Ok(query) => {
            let mut columns = Vec::new();
            add_columns(&query.columns, "", catalog, &mut columns);
            let why =
                changed(&statement.columns, &columns).or_else(|| sent(statement, &query, checker));
            Ok(why.map(|why| (why, None)).into_iter().collect())
        }
        // PostgreSQL refuses it.
        Err(fault) if fault.code.is_some() => Ok(vec![(fault.message, None)]),
        Err(fault) => Err(fault.message),
    }
}

fn broken(statement: &Compiled, (why, column): Cause) -> Break {
    Break {
        function: statement.function.clone(),
        why,
        column,
    }
}

/// Returns the relations and columns that the statement uses and that are gone.
fn gone(statement: &Compiled, catalog: &Catalog) -> Vec<Cause> {
    let mut uses: Vec<Cause> = statement
        .uses
        .iter()
        .filter_map(|(table, column)| {
            let full = format!("{}.{column}", table.sql());
            match catalog.relations.get(table) {
                None => Some((format!("{} is gone", table.sql()), Some(full))),
                Some(relation) => {
                    let mut columns = relation.columns.iter();
                    let exists = columns.any(|found| found.name == *column);
                    (!exists).then(|| (format!("{full} is gone"), Some(full)))
                }
            }
        })
        .collect();
    // A table that is gone is one cause, with all of its columns.
    let mut seen = BTreeSet::new();
    uses.retain(|(why, _)| seen.insert(why.clone()));
    uses
}

/// Returns why PostgreSQL refuses the statement with the types that the release sends its
/// parameters with.
fn sent(statement: &Compiled, query: &Query, checker: &Checker<'_>) -> Option<String> {
    let types: Vec<String> = query
        .parameters
        .iter()
        .map(|parameter| parameter.data_type.sql())
        .collect();
    let mut changes = statement.parameters.iter().zip(&types).enumerate();
    let (number, (was, is)) = changes.find(|(_, (was, is))| was != is)?;
    let typed = with_types(&statement.sql, &statement.parameters);
    let fault = checker.check(&typed).err()?;
    fault.code?;
    Some(format!(
        "{}: that release sends ${} as {was}, and it is {is} now",
        fault.message,
        number + 1
    ))
}

/// Returns the SQL with parameters of these types.
fn with_types(sql: &str, types: &[String]) -> String {
    let mut typed = String::new();
    let mut from = 0;
    let parameters = bowline_sql::tokens(sql).filter(|token| token.kind() == Kind::Parameter);
    for token in parameters {
        let number = token.text().trim_start_matches('$').parse::<usize>();
        let index = number.ok().and_then(|number| number.checked_sub(1));
        let Some(data_type) = index.and_then(|index| types.get(index)) else {
            continue;
        };
        typed.push_str(&sql[from..token.start()]);
        typed.push_str(&format!("({}::{data_type})", token.text()));
        from = token.end();
    }
    typed.push_str(&sql[from..]);
    typed
}

/// Returns how the result differs from what the release reads.
fn changed(expected: &[Expected], actual: &[Expected]) -> Option<String> {
    // Names need not be unique, so the columns of one name are compared in their order.
    let mut rest: Vec<&Expected> = actual.iter().collect();
    for column in expected {
        let name = &column.name;
        let Some(position) = rest.iter().position(|found| found.name == *name) else {
            return Some(format!("the result has no column {name} any more"));
        };
        let found = rest.remove(position);
        if !is_read_as(&found.data_type, &column.data_type) {
            return Some(format!(
                "{name} is {} and was {}",
                found.data_type, column.data_type
            ));
        }
        if found.nullable && !column.nullable {
            return Some(format!(
                "{name} can be NULL, which that release does not read"
            ));
        }
    }
    None
}

/// Returns the columns of tables that neither the release nor the code here uses. Without any code
/// there is nothing to say.
pub(super) fn unused(release: &Release, catalog: &Catalog, here: &[Statement]) -> Vec<String> {
    let checker = Checker::new(catalog);
    // Of a saved list, only the SQL is known.
    let unknown = release.statements.iter().filter(|it| it.uses.is_empty());
    let of_release = unknown.map(|statement| &statement.sql);
    let known = release.statements.iter().flat_map(|it| &it.uses);
    let mut used: BTreeSet<(Name, String)> = known.cloned().collect();
    let mut is_known = true;
    for sql in of_release.chain(here.iter().map(|statement| &statement.sql)) {
        match checker.check(sql) {
            Ok(query) => used.extend(query.reads.into_iter().chain(query.assigns)),
            Err(_) => is_known = false,
        }
    }
    if used.is_empty() || !is_known {
        return Vec::new();
    }
    let tables = catalog.relations.values().filter(|relation| {
        let kinds = [RelationKind::Table, RelationKind::PartitionedTable];
        kinds.contains(&relation.kind)
    });
    let columns = tables.flat_map(|table| {
        // A key is there for other tables.
        let key = table.primary_key().unwrap_or_default();
        let columns = table
            .columns
            .iter()
            .filter(|column| !key.contains(&column.name));
        columns.map(|column| (table.name.clone(), column.name.clone()))
    });
    columns
        .filter(|column| !used.contains(column))
        .map(|(table, column)| format!("{}.{column}", table.sql()))
        .collect()
}
