//! The shards that a query asks, beside what Citus 13.2 made of the same queries.

use std::fmt::Write as _;

use crate::query::{Checker, Shards};
use crate::testing::replayed;

/// Queries, each after what `EXPLAIN` on a cluster said of it.
const QUERIES: &str = include_str!("shards/queries.sql");

const SCHEMA: &str = include_str!("shards/schema.sql");

/// Returns the cases: what Citus said, and the query.
fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = QUERIES.lines().filter(|line| !line.starts_with("--"));
    lines.filter_map(|line| {
        let (said, query) = line.split_once(" | ")?;
        Some((said.trim(), query))
    })
}

#[test]
fn no_query_is_promised_what_citus_does_not_do() {
    let catalog = replayed(SCHEMA);
    let checker = Checker::new(&catalog);
    let mut wrong = Vec::new();
    let mut unsure = String::new();
    for (said, query) in cases() {
        let shards = match checker.check(query) {
            Ok(checked) => checked.shards.expect("Citus distributes tables"),
            Err(fault) => {
                wrong.push(format!("{query}\n    not checked: {}", fault.message));
                continue;
            }
        };
        let is_right = match (&shards, said) {
            (Shards::One, said) => said == "one",
            (Shards::Refused(_), said) => said == "refused",
            // A reference table is read in one place.
            (Shards::None, said) => matches!(said, "none" | "one"),
            (Shards::All, _) => true,
        };
        if !is_right {
            wrong.push(format!("{query}\n    Citus: {said}, here: {shards:?}"));
        }
        if shards == Shards::All && said != "more" {
            writeln!(unsure, "{said}: {query}").expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The analysis says `all` of these, which is the most that a query can ask.
    insta::assert_snapshot!(unsure);
}

#[test]
fn reasons_are_those_of_citus() {
    let catalog = replayed(SCHEMA);
    let checker = Checker::new(&catalog);
    let mut out = String::new();
    for (_, query) in cases() {
        if let Ok(checked) = checker.check(query)
            && let Some(Shards::Refused(why)) = checked.shards
        {
            writeln!(out, "{query}\n    {why}").expect("a string");
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn without_citus_nothing_is_said_of_shards() {
    let catalog = replayed("CREATE TABLE a (id int PRIMARY KEY);");
    let checked = Checker::new(&catalog).check("SELECT id FROM a WHERE id = $1");
    assert_eq!(checked.expect("a query").shards, None);
}
