//! Migrations behind PgBouncer in transaction mode. A session-level lock would stay with a server
//! session that another client gets next.

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};
use testkit::PgBouncer;

use super::{project, server, without_times};

/// Starts a PgBouncer that ignores start-up options, as many installations do for drivers.
fn bouncer(server: &LocalServer) -> PgBouncer {
    PgBouncer::with(server, "ignore_startup_parameters = options\n")
}

#[test]
fn there_is_no_lock_and_a_note_says_so() {
    let (project, server) = (project(), server());
    let bouncer = bouncer(&server);
    let url = bouncer.url();
    let variables = [("DATABASE_URL", url.as_str())];
    insta::assert_snapshot!(without_times(&project.printed(&["migrate", "run"], &variables)), @r"
    note: the connection goes through a pooler, so there is no lock: make sure that no other run is in progress
    ran 1_accounts
    ran 2_name
    2 migrations, 2 run now
    exit 0
    ");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let locks = sql_query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").affected();
    assert_eq!(session.run(locks).expect("an answer"), 0);
    insta::assert_snapshot!(project.printed(&["sql", "--read-only", "SELECT 1"], &variables), @r"
    error: the connection goes through a pooler, so the session cannot be made read-only
    hint: connect to the server itself, or begin the SQL with BEGIN READ ONLY
    exit 1
    ");
}

#[test]
fn migrations_are_reverted_and_run_again() {
    let (project, server) = (project(), server());
    project.write(
        "migrations/2_name/down.sql",
        "ALTER TABLE accounts DROP name;",
    );
    // By default a pooler refuses start-up options.
    for more in ["", "ignore_startup_parameters = options\n"] {
        let bouncer = PgBouncer::with(&server, more);
        let url = bouncer.url();
        for command in [
            &["migrate", "run"][..],
            &["migrate", "revert", "-n", "2"],
            &["migrate", "run"],
            &["migrate", "redo"],
            &["migrate", "to", "0"],
            &["migrate", "status"],
            &["drift"],
            &["sql", "SELECT 1"],
        ] {
            let printed = project.printed(command, &[("DATABASE_URL", &url)]);
            assert!(printed.ends_with("exit 0"), "{more}{command:?}: {printed}");
        }
    }
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let names = sql_query("SELECT 1 FROM pg_prepared_statements").affected();
    assert_eq!(session.run(names).expect("an answer"), 0);
}

#[test]
fn settings_do_not_stay_with_the_pooler() {
    let (project, server) = (project(), server());
    project.write(
        "migrations/3_path/up.sql",
        "CREATE SCHEMA app; SET search_path = app; SET work_mem = '1MB'; CREATE TEMP TABLE t (x int);",
    );
    let bouncer = PgBouncer::with(&server, "default_pool_size = 1\n");
    let url = bouncer.url();
    let printed = project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)]);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let query = "SELECT current_setting('search_path') || ' ' || current_setting('work_mem') || ' ' || count(*) AS reported
                 FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'";
    let reported = project.printed(&["sql", query], &[("DATABASE_URL", &url)]);
    assert!(reported.contains("\"$user\", public 4MB 0"), "{reported}");
}
