//! Procedures that commit, and other statements that end a transaction early.

use bowline::{
    Database, ErrorKind, Outcome, Result, Session, StatementDsl as _, TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;

use crate::support::test_database;

/// Creates a table `log`, and a procedure that commits a row and then fails with this SQLSTATE.
fn database(sqlstate: &str) -> (bowline::testing::TestDatabase, Database) {
    let database = test_database();
    let procedure = format!(
        "CREATE TABLE log (x int);
         CREATE PROCEDURE half() LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO log VALUES (1); COMMIT; RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$"
    );
    Session::connect(&database.config())
        .expect("a server")
        .batch_execute(&procedure)
        .expect("DDL");
    let db = database.open().expect("a server");
    (database, db)
}

fn logged(db: &Database) -> usize {
    db.run(sql_query("SELECT x FROM log").affected())
        .expect("a count")
}

#[test]
fn a_procedure_that_committed_is_not_retried() {
    let (_database, db) = database("40001");
    let error = db
        .run(sql_query("CALL half()").affected())
        .expect_err("it fails");
    assert_eq!((error.outcome(), logged(&db)), (Outcome::Unknown, 1));
    let block = "DO $$ BEGIN INSERT INTO log VALUES (2); COMMIT; RAISE EXCEPTION 'no'; END $$";
    let error = db.run(sql_query(block).affected()).expect_err("it fails");
    assert_eq!((error.outcome(), logged(&db)), (Outcome::Unknown, 2));
}

#[test]
fn a_procedure_cannot_commit_in_a_transaction() {
    let (_database, db) = database("40001");
    let called = db.transaction(|tx| tx.run(sql_query("CALL half()").affected()));
    let error = called.expect_err("PostgreSQL forbids it");
    assert_eq!((error.outcome(), logged(&db)), (Outcome::NotCommitted, 0));
}

#[test]
fn commits_before_a_later_failure_are_not_denied() {
    let (_database, db) = database("40001");
    let first = "CREATE INDEX CONCURRENTLY log_x ON log (x)";
    let statements = [first, "SELECT 1 / 0"].map(|text| sql_query(text).affected());
    let error = db
        .run(Vec::from(statements))
        .expect_err("a division by zero");
    let left = "SELECT FROM pg_indexes WHERE indexname = 'log_x'";
    let found = db.run(sql_query(left).affected()).expect("a look");
    assert_eq!((error.outcome(), found), (Outcome::Unknown, 1));
}

/// Commands that end a transaction, written in several ways.
const ENDS: [&str; 10] = [
    "; commit and chain",
    ";; /* to */ rollback -- to",
    "COMMIT",
    "/* now */ END",
    "commit and chain",
    "-- now\nROLLBACK",
    "ROLLBACK WORK AND CHAIN",
    "ABORT",
    "PREPARE TRANSACTION 'x'",
    "/* a /* b */ */ end transaction;",
];

#[test]
fn no_statement_of_several_ends_their_transaction() {
    let (_database, db) = database("40001");
    let insert = || sql_query("INSERT INTO log VALUES (1)").affected();
    for end in ENDS {
        let end = || sql_query(end).affected();
        let refused = [
            db.run((insert(), end(), insert())).map(drop),
            db.run((insert(), end())).map(drop),
            db.with_options(TransactionOptions::serializable())
                .run((insert(), end(), insert()))
                .map(drop),
            db.with_options(TransactionOptions::read_committed())
                .run(end())
                .map(drop),
            db.with_options(TransactionOptions::new().with_generated_commit_key())
                .run((end(), insert()))
                .map(drop),
            {
                let mut work = db.unit_of_work();
                work.add(insert());
                work.add(end());
                work.commit().map(drop)
            },
        ];
        for refused in refused {
            let error = refused.expect_err("refused");
            assert!(error.message().contains("cannot end"), "{error}");
            assert_eq!(
                (error.outcome(), error.attempts()),
                (Outcome::NotCommitted, 1)
            );
        }
        assert_eq!(logged(&db), 0);
    }
}

#[test]
fn a_transaction_begun_by_hand_is_not_ended_by_a_tuple() {
    let (_database, db) = database("40001");
    let insert = || sql_query("INSERT INTO log VALUES (1)").affected();
    let mut session = db.session().expect("a session");
    session.run(sql_query("BEGIN").affected()).expect("by hand");
    session.run((insert(), insert())).expect("two rows");
    assert_eq!(logged(&db), 0);
    let error = session
        .run((insert(), sql_query("COMMIT").affected()))
        .expect_err("not in a tuple");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    session
        .run(sql_query("COMMIT").affected())
        .expect("by hand");
    assert_eq!(logged(&db), 2);
}

#[test]
fn a_statement_cannot_end_its_own_transaction() {
    let (_database, db) = database("40001");
    for end in ENDS {
        let ended: Result<()> = db.transaction(|tx| {
            tx.run(sql_query("INSERT INTO log VALUES (1)").affected())?;
            let error = tx.run(sql_query(end).affected()).expect_err("refused");
            assert!(error.message().contains("cannot end"), "{error}");
            tx.run(sql_query("INSERT INTO log VALUES (2)").affected())?;
            Err(error)
        });
        assert!(
            matches!(&ended, Err(error) if error.kind() == ErrorKind::Query),
            "{ended:?}"
        );
        assert_eq!(logged(&db), 0, "{end}");
    }
}

#[test]
fn a_statement_cannot_leave_a_transaction_open() {
    let (_database, db) = database("40001");
    for begin in ["BEGIN", "/* now */ begin read write", "START TRANSACTION"] {
        let insert = sql_query("INSERT INTO log VALUES (1)").affected();
        let error = db
            .run((sql_query(begin).affected(), insert))
            .expect_err("refused");
        assert!(error.message().contains("cannot begin"), "{error}");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        assert_eq!(logged(&db), 0, "{begin}");
    }
}
