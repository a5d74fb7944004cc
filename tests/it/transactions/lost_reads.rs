//! Queries whose answer is lost: work that only reads is retried, and nothing else is.

use bank::Account;
use bowline::retry::RetryPolicy;
use bowline::testing::TestDatabase;
use bowline::{
    Config, Database, Error, Outcome, Result, Session, Statement as _, StatementDsl as _, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use testkit::{Direction, Ending, Proxy};

use crate::generated::roles;
use crate::generated::tickets::{Sighted, Sighting, Workload};
use crate::support::{server, test_database};

diesel::define_sql_function! {
    /// Inserts a row, and returns its argument.
    fn pay(x: BigInt) -> BigInt;
}

/// A database whose answers can be lost, with functions, a view and an operator by which a SELECT
/// writes.
struct Bank {
    db: Database,
    proxy: Proxy,
    witness: Session,
    _database: TestDatabase,
}

const PAY: &str = "LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING ";

fn open(configure: impl Fn(Config) -> Config) -> Bank {
    let database = test_database();
    let mut witness = Session::connect(&database.config()).expect("a server");
    witness
        .batch_execute(&format!(
            "CREATE TABLE t (x bigint);
             CREATE FUNCTION pay(bigint) RETURNS bigint {PAY} $1';
             CREATE FUNCTION pay(bigint, bigint) RETURNS boolean {PAY} true';
             CREATE VIEW payments AS SELECT pay(1) AS x;
             CREATE OPERATOR #=# (FUNCTION = pay, LEFTARG = bigint, RIGHTARG = bigint);
             CREATE TABLE quiet (x bigint, name varchar); INSERT INTO quiet VALUES (7, 'Ann')"
        ))
        .expect("DDL");
    let proxy = Proxy::start(&server()).expect("a proxy");
    let config = configure(proxy.config(database.name()));
    Bank {
        db: config.open().expect("a server"),
        proxy,
        witness,
        _database: database,
    }
}

impl Bank {
    /// Runs `work` while its first answer is lost. Returns the result, and how many rows it left in
    /// `t`.
    fn lose<T>(&mut self, work: impl FnOnce(&Database) -> Result<T>) -> (Result<T>, usize) {
        drop(self.db.session().expect("a session"));
        self.proxy.cut_after(Direction::ToClient, 1, Ending::Fin);
        let done = work(&self.db);
        (done, self.rows())
    }

    /// Runs `work` in a transaction whose answer to COMMIT is lost. Returns the result, and how
    /// many rows it left in `t`.
    fn lose_commit(&mut self, work: impl Fn(&mut Session) -> Result<()>) -> (Result<usize>, usize) {
        let attempts = std::cell::Cell::new(0);
        let done = self.db.transaction(|tx| {
            work(tx)?;
            attempts.set(attempts.get() + 1);
            if attempts.get() == 1 {
                self.proxy.cut_after(Direction::ToClient, 1, Ending::Fin);
            }
            Ok::<_, Error>(())
        });
        (done.map(|()| attempts.get()), self.rows())
    }

    /// Returns the number of rows in `t`, and deletes them.
    fn rows(&mut self) -> usize {
        let rows = self.witness.run(sql_query("DELETE FROM t").affected());
        rows.expect("an answer")
    }
}

#[track_caller]
fn check_unknown<T: std::fmt::Debug>((done, rows): (Result<T>, usize), expected: usize) {
    let error = done.expect_err("the answer is lost");
    assert_eq!(
        (error.outcome(), rows),
        (Outcome::Unknown, expected),
        "{error:?}"
    );
}

#[test]
fn a_function_that_writes_is_not_run_again() {
    let mut bank = open(|config| config);
    check_unknown(
        bank.lose(|db| db.run(diesel::select(pay(2)).one::<i64>())),
        1,
    );
    check_unknown(
        bank.lose(|db| db.run(diesel::select(pay(2)).all::<i64>())),
        1,
    );
    for by_hand in [
        "SELECT pay(9) FROM quiet",
        "SELECT x FROM quiet ORDER BY pay(9)",
        "SELECT \"pay\" (9)",
        "SELECT paid FROM quiet, LATERAL pay(x) AS paid",
        "VALUES (pay(9))",
    ] {
        check_unknown(bank.lose(|db| db.run(sql_query(by_hand).affected())), 1);
    }
    let done = bank.lose_commit(|tx| tx.run(diesel::select(pay(3)).one::<i64>()).map(drop));
    assert_eq!((done.0.expect("the server knows"), done.1), (1, 1));
}

#[test]
fn a_function_that_writes_is_not_called_uncommitted() {
    let mut bank = open(|config| config.retry(RetryPolicy::never()));
    check_unknown(
        bank.lose(|db| db.run(diesel::select(pay(2)).one::<i64>())),
        1,
    );
    let done = bank.lose_commit(|tx| tx.run(diesel::select(pay(3)).one::<i64>()).map(drop));
    assert_eq!((done.0.expect("the server knows"), done.1), (1, 1));
}

#[test]
fn a_read_written_by_hand_is_run_again() {
    let mut bank = open(|config| config);
    for query in [
        "SELECT x FROM quiet WHERE x = 7",
        "WITH q AS (SELECT x FROM quiet) SELECT * FROM q",
        "SELECT count(*) FROM quiet",
        "SELECT lower(name), sum(x) OVER (ORDER BY x) FROM quiet",
    ] {
        let (done, _) = bank.lose(|db| db.run(sql_query(query).affected()));
        assert_eq!(done.expect("a second attempt"), 1, "{query}");
        let (done, _) = bank.lose_commit(|tx| tx.run(sql_query(query).affected()).map(drop));
        assert_eq!(done.expect("a second attempt"), 2, "{query}");
    }
    let (done, _) = bank.lose(|db| db.run(Account::count()));
    assert_eq!(done.expect("a second attempt"), 0);
}

#[test]
fn a_function_that_shadows_a_builtin_is_recognised() {
    let mut bank = open(|config| config);
    // PostgreSQL calls an overload with a better match, though pg_catalog is searched first.
    bank.witness
        .batch_execute(&format!(
            "CREATE FUNCTION lower(varchar) RETURNS bigint {PAY} 1'"
        ))
        .expect("DDL");
    let query = "SELECT lower(name) FROM quiet";
    check_unknown(bank.lose(|db| db.run(sql_query(query).affected())), 1);
    check_unknown(
        bank.lose_commit(|tx| tx.run(sql_query(query).affected()).map(drop)),
        1,
    );
}

#[test]
fn a_search_path_with_pg_catalog_last_is_found_out() {
    let mut bank = open(|config| config);
    bank.witness
        .batch_execute(&format!(
            "CREATE FUNCTION lower(text) RETURNS bigint {PAY} 1'"
        ))
        .expect("DDL");
    let query = "SELECT lower('A'::text)";
    let work = |tx: &mut Session| {
        tx.batch_execute("SET LOCAL search_path = public, pg_catalog")?;
        tx.run(sql_query(query).affected()).map(drop)
    };
    let (done, rows) = bank.lose_commit(work);
    // If the script is followed by a query for the transaction ID, the outcome is known, otherwise
    // not; the work is never done twice.
    assert!(rows == 1, "{done:?}: {rows}");
    assert!(done.is_ok() || done.is_err_and(|error| error.outcome() == Outcome::Unknown));
}

#[test]
fn an_aggregate_of_an_extension_does_no_harm() {
    let mut bank = open(|config| config);
    bank.witness
        .batch_execute("CREATE AGGREGATE sum(name) (SFUNC = array_append, STYPE = name[])")
        .expect("DDL");
    let (done, _) = bank.lose(|db| db.run(sql_query("SELECT count(*) FROM quiet").affected()));
    assert_eq!(done.expect("a second attempt"), 1);
}

#[test]
fn views_and_operators_can_be_distrusted() {
    let mut bank = open(|config| config.trust_views_and_operators(false));
    for query in [
        "SELECT x FROM payments",
        "SELECT x FROM quiet WHERE x #=# 7",
        "TABLE payments",
    ] {
        check_unknown(bank.lose(|db| db.run(sql_query(query).affected())), 1);
        let (done, rows) = bank.lose_commit(|tx| tx.run(sql_query(query).affected()).map(drop));
        assert_eq!((done.expect("the server knows"), rows), (1, 1), "{query}");
    }
}

#[test]
fn a_query_that_locks_is_not_run_again() {
    let mut bank = open(|config| config);
    let locking = "SELECT x FROM quiet FOR UPDATE";
    check_unknown(bank.lose(|db| db.run(sql_query(locking).affected())), 0);
    check_unknown(
        bank.lose(|db| db.run(sql_query("SELECT x FROM quiet").all::<X>().for_share())),
        0,
    );
    for locking in [
        "SELECT x FROM quiet FOR /* x */ NO KEY UPDATE",
        "(SELECT x FROM quiet FOR KEY SHARE)",
        "WITH q AS (SELECT x FROM quiet FOR UPDATE SKIP LOCKED) TABLE q",
    ] {
        check_unknown(bank.lose(|db| db.run(sql_query(locking).affected())), 0);
    }
}

#[derive(Debug, bowline::Row)]
struct X {
    #[diesel(sql_type = BigInt)]
    #[expect(dead_code, reason = "it is only read")]
    x: i64,
}

#[test]
fn reading_asks_for_no_number() {
    let asks = |work: &dyn Fn(&mut Session) -> Result<usize>| {
        // The query for the transaction ID is prepared; later executions have only its name.
        let bank = open(|config| config);
        bank.proxy.record();
        bank.db.transaction(work).expect("an answer");
        let said = bank.proxy.take_recording();
        said.iter().any(|message| {
            let text = String::from_utf8_lossy(&message.bytes);
            text.contains("pg_current_xact_id_if_assigned")
        })
    };
    assert!(!asks(
        &|tx| tx.run(sql_query("SELECT count(*) FROM quiet").affected())
    ));
    assert!(!asks(&|tx| tx.run(Account::count()).map(|_| 0)));
    assert!(asks(&|tx| tx.run(sql_query("SELECT pay(1)").affected())));
    assert!(asks(
        &|tx| tx.run(sql_query("SELECT x FROM quiet FOR SHARE").affected())
    ));
}

#[derive(bowline::Row)]
struct Volatile {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

#[test]
fn the_functions_that_are_known_write_nothing() {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    let source = include_str!("../../../src/sql_text/functions.rs");
    let (_, list) = source
        .split_once("const READ_ONLY: &[&str] = &[")
        .expect("a list");
    let (list, _) = list.split_once("];").expect("its end");
    let names: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 200, "{}", names.len());
    let volatile = "SELECT oid::regprocedure::text AS name FROM pg_proc \
                    WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v' AND proname = ANY($1)";
    let volatile = sql_query(volatile)
        .bind::<diesel::sql_types::Array<diesel::sql_types::Text>, _>(names)
        .all::<Volatile>();
    let volatile = session.run(volatile).expect("an answer");
    let volatile: Vec<_> = volatile.into_iter().map(|function| function.name).collect();
    assert!(volatile.is_empty(), "{volatile:?}");
}

#[test]
fn a_view_over_a_function_that_writes_is_read_once() {
    let (database, direct) = roles::database();
    roles::person(&direct, "ann");
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    let lose = || {
        drop(db.session().expect("a session"));
        proxy.cut_after(Direction::ToClient, 1, Ending::Fin);
    };
    let lines = || {
        let deleted = direct.run(sql_query("DELETE FROM log").affected());
        deleted.expect("an answer")
    };
    lose();
    check_unknown((db.run(Sighting::list(10)), lines()), 1);
    // Through another view, too.
    lose();
    check_unknown((db.run(Sighted::list(10)), lines()), 1);
    // A view over PostgreSQL's own functions is read again.
    lose();
    assert_eq!(db.run(Workload::count()).expect("a second attempt"), 1);
}
