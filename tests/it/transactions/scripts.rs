//! Scripts with COMMIT or ROLLBACK, or with calls that commit: the reported outcome is the actual
//! one.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};

use bank::Account;
use bowline::{Database, Error, Outcome, Result, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use testkit::{Direction, Ending, Proxy};

use crate::support::{new_account, server, test_database};

/// Creates a table `log`, and a procedure that commits a row and then fails.
fn database() -> (bowline::testing::TestDatabase, Database) {
    let database = test_database();
    Session::connect(&database.config())
        .expect("a server")
        .batch_execute(
            "CREATE TABLE log (x int);
             CREATE PROCEDURE half() LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO log VALUES (1); COMMIT; RAISE EXCEPTION 'no'; END $$",
        )
        .expect("DDL");
    let db = database.open().expect("a server");
    (database, db)
}

fn logged(db: &Database) -> usize {
    db.run(sql_query("SELECT x FROM log").affected())
        .expect("a count")
}

fn batch(session: &mut Session, script: &str) -> Result<()> {
    session.batch_execute(script).map_err(Error::from)
}

fn simple(session: &mut Session, script: &str) -> Result<()> {
    session.simple_query(script, |_| ControlFlow::Continue(()))
}

type Run = fn(&mut Session, &str) -> Result<()>;
const WAYS: [Run; 2] = [batch, simple];

/// Each script ends its transaction, and then fails with an error that would otherwise be retried.
const SCRIPTS: [&str; 9] = [
    "INSERT INTO log VALUES (1); COMMIT; ",
    "INSERT INTO log VALUES (1); COMMIT; BEGIN; ",
    "INSERT INTO log VALUES (1); COMMIT AND CHAIN; ",
    "INSERT INTO log VALUES (1); /* a; */ ;; end -- now\n; ",
    "INSERT INTO log VALUES (1); ROLLBACK; INSERT INTO log VALUES (2); ",
    "INSERT INTO log VALUES (1); rollback /* to */ and chain; ",
    "ABORT; INSERT INTO log VALUES (1); ",
    "PREPARE TRANSACTION 'x'; INSERT INTO log VALUES (1); ",
    "SELECT ';', $$;$$, E'\\';' ; INSERT INTO log VALUES (1); COMMIT; ",
];

const CONFLICT: &str = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$";

#[test]
fn a_script_cannot_end_the_transaction_that_it_runs_in() {
    let (_database, db) = database();
    for run in WAYS {
        for script in SCRIPTS {
            let script = format!("{script}{CONFLICT}");
            let attempts = AtomicU32::new(0);
            let done = db.transaction(|tx| {
                attempts.fetch_add(1, Ordering::SeqCst);
                run(tx, &script)
            });
            let error = done.expect_err("refused");
            assert!(error.message().contains("cannot end"), "{script}: {error}");
            assert_eq!(error.outcome(), Outcome::NotCommitted);
            assert_eq!((attempts.into_inner(), logged(&db)), (1, 0), "{script}");
            // Also in a savepoint whose error is ignored.
            db.transaction(|tx| {
                tx.savepoint(|tx| run(tx, &script)).ok();
                Ok::<_, Error>(())
            })
            .expect("nothing was done");
            assert_eq!(logged(&db), 0, "{script}");
        }
    }
}

#[bowline::test]
fn nothing_ends_the_transaction_of_a_sandbox(db: Database) {
    db.run(sql_query("CREATE TABLE sandboxed (x int)").affected())
        .expect("DDL");
    for end in ["COMMIT", "; rollback", "END; BEGIN"] {
        let mut session = db.session().expect("the session");
        for run in WAYS {
            run(&mut session, end).expect_err("refused");
        }
        session
            .stream(sql_query(end).all::<X>())
            .map(drop)
            .expect_err("refused");
        let executed = diesel::RunQueryDsl::execute(diesel::sql_query(end), &mut *session);
        executed.expect_err("refused");
        drop(session);
        db.run(sql_query(end).affected()).expect_err("refused");
        let mut work = db.unit_of_work();
        work.add(sql_query(end).affected());
        work.commit().map(drop).expect_err("refused");
    }
    db.run(sql_query("SELECT x FROM sandboxed").affected())
        .expect("it is there");
}

#[derive(Debug, bowline::Row)]
struct X {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    #[expect(dead_code, reason = "it is only read")]
    x: i32,
}

#[test]
fn no_stream_ends_its_transaction() {
    let (_database, db) = database();
    let done = db.transaction(|tx| {
        tx.run(sql_query("INSERT INTO log VALUES (1)").affected())?;
        tx.stream(sql_query("COMMIT").all::<X>()).map(drop)
    });
    assert_eq!(done.expect_err("refused").outcome(), Outcome::NotCommitted);
    assert_eq!(logged(&db), 0);
}

#[test]
fn words_of_savepoints_names_and_strings_are_no_end() {
    let (_database, db) = database();
    for run in WAYS {
        db.transaction(|tx| {
            run(
                tx,
                "SAVEPOINT commit; INSERT INTO log VALUES (1); ROLLBACK TO commit; RELEASE SAVEPOINT commit;
                 ROLLBACK TRANSACTION TO SAVEPOINT bowline_none",
            )
            .ok();
            Ok::<_, Error>(())
        })
        .expect_err("there is no such savepoint");
        db.transaction(|tx| {
            run(
                tx,
                "INSERT INTO log SELECT 1 WHERE 'COMMIT; ROLLBACK' <> $$; END;$$ -- ; ABORT",
            )
        })
        .expect("it holds no end");
    }
    assert_eq!(logged(&db), 2);
}

#[test]
fn a_string_with_backslashes_hides_no_commit() {
    let (_database, db) = database();
    let done = db.transaction(|tx| {
        batch(tx, "SET LOCAL standard_conforming_strings = off")?;
        batch(
            tx,
            r"INSERT INTO log VALUES (1); SELECT 'a\'' ; COMMIT; -- '",
        )
    });
    assert_eq!(done.expect_err("refused").outcome(), Outcome::NotCommitted);
    assert_eq!(logged(&db), 0);
}

#[test]
fn commits_on_the_way_are_not_denied() {
    let (_database, db) = database();
    let insert = "INSERT INTO log VALUES (1)";
    let mut rows = 0;
    for run in WAYS {
        for script in [
            format!("{insert}; COMMIT; SELECT 1 / 0"),
            format!("BEGIN; {insert}; COMMIT; SELECT 1 / 0"),
            format!("BEGIN; {insert}; END; {insert}; SELECT 1 / 0"),
            "CALL half()".to_owned(),
            format!("DO $$ BEGIN {insert}; COMMIT; RAISE EXCEPTION 'no'; END $$"),
            "DO $$ BEGIN CALL half(); END $$".to_owned(),
            format!("{insert}; COMMIT; COPY log FROM STDIN"),
        ] {
            let mut session = db.session().expect("a session");
            let error = run(&mut session, &script).expect_err("it fails");
            drop(session);
            rows += 1;
            assert_eq!(logged(&db), rows, "{script}");
            assert_eq!(error.outcome(), Outcome::Unknown, "{script}: {error}");
        }
    }
}

#[test]
fn unreached_or_undone_statements_are_called_uncommitted() {
    let (_database, db) = database();
    let insert = "INSERT INTO log VALUES (1)";
    for run in WAYS {
        for script in [
            format!("{insert}; SELECT 1 / 0"),
            format!("{insert}; SELECT 1 / 0; COMMIT; {insert}"),
            format!("BEGIN; {insert}; SELECT 1 / 0; COMMIT"),
            format!("{insert}; ROLLBACK; SELECT 1 / 0"),
            "DO $$ BEGIN INSERT INTO log VALUES (1); RAISE EXCEPTION 'no'; END $$".to_owned(),
        ] {
            let mut session = db.session().expect("a session");
            let error = run(&mut session, &script).expect_err("it fails");
            drop(session);
            assert_eq!(logged(&db), 0, "{script}");
            assert_eq!(error.outcome(), Outcome::NotCommitted, "{script}: {error}");
        }
    }
}

#[test]
fn a_manual_transaction_is_lost_with_its_connection() {
    let (database, db) = database();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let mut session = Session::connect(&proxy.config(database.name())).expect("a server");
    batch(&mut session, "BEGIN").expect("by hand");
    proxy.cut_after(Direction::ToClient, 1, Ending::Fin);
    let error = batch(&mut session, "INSERT INTO log VALUES (1)").expect_err("cut");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    assert_eq!(logged(&db), 0);
}

#[test]
fn a_copy_brings_no_other_statement_along() {
    let (_database, db) = database();
    for script in [
        "COPY log FROM STDIN; COMMIT",
        "COPY log FROM STDIN; SELECT 1 / 0",
    ] {
        let error = db
            .transaction(|tx| tx.copy_in_from(script, &b"1\n"[..]))
            .expect_err("refused");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        let mut session = db.session().expect("a session");
        session
            .copy_in_from(script, &b"1\n"[..])
            .expect_err("refused");
    }
    assert_eq!(logged(&db), 0);
}

#[test]
fn a_failed_statement_in_a_transaction_is_never_committed() {
    let (_database, db) = database();
    for script in [
        "CALL half()",
        "INSERT INTO log VALUES (1); CALL half()",
        "DO $$ BEGIN INSERT INTO log VALUES (1); COMMIT; END $$",
        "INSERT INTO log VALUES (1); VACUUM log",
    ] {
        for run in WAYS {
            let error = db.transaction(|tx| run(tx, script)).expect_err(script);
            assert_eq!(error.outcome(), Outcome::NotCommitted, "{script}: {error}");
            let within = db.transaction(|tx| tx.savepoint(|tx| run(tx, script)));
            let error = within.expect_err(script);
            assert_eq!(error.outcome(), Outcome::NotCommitted, "{script}: {error}");
            assert_eq!(logged(&db), 0, "{script}");
        }
    }
}

#[test]
fn an_unparsable_script_fails_its_savepoint_only() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.transaction(|tx| {
        tx.run(Account::insert(new_account("ann")))?;
        let script = tx.savepoint(|tx| tx.batch_execute("SELEC 1").map_err(Error::from));
        assert!(script.is_err());
        let copy = tx.savepoint(|tx| tx.copy_in_from("COPY accounts (( FROM STDIN", &b""[..]));
        assert!(copy.is_err());
        tx.run(Account::insert(new_account("bob")))
    })
    .expect("a commit");
    assert_eq!(db.run(Account::count()).expect("a count"), 2);
}

#[test]
fn an_unparsable_first_script_fails_the_transaction() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let error = db
        .transaction(|tx| {
            tx.batch_execute("SELEC 1").map_err(Error::from).ok();
            tx.run(Account::insert(new_account("ann"))).ok();
            Ok(())
        })
        .expect_err("a syntax error");
    assert_eq!(error.sqlstate(), Some(SqlState::SYNTAX_ERROR));
    db.transaction(|tx| tx.copy_in_from("COPY accounts (( FROM STDIN", &b""[..]))
        .expect_err("a syntax error");
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}
