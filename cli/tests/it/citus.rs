//! Commands on schemas whose tables Citus distributes.

use bowline::testing::LocalServer;

use crate::Project;

const UP: &str = "CREATE EXTENSION citus;
CREATE TABLE tenants (id bigint PRIMARY KEY);
CREATE TABLE accounts (tenant_id bigint, id bigint, name text NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE TABLE transfers (tenant_id bigint, id bigint, account_id bigint, PRIMARY KEY (tenant_id, id));
SELECT create_reference_table('tenants');
SELECT create_distributed_table('accounts', 'tenant_id'),
    create_distributed_table('transfers', 'tenant_id', colocate_with => 'accounts');
";

const QUERIES: &str = "-- name: accounts_of :many
SELECT id, name FROM accounts WHERE tenant_id = :tenant_id;

-- name: named :many
SELECT id FROM accounts WHERE name = :name;

-- name: names_of_tenants :many
SELECT id FROM tenants;

-- name: moved :many
SELECT t.id FROM transfers t JOIN accounts a ON a.id = t.account_id;
";

fn project() -> Project {
    Project::new(&[
        ("migrations/1_tables/up.sql", UP),
        (
            "migrations/1_tables/down.sql",
            "DROP TABLE transfers, accounts, tenants; DROP EXTENSION citus;",
        ),
        (
            "migrations/2_node/up.sql",
            "SELECT citus_set_coordinator_host('127.0.0.1', 5432);",
        ),
        ("migrations/2_node/down.sql", "SELECT 1;"),
        ("queries/accounts.sql", QUERIES),
    ])
}

#[test]
fn schema_names_the_distribution_of_a_table() {
    let printed = project().printed(&["schema", "accounts"], &[]);
    let of_citus: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("Distributed") || line.starts_with("Co-located"))
        .collect();
    assert_eq!(
        of_citus,
        [
            "Distributed: by hash of tenant_id",
            "Co-located with: transfers"
        ],
        "{printed}"
    );
    let json = project().printed(&["catalog"], &[]);
    assert!(json.contains("\"kind\": \"reference\""), "{json}");
}

#[test]
fn queries_say_which_shards_they_ask() {
    let json = project().printed(&["queries", "--json"], &[]);
    let asked: Vec<&str> = json
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"asks\": "))
        .collect();
    assert_eq!(
        asked,
        ["\"one\"", "\"all\"", "\"none\"", "\"refused\","],
        "{json}"
    );
    let note =
        "queries/accounts.sql:10: Citus refuses this query: complex joins are only supported";
    assert!(json.contains(note), "{json}");
    let table = project().printed(&["queries"], &[]);
    assert!(table.contains("| shards"), "{table}");
}

#[test]
fn without_the_extension_the_rest_is_verified() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let printed = project().printed(&["verify", "--database-url", &url], &[]);
    let note = "has no Citus, so the statements of Citus were left out";
    assert!(printed.contains(note), "{printed}");
    assert!(printed.contains("2 migrations verified on"), "{printed}");
    assert!(printed.ends_with("exit 0"), "{printed}");
    let plan = project().printed(
        &["migrate", "plan", "--after", "0", "--server-url", &url],
        &[],
    );
    assert!(plan.contains(note), "{plan}");
    assert!(plan.ends_with("exit 0"), "{plan}");
}

#[test]
fn what_citus_refuses_stays_refused_without_it() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE EXTENSION citus; CREATE TABLE a (id int PRIMARY KEY, t int);
         SELECT create_distributed_table('a', 't');",
    )]);
    let printed = project.printed(&["catalog"], &[]);
    assert!(
        printed.contains("Citus refuses this: cannot create constraint on \"a\""),
        "{printed}"
    );
    assert!(printed.ends_with("exit 1"), "{printed}");
}

#[test]
fn a_cluster_verifies_and_does_not_drift() {
    let Ok(url) = std::env::var("BOWLINE_CITUS_URL") else {
        return;
    };
    // Citus refuses such DDL where it is not the only statement of the text that is sent.
    let indexes = "CREATE INDEX accounts_name ON accounts (name);
         CREATE INDEX accounts_name_id ON accounts (name, id);
         ALTER TABLE accounts ALTER name DROP NOT NULL;";
    let project = Project::new(&[
        ("migrations/1_tables/up.sql", UP),
        ("migrations/2_indexes/up.sql", indexes),
    ]);
    let printed = project.printed(&["verify", "--database-url", &url], &[]);
    assert!(!printed.contains("has no Citus"), "{printed}");
    assert!(printed.contains("2 migrations verified on"), "{printed}");
    assert!(printed.ends_with("exit 0"), "{printed}");
}
