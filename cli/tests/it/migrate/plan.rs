//! `bowline migrate plan`.

use bowline::Session;
use diesel::connection::SimpleConnection as _;

use super::{project, server};
use crate::Project;
use crate::generate::with_a_server;

fn references(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Returns the output without sizes and the version of the server.
fn plain(printed: &str) -> String {
    let size = regex::Regex::new(r"\d+ (bytes|KiB)").expect("an expression");
    let server = regex::Regex::new(r"PostgreSQL \d+\.\d+").expect("an expression");
    let printed = size.replace_all(printed, "[size]");
    server.replace_all(&printed, "[server]").into_owned()
}

/// Adds pending migrations to a project.
fn add_pending(project: &Project) {
    for (name, sql) in [
        (
            "3_a",
            "ALTER TABLE accounts ADD COLUMN n int NOT NULL DEFAULT 0;
             ALTER TABLE accounts ADD COLUMN r float8 DEFAULT random();",
        ),
        ("4_index", "CREATE INDEX accounts_name ON accounts (name);"),
        (
            "5_check",
            "ALTER TABLE accounts ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;",
        ),
        (
            "6_validate",
            "ALTER TABLE accounts VALIDATE CONSTRAINT positive;",
        ),
        (
            "7_not_null",
            "ALTER TABLE accounts ADD CONSTRAINT named CHECK (name IS NOT NULL);",
        ),
        // PostgreSQL skips the scan, because of the check.
        (
            "8_not_null",
            "ALTER TABLE accounts ALTER name SET NOT NULL;",
        ),
        (
            "9_notes",
            "CREATE TABLE notes (account_id int REFERENCES accounts); ALTER TABLE notes ADD x int;",
        ),
        (
            "91_concurrently",
            "CREATE INDEX CONCURRENTLY accounts_n ON accounts (n);",
        ),
        ("92_vacuum", "VACUUM accounts;"),
        (
            "921_empty",
            "TRUNCATE accounts, notes; CREATE TABLE others (id int);",
        ),
        ("93_type", "ALTER TABLE accounts ALTER n TYPE bigint;"),
        ("94_drop", "DROP TABLE accounts CASCADE;"),
    ] {
        project.write(&format!("migrations/{name}/up.sql"), sql);
    }
    for name in ["91_concurrently", "92_vacuum"] {
        let path = format!("migrations/{name}/metadata.toml");
        project.write(&path, "run_in_transaction = false");
    }
}

#[test]
fn locks_rewrites_and_scans_are_measured() {
    let (project, server) = (project(), server());
    let mut found = with_a_server();
    found.push(("DATABASE_URL".to_owned(), server.url("postgres")));
    let variables = &references(&found)[..];
    assert!(
        project
            .printed(&["migrate", "run"], variables)
            .ends_with("exit 0")
    );
    insta::assert_snapshot!(project.printed(&["migrate", "plan"], variables), @r"
    2 migrations, none pending
    exit 0
    ");
    add_pending(&project);
    let mut reader = Session::connect(&server.config("postgres")).expect("a connection");
    reader
        .batch_execute("ANALYZE accounts; BEGIN; SELECT FROM accounts")
        .expect("a reader");
    insta::assert_snapshot!(plain(&project.printed(&["migrate", "plan"], variables)), @r"
    3_a
      ALTER TABLE accounts ADD COLUMN n int NOT NULL DEFAULT 0
        accounts: ACCESS EXCLUSIVE, blocks reads and writes (0 rows, [size], 1 session uses it now)
      ALTER TABLE accounts ADD COLUMN r float8 DEFAULT random()
        accounts: ACCESS EXCLUSIVE, blocks reads and writes; writes the whole table anew (0 rows, [size], 1 session uses it now)
    4_index
      CREATE INDEX accounts_name ON accounts (name)
        accounts: SHARE, blocks writes; reads the whole table (0 rows, [size], 1 session uses it now)
    5_check
      ALTER TABLE accounts ADD CONSTRAINT positive CHECK (n > 0) NOT VALID
        accounts: ACCESS EXCLUSIVE, blocks reads and writes (0 rows, [size], 1 session uses it now)
    6_validate
      ALTER TABLE accounts VALIDATE CONSTRAINT positive
        accounts: SHARE UPDATE EXCLUSIVE, blocks changes of its schema; reads the whole table (0 rows, [size], 1 session uses it now)
    7_not_null
      ALTER TABLE accounts ADD CONSTRAINT named CHECK (name IS NOT NULL)
        accounts: ACCESS EXCLUSIVE, blocks reads and writes; reads the whole table (0 rows, [size], 1 session uses it now)
    8_not_null
      ALTER TABLE accounts ALTER name SET NOT NULL
        accounts: ACCESS EXCLUSIVE, blocks reads and writes (0 rows, [size], 1 session uses it now)
    9_notes
      CREATE TABLE notes (account_id int REFERENCES accounts)
        accounts: SHARE ROW EXCLUSIVE, blocks writes (0 rows, [size], 1 session uses it now)
      ALTER TABLE notes ADD x int
    91_concurrently, without a transaction
      CREATE INDEX CONCURRENTLY accounts_n ON accounts (n)
        accounts: SHARE UPDATE EXCLUSIVE, blocks changes of its schema (0 rows, [size], 1 session uses it now)
    92_vacuum, without a transaction
      VACUUM accounts
        not measured: it runs outside of transactions
    921_empty
      TRUNCATE accounts, notes
        accounts: ACCESS EXCLUSIVE, blocks reads and writes; removes all rows, and writes none (0 rows, [size], 1 session uses it now)
      CREATE TABLE others (id int)
    93_type
      ALTER TABLE accounts ALTER n TYPE bigint
        accounts: ACCESS EXCLUSIVE, blocks reads and writes; writes the whole table anew (0 rows, [size], 1 session uses it now)
    94_drop
      DROP TABLE accounts CASCADE
        accounts: ACCESS EXCLUSIVE, blocks reads and writes (0 rows, [size], 1 session uses it now)
    12 migrations pending, measured on [server]
    exit 0
    ");
    assert!(
        project
            .printed(&["migrate", "status"], variables)
            .contains("12 pending"),
        "nothing has run"
    );
}

#[test]
fn a_plan_is_printed_as_sql_and_as_json() {
    let project = project();
    let found = with_a_server();
    let variables = &references(&found)[..];
    insta::assert_snapshot!(plain(&project.printed(&["migrate", "plan", "--after", "1", "--sql"], variables)), @r"
    -- 2_name
    -- accounts: ACCESS EXCLUSIVE, blocks reads and writes
    ALTER TABLE accounts ADD COLUMN name text;
    1 migration pending, measured on [server]
    exit 0
    ");
    insta::assert_snapshot!(plain(&project.printed(&["migrate", "plan", "--after", "1", "--json"], variables)), @r#"
    {
      "measured_on": "[server]",
      "migrations": [
        {
          "version": "2",
          "name": "2_name",
          "in_transaction": true,
          "statements": [
            {
              "sql": "ALTER TABLE accounts ADD COLUMN name text",
              "measured": true,
              "effects": [
                {
                  "relation": "accounts",
                  "lock": "ACCESS EXCLUSIVE",
                  "blocks": "reads_and_writes",
                  "rewrites": false,
                  "empties": false,
                  "scans": false,
                  "rows": null,
                  "bytes": null,
                  "sessions": null
                }
              ]
            }
          ]
        }
      ]
    }
    exit 0
    "#);
}

#[test]
fn a_foreign_key_reads_both_tables() {
    let project = project();
    project.write(
        "migrations/3_visits/up.sql",
        "CREATE TABLE visits (account_id int);",
    );
    project.write(
        "migrations/4_key/up.sql",
        "ALTER TABLE visits ADD FOREIGN KEY (account_id) REFERENCES accounts;",
    );
    let found = with_a_server();
    let arguments = ["migrate", "plan", "--after", "3"];
    insta::assert_snapshot!(plain(&project.printed(&arguments, &references(&found))), @r"
    4_key
      ALTER TABLE visits ADD FOREIGN KEY (account_id) REFERENCES accounts
        accounts: SHARE ROW EXCLUSIVE, blocks writes; reads the whole table
        visits: SHARE ROW EXCLUSIVE, blocks writes; reads the whole table
    1 migration pending, measured on [server]
    exit 0
    ");
}

#[test]
fn a_plan_says_why_run_would_refuse() {
    let (project, server) = (project(), server());
    let mut found = with_a_server();
    found.push(("DATABASE_URL".to_owned(), server.url("postgres")));
    let printed = |arguments: &[&str]| project.printed(arguments, &references(&found));
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    project.write("migrations/11_late/up.sql", "CREATE TABLE late (id int);");
    project.write("bowline.toml", "[migrate]\nlate = \"refuse\"\n");
    let plan = printed(&["migrate", "plan"]);
    assert!(
        plan.contains("note: `bowline migrate run` runs nothing as it is: 11_late is older than 2"),
        "{plan}"
    );
    assert!(plan.ends_with("exit 0"), "{plan}");
}

#[test]
fn a_plan_measured_on_another_version_is_noted_or_refused() {
    let project = project();
    let found = with_a_server();
    let printed = |arguments: &[&str]| project.printed(arguments, &references(&found));
    let here = printed(&["migrate", "plan", "--after", "1"]);
    let other = if here.contains("on PostgreSQL 17.") {
        "16"
    } else {
        "17"
    };
    project.write("bowline.toml", &format!("postgres = \"{other}\"\n"));
    let noted = printed(&["migrate", "plan", "--after", "1"]);
    let note = format!("and the database has PostgreSQL {other}");
    assert!(
        noted.contains(&note) && noted.ends_with("exit 0"),
        "{noted}"
    );
    let refused = printed(&["migrate", "plan", "--after", "1", "--strict"]);
    assert!(
        refused.contains(&note) && refused.ends_with("exit 1"),
        "{refused}"
    );
}

#[test]
fn what_the_server_of_the_measurement_lacks_is_named() {
    let project = project();
    project.write(
        "migrations/3_x/up.sql",
        "CREATE EXTENSION no_such_extension;",
    );
    let found = with_a_server();
    let arguments = ["migrate", "plan", "--after", "2"];
    let printed = project.printed(&arguments, &references(&found));
    assert!(printed.contains("no_such_extension"), "{printed}");
    assert!(printed.ends_with("exit 1"), "{printed}");
}
