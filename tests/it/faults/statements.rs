//! Statements that fail: too many parameters, values that do not fit, locks, time limits,
//! deadlocks, other encodings. Each error names its cause, and the session stays usable.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::TestDatabase;
use bowline::{Error, ErrorKind, Outcome, Result, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Date, Double, Integer, Text, Timestamptz};
use testkit::{Direction, Ending, Proxy};

use crate::support::{server, test_database};

fn with_table(columns: &str) -> (TestDatabase, Session) {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    session
        .batch_execute(&format!("CREATE TABLE t ({columns})"))
        .expect("DDL");
    (database, session)
}

fn insert(x: i32) -> impl bowline::Statement<Output = usize> {
    sql_query("INSERT INTO t VALUES ($1)")
        .bind::<Integer, _>(x)
        .affected()
}

fn count(session: &mut Session) -> usize {
    session
        .run(sql_query("SELECT FROM t").affected())
        .expect("a count")
}

#[test]
fn more_than_65535_parameters_are_refused_unsent() {
    let (_database, mut session) = with_table("x int");
    let placeholders = (1..=70_000).map(|number| format!("(${number})"));
    let text = format!(
        "INSERT INTO t VALUES {}",
        placeholders.collect::<Vec<_>>().join(",")
    );
    let mut query = sql_query(text);
    for _ in 0..70_000 {
        query = query.bind::<Integer, _>(1);
    }
    let error = session.run(query.affected()).expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::Query, "{error:?}");
    assert!(error.message().contains("65535"), "{error}");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    assert_eq!(count(&mut session), 0);
}

#[test]
fn a_nul_byte_is_refused_and_the_session_continues() {
    let (_database, mut session) = with_table("x text");
    let in_value = sql_query("INSERT INTO t VALUES ($1)").bind::<Text, _>("a\0b");
    let in_sql = sql_query("INSERT INTO t VALUES ('a\0b')");
    for error in [
        session.run(in_value.affected()),
        session.run(in_sql.affected()),
        session
            .batch_execute("SELECT 1;\0")
            .map(|()| 0)
            .map_err(Error::from),
    ] {
        let error = error.expect_err("a NUL byte");
        assert_eq!(error.kind(), ErrorKind::Query, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
    }
    assert_eq!(count(&mut session), 0);
}

#[test]
fn values_that_rust_cannot_hold_are_errors() {
    let (_database, mut session) = with_table("x int");
    let moments = [
        "'infinity'::timestamptz",
        "'-infinity'::timestamptz",
        "'294276-12-31 00:00:00+00'::timestamptz",
    ];
    for moment in moments {
        let query = sql_query(format!("SELECT {moment} AS value"));
        let read = session.run(query.one::<Moment>());
        assert!(
            matches!(&read, Err(error) if error.kind() == ErrorKind::Decode),
            "{moment}: {read:?}"
        );
    }
    for day in ["'infinity'::date", "'5874897-12-31'::date"] {
        let read = session.run(sql_query(format!("SELECT {day} AS value")).one::<Day>());
        assert!(
            matches!(&read, Err(error) if error.kind() == ErrorKind::Decode),
            "{day}: {read:?}"
        );
    }
    let day = session
        .run(sql_query("SELECT '0044-03-15 BC'::date AS value").one::<Day>())
        .expect("a day before Christ");
    assert_eq!(Some(day.value), chrono::NaiveDate::from_ymd_opt(-43, 3, 15));
    let number = session
        .run(sql_query("SELECT 'NaN'::float8 AS value").one::<Number>())
        .expect("not a number");
    assert!(number.value.is_nan());
    assert_eq!(count(&mut session), 0);
}

#[derive(bowline::Row, Debug)]
struct Moment {
    #[diesel(sql_type = Timestamptz)]
    #[expect(dead_code, reason = "no moment is ever read")]
    value: chrono::DateTime<chrono::Utc>,
}

#[derive(bowline::Row, Debug)]
struct Day {
    #[diesel(sql_type = Date)]
    value: chrono::NaiveDate,
}

#[derive(bowline::Row, Debug)]
struct Number {
    #[diesel(sql_type = Double)]
    value: f64,
}

#[derive(bowline::Row, Debug)]
struct Word {
    #[diesel(sql_type = Text)]
    value: String,
}

#[test]
fn another_encoding_gives_correct_text_or_an_error() {
    let server = server();
    let mut maker = Session::connect(&server.config("postgres")).expect("a server");
    for (name, encoding) in [("faults_latin1", "LATIN1"), ("faults_ascii", "SQL_ASCII")] {
        maker
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))
            .expect("DDL");
        maker
            .batch_execute(&format!(
                "CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
            ))
            .expect("DDL");
    }
    let word = |session: &mut Session, word: &str| {
        session.run(
            sql_query("SELECT $1 AS value")
                .bind::<Text, _>(word)
                .one::<Word>(),
        )
    };
    let mut latin = Session::connect(&server.config("faults_latin1")).expect("a server");
    assert_eq!(word(&mut latin, "größer").expect("Latin").value, "größer");
    let error = word(&mut latin, "10 €").expect_err("no such letter there");
    assert_eq!(error.sqlstate(), SqlState::new("22P05"));
    let mut ascii = Session::connect(&server.config("faults_ascii")).expect("a server");
    let error = ascii
        .run(sql_query(r"SELECT E'gr\xf6\xdfer' AS value").one::<Word>())
        .expect_err("no UTF-8");
    assert_eq!(
        error.sqlstate(),
        Some(SqlState::CHARACTER_NOT_IN_REPERTOIRE)
    );
    assert_eq!(word(&mut ascii, "größer").expect("UTF-8").value, "größer");
}

#[test]
fn lock_and_statement_timeouts_commit_nothing() {
    let (database, mut session) = with_table("x int");
    session.run(insert(1)).expect("a row");
    let lock =
        |session: &mut Session| session.run(sql_query("SELECT FROM t FOR UPDATE").affected());
    let config = |options: &str| {
        let config = database.config().parameter("options", options);
        Session::connect(&config).expect("a server")
    };
    let mut impatient = config("-c lock_timeout=50ms");
    let mut short = config("-c statement_timeout=50ms");
    let mut usual = config("");
    usual.set_timeout(Duration::from_millis(100));
    let errors = session
        .savepoint(|tx| {
            lock(tx)?;
            Ok::<_, Error>([
                impatient.run(insert_after_lock()).expect_err("a lock"),
                impatient
                    .run(sql_query("SELECT FROM t FOR UPDATE NOWAIT").affected())
                    .expect_err("a lock"),
                short.run(insert_after_lock()).expect_err("a limit"),
                usual.run(insert_after_lock()).expect_err("a deadline"),
            ])
        })
        .expect("a commit");
    let codes = errors.map(|error| {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        error.sqlstate()
    });
    let (lock_timeout, canceled) = (
        Some(SqlState::LOCK_NOT_AVAILABLE),
        Some(SqlState::QUERY_CANCELED),
    );
    assert_eq!(codes, [lock_timeout, lock_timeout, canceled, canceled]);
    for mut session in [impatient, short, usual] {
        assert_eq!(count(&mut session), 1);
    }
}

fn insert_after_lock() -> impl bowline::Statement<Output = usize> {
    sql_query("WITH locked AS (SELECT x FROM t FOR UPDATE) INSERT INTO t SELECT x + 1 FROM locked")
        .affected()
}

#[test]
fn a_cancel_differs_from_a_statement_timeout() {
    let (database, mut session) = with_table("x int");
    let mut other = Session::connect(&database.config()).expect("a server");
    let pid = session.backend_pid();
    let error = thread::scope(|scope| {
        let waiting = scope.spawn(move || session.run(sql_query("SELECT pg_sleep(20)").affected()));
        let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'";
        let deadline = Instant::now() + Duration::from_secs(10);
        while other
            .run(sql_query(cancel).bind::<Integer, _>(pid).affected())
            .expect("an answer")
            == 0
        {
            assert!(Instant::now() < deadline, "it does not sleep");
        }
        waiting.join().expect("no panic").expect_err("cancelled")
    });
    assert_eq!(error.sqlstate(), Some(SqlState::QUERY_CANCELED));
    assert!(error.message().contains("user request"), "{error}");
    assert_eq!(error.hint(), None, "no deadline of ours passed");
}

#[test]
fn a_deadlock_is_retried_and_both_commit() {
    let (database, mut session) = with_table("x int PRIMARY KEY, hits int NOT NULL DEFAULT 0");
    session.run((insert(1), insert(2))).expect("two rows");
    let config = database
        .config()
        .parameter("options", "-c deadlock_timeout=50ms");
    let db = config.open().expect("a server");
    let (meet, attempts) = (Barrier::new(2), AtomicU32::new(0));
    let hit = |x: i32| {
        sql_query("UPDATE t SET hits = hits + 1 WHERE x = $1")
            .bind::<Integer, _>(x)
            .affected()
    };
    let (meet, attempts, hit, db) = (&meet, &attempts, &hit, &db);
    thread::scope(|scope| {
        let both = [[1, 2], [2, 1]].map(|[first, second]| {
            scope.spawn(move || {
                db.transaction(|tx| -> Result<()> {
                    let is_first = attempts.fetch_add(1, Ordering::SeqCst) < 2;
                    tx.run(hit(first))?;
                    if is_first {
                        meet.wait();
                    }
                    tx.run(hit(second)).map(drop)
                })
            })
        });
        for transaction in both {
            transaction.join().expect("no panic").expect("a commit");
        }
    });
    assert!(attempts.load(Ordering::SeqCst) > 2, "no deadlock");
    let hits = session.run(sql_query("SELECT FROM t WHERE hits = 2").affected());
    assert_eq!(hits.expect("a count"), 2);
}

#[test]
fn a_lost_rollback_to_savepoint_fails_the_transaction() {
    let (database, mut witness) = with_table("x int PRIMARY KEY");
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy
        .config(database.name())
        .max_size(1)
        .open()
        .expect("a server");
    let done = db.transaction_once(|tx| -> Result<()> {
        tx.run(insert(1))?;
        let inner = tx.savepoint(|tx| {
            let duplicate = tx.run(insert(1));
            proxy.cut_after(Direction::ToServer, 0, Ending::Fin);
            duplicate
        });
        assert!(inner.is_err());
        Ok(())
    });
    let error = done.expect_err("what the savepoint did is not undone");
    assert_eq!(error.outcome(), Outcome::NotCommitted, "{error:?}");
    assert_eq!(count(&mut witness), 0);
    db.run(insert(2)).expect("a new session");
}

#[test]
fn a_raw_begin_is_not_passed_to_the_next_caller() {
    let (database, mut witness) = with_table("x int");
    let db = database.config().max_size(1).open().expect("a server");
    let mut session = db.session().expect("a session");
    session
        .batch_execute("BEGIN; INSERT INTO t VALUES (1)")
        .expect("a row");
    drop(session);
    db.run(insert(2)).expect("a commit");
    assert_eq!(count(&mut witness), 1);
}

#[test]
fn a_statement_after_a_failed_one_gets_25p02() {
    let (database, _session) = with_table("x int");
    let db = database.open().expect("a server");
    let error = db
        .transaction_once(|tx| {
            tx.run(sql_query("SELECT 1 / 0").affected())
                .expect_err("nothing divides by 0");
            tx.run(insert(1))
        })
        .expect_err("it has failed");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (
            Some(SqlState::IN_FAILED_SQL_TRANSACTION),
            Outcome::NotCommitted
        )
    );
}

#[test]
fn rows_of_a_forgotten_stream_are_no_other_answer() {
    let mut session = Session::connect(&server().config("postgres")).expect("a server");
    let numbers = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>(
        "generate_series(1, 100000)",
    ));
    std::mem::forget(session.stream(numbers.all::<i32>()));
    let error = session
        .run(sql_query("SELECT 1").affected())
        .expect_err("it is busy");
    assert!(error.message().contains("was not dropped"), "{error}");
}
