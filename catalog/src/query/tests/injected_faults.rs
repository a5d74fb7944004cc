//! The differential test finds faults that are planted in a checker.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::differential::compare;
use super::server::{Server, Statement};
use crate::Catalog;
use crate::query::{Column, Fault, Parameter, Query, Rows};

/// Runs the differential test on a checker that answers like the server, except for these faults.
/// Returns the failures.
fn planted(name: &str, fault: impl Fn(&mut Query) + Copy) -> Vec<String> {
    let checker = |_: Catalog, server: &Server| {
        let own = RefCell::new(server.again());
        move |sql: &str, _: &[bool]| {
            let described = own.borrow_mut().describe(sql);
            let mut query = described
                .map(|described| as_checked(sql, described))
                .map_err(|refusal| Fault::error("XX000", 0..sql.len(), refusal.message))?;
            fault(&mut query);
            Ok(query)
        }
    };
    let counts = compare(name, 7, 50, 1, checker);
    let reports = counts.failures.into_values().map(|(_, report)| report);
    reports
        .filter(|report| !report.starts_with("code"))
        .collect()
}

/// Returns the answer of a checker that has only what the server's Describe returns.
fn as_checked(sql: &str, described: Statement) -> Query {
    let parameters = described.parameters.into_iter().map(|data_type| Parameter {
        data_type,
        column: None,
    });
    let columns: Vec<Column> = described
        .columns
        .into_iter()
        .map(|(name, data_type)| Column {
            name,
            data_type,
            nullable: true,
            column: None,
            row: None,
            comment: None,
        })
        .collect();
    Query {
        sql: sql.to_owned(),
        parameters: parameters.collect(),
        rows: if columns.is_empty() {
            Rows::Affected
        } else {
            Rows::Many
        },
        columns,
        reads: BTreeSet::new(),
        writes: BTreeSet::new(),
        assigns: BTreeSet::new(),
        indexes: BTreeSet::new(),
        shards: None,
        omitted: None,
    }
}

#[test]
fn faults_of_a_checker_are_found() {
    assert_eq!(planted("right", |_| ()), Vec::<String>::new());
    let found = planted("null", |query| {
        query
            .columns
            .iter_mut()
            .for_each(|column| column.nullable = false);
    });
    assert!(
        found.iter().any(|report| report.contains("NULL in column")),
        "{found:?}"
    );
    let found = planted("rows", |query| query.rows = query.rows.min(Rows::Optional));
    assert!(
        found.iter().any(|report| report.contains("rows, expected")),
        "{found:?}"
    );
    let found = planted("names", |query| {
        query
            .columns
            .iter_mut()
            .for_each(|column| column.name.push('x'));
    });
    assert!(
        found.iter().any(|report| report.starts_with("types")),
        "{found:?}"
    );
    let found = planted("text", |query| query.sql.push_str(" LIMIT 1 LIMIT 2"));
    assert!(
        found.iter().any(|report| report.starts_with("text")),
        "{found:?}"
    );
}
