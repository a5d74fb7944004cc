//! Rows with NULL in every column that allows it, and queries that run over them.

use super::choices::Choices;
use super::query_names::{Relation, type_name};
use super::server::Server;
use super::values::{Labels, value_of};
use super::wire::Rows as Answer;
use crate::query::{Query, Rows};

/// Inserts rows into each table. Rows that a constraint refuses are left out.
pub(super) fn insert(
    server: &mut Server,
    relations: &[Relation],
    labels: &Labels,
    choices: &mut Choices,
) {
    for relation in relations.iter().filter(|relation| relation.is_table) {
        for number in 0..6 {
            let written = relation.columns.iter().filter(|column| column.is_written);
            let (mut names, mut values) = (Vec::new(), Vec::new());
            for column in written {
                // The first row has no NULL, the second has NULL wherever it is allowed.
                let is_null = !column.not_null && number > 0 && (number == 1 || choices.chance(50));
                names.push(column.name.as_str());
                let value = value_of(&column.kind, labels, choices).filter(|_| !is_null);
                values.push(match value {
                    Some(text) => format!("'{}'", text.replace('\'', "''")),
                    None => "NULL".to_owned(),
                });
            }
            let (names, values) = (names.join(", "), values.join(", "));
            let sql = format!("INSERT INTO {} ({names}) VALUES ({values})", relation.name);
            // The key may exist already.
            let _ = server.wire.simple(&sql);
        }
    }
}

/// The result of running a query.
#[derive(Default)]
pub(super) struct Ran {
    /// The contradictions to the inference.
    pub(super) contradiction: Option<String>,
    /// The number of rows of all runs.
    pub(super) rows: usize,
}

/// Runs a query several times with parameters, each time with another percentage of NULLs.
pub(super) fn run(
    server: &mut Server,
    query: &Query,
    labels: &Labels,
    nulls: &[usize],
    choices: &mut Choices,
) -> Ran {
    let mut ran = Ran::default();
    let kinds: Vec<String> = query
        .parameters
        .iter()
        .map(|parameter| type_name(&parameter.data_type))
        .collect();
    for nulls in nulls {
        let mut parameters: Vec<Option<String>> = Vec::new();
        for kind in &kinds {
            let Some(value) = value_of(kind, labels, choices) else {
                return ran;
            };
            parameters.push(Some(value).filter(|_| !choices.chance(*nulls)));
        }
        if server.wire.simple("BEGIN").is_err() {
            return ran;
        }
        let answer = server.wire.run(&query.sql, &parameters);
        server.rows("ROLLBACK");
        let Ok(rows) = answer else {
            continue;
        };
        ran.rows += rows.len();
        if let Some(found) = wrong(query, &rows) {
            let words = format!("{found}, with the parameters {parameters:?}");
            ran.contradiction = Some(words);
            break;
        }
    }
    ran
}

fn wrong(query: &Query, rows: &Answer) -> Option<String> {
    let is_too_many = match query.rows {
        Rows::Affected => !rows.is_empty(),
        Rows::One => rows.len() != 1,
        Rows::Optional => rows.len() > 1,
        Rows::Many => false,
    };
    if is_too_many {
        return Some(format!("{} rows, expected {:?}", rows.len(), query.rows));
    }
    for (number, column) in query.columns.iter().enumerate() {
        let is_null = rows.iter().any(|row| row.get(number) == Some(&None));
        if is_null && !column.nullable {
            return Some(format!("NULL in column {} ({})", number + 1, column.name));
        }
    }
    None
}
