//! Hooks after a transaction: which run, and which do not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bank::Account;
use bowline::{Database, Error, Outcome, Result, Session, StatementDsl as _, sql_query};
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use testkit::Proxy;

use crate::support::{new_account, server, test_database};

/// The names of the hooks that ran, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Registers both hooks under a name.
    fn hook(&self, tx: &mut Session, name: &str) {
        let (committed, undone) = (self.clone(), self.clone());
        let (commit, rollback) = (format!("{name}+"), format!("{name}-"));
        tx.after_commit(move || committed.add(commit));
        tx.after_rollback(move || undone.add(rollback));
    }

    fn add(&self, what: impl Into<String>) {
        self.0.lock().expect("no panic").push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

fn failure() -> Result<()> {
    Err(Error::from(diesel::result::Error::RollbackTransaction))
}

fn work(tx: &mut Session, name: &str) -> Result<()> {
    tx.run(Account::insert(new_account(name))).map(drop)
}

#[test]
fn hooks_follow_their_transaction_and_its_savepoints() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let log = Log::default();

    let mut session = db.session().expect("a session");
    log.hook(&mut session, "none");
    assert_eq!(log.take(), ["none+"], "there is nothing to wait for");
    drop(session);

    let done = db.transaction(|tx| {
        log.hook(tx, "outer");
        assert_eq!(log.take(), [""; 0]);
        work(tx, "a")
    });
    done.expect("a commit");
    assert_eq!(log.take(), ["outer+"]);

    let done = db.transaction(|tx| {
        log.hook(tx, "outer");
        work(tx, "b")?;
        failure()
    });
    done.expect_err("rolled back");
    assert_eq!(log.take(), ["outer-"]);

    let done = db.transaction(|tx| {
        tx.savepoint(|tx| {
            log.hook(tx, "inner");
            work(tx, "c")
        })?;
        log.hook(tx, "outer");
        Ok::<_, Error>(())
    });
    done.expect("a commit");
    assert_eq!(log.take(), ["inner+", "outer+"]);

    let done = db.transaction(|tx| {
        log.hook(tx, "outer");
        let undone = tx.savepoint(|tx| {
            log.hook(tx, "inner");
            work(tx, "d")?;
            tx.savepoint(|tx| {
                log.hook(tx, "innermost");
                work(tx, "e")
            })?;
            failure()
        });
        undone.expect_err("rolled back");
        log.hook(tx, "after");
        work(tx, "f")
    });
    done.expect("a commit");
    assert_eq!(log.take(), ["outer+", "inner-", "innermost-", "after+"]);

    let done = db.transaction(|tx| {
        tx.savepoint(|tx| {
            log.hook(tx, "inner");
            work(tx, "g")
        })?;
        failure()
    });
    done.expect_err("rolled back");
    assert_eq!(
        log.take(),
        ["inner-"],
        "released, and then undone with the rest"
    );

    let done = db.transaction(|tx| {
        log.hook(tx, "idle");
        Ok::<_, Error>(())
    });
    done.expect("nothing to do");
    assert_eq!(log.take(), ["idle+"]);
}

#[test]
fn an_ignored_error_runs_the_rollback_hooks() {
    let database = test_database();
    let db = database.open().expect("a server");
    let log = Log::default();
    let passed_over = db.transaction(|tx| -> Result<()> {
        log.hook(tx, "outer");
        tx.run(sql_query("SELECT 1 / 0").affected())
            .expect_err("a division by zero");
        Ok(())
    });
    passed_over.expect_err("nothing is committed");
    assert_eq!(log.take(), ["outer-"]);
}

#[test]
fn a_failed_attempt_leaves_only_its_rollback_hooks() {
    let database = test_database();
    let db = database.open().expect("a server");
    let (log, attempts) = (Log::default(), AtomicU32::new(0));
    let done = db.transaction(|tx| -> Result<()> {
        let attempt = attempts.fetch_add(1, Ordering::SeqCst) + 1;
        log.hook(tx, &attempt.to_string());
        if attempt == 1 {
            tx.run(sql_query("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$").affected())?;
        }
        if attempt == 2 {
            let end = format!("SELECT pg_terminate_backend({})", tx.backend_pid());
            tx.run(sql_query(end).affected())?;
        }
        work(tx, "ann")
    });
    done.expect("the third attempt");
    assert_eq!(log.take(), ["1-", "2-", "3+"]);
}

#[test]
fn a_hook_may_use_a_database_of_one_session() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let (log, hooked) = (Log::default(), db.clone());
    let done = db.transaction(|tx| {
        let (db, log) = (hooked.clone(), log.clone());
        tx.after_commit(move || {
            let count = db.run(Account::count()).expect("a count");
            log.add(count.to_string());
        });
        work(tx, "ann")
    });
    done.expect("a commit");
    assert_eq!(log.take(), ["1"]);
}

#[test]
fn a_panic_in_a_hook_loses_no_session() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let log = Log::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        db.transaction(|tx| {
            tx.after_commit(|| panic!("on purpose"));
            log.hook(tx, "other");
            work(tx, "ann")
        })
    }));
    let panic = panicked.expect_err("it goes on");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    assert_eq!(log.take(), ["other+"]);
    assert_eq!(db.run(Account::count()).expect("committed"), 1);
    let mut session = db.session().expect("the session");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        session.savepoint(|tx| {
            tx.after_commit(|| panic!("on purpose"));
            work(tx, "bob")
        })
    }));
    panicked.expect_err("it goes on");
    assert_eq!(
        (session.is_broken(), session.transaction_depth()),
        (false, 0)
    );
    assert_eq!(session.run(Account::count()).expect("committed"), 2);
}

#[test]
fn a_panic_runs_the_rollback_hooks() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let log = Log::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        db.transaction(|tx| -> Result<()> {
            tx.after_rollback(|| panic!("another"));
            log.hook(tx, "outer");
            work(tx, "ann")?;
            panic!("on purpose");
        })
    }));
    let panic = panicked.expect_err("it goes on");
    assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    assert_eq!(log.take(), ["outer-"]);
    assert_eq!(db.run(Account::count()).expect("rolled back"), 0);
}

#[test]
fn hooks_wait_until_the_outcome_is_known() {
    let server = bowline::testing::LocalServer::private(&[
        ("synchronous_standby_names", "ghost"),
        ("synchronous_commit", "on"),
        ("wal_level", "replica"),
        ("max_wal_senders", "5"),
    ])
    .expect("a server");
    let db = server.config("postgres").open().expect("a server");
    let mut other = Session::connect(&server.config("postgres")).expect("a server");
    other
        .batch_execute("SET synchronous_commit = off; CREATE TABLE t (x int)")
        .expect("DDL");
    let log = Log::default();
    for (reset, ran) in [
        ("", vec!["outer+".to_owned()]),
        ("SELECT pg_stat_reset_shared('bgwriter');", vec![]),
    ] {
        let disturb = format!(
            "{reset} SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        );
        let done = std::thread::scope(|scope| {
            let working = scope.spawn(|| {
                db.transaction(|tx| {
                    log.hook(tx, "outer");
                    tx.run(sql_query("INSERT INTO t VALUES (1)").affected())
                })
            });
            let waits = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
            while other.run(sql_query(waits).affected()).expect("an answer") == 0 {
                assert!(std::time::Instant::now() < deadline, "nobody waits");
            }
            other.batch_execute(&disturb).expect("an answer");
            working.join().expect("no panic")
        });
        let outcome = done.map_or_else(|error| error.outcome(), |_| Outcome::Committed);
        assert_eq!(outcome == Outcome::Committed, !ran.is_empty());
        assert_eq!(log.take(), ran);
    }
}

#[test]
fn hooks_work_in_diesels_transactions_and_in_scripts() {
    let database = test_database();
    let db = database.open().expect("a server");
    let log = Log::default();
    let mut session = db.session().expect("a session");
    let done = session.transaction(|tx| {
        log.hook(tx, "outer");
        let undone = tx.transaction(|tx| {
            log.hook(tx, "inner");
            work(tx, "ann")?;
            failure()
        });
        undone.expect_err("rolled back");
        assert_eq!(log.take(), [""; 0]);
        work(tx, "bob")
    });
    done.expect("a commit");
    assert_eq!(log.take(), ["outer+", "inner-"]);
    let done = session.transaction(|tx| {
        log.hook(tx, "outer");
        work(tx, "cid")?;
        failure()
    });
    done.expect_err("rolled back");
    assert_eq!(log.take(), ["outer-"]);
    let done = session.transaction(|tx| -> Result<()> {
        log.hook(tx, "outer");
        let end = format!("SELECT pg_terminate_backend({})", tx.backend_pid());
        tx.run(sql_query(end).affected()).map(drop)
    });
    done.expect_err("lost");
    assert_eq!(log.take(), ["outer-"], "it is lost with the connection");
    for script in ["COMMIT", "ROLLBACK"] {
        let mut session = db.session().expect("a session");
        let ended = session.transaction(|tx| -> Result<()> {
            log.hook(tx, "script");
            work(tx, "dan")?;
            Ok(tx.batch_execute(script)?)
        });
        let error = ended.expect_err("refused");
        assert_eq!(error.outcome(), Outcome::NotCommitted, "{error}");
        assert_eq!(log.take(), ["script-"]);
    }
}

#[bowline::test]
fn a_test_transaction_is_not_the_outermost_for_hooks(db: Database) -> Result<()> {
    let log = Log::default();
    db.transaction(|tx| {
        log.hook(tx, "outer");
        tx.savepoint(|tx| {
            log.hook(tx, "inner");
            work(tx, "ann")
        })
    })?;
    assert_eq!(log.take(), ["outer+", "inner+"]);
    let undone = db.transaction(|tx| {
        log.hook(tx, "outer");
        failure()
    });
    undone.expect_err("rolled back");
    assert_eq!(log.take(), ["outer-"]);
    log.hook(&mut *db.session()?, "none");
    assert_eq!(log.take(), ["none+"]);
    Ok(())
}

#[test]
fn hooks_take_no_round_trip() {
    let database = test_database();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    let log = Log::default();
    proxy.take_round_trips();
    let done = db.transaction(|tx| {
        log.hook(tx, "outer");
        tx.savepoint(|tx| {
            log.hook(tx, "inner");
            work(tx, "ann")
        })
    });
    done.expect("a commit");
    assert_eq!((proxy.take_round_trips(), log.take().len()), (2, 2));
}
