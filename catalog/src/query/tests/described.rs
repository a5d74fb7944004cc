//! Queries of kinds that random ones do not have, with the types that a server's Describe gives.

use bowline_migrations::SqlFile;

use crate::query::{Checker, Fault, Query};
use crate::{Catalog, replay};

const SCHEMA: &str = "CREATE TABLE scopes (name text PRIMARY KEY, package_limit int NOT NULL);";

const NUMBERS: &str =
    "WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < $1)";

fn catalog() -> Catalog {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: SCHEMA.to_owned(),
    };
    let replayed = replay::replay([&file]);
    assert!(replayed.refusals.is_empty(), "{:?}", replayed.refusals);
    replayed.catalog
}

fn check(sql: &str) -> Result<Query, Fault> {
    Checker::new(&catalog()).check(sql)
}

/// Returns the types of the parameters, and the names and types of the columns.
fn described(sql: &str) -> String {
    let query = check(sql).unwrap_or_else(|fault| panic!("{sql}: {fault}"));
    let parameters = query.parameters.iter();
    let parameters = parameters.map(|it| it.data_type.format_type());
    let columns = query.columns.iter();
    let columns = columns.map(|it| format!("{} {}", it.name, it.data_type.format_type()));
    let join = |texts: Vec<String>| texts.join(", ");
    format!(
        "{} -> {}",
        join(parameters.collect()),
        join(columns.collect())
    )
}

#[test]
fn search_and_cycle_add_columns() {
    for (clauses, expected) in [
        ("SEARCH DEPTH FIRST BY n SET o", "o record[]"),
        (
            "SEARCH BREADTH FIRST BY n SET o CYCLE n SET c USING p",
            "o record, c boolean, p record[]",
        ),
        (
            "CYCLE n SET c TO 'y' DEFAULT 'n' USING p",
            "c text, p record[]",
        ),
    ] {
        let sql = format!("{NUMBERS} {clauses} SELECT * FROM t");
        assert_eq!(described(&sql), format!("integer -> n integer, {expected}"));
    }
    let cycle = "CYCLE n SET c USING p";
    let fault = check(&format!(
        "{NUMBERS} {cycle} SELECT * FROM (SELECT * FROM t) u"
    ));
    let fault = fault.expect_err("the columns of the subquery are others");
    assert_eq!(fault.code, None, "{fault}");
    let fault = check(&format!(
        "WITH t AS (SELECT 1 AS n) {cycle} SELECT * FROM t"
    ));
    assert_eq!(fault.expect_err("no recursion").code, Some("42601"));
}

#[test]
fn trim_can_have_no_characters() {
    assert_eq!(
        described(
            "SELECT trim(BOTH FROM $1) AS a, trim(FROM name) AS b, trim(LEADING $2 FROM name) AS c FROM scopes"
        ),
        "text, text -> a text, b text, c text"
    );
}

#[test]
fn a_hypothetical_row_has_the_types_of_the_keys() {
    assert_eq!(
        described(
            "SELECT rank($1, $2) WITHIN GROUP (ORDER BY package_limit, name) AS a, \
                    cume_dist($3) WITHIN GROUP (ORDER BY package_limit) AS b FROM scopes"
        ),
        "integer, text, integer -> a bigint, b double precision"
    );
}
