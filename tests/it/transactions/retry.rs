//! Retries on a real server: what is retried, how often, and what is not.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bank::{Account, AccountId};
use bowline::retry::RetryBudget;
use bowline::retry::RetryPolicy;
use bowline::testing::TestDatabase;
use bowline::{
    Database, Error, ErrorKind, Outcome, Result, Session, SqlState, Statement as _,
    StatementDsl as _, TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use testkit::Recorder;

use crate::support::{balance, new_account, test_database};

/// Short pauses, which keep the tests short.
const QUICK: Duration = Duration::from_millis(2);

fn quick() -> RetryPolicy {
    RetryPolicy {
        base: QUICK,
        cap: QUICK,
        ..RetryPolicy::default()
    }
}

/// Creates a database with two accounts.
fn bank(policy: RetryPolicy) -> (TestDatabase, Database, [AccountId; 2]) {
    let database = test_database();
    let db = database.config().retry(policy).open().expect("a server");
    let ids = ["ann", "bob"].map(|name| {
        db.run(Account::insert(new_account(name)))
            .expect("an account")
            .id
    });
    (database, db, ids)
}

/// Runs the work on two threads, which wait for each other in their first attempt. Returns the
/// number of attempts.
fn collide(work: impl Fn(usize, &dyn Fn()) -> Result<()> + Sync) -> u32 {
    let (meet, attempts) = (Barrier::new(2), AtomicU32::new(0));
    thread::scope(|scope| {
        let run = |number: usize| {
            let (work, meet, attempts) = (&work, &meet, &attempts);
            scope.spawn(move || {
                let met = AtomicU32::new(0);
                work(number, &|| {
                    attempts.fetch_add(1, Ordering::SeqCst);
                    if met.fetch_add(1, Ordering::SeqCst) == 0 {
                        meet.wait();
                    }
                })
            })
        };
        for running in [run(0), run(1)] {
            running.join().expect("no panic").expect("a commit");
        }
    });
    attempts.into_inner()
}

#[test]
fn a_deadlock_is_retried() {
    let (_database, db, ids) = bank(quick());
    let attempts = collide(|number, meet| {
        db.transaction(|tx| {
            tx.run(Account::update(ids[number], balance(1)))?;
            meet();
            tx.run(Account::update(ids[1 - number], balance(2)))?;
            Ok(())
        })
    });
    assert!(attempts > 2, "one of them was chosen to fail");
}

#[test]
fn a_serialization_failure_of_a_statement_is_retried() {
    let (_database, db, ids) = bank(quick());
    let attempts = collide(|_, meet| {
        db.with_options(TransactionOptions::repeatable_read())
            .transaction(|tx| {
                let account = tx.run(Account::get(ids[0]))?;
                meet();
                tx.run(Account::update(ids[0], balance(account.balance + 1)))?;
                Ok(())
            })
    });
    assert!(attempts > 2, "both read before either wrote");
    assert_eq!(db.run(Account::get(ids[0])).expect("ann").balance, 102);
}

#[test]
fn a_serialization_failure_of_a_commit_is_retried() {
    let (_database, db, ids) = bank(quick());
    // A transaction may take from one account as long as the sum of both allows it. All statements
    // succeed.
    let attempts = collide(|number, meet| {
        db.with_options(TransactionOptions::serializable())
            .transaction(|tx| {
                let sum: i64 = tx
                    .run(ids.map(Account::get).into_iter().collect::<Vec<_>>())?
                    .iter()
                    .map(|account| account.balance)
                    .sum();
                if sum >= 200 {
                    tx.run(Account::update(ids[number], balance(0)))?;
                }
                meet();
                Ok(())
            })
    });
    assert!(attempts > 2, "one of them could not commit");
    let left: Vec<_> = ids
        .iter()
        .map(|id| db.run(Account::get(*id)).expect("an account").balance)
        .collect();
    assert_eq!(left.iter().sum::<i64>(), 100, "{left:?}");
}

/// Runs a transaction that loses its connection this many times before it commits. Returns the
/// result and the process IDs.
fn losing(db: &Database, times: usize) -> (Result<()>, Vec<i32>) {
    let pids = Mutex::new(Vec::new());
    let done = db.transaction(|tx| {
        tx.run(Account::insert(new_account("cid")))?;
        let attempt = {
            let mut pids = pids.lock().expect("no panic");
            pids.push(tx.backend_pid());
            pids.len()
        };
        if attempt <= times {
            let end = format!("SELECT pg_terminate_backend({})", tx.backend_pid());
            tx.run(sql_query(end).affected())?;
        }
        Ok(())
    });
    (done, pids.into_inner().expect("no panic"))
}

#[test]
fn a_connection_lost_before_commit_is_retried() {
    let (_database, db, _) = bank(quick());
    let (done, pids) = losing(&db, 2);
    done.expect("the third attempt");
    assert_eq!(pids.len(), 3);
    assert!(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2]);
    assert_eq!(db.run(Account::count()).expect("applied once"), 3);
    db.run(sql_query("DELETE FROM accounts WHERE username = 'cid'").affected())
        .expect("a deletion");
    let (done, pids) = losing(&db, 9);
    let error = done.expect_err("three attempts are all");
    assert_eq!((error.outcome(), pids.len()), (Outcome::NotCommitted, 3));
    assert_eq!(db.run(Account::count()).expect("a count"), 2);
}

#[test]
fn a_failed_rollback_causes_no_retry() {
    let (_database, db, _) = bank(quick());
    let (attempts, pid) = (AtomicU32::new(0), AtomicI32::new(0));
    let mut other = db.session().expect("a session");
    let done = thread::scope(|scope| {
        let working = scope.spawn(|| {
            db.transaction(|tx| -> Result<()> {
                attempts.fetch_add(1, Ordering::SeqCst);
                let duplicate = tx.run(Account::insert(new_account("ann")));
                pid.store(tx.backend_pid(), Ordering::SeqCst);
                while pid.load(Ordering::SeqCst) != 0 {
                    thread::yield_now();
                }
                duplicate.map(drop)
            })
        });
        while pid.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let end = format!(
            "SELECT pg_terminate_backend({}, 10000)",
            pid.load(Ordering::SeqCst)
        );
        other.run(sql_query(end).affected()).expect("an answer");
        pid.store(0, Ordering::SeqCst);
        working.join().expect("no panic")
    });
    assert!(
        matches!(&done, Err(error) if error.kind() == ErrorKind::Constraint),
        "{done:?}"
    );
    assert_eq!(attempts.into_inner(), 1);
}

#[test]
fn lock_timeouts_are_retried_only_on_request() {
    let (_database, plain, _) = bank(quick());
    let (_second, patient, _) = bank(RetryPolicy {
        locks: true,
        attempts: 1000,
        budget: RetryBudget {
            burst: 1000,
            percent: 0,
        },
        ..quick()
    });
    for (db, waits) in [(&plain, false), (&patient, true)] {
        let mut holder = db.session().expect("a session");
        holder
            .batch_execute("BEGIN; SELECT FROM accounts FOR UPDATE")
            .expect("locks");
        let attempts = AtomicU32::new(0);
        let done = thread::scope(|scope| {
            let working = scope.spawn(|| {
                db.transaction(|tx| {
                    attempts.fetch_add(1, Ordering::SeqCst);
                    tx.run(
                        Account::list(bowline::Page::first(2))
                            .for_update()
                            .no_wait(),
                    )
                })
            });
            while waits && attempts.load(Ordering::SeqCst) < 3 {
                thread::yield_now();
            }
            if !waits {
                while !working.is_finished() {
                    thread::yield_now();
                }
            }
            holder.batch_execute("COMMIT").expect("free again");
            working.join().expect("no panic")
        });
        match done {
            Ok(accounts) => assert_eq!((waits, accounts.len()), (true, 2)),
            Err(error) => {
                assert_eq!(error.sqlstate(), Some(SqlState::LOCK_NOT_AVAILABLE));
                assert_eq!((waits, attempts.into_inner()), (false, 1));
            }
        }
    }
}

/// Makes the server raise an error with this SQLSTATE, in the middle of a transaction.
fn raise(tx: &mut Session, code: &str) -> Result<()> {
    let raise = format!("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '{code}'; END $$");
    tx.run(sql_query(raise).affected()).map(drop)
}

#[test]
fn each_code_is_tried_as_often_as_its_class_says() {
    let (_database, db, _) = bank(RetryPolicy {
        budget: RetryBudget {
            burst: 1000,
            percent: 0,
        },
        ..quick()
    });
    let db = db.with_timeout(Duration::from_secs(60));
    for (codes, often) in [
        (&["40001", "40P01", "53300"][..], 5),
        (&["57P01", "57P02", "57P05", "08006"], 3),
        (
            &[
                "55P03", "55006", "25006", "0A000", "25P03", "57014", "53100", "53200", "53400",
                "54001",
            ],
            1,
        ),
        (
            &[
                "23505", "23P01", "22012", "28P01", "3D000", "42501", "42P05", "57P04", "XX001",
            ],
            1,
        ),
        (&["08007", "40003"], 1),
    ] {
        for code in codes {
            let attempts = AtomicU32::new(0);
            let done = db.transaction(|tx| {
                attempts.fetch_add(1, Ordering::SeqCst);
                raise(tx, code)
            });
            let error = done.expect_err("raised");
            assert_eq!(error.sqlstate(), SqlState::new(code));
            assert_eq!(attempts.into_inner(), often, "{code}");
        }
    }
}

#[test]
fn a_failure_caught_by_a_savepoint_is_not_retried() {
    let (_database, db, _) = bank(quick());
    let attempts = AtomicU32::new(0);
    let done = db.transaction(|tx| -> Result<()> {
        attempts.fetch_add(1, Ordering::SeqCst);
        let lost = tx.savepoint(|tx| raise(tx, "40P01"));
        lost.expect_err("a deadlock");
        tx.run(Account::count())?;
        Err(Error::from(diesel::result::Error::RollbackTransaction))
    });
    done.expect_err("of the work's own");
    assert_eq!(attempts.into_inner(), 1);
}

#[test]
fn a_stale_plan_in_a_transaction_is_retried() {
    let database = test_database();
    let config = database.config().max_size(1).retry(quick());
    let db = config.open().expect("a server");
    let mut other = Session::connect(&database.config()).expect("a server");
    for change in [
        "ALTER TABLE accounts ALTER COLUMN email TYPE varchar(99)",
        "DROP TYPE IF EXISTS nothing",
    ] {
        let pids = Mutex::new(Vec::new());
        let find = |tx: &mut Session| {
            let attempts = {
                let mut pids = pids.lock().expect("no panic");
                pids.push(tx.backend_pid());
                pids.len()
            };
            if change.starts_with("DROP") && attempts == 2 {
                tx.batch_execute("DEALLOCATE ALL")?;
            }
            tx.run(Account::list(bowline::Page::first(1)))
        };
        db.transaction(find).expect("a plan");
        other.batch_execute(change).expect("DDL");
        db.transaction(find).expect("a new plan");
        let pids = pids.into_inner().expect("no panic");
        assert_eq!(pids.len(), 3, "{change}");
        assert!(pids[0] == pids[1] && pids[1] != pids[2], "{pids:?}");
    }
}

#[test]
fn each_retry_is_an_event() {
    let (_database, db, _) = bank(quick());
    let recorder = Recorder::default();
    let attempts = AtomicU32::new(0);
    let done = recorder.listen(|| {
        db.transaction(|tx| match attempts.fetch_add(1, Ordering::SeqCst) {
            0 => raise(tx, "40001"),
            1 => raise(tx, "57P01"),
            _ => Ok(()),
        })
    });
    done.expect("the third attempt");
    let events: Vec<_> = recorder
        .events("bowline::retry")
        .iter()
        .map(|event| {
            ["attempt", "class", "sqlstate"].map(|field| event.get(field).map(str::to_owned))
        })
        .collect();
    let event = |attempt: &str, class: &str, state: &str| {
        [attempt, class, state].map(|text| Some(text.to_owned()))
    };
    assert_eq!(
        events,
        [event("1", "conflict", "40001"), event("2", "lost", "57P01")]
    );
}

#[test]
fn retries_end_with_the_deadline_and_with_the_budget() {
    let (_database, db, _) = bank(RetryPolicy {
        attempts: u32::MAX,
        locks: true,
        budget: RetryBudget {
            burst: 3,
            percent: 0,
        },
        ..quick()
    });
    let limit = Duration::from_millis(300);
    let began = Instant::now();
    let error = db
        .with_timeout(limit)
        .transaction(|tx| raise(tx, "40001"))
        .expect_err("it never ends");
    assert!(began.elapsed() < limit + Duration::from_secs(2));
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    let attempts = AtomicU32::new(0);
    let clone = db.clone();
    clone
        .transaction(|tx| {
            attempts.fetch_add(1, Ordering::SeqCst);
            raise(tx, "55P03")
        })
        .expect_err("it never ends");
    assert_eq!(attempts.swap(0, Ordering::SeqCst), 4);
    db.transaction(|tx| {
        attempts.fetch_add(1, Ordering::SeqCst);
        raise(tx, "55P03")
    })
    .expect_err("it never ends");
    assert_eq!(attempts.into_inner(), 1, "clones share the budget");
}

#[test]
fn a_late_retry_ends_with_the_failure_it_retried() {
    let (_database, db, _) = bank(quick());
    let limit = Duration::from_millis(300);
    let attempts = AtomicU32::new(0);
    let error = db
        .with_timeout(limit)
        .transaction(|tx| {
            if attempts.fetch_add(1, Ordering::SeqCst) > 0 {
                std::thread::sleep(2 * limit);
            }
            raise(tx, "40001")
        })
        .expect_err("it never ends");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert_eq!(attempts.into_inner(), 2);
}

#[test]
fn a_limit_bounds_every_kind_of_call() {
    let database = test_database();
    let db = database
        .config()
        .max_size(1)
        .call_timeout(Duration::from_secs(60))
        .open()
        .expect("a server");
    let limit = Duration::from_millis(300);
    let short = db.with_timeout(limit);
    let sleep = || sql_query("SELECT pg_sleep(30)").affected();
    let bounded = |what: &str, done: Result<()>, began: Instant| {
        let error = done.expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Timeout, "{what}: {error:?}");
        let took = began.elapsed();
        assert!(
            took >= limit && took < limit + Duration::from_secs(2),
            "{what}: {took:?}"
        );
    };
    let began = Instant::now();
    bounded("run", short.run(sleep()).map(drop), began);
    let began = Instant::now();
    let several = short.transaction(|tx| {
        for _ in 0..100 {
            tx.run(sql_query("SELECT pg_sleep(0.02)").affected())?;
        }
        Ok(())
    });
    bounded("transaction", several, began);
    let began = Instant::now();
    let mut work = short.unit_of_work();
    work.add(sleep());
    bounded("unit of work", work.commit().map(drop), began);
    let held = db.session().expect("the only session");
    let asked = |what: &str, ask: &(dyn Fn() -> Result<()> + Sync)| {
        let began = Instant::now();
        let done = thread::scope(|scope| scope.spawn(ask).join().expect("no panic"));
        let error = done.expect_err(what);
        let took = began.elapsed();
        assert!(
            took >= limit && took < limit + Duration::from_secs(2),
            "{what}: {error}, {took:?}"
        );
    };
    asked("session", &|| short.session().map(drop));
    asked("run without a session", &|| short.run(sleep()).map(drop));
    drop(held);
    // The limit of a call may be longer than that of the database, and applies to that call only.
    let brief = database
        .config()
        .max_size(1)
        .call_timeout(limit)
        .open()
        .expect("a server");
    let doze = || sql_query("SELECT pg_sleep(0.6)").affected();
    brief
        .with_timeout(Duration::from_secs(30))
        .run(doze())
        .expect("time enough");
    brief
        .with_timeout(Duration::from_secs(30))
        .transaction(|tx| tx.run(doze()))
        .expect("time enough");
    brief.run(doze()).expect_err("the usual limit again");
}
