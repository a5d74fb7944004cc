//! Foreign keys without an index, in the schema at the end of all migrations.

use super::*;

fn statements(history: &str) -> Vec<String> {
    let base = migration(1, "CREATE TABLE workers (id bigint PRIMARY KEY);", true);
    let linted = linted(&base, &[migration(2, history, true)], None);
    assert_eq!(linted.refusals, []);
    let findings = linted.findings.into_iter();
    let of_rule = findings.filter(|finding| finding.rule == Rule::ForeignKeyWithoutIndex);
    of_rule
        .flat_map(|finding| finding.steps)
        .map(|step| step.sql)
        .collect()
}

#[test]
fn the_missing_index_has_a_free_name() {
    // A partial index has the usual name, and serves no DELETE of a worker.
    let history = "CREATE TABLE jobs (id bigint PRIMARY KEY, worker_id bigint REFERENCES workers, done boolean);
        CREATE UNIQUE INDEX ON jobs (worker_id) WHERE done;";
    assert_eq!(
        statements(history),
        ["CREATE INDEX CONCURRENTLY jobs_worker_id_idx1 ON jobs (worker_id);"]
    );
}

#[test]
fn a_table_of_few_rows_needs_no_index() {
    let leader = |active: &str| {
        format!("CREATE TABLE leader ({active}, worker_id bigint NOT NULL REFERENCES workers);")
    };
    let none: [&str; 0] = [];
    assert_eq!(statements(&leader("active boolean NOT NULL UNIQUE")), none);
    // NULLs are distinct, so there can be many of them.
    assert_eq!(statements(&leader("active boolean UNIQUE")).len(), 1);
    assert_eq!(statements(&leader("active int NOT NULL UNIQUE")).len(), 1);
}
