//! Migrations whose data change runs in batches.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Session, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel_migrations::FileBasedMigrations;

use super::{server, status};
use crate::Project;

#[derive(bowline::Row)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(session: &mut Session, query: &str) -> i64 {
    let count = sql_query(format!("SELECT ({query})::int8 AS count")).one::<Count>();
    session.run(count).expect("an answer").count
}

/// A table of 1,000 rows, and a migration that changes it in batches.
fn project(backfill: &str) -> Project {
    Project::new(&[
        (
            "migrations/1_t/up.sql",
            "CREATE TABLE t (a int, b text, n int NOT NULL DEFAULT 0, PRIMARY KEY (a, b));
             INSERT INTO t SELECT i / 10, i FROM generate_series(1, 1000) i;",
        ),
        ("migrations/2_n/up.sql", backfill),
        ("migrations/2_n/metadata.toml", "run_in_transaction = false"),
    ])
}

fn printer<'a>(project: &'a Project, server: &LocalServer) -> impl Fn(&[&str]) -> String + use<'a> {
    let url = server.url("postgres");
    move |arguments| {
        let printed = project.printed(arguments, &[("DATABASE_URL", &url)]);
        super::without_times(&status::without_times(&printed))
    }
}

#[test]
fn each_batch_is_a_transaction_and_no_row_is_left_out() {
    let server = server();
    let project = project(
        "-- bowline: backfill rows 300 pause 0
         UPDATE t SET n = n + 1 WHERE a <> 50;
         -- bowline: backfill rows 1
         DELETE FROM t x USING (VALUES (7)) v (a) WHERE x.a = v.a AND b <> '70' -- but one",
    );
    let printed = printer(&project, &server);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    assert!(printed(&["migrate", "to", "1"]).ends_with("exit 0"));
    session
        .batch_execute(
            "CREATE TABLE batches (id xid8, kind text);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO batches VALUES (pg_current_xact_id(), TG_OP); RETURN NULL; END $$;
             CREATE TRIGGER note AFTER UPDATE OR DELETE ON t EXECUTE FUNCTION note();",
        )
        .expect("a trigger");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @"
    ran 2_n
    2 migrations, 1 run now
    exit 0
    ");
    let transactions =
        |kind: &str| format!("SELECT count(DISTINCT id) FROM batches WHERE kind = '{kind}'");
    assert_eq!(count(&mut session, &transactions("UPDATE")), 4);
    assert_eq!(count(&mut session, &transactions("DELETE")), 1_000);
    assert_eq!(
        count(&mut session, "SELECT count(*) FROM t WHERE n = 1"),
        981
    );
    assert_eq!(
        count(&mut session, "SELECT count(*) FROM t WHERE n = 0"),
        10
    );
    insta::assert_snapshot!(printed(&["migrate", "status", "--check"]), @"
    ran      1_t  [time]
    ran      2_n  [time]
    2 migrations, 0 pending
    exit 0
    ");
}

#[test]
fn a_backfill_that_fails_goes_on_after_its_last_batch() {
    let server = server();
    let project = project(
        "-- bowline: backfill rows 100 pause 0
         UPDATE t SET n = n + 1 / (SELECT divisor FROM helper);
         -- bowline: backfill rows 1000
         UPDATE t SET n = n + 10;",
    );
    let printed = printer(&project, &server);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    assert!(printed(&["migrate", "to", "1"]).ends_with("exit 0"));
    session
        .batch_execute(
            "CREATE TABLE helper (divisor int);
             INSERT INTO helper VALUES (1);
             CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.a = 42 AND EXISTS (SELECT FROM helper WHERE divisor = 1) THEN RAISE 'the row 42'; END IF;
                 RETURN NEW; END $$;
             CREATE TRIGGER stop BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stop();",
        )
        .expect("a trigger that fails");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @"
    error[P0001]: the row 42
     --> migrations/2_n/up.sql:2:10
      |
    2 |          UPDATE t SET n = n + 1 / (SELECT divisor FROM helper);
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    note: PL/pgSQL function stop() line 2 at RAISE

    error: failed to run 2_n
    hint: its batches are done for 400 rows, and the next run goes on after them; remove the cause, leave up.sql as it is, and run `bowline migrate` again
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "status", "--check"]), @"
    ran      1_t  [time]
    begun    2_n  [time]  400 rows of its backfill are done
    error: 2 migrations, 1 pending
    hint: run `bowline migrate run`
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "revert"]), @"
    error: the backfill 2_n began and did not finish, so nothing before it can be reverted
    hint: finish it with `bowline migrate run`, or give it up with `bowline migrate resolve 2_n --rolled-back`, which keeps what its batches have changed
    exit 1
    ");
    let json = printed(&["migrate", "status", "--json"]);
    assert!(json.contains("\"state\": \"begun\""), "{json}");
    assert!(json.contains("\"backfilled\": "), "{json}");
    // Another text does not go on where this one has stopped.
    let text = project.read("migrations/2_n/up.sql");
    project.write("migrations/2_n/up.sql", &text.replace("+ 10", "+ 20"));
    insta::assert_snapshot!(printed(&["migrate", "run"]), @"
    error: the backfill 2_n began at [time] with another text, and did not finish
    hint: restore that text to go on after its last batch; or give it up with `bowline migrate resolve 2_n --rolled-back`, which keeps what its batches have changed, and begin again
    exit 1
    ");
    project.write("migrations/2_n/up.sql", &text);
    session
        .batch_execute("DROP TRIGGER stop ON t")
        .expect("the cause is gone");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @"
    ran 2_n
    2 migrations, 1 run now
    exit 0
    ");
    assert_eq!(
        count(&mut session, "SELECT count(*) FROM t WHERE n = 11"),
        1_000
    );
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

#[test]
fn a_killed_backfill_goes_on_and_changes_each_row_once() {
    let server = server();
    let project = project(
        "-- bowline: backfill rows 20 pause 20ms
         UPDATE t SET n = n + 1",
    );
    let printed = printer(&project, &server);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    assert!(printed(&["migrate", "to", "1"]).ends_with("exit 0"));
    let begun = |url: &str| -> Child {
        Command::new(env!("CARGO_BIN_EXE_bowline"))
            .current_dir(project.path(""))
            .args(["migrate", "run", "--wait", "60"])
            .env_clear()
            .env("PATH", "/nonexistent")
            .env("DATABASE_URL", url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs")
    };
    let url = server.url("postgres");
    let done = |session: &mut Session| count(session, "SELECT sum(n) FROM t");
    let mut last = 0;
    for _ in 0..4 {
        let mut child = begun(&url);
        let until = Instant::now() + Duration::from_secs(30);
        while done(&mut session) < last + 40 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        // SIGKILL.
        child.kill().expect("ours");
        child.wait().expect("it ends");
        let status = printed(&["migrate", "status"]);
        let is_begun = status.contains("begun    2_n") || status.contains("running  2_n");
        assert!(is_begun, "{status}");
        assert!(done(&mut session) > last, "it went on");
        last = done(&mut session);
        assert_eq!(
            count(&mut session, "SELECT max(n) FROM t"),
            1,
            "no row twice"
        );
    }
    assert!(last < 1_000, "it was killed before its end");
    // Two at once: one waits for the other.
    let (mut first, mut second) = (begun(&url), begun(&url));
    assert!(first.wait().expect("it ends").success());
    assert!(second.wait().expect("it ends").success());
    assert_eq!(
        count(&mut session, "SELECT count(*) FROM t WHERE n = 1"),
        1_000
    );
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

#[test]
fn a_program_goes_on_where_the_command_has_stopped() {
    let server = server();
    let project = project(
        "-- bowline: backfill rows 400 pause 0
         UPDATE t SET n = n + 1",
    );
    let printed = printer(&project, &server);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    assert!(printed(&["migrate", "to", "1"]).ends_with("exit 0"));
    session
        .batch_execute("ALTER TABLE t ADD CHECK (a < 50 OR n = 0)")
        .expect("a check");
    assert!(printed(&["migrate", "run"]).contains("for 400 rows"));
    let migrations =
        || FileBasedMigrations::from_path(project.path("migrations")).expect("a folder");
    let db = server.config("postgres").open().expect("a server");
    let error = db.migrate(migrations()).expect_err("the check is there");
    assert_eq!(
        error.hint(),
        Some("its batches are done for 400 rows, and the next run goes on after them")
    );
    session
        .batch_execute("ALTER TABLE t DROP CONSTRAINT t_check")
        .expect("the cause is gone");
    assert_eq!(db.migrate(migrations()).expect("it goes on"), ["2_n"]);
    assert_eq!(
        count(&mut session, "SELECT count(*) FROM t WHERE n = 1"),
        1_000
    );
}

#[test]
fn a_table_of_the_history_without_progress_gets_it() {
    let server = server();
    let project = project("-- bowline: backfill\nUPDATE t SET n = 1");
    let printed = printer(&project, &server);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    assert!(printed(&["migrate", "to", "1"]).ends_with("exit 0"));
    session
        .batch_execute("ALTER TABLE __bowline_migrations DROP COLUMN progress")
        .expect("as it was before there were backfills");
    assert!(printed(&["migrate", "status"]).contains("pending  2_n"));
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    assert_eq!(
        count(&mut session, "SELECT count(*) FROM t WHERE n = 1"),
        1_000
    );
}

#[test]
fn a_batch_that_waits_for_a_lock_begins_again() {
    let server = server();
    let project = project(
        "-- bowline: backfill rows 500 pause 0
         UPDATE t SET n = n + 1",
    );
    let printed = printer(&project, &server);
    assert!(printed(&["migrate", "to", "1"]).ends_with("exit 0"));
    let mut other = Session::connect(&server.config("postgres")).expect("a connection");
    other
        .batch_execute("BEGIN; SELECT FROM t WHERE a = 100 FOR UPDATE")
        .expect("a locked row");
    let run = [
        "migrate",
        "run",
        "--lock-timeout",
        "1",
        "--lock-attempts",
        "2",
    ];
    let first = printed(&run);
    assert!(first.contains("2_n begins again in"), "{first}");
    assert!(
        first.contains("its batches are done for 500 rows"),
        "{first}"
    );
    other.batch_execute("COMMIT").expect("it is free");
    assert!(printed(&run).ends_with("exit 0"));
    assert_eq!(
        count(&mut other, "SELECT count(*) FROM t WHERE n = 1"),
        1_000
    );
}

#[test]
fn a_backfill_that_cannot_run_is_refused_and_planned() {
    let server = server();
    let project = project("-- bowline: backfill rows 500\nUPDATE t SET n = 1;\nSELECT 1;");
    let printed = printer(&project, &server);
    insta::assert_snapshot!(printed(&["migrate", "run"]), @"
    error: only data changes in batches can stand in a file with a backfill
     --> migrations/2_n/up.sql:3:1
      |
    3 | SELECT 1;
      | ^^^^^^^^

    error: migrations/2_n/up.sql cannot run as a migration
    hint: write `-- bowline: backfill` before it too, or move it to a migration of its own
    exit 1
    ");
    project.write(
        "migrations/2_n/up.sql",
        "-- bowline: backfill rows 500\nUPDATE t SET n = 1;",
    );
    project.write(
        "migrations/2_n/down.sql",
        "-- bowline: backfill rows 500\nUPDATE t SET n = 0;",
    );
    let url = server.url("postgres");
    let plan = printed(&["migrate", "plan", "--after", "1", "--server-url", &url]);
    let (plan, _) = plan.split_once(", measured on").expect("a server");
    insta::assert_snapshot!(plan, @"
    2_n, without a transaction
      UPDATE t SET n = 1
        in batches of 500 rows, each in a transaction of its own
        t: ROW EXCLUSIVE; reads the whole table
    1 migration pending
    ");
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    insta::assert_snapshot!(printed(&["migrate", "revert"]), @"
    error: a down.sql cannot run in batches
     --> migrations/2_n/down.sql:2:1
      |
    2 | UPDATE t SET n = 0;
      | ^^^^^^^^^^^^^^^^^^

    error: migrations/2_n/down.sql cannot run as a migration
    hint: remove `-- bowline: backfill`: it runs as one statement
    exit 1
    ");
    project.write("migrations/3_k/up.sql", "CREATE TABLE k (a int)");
    project.write(
        "migrations/4_k/up.sql",
        "-- bowline: backfill\nUPDATE k SET a = 1",
    );
    insta::assert_snapshot!(printed(&["migrate", "run"]), @"
    error: a backfill runs in transactions of its own, one for each batch
     --> migrations/4_k/up.sql:1:1
      |
    1 | -- bowline: backfill
      | ^^^^^^^^^^^^^^^^^^^^

    error: migrations/4_k/up.sql cannot run as a migration
    hint: write a metadata.toml with run_in_transaction = false beside the file
    exit 1
    ");
    project.write("migrations/4_k/metadata.toml", "run_in_transaction = false");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @"
    ran 3_k
    error: failed to run 4_k: k has no primary key, by which the batches would be made
    hint: give it one, or run the statement without `-- bowline: backfill`
    hint: no changes were applied; fix up.sql and run `bowline migrate` again
    exit 1
    ");
}
