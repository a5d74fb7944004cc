//! `bowline migrate status`.

use bowline::{Session, StatementDsl as _, sql_query};

use super::{project, server};

/// Returns output with a placeholder for each time.
pub(super) fn without_times(printed: &str) -> String {
    let time = regex::Regex::new(r"20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d").expect("an expression");
    let took = regex::Regex::new(r#"("milliseconds"): \d+"#).expect("an expression");
    let printed = time.replace_all(printed, "[time]");
    let printed = took.replace_all(&printed, "$1: [number]");
    printed.replace(env!("CARGO_PKG_VERSION"), "[version]")
}

#[test]
fn status_lists_times_and_remarks() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 1"));
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
    project.write("migrations/11_late/up.sql", "SELECT 1;");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let versions = sql_query(
        "INSERT INTO __diesel_schema_migrations VALUES ('15', '2026-01-01'), ('9', '2026-01-02')",
    );
    session
        .run(versions.affected())
        .expect("two of another branch");
    insta::assert_snapshot!(printed(&["migrate", "status"]), @r"
    ran      1_accounts  [time]
    pending  11_late                          older than one that has run
    ran      15          [time]  not in the folder
    ran      2_name      [time]
    ran      9           [time]  not in the folder
    3 migrations, 1 pending, 2 run but not in the folder
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "status", "--json"]), @r#"
    [
      {
        "version": "1",
        "name": "1_accounts",
        "state": "ran",
        "run_on": "[time]",
        "in_folder": true,
        "edited": false,
        "origin": "run",
        "ran_by": "postgres",
        "program": "bowline migrate (bowline [version])",
        "milliseconds": [number]
      },
      {
        "version": "11",
        "name": "11_late",
        "state": "pending",
        "run_on": null,
        "in_folder": true,
        "edited": false,
        "origin": null,
        "ran_by": null,
        "program": null,
        "milliseconds": null
      },
      {
        "version": "15",
        "name": null,
        "state": "ran",
        "run_on": "[time]",
        "in_folder": false,
        "edited": false,
        "origin": null,
        "ran_by": null,
        "program": null,
        "milliseconds": null
      },
      {
        "version": "2",
        "name": "2_name",
        "state": "ran",
        "run_on": "[time]",
        "in_folder": true,
        "edited": false,
        "origin": "run",
        "ran_by": "postgres",
        "program": "bowline migrate (bowline [version])",
        "milliseconds": [number]
      },
      {
        "version": "9",
        "name": null,
        "state": "ran",
        "run_on": "[time]",
        "in_folder": false,
        "edited": false,
        "origin": null,
        "ran_by": null,
        "program": null,
        "milliseconds": null
      }
    ]
    3 migrations, 1 pending, 2 run but not in the folder
    exit 0
    "#);
    insta::assert_snapshot!(printed(&["migrate", "status", "--check"]), @r"
    ran      1_accounts  [time]
    pending  11_late                          older than one that has run
    ran      15          [time]  not in the folder
    ran      2_name      [time]
    ran      9           [time]  not in the folder
    error: 3 migrations, 1 pending, 2 run but not in the folder
    hint: run `bowline migrate run`
    exit 1
    ");
    insta::assert_snapshot!(super::without_times(&printed(&["migrate", "run"])), @r"
    note: the database is ahead of the folder: 9 has run and is not in it; a newer version of the code has it
    note: 15 has run and is not in the folder: deleted, renamed, or of another branch
    note: 11_late is older than 9, which has run already
    ran 11_late
    3 migrations, 1 run now
    exit 0
    ");
}

#[test]
fn a_database_ahead_of_the_folder_gets_a_note() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let printed = |arguments: &[&str]| project.printed(arguments, &[("DATABASE_URL", &url)]);
    printed(&["migrate", "run"]);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let ahead = sql_query(
        "INSERT INTO __diesel_schema_migrations SELECT '2026013112000' || n FROM generate_series(0, 6) n",
    );
    session.run(ahead.affected()).expect("seven more");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    note: the database is ahead of the folder: 20260131120000, 20260131120001, 20260131120002, 20260131120003, 20260131120004 and 2 more have run and are not in it; a newer version of the code has them
    2 migrations, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "revert"]), @r"
    error: 20260131120006 has run, but is not in the folder, so it cannot be reverted
    hint: check out the version of the code that has it
    exit 1
    ");
}
