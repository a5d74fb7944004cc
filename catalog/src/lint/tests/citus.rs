//! Tables that Citus distributes.

use super::{linted, migration, rules};
use crate::lint::{Finding, Rule};

const BASE: &str = "CREATE EXTENSION citus;
    CREATE TABLE d (t bigint, id bigint, a text, PRIMARY KEY (t, id));
    CREATE TABLE r (id bigint PRIMARY KEY);
    CREATE TABLE l (id bigint PRIMARY KEY);
    CREATE TABLE p (t bigint, at timestamptz) PARTITION BY RANGE (at);
    CREATE TABLE p1 PARTITION OF p DEFAULT;
    CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    SELECT create_distributed_table('d', 't');
    SELECT create_distributed_table('p', 't');
    SELECT create_reference_table('r');";

/// Returns the findings on a statement after these tables, without the rules of taste.
fn of(text: &str, in_transaction: bool) -> Vec<Finding> {
    let base = migration(1, BASE, true);
    let mut findings = linted(&base, &[migration(2, text, in_transaction)], None).findings;
    findings.retain(|finding| !finding.rule.is_opt_in());
    findings
}

#[test]
fn what_citus_refuses_is_found() {
    for refused in [
        "CREATE UNIQUE INDEX CONCURRENTLY i ON d (id)",
        "ALTER TABLE d ALTER t TYPE int",
        "ALTER TABLE d ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES l NOT VALID",
        "ALTER TABLE d DISABLE TRIGGER ALL",
        "UPDATE d SET t = 1",
        "UPDATE d SET a = random()::text",
    ] {
        let found = of(refused, false);
        let found: Vec<_> = found
            .iter()
            .filter(|found| found.rule == Rule::RefusedByCitus)
            .collect();
        let [found] = found.as_slice() else {
            panic!("{refused}: {found:?}");
        };
        assert!(
            found.message.starts_with("Citus refuses this: "),
            "{found:?}"
        );
    }
}

#[test]
fn what_citus_takes_is_silent() {
    for taken in [
        "CREATE UNIQUE INDEX CONCURRENTLY i ON d (t, a)",
        "ALTER TABLE d ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
        "ALTER TABLE d ADD COLUMN b bigint",
        "UPDATE d SET a = now()::text",
        "INSERT INTO d (t, id) SELECT id, id FROM l",
        "SELECT citus_add_local_table_to_metadata('l')",
        "SELECT create_distributed_table_concurrently('l', 'id')",
    ] {
        assert_eq!(of(taken, false), [], "{taken}");
    }
}

#[test]
fn a_table_in_use_is_distributed_concurrently() {
    let found = of(
        "SELECT create_distributed_table('l', 'id', colocate_with => 'none')",
        true,
    );
    assert_eq!(rules(&found), [Rule::DistributingUsedTable]);
    assert_eq!(
        found[0].message,
        "writers of l wait while all rows are copied"
    );
    let [step] = found[0].steps.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        step.sql(),
        "SELECT create_distributed_table_concurrently('l', 'id', colocate_with => 'none');"
    );
    assert_eq!(of(step.sql(), step.in_transaction), []);
    let in_transaction = rules(&of(step.sql(), true));
    assert_eq!(
        in_transaction,
        [Rule::BanConcurrentIndexCreationInTransaction]
    );
}

#[test]
fn what_has_no_concurrent_form_says_so() {
    for (call, message) in [
        (
            "SELECT create_reference_table('l')",
            "writers of l wait while all rows are copied",
        ),
        (
            "SELECT undistribute_table('d')",
            "readers and writers of d wait while all rows are copied",
        ),
    ] {
        let found = of(call, true);
        assert_eq!(rules(&found), [Rule::DistributingUsedTable], "{call}");
        assert_eq!(found[0].message, message);
        assert_eq!(found[0].steps, [], "{call}");
        assert!(found[0].help.contains("while little uses"), "{found:?}");
    }
}
