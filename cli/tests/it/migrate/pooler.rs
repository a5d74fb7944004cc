//! Behind PgBouncer in transaction mode, where a lock of a session would stay with a session that others get next.

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql};
use testkit::PgBouncer;

use super::{project, server, without_times};

/// Starts a PgBouncer that ignores start-up options, as many installations do for drivers.
fn bouncer(server: &LocalServer) -> PgBouncer {
    PgBouncer::with(server, "ignore_startup_parameters = options\n")
}

#[test]
fn there_is_no_lock_and_that_is_said() {
    let (project, server) = (project(), server());
    let bouncer = bouncer(&server);
    let url = bouncer.url();
    let variables = [("DATABASE_URL", url.as_str())];
    insta::assert_snapshot!(without_times(&project.said(&["migrate", "run"], &variables)), @r"
    note: a pooler stands in between, so there is no lock: see that nobody else runs migrations now
    ran 1_accounts
    ran 2_name
    2 migrations, 2 run now
    exit 0
    ");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let locks = sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").affected();
    assert_eq!(session.run(locks).expect("an answer"), 0);
    insta::assert_snapshot!(project.said(&["sql", "--read-only", "SELECT 1"], &variables), @r"
    error: a pooler stands in between, so the session cannot be made read-only
    hint: connect to the server itself, or write BEGIN READ ONLY in front
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
    // As it is, a pooler refuses what a connection says at its start.
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
            let said = project.said(command, &[("DATABASE_URL", &url)]);
            assert!(said.ends_with("exit 0"), "{more}{command:?}: {said}");
        }
    }
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let names = sql("SELECT 1 FROM pg_prepared_statements").affected();
    assert_eq!(session.run(names).expect("an answer"), 0);
}

#[test]
fn what_a_migration_sets_does_not_stay_with_the_pooler() {
    let (project, server) = (project(), server());
    project.write(
        "migrations/3_path/up.sql",
        "CREATE SCHEMA app; SET search_path = app; SET work_mem = '1MB'; CREATE TEMP TABLE t (x int);",
    );
    let bouncer = PgBouncer::with(&server, "default_pool_size = 1\n");
    let url = bouncer.url();
    let said = project.said(&["migrate", "run"], &[("DATABASE_URL", &url)]);
    assert!(said.ends_with("exit 0"), "{said}");
    let query = "SELECT current_setting('search_path') || ' ' || current_setting('work_mem') || ' ' || count(*) AS told
                 FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'";
    let told = project.said(&["sql", query], &[("DATABASE_URL", &url)]);
    assert!(told.contains("\"$user\", public 4MB 0"), "{told}");
}
