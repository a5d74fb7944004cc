//! Transactions: commit, rollback, savepoints, retries, and reported outcomes.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bank::{Account, AccountChanges, AccountConstraint};
use bowline::retry::RetryPolicy;
use bowline::{
    Database, Error, ErrorKind, Outcome, Result, Session, SqlState, StatementDsl as _,
    TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use testkit::Proxy;

use crate::support::{new_account, server, test_database};

#[test]
fn ok_commits_and_err_rolls_back() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.transaction(|tx| tx.run(Account::insert(new_account("ann"))))
        .expect("a commit");
    let failed = db.transaction(|tx| -> Result<()> {
        tx.run(Account::insert(new_account("bob")))?;
        Err(tx
            .run(Account::insert(new_account("ann")))
            .expect_err("a duplicate"))
    });
    assert_eq!(
        failed.expect_err("a duplicate").constraint(),
        Some(AccountConstraint::UsernameKey)
    );
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
}

#[test]
fn an_error_that_was_passed_over_is_never_a_success() {
    let database = test_database();
    let db = database.open().expect("a server");
    let passed_over = db.transaction(|tx| -> Result<&str> {
        tx.run(Account::insert(new_account("ann")))?;
        tx.run(sql_query("SELECT 1 / 0").affected())
            .expect_err("a division by zero");
        Ok("committed")
    });
    let error = passed_over.expect_err("PostgreSQL commits nothing of it");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (SqlState::new("22012"), Outcome::NotCommitted)
    );
    let in_savepoint = db.transaction(|tx| {
        tx.savepoint(|tx| -> Result<()> {
            tx.run(sql_query("SELECT 1 / 0").affected())
                .expect_err("a division by zero");
            Ok(())
        })
    });
    assert_eq!(
        in_savepoint.expect_err("neither here").sqlstate(),
        SqlState::new("22012")
    );
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
}

#[test]
fn a_savepoint_does_not_hide_a_failed_transaction() {
    let database = test_database();
    let db = database.open().expect("a server");
    let error = db
        .transaction(|tx| -> Result<()> {
            tx.run(sql_query("SELECT 1 / 0").affected())
                .expect_err("a division by zero");
            let inner = tx.savepoint(|tx| tx.run(Account::count()));
            assert_eq!(
                inner.expect_err("it failed before").sqlstate(),
                Some(SqlState::IN_FAILED_SQL_TRANSACTION)
            );
            Ok(())
        })
        .expect_err("PostgreSQL commits nothing of it");
    assert_eq!(error.sqlstate(), SqlState::new("22012"));
    assert_eq!(db.run(Account::count()).expect("the session is whole"), 0);
}

#[test]
fn a_savepoint_undoes_its_own_work_only() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.transaction(|tx| -> Result<()> {
        tx.run(Account::insert(new_account("ann")))?;
        let inner = tx.savepoint(|tx| -> Result<()> {
            tx.run(Account::insert(new_account("bob")))?;
            tx.run(Account::insert(new_account("ann")))?;
            Ok(())
        });
        assert!(inner.is_err());
        tx.run(Account::insert(new_account("cid")))?;
        Ok(())
    })
    .expect("a commit");
    let names = db
        .run(Account::list(bowline::Page::first(9)))
        .expect("a list");
    assert_eq!(
        names
            .iter()
            .map(|account| account.username.as_str())
            .collect::<Vec<_>>(),
        ["ann", "cid"]
    );
}

/// Asserts that the work panics with its own payload. `resume_unwind` calls no panic hook.
fn panics<T>(work: impl FnOnce() -> T) {
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let panic = panicked.err().expect("a panic that goes on");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
}

fn panic_on_purpose() -> Result<()> {
    std::panic::resume_unwind(Box::new("on purpose"))
}

#[test]
fn a_thousand_panics_roll_back_and_lose_no_session() {
    let database = test_database();
    let db = database.config().max_size(2).open().expect("a server");
    let plain = |tx: &mut Session| {
        tx.run(Account::insert(new_account("ann")))?;
        panic_on_purpose()
    };
    let nested = |tx: &mut Session| {
        tx.run(Account::insert(new_account("ann")))?;
        tx.savepoint(|tx| {
            tx.run(Account::insert(new_account("bob")))?;
            tx.savepoint(|_| panic_on_purpose())
        })
    };
    let failed = |tx: &mut Session| {
        tx.run(sql_query("SELECT 1 / 0").affected())
            .expect_err("a division by zero");
        panic_on_purpose()
    };
    for _ in 0..250 {
        panics(|| db.transaction(plain));
        panics(|| db.transaction_once(nested));
        panics(|| db.transaction(failed));
        panics(|| db.transaction(|_| panic_on_purpose()));
    }
    // A savepoint's panic that is caught leaves the outer transaction usable.
    let done = db.transaction(|tx| {
        tx.run(Account::insert(new_account("cid")))?;
        panics(|| tx.savepoint(plain));
        tx.run(Account::count())
    });
    assert_eq!(done.expect("a commit"), 1);
    assert_eq!(db.pool_state().opened, 1, "the first session did all of it");
    let [mut one, mut two] = [(); 2].map(|()| db.session().expect("a session"));
    for session in [&mut one, &mut two] {
        assert_eq!(session.transaction_depth(), 0);
        assert_eq!(session.run(Account::count()).expect("a count"), 1);
    }
}

/// Moves money by reading and writing, which is safe in serializable transactions only.
fn move_money(
    db: &Database,
    from: &str,
    to: &str,
    meet: &Barrier,
    attempts: &AtomicU32,
) -> Result<()> {
    db.with_options(TransactionOptions::serializable())
        .transaction(|tx| {
            let first = attempts.fetch_add(1, Ordering::SeqCst) < 2;
            let payer = tx.run(Account::find_by_username(from))?.expect("the payer");
            let payee = tx.run(Account::find_by_username(to))?.expect("the payee");
            if first {
                meet.wait();
            }
            let changes = |balance| AccountChanges {
                balance: Some(balance),
                ..Default::default()
            };
            tx.run((
                Account::update(payer.id, changes(payer.balance - 10)),
                Account::update(payee.id, changes(payee.balance + 10)),
            ))?;
            Ok(())
        })
}

#[test]
fn a_conflict_is_retried_and_the_total_stays() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.run(Account::insert_many(["ann", "bob"].map(new_account).into()))
        .expect("two accounts");
    let (meet, attempts) = (Barrier::new(2), AtomicU32::new(0));
    thread::scope(|scope| {
        let there = scope.spawn(|| move_money(&db, "ann", "bob", &meet, &attempts));
        let back = scope.spawn(|| move_money(&db, "bob", "ann", &meet, &attempts));
        there.join().expect("no panic").expect("a commit");
        back.join().expect("no panic").expect("a commit");
    });
    assert!(
        attempts.load(Ordering::SeqCst) > 2,
        "both read before either wrote, so one had to try again"
    );
    let balances: Vec<_> = db
        .run(Account::list(bowline::Page::first(2)))
        .expect("both")
        .iter()
        .map(|account| account.balance)
        .collect();
    assert_eq!(balances, [100, 100]);
}

#[test]
fn a_conflict_is_retried_for_any_result_of_the_closure() {
    let database = test_database();
    let db = database.open().expect("a server");
    let attempts = AtomicU32::new(0);
    let done: std::result::Result<u32, String> = db
        .transaction_with_error(|tx| {
            let attempt = attempts.fetch_add(1, Ordering::SeqCst);
            if attempt < 2 {
                tx.run(
                    sql_query("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$").affected(),
                )
                .map_err(|_| Text("lost".to_owned()))?;
            }
            Ok::<_, Text>(attempt)
        })
        .map_err(|Text(text)| text);
    assert_eq!(done, Ok(2));
}

struct Text(String);

impl From<Error> for Text {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

#[test]
fn a_lasting_conflict_reports_its_attempts() {
    let database = test_database();
    let db = database.open().expect("a server");
    let error = db
        .run(sql_query("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$").affected())
        .expect_err("a deadlock");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        (error.attempts(), error.outcome()),
        (5, Outcome::NotCommitted)
    );
    let error = db.transaction_once(|tx| {
        tx.run(sql_query("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$").affected())
    });
    assert_eq!(error.expect_err("a deadlock").attempts(), 1);
}

#[derive(bowline::Row, Debug, PartialEq)]
struct Settings {
    #[diesel(sql_type = diesel::sql_types::Text)]
    isolation: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    read_only: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    deferrable: String,
}

#[test]
fn options_reach_the_server_without_a_round_trip() {
    let database = test_database();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    let ask = || {
        sql_query(
            "SELECT current_setting('transaction_isolation') AS isolation, \
             current_setting('transaction_read_only') AS read_only, \
             current_setting('transaction_deferrable') AS deferrable",
        )
        .all::<Settings>()
    };
    for (options, isolation, read_only, deferrable) in [
        (
            TransactionOptions::default(),
            "read committed",
            "off",
            "off",
        ),
        (
            TransactionOptions::read_committed(),
            "read committed",
            "off",
            "off",
        ),
        (
            TransactionOptions::repeatable_read(),
            "repeatable read",
            "off",
            "off",
        ),
        (
            TransactionOptions::serializable(),
            "serializable",
            "off",
            "off",
        ),
        (
            TransactionOptions::new().read_only(),
            "read committed",
            "on",
            "off",
        ),
        (
            TransactionOptions::serializable().read_only(),
            "serializable",
            "on",
            "off",
        ),
        (
            TransactionOptions::serializable().deferrable(),
            "serializable",
            "off",
            "on",
        ),
        (
            TransactionOptions::serializable().read_only().deferrable(),
            "serializable",
            "on",
            "on",
        ),
        (
            TransactionOptions::repeatable_read().read_write(),
            "repeatable read",
            "off",
            "off",
        ),
    ] {
        let expected = [Settings {
            isolation: isolation.into(),
            read_only: read_only.into(),
            deferrable: deferrable.into(),
        }];
        let db = db.with_options(options);
        proxy.take_round_trips();
        assert_eq!(db.run(ask()).expect("settings"), expected);
        assert_eq!(proxy.take_round_trips(), 1, "{options:?}");
        let interactive = db.transaction(|tx| tx.run(ask()));
        assert_eq!(interactive.expect("settings"), expected);
        assert_eq!(proxy.take_round_trips(), 2, "{options:?}");
    }
    let error = db
        .with_options(TransactionOptions::new().read_only())
        .run(Account::insert(new_account("ann")))
        .expect_err("no writing");
    assert_eq!(
        (error.sqlstate(), error.attempts()),
        (Some(SqlState::READ_ONLY_SQL_TRANSACTION), 1)
    );
    assert_eq!(
        db.run(Account::count())
            .expect("the session is clean again"),
        0
    );
}

#[test]
fn deferred_constraints_are_bounded_too() {
    let database = test_database();
    let limit = Duration::from_millis(500);
    let config = database.config().retry(RetryPolicy::never());
    let db = config
        .clone()
        .parameter("options", "-c statement_timeout=500ms")
        .open()
        .expect("a server");
    let mut session = db.session().expect("a session");
    session
        .batch_execute(
            "CREATE TABLE t (x int);
             CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM pg_sleep(30); RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER doze AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION doze()",
        )
        .expect("DDL");
    drop(session);
    let insert = || sql_query("INSERT INTO t VALUES (1)").affected();
    let unlimited = config.open().expect("a server");
    type Work<'w> = &'w dyn Fn() -> Result<usize>;
    let works: [(&str, Work<'_>); 4] = [
        ("statement_timeout at COMMIT", &|| {
            db.transaction(|tx| tx.run(insert()))
        }),
        ("statement_timeout in one trip", &|| {
            db.with_options(TransactionOptions::serializable())
                .run(insert())
        }),
        ("the call's limit at COMMIT", &|| {
            unlimited
                .with_timeout(limit)
                .transaction(|tx| tx.run(insert()))
        }),
        // PostgreSQL's statement_timeout does not cover the implicit commit of a pipeline.
        ("the call's limit in one trip", &|| {
            unlimited.with_timeout(limit).run(insert())
        }),
    ];
    for (what, work) in works {
        let began = Instant::now();
        let error = work().expect_err(what);
        let took = began.elapsed();
        assert!(
            took >= limit && took < limit + Duration::from_secs(2),
            "{what}: {took:?}"
        );
        assert_eq!(
            (error.sqlstate(), error.outcome()),
            (Some(SqlState::QUERY_CANCELED), Outcome::NotCommitted),
            "{what}: {error:?}"
        );
    }
    let rows = unlimited.run(sql_query("SELECT FROM t").affected());
    assert_eq!(rows.expect("an answer"), 0);
}

#[test]
fn nothing_is_begun_once_the_time_of_the_call_is_over() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.run(sql_query("CREATE TABLE late (x int)").affected())
        .expect("DDL");
    let insert = || sql_query("INSERT INTO late VALUES (1)").affected();
    let short = db.with_timeout(Duration::from_millis(300));
    let sleep = || thread::sleep(Duration::from_millis(400));
    let late = |error: &Error| {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        assert!(error.message().contains("passed before"), "{error:?}");
    };
    let committed = short.transaction_once(|tx| {
        tx.run(insert())?;
        sleep();
        Ok::<_, Error>(())
    });
    late(&committed.expect_err("its COMMIT comes too late"));
    let passed_over = short.transaction_once(|tx| {
        tx.run(insert())?;
        sleep();
        late(&tx.run(insert()).expect_err("too late"));
        late(&tx.savepoint(|tx| tx.run(insert())).expect_err("too late"));
        let script = tx.batch_execute("SELECT 1");
        late(&script.map_err(Error::from).expect_err("too late"));
        late(
            &tx.stream(sql_query("SELECT 1").all::<i32>())
                .map(drop)
                .expect_err("too late"),
        );
        Ok::<_, Error>(())
    });
    late(&passed_over.expect_err("its COMMIT comes too late"));
    let rows = db.run(sql_query("SELECT 1 FROM late").affected());
    assert_eq!(rows.expect("a count"), 0);
    db.run(insert()).expect("the session goes on");
}
