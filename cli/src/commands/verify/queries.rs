//! What was inferred of queries, compared with a server: the types of their parameters and columns,
//! and, on generated rows, the number of rows and the columns with NULL.

mod rows;

use std::ops::ControlFlow;

use bowline::Session;
use bowline::session::{SimpleColumn, SimpleQueryMessage};
use bowline_catalog::query::{Checker, Query, Rows};
use bowline_catalog::{Catalog, DataType};
use bowline_sql::quote::identifier;

use crate::commands::queries::base;
use crate::emit::Statement;
use crate::error::CliError;
use crate::project::Project;
use crate::queries::read_folder;
use rows::{ROUNDS, insert, literal};

/// A query, and what was inferred of it.
pub(super) struct Inferred {
    /// The words that name it in a finding.
    place: String,
    query: Query,
    /// Whether each parameter can be NULL.
    nullable: Vec<bool>,
}

/// The result of one run of a query.
#[derive(Default)]
struct Answer {
    columns: Vec<SimpleColumn>,
    rows: usize,
    /// For each column, whether a row holds NULL in it.
    nulls: Vec<bool>,
    /// The texts of the rows, of a query of this module.
    texts: Vec<Vec<String>>,
}

/// Returns what is inferred of the query files, and of the statements in the sources, and the
/// number of those that are refused: `generate` and the compiler report them.
pub(super) fn inferred(
    project: &Project,
    catalog: &Catalog,
    sources: &[Statement],
) -> Result<(Vec<Inferred>, usize), CliError> {
    let checker = Checker::new(catalog).for_version(project.settings.postgres);
    let (mut all, mut refused) = (Vec::new(), 0);
    for file in read_folder(&project.queries, &project.root)? {
        for named in &file.content.queries {
            let checked = named.mistakes.is_empty().then(|| named.check(&checker));
            let Some(Ok(checked)) = checked else {
                refused += 1;
                continue;
            };
            let parameters = 0..checked.query.parameters.len();
            all.push(Inferred {
                place: format!("{}:{}", file.name, file.line(named.name.span.start)),
                nullable: parameters.map(|index| named.is_nullable(index)).collect(),
                query: checked.query,
            });
        }
    }
    for statement in sources {
        let Ok(query) = checker.check(&statement.sql) else {
            refused += 1;
            continue;
        };
        all.push(Inferred {
            place: statement.function.clone(),
            nullable: vec![false; query.parameters.len()],
            query,
        });
    }
    Ok((all, refused))
}

/// Inserts rows into the tables of a server, and returns each contradiction to what was inferred
/// with `catalog`. All of it is in one transaction, which is rolled back. A query that the server
/// does not prepare is left to the caller.
pub(super) fn contradictions(
    session: &mut Session,
    catalog: &Catalog,
    server: &Catalog,
    all: &[Inferred],
) -> bowline::Result<Vec<String>> {
    // A constraint that is checked at the commit would never be checked.
    answer(session, "BEGIN; SET CONSTRAINTS ALL IMMEDIATE")?;
    insert(session, server)?;
    let mut findings = Vec::new();
    for inferred in all {
        let prepare = format!("PREPARE bowline_verify AS {}", inferred.query.sql);
        if attempt(session, &prepare)?.is_err() {
            continue;
        }
        let found = examined(session, catalog, server, inferred)?;
        let place = &inferred.place;
        findings.extend(found.iter().map(|words| format!("{place}: {words}")));
        answer(session, "DEALLOCATE bowline_verify")?;
    }
    answer(session, "ROLLBACK")?;
    Ok(findings)
}

/// Returns the contradictions to a query that is prepared.
fn examined(
    session: &mut Session,
    catalog: &Catalog,
    server: &Catalog,
    inferred: &Inferred,
) -> bowline::Result<Vec<String>> {
    let Inferred {
        query, nullable, ..
    } = inferred;
    let said: Vec<String> = query
        .parameters
        .iter()
        .map(|parameter| regtype(&parameter.data_type))
        .collect();
    let described =
        "(SELECT parameter_types::oid[] FROM pg_prepared_statements WHERE name = 'bowline_verify')";
    let mut findings: Vec<String> = different_types(session, described, &said)?
        .iter()
        .map(|[number, theirs, ours]| {
            format!("the server says that ${number} is {theirs}, and {ours} was inferred")
        })
        .collect();
    if !findings.is_empty() || reaches_the_server(&query.sql) {
        return Ok(findings);
    }
    for round in 1..=ROUNDS {
        let values = query.parameters.iter().zip(nullable);
        let values: Option<Vec<String>> = values
            .map(
                |(parameter, can_be_null)| match *can_be_null && round == 2 {
                    true => Some("NULL".to_owned()),
                    false => literal(&parameter.data_type, server, round),
                },
            )
            .collect();
        // No value is known of some types, such as composite ones.
        let Some(values) = values else {
            break;
        };
        let Ok(answer) = executed(session, &values)? else {
            continue; // A value can violate a constraint.
        };
        findings.extend(differences(session, catalog, query, &answer)?);
        if !findings.is_empty() {
            break;
        }
    }
    Ok(findings)
}

/// Runs the prepared query, and rolls it back. Fails inside if the server refuses these values.
fn executed(session: &mut Session, values: &[String]) -> bowline::Result<bowline::Result<Answer>> {
    let arguments = match values {
        [] => String::new(),
        _ => format!("({})", values.join(", ")),
    };
    answer(
        session,
        "SAVEPOINT bowline_run; SET LOCAL statement_timeout = '10s'",
    )?;
    let ran = answer(session, &format!("EXECUTE bowline_verify{arguments}"));
    answer(session, "ROLLBACK TO SAVEPOINT bowline_run")?;
    Ok(ran)
}

/// Runs a statement within the transaction. Fails inside if the server refuses it.
fn attempt(session: &mut Session, sql: &str) -> bowline::Result<bowline::Result<Answer>> {
    answer(session, "SAVEPOINT bowline_attempt")?;
    let ran = answer(session, sql);
    let end = match ran {
        Ok(_) => "RELEASE SAVEPOINT bowline_attempt",
        Err(_) => "ROLLBACK TO SAVEPOINT bowline_attempt",
    };
    answer(session, end)?;
    Ok(ran)
}

/// Compares the answer to a run with what was inferred.
fn differences(
    session: &mut Session,
    catalog: &Catalog,
    query: &Query,
    answer: &Answer,
) -> bowline::Result<Vec<String>> {
    let (found, expected) = (answer.columns.len(), query.columns.len());
    if found != expected {
        return Ok(vec![format!(
            "the server returns {found} columns, and {expected} were inferred"
        )]);
    }
    let mut findings = Vec::new();
    let columns = query.columns.iter().zip(&answer.columns);
    for (number, (ours, theirs)) in (1..).zip(columns.clone()) {
        if ours.name != theirs.name {
            findings.push(format!(
                "the server says that column {number} is named {}, and {} was inferred",
                theirs.name, ours.name
            ));
        }
    }
    // A whole row is sent as a record, whose type the server does not name.
    let (numbers, pairs): (Vec<usize>, Vec<_>) = (0..)
        .zip(columns)
        .filter(|(_, (ours, _))| ours.row.is_none())
        .unzip();
    let oids: Vec<String> = pairs
        .iter()
        .map(|(_, theirs)| theirs.type_oid.to_string())
        .collect();
    let said: Vec<String> = pairs
        .iter()
        .map(|(ours, _)| regtype(base(&ours.data_type, catalog)))
        .collect();
    let described = format!("ARRAY[{}]::oid[]", oids.join(", "));
    for [number, theirs, ours] in different_types(session, &described, &said)? {
        let number = number.parse().unwrap_or(1_usize) - 1;
        let name = &query.columns[numbers[number]].name;
        findings.push(format!(
            "the server says that column {name} is {theirs}, and {ours} was inferred"
        ));
    }
    let rows = answer.rows;
    let is_as_inferred = match query.rows {
        Rows::Affected => rows == 0,
        Rows::One => rows == 1,
        Rows::Optional => rows <= 1,
        Rows::Many => true,
    };
    if !is_as_inferred {
        let expected = match query.rows {
            Rows::Affected => "none",
            Rows::One => "one",
            _ => "at most one",
        };
        findings.push(format!(
            "on generated rows it returns {rows} rows, and {expected} was inferred"
        ));
    }
    let nulls = query.columns.iter().zip(&answer.nulls);
    for (column, is_null) in nulls {
        if *is_null && !column.nullable {
            findings.push(format!(
                "on generated rows column {} is NULL, and NOT NULL was inferred",
                column.name
            ));
        }
    }
    Ok(findings)
}

/// Returns where types differ: the number, the server's type, and the one that was inferred.
fn different_types(
    session: &mut Session,
    described: &str,
    said: &[String],
) -> bowline::Result<Vec<[String; 3]>> {
    let said = said.join(", ");
    let found = answer(
        session,
        &format!(
            "SELECT number, described::regtype, said
             FROM unnest({described}, ARRAY[{said}]::regtype[]) WITH ORDINALITY AS t (described, said, number)
             WHERE described IS DISTINCT FROM said::oid ORDER BY number"
        ),
    )?;
    let rows = found.texts.into_iter();
    Ok(rows.filter_map(|row| row.try_into().ok()).collect())
}

/// Returns a type as a string constant that `regtype` reads.
fn regtype(data_type: &DataType) -> String {
    let name = &data_type.name;
    let brackets = if data_type.dimensions > 0 { "[]" } else { "" };
    let text = format!(
        "{}.{}{brackets}",
        identifier(&name.schema),
        identifier(&name.name)
    );
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns true if SQL names a function or table of the system, some of which reach other databases
/// and sessions of a server. Such a query is not run.
fn reaches_the_server(sql: &str) -> bool {
    bowline_sql::tokens(sql).any(|token| {
        let text = token.text().trim_start_matches('"').to_ascii_lowercase();
        ["pg_", "lo_", "dblink"]
            .iter()
            .any(|start| text.starts_with(start))
    })
}

/// Runs statements, and returns the columns of the last one with rows, with the NULLs of all rows.
fn answer(session: &mut Session, sql: &str) -> bowline::Result<Answer> {
    /// The rows whose texts are kept: those of a query of this module are fewer.
    const KEPT: usize = 2000;
    let mut answer = Answer::default();
    session.simple_query(sql, |message| {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                answer.nulls = vec![false; columns.len()];
                answer.columns = columns.to_vec();
            }
            SimpleQueryMessage::Row(row) => {
                answer.rows += 1;
                for (column, is_null) in answer.nulls.iter_mut().enumerate() {
                    *is_null |= row.get(column).is_none();
                }
                if answer.texts.len() < KEPT && answer.columns.len() == 3 {
                    let texts = (0..3).map(|column| row.get(column).unwrap_or_default().into());
                    answer.texts.push(texts.collect());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(answer)
}
