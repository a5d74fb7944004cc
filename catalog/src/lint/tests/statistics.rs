//! Extended statistics of a column that another one replaces.

use super::*;

const BASE: &str =
    "CREATE TABLE cars (id bigint PRIMARY KEY, make varchar(20), model text, year integer);
    CREATE STATISTICS of_models (dependencies) ON make, model FROM cars;
    CREATE STATISTICS of_years ON year, model FROM cars;
    CREATE STATISTICS dropped ON make, year FROM cars;
    DROP STATISTICS dropped;
    ALTER TABLE cars RENAME TO vehicles;
    ALTER TABLE vehicles RENAME COLUMN model TO type;";

/// Returns the statements of the last step that create statistics.
fn created(statement: &str) -> Vec<String> {
    let base = migration(1, BASE, true);
    let linted = linted(&base, &[migration(2, statement, true)], None);
    assert_eq!(linted.refusals, []);
    let mut findings = linted.findings.into_iter();
    let found = findings.find(|finding| finding.rule.is_about_use());
    let steps = found.expect("a finding").steps;
    let last = steps.last().expect("steps").sql.clone();
    let lines = last.lines().filter(|line| line.contains("STATISTICS"));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_new_column_gets_the_statistics_of_the_old_one() {
    assert_eq!(
        created("ALTER TABLE vehicles ALTER COLUMN make TYPE varchar(10);"),
        ["CREATE STATISTICS of_models (dependencies) ON make, type FROM vehicles;"]
    );
    assert_eq!(
        created("ALTER TABLE vehicles RENAME COLUMN type TO \"Kind\";"),
        [
            "CREATE STATISTICS of_models (dependencies) ON make, \"Kind\" FROM vehicles;",
            "CREATE STATISTICS of_years ON year, \"Kind\" FROM vehicles;"
        ]
    );
}
