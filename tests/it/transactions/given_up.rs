//! Calls whose future is dropped: their work is not committed, and they end.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bowline::retry::RetryPolicy;
use bowline::testing::TestDatabase;
use bowline::{
    AsyncDatabase, Database, Error, Result, Session, Statement, StatementDsl as _, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use testkit::{Direction, Proxy};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::support::{server, test_database};

/// How often each call is dropped.
const TIMES: i64 = 20;

/// The time within which a dropped call has to end.
const SOON: Duration = Duration::from_secs(4);

diesel::table! {
    t (x) {
        x -> BigInt,
    }
}

fn insert(x: i64) -> impl Statement<Output = usize> + Send + 'static {
    sql_query("INSERT INTO t VALUES ($1)")
        .bind::<BigInt, _>(x)
        .affected()
}

fn sleep_on_the_server(seconds: f64) -> impl Statement<Output = usize> + Send + 'static {
    sql_query(format!("SELECT pg_sleep({seconds})")).affected()
}

/// A database with an empty table `t`.
fn open(max_size: u32) -> (AsyncDatabase, TestDatabase) {
    let database = test_database();
    Session::connect(&database.config())
        .and_then(|mut session| Ok(session.batch_execute("CREATE TABLE t (x bigint)")?))
        .expect("DDL");
    let config = database.config().max_size(max_size).retry(RetryPolicy {
        base: Duration::from_secs(1),
        cap: Duration::from_secs(1),
        ..RetryPolicy::default()
    });
    (config.open().expect("a server").into_async(), database)
}

fn runtime(blocking_threads: usize) -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(blocking_threads)
        .build()
        .expect("a runtime")
}

/// Waits until the runtime's blocking threads have ended.
fn shut_down(runtime: Runtime) {
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        drop(runtime);
        ended.send(()).ok();
    });
    end.recv_timeout(SOON).expect("a call goes on");
}

fn rows(database: &TestDatabase) -> usize {
    Session::connect(&database.config())
        .and_then(|mut session| session.run(sql_query("SELECT x FROM t").affected()))
        .expect("a count")
}

/// Begins a call for each number, and drops those that take longer than `patience`. Returns the
/// expected and the actual number of rows.
fn drop_all<T, F>(patience: Duration, call: impl Fn(&AsyncDatabase, i64) -> F) -> (usize, usize)
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let (db, database) = open(TIMES.try_into().expect("few"));
    let runtime = runtime(TIMES.try_into().expect("few"));
    let done = runtime.block_on(async {
        let calls: Vec<_> = (0..TIMES)
            .map(|number| tokio::spawn(timeout(patience, call(&db, number))))
            .collect();
        let mut done = 0;
        for call in calls {
            done += usize::from(matches!(call.await, Ok(Ok(Ok(_)))));
        }
        done
    });
    shut_down(runtime);
    (done, rows(&database))
}

#[test]
fn a_call_that_waits_for_a_thread_never_begins() {
    let (db, database) = open(2);
    let runtime = runtime(1);
    let begun = Arc::new(AtomicU32::new(0));
    runtime.block_on(async {
        for number in 0..TIMES {
            let (free, until_free) = mpsc::channel();
            let busy = tokio::task::spawn_blocking(move || until_free.recv());
            let short = Duration::from_millis(20);
            let dropped = if number % 2 == 0 {
                let work = db.blocking(move |db| db.run(insert(number)));
                timeout(short, work).await.map(drop)
            } else {
                let begun = Arc::clone(&begun);
                let work = db.blocking(move |db| {
                    db.transaction(move |tx| {
                        begun.fetch_add(1, Ordering::SeqCst);
                        tx.run(insert(number))
                    })
                });
                timeout(short, work).await.map(drop)
            };
            dropped.expect_err("there is no thread for it");
            free.send(()).expect("it is busy");
            busy.await.expect("no panic").expect("a word");
        }
    });
    shut_down(runtime);
    assert_eq!((rows(&database), begun.load(Ordering::SeqCst)), (0, 0));
}

#[test]
fn nothing_is_committed_after_a_statement() {
    let seen = drop_all(Duration::from_millis(200), |db, number| {
        db.blocking(move |db| {
            db.transaction(move |tx| {
                tx.run(insert(number))?;
                // The time of a computation, such as a password hash.
                thread::sleep(Duration::from_millis(800));
                Ok::<_, Error>(())
            })
        })
    });
    assert_eq!(seen, (0, 0));
}

#[test]
fn nothing_is_sent_by_a_call_that_was_busy_elsewhere() {
    let seen = drop_all(Duration::from_millis(100), |db, number| {
        db.blocking(move |db| {
            thread::sleep(Duration::from_millis(500));
            db.run(insert(number))
        })
    });
    assert_eq!(seen, (0, 0));
}

#[test]
fn no_retry_follows_its_pause() {
    let (db, database) = open(TIMES.try_into().expect("few"));
    let runtime = runtime(TIMES.try_into().expect("few"));
    let tasks: Vec<_> = (0..TIMES)
        .map(|number| {
            let db = db.clone();
            runtime.spawn(async move {
                let begun = Arc::new(Mutex::new(Vec::new()));
                let noted = Arc::clone(&begun);
                let work = db.blocking(move |db| {
                    db.transaction(move |tx| {
                        let attempt = {
                            let mut begun = noted.lock().expect("no panic");
                            begun.push(Instant::now());
                            begun.len()
                        };
                        if attempt == 1 {
                            let conflict =
                                "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$";
                            tx.run(sql_query(conflict).affected())?;
                        }
                        tx.run(insert(number))
                    })
                });
                timeout(Duration::from_millis(100), work).await.ok();
                (begun, Instant::now())
            })
        })
        .collect();
    let dropped: Vec<_> = runtime.block_on(async {
        let mut dropped = Vec::new();
        for task in tasks {
            dropped.push(task.await.expect("no panic"));
        }
        dropped
    });
    shut_down(runtime);
    let (mut first, mut second) = (0, 0);
    for (begun, dropped) in dropped {
        let begun = begun.lock().expect("no panic");
        first += usize::from(!begun.is_empty());
        second += begun.len().saturating_sub(1);
        assert!(begun.iter().all(|begun| *begun <= dropped), "begun anew");
    }
    // The pause before the second attempt is up to a second long, so few calls reached it before
    // they were dropped.
    assert!(second < first, "{second} of {first} went on");
    assert!(rows(&database) <= second);
}

#[test]
fn an_ignored_savepoint_failure_saves_nothing() {
    let later = Arc::new(Mutex::new(Vec::new()));
    let seen = drop_all(Duration::from_millis(200), |db, number| {
        let later = Arc::clone(&later);
        db.blocking(move |db| {
            db.transaction(move |tx| {
                tx.savepoint(|tx| tx.run(sleep_on_the_server(5.0))).ok();
                let mut later = later.lock().expect("no panic");
                later.push(tx.run(insert(number)).map_err(|error| error.to_string()));
                later.push(
                    tx.savepoint(|tx| tx.run(insert(number)))
                        .map_err(|error| error.to_string()),
                );
                later.push(
                    tx.batch_execute("INSERT INTO t VALUES (-1)")
                        .map(|()| 0)
                        .map_err(|error| error.to_string()),
                );
                Ok::<_, Error>(())
            })
        })
    });
    assert_eq!(seen, (0, 0));
    let later = later.lock().expect("no panic");
    // On a busy machine some calls may not have begun.
    assert!(!later.is_empty() && later.len() % 3 == 0);
    for step in &*later {
        let error = step.as_ref().expect_err("the call was given up");
        assert!(error.contains("the call was given up"), "{error}");
    }
}

#[test]
fn a_copy_does_not_end_by_itself() {
    let seen = drop_all(Duration::from_millis(200), |db, number| {
        db.blocking(move |db| {
            let slow = (0..3).map(move |part| {
                thread::sleep(Duration::from_millis(200));
                (number * 3 + part,)
            });
            db.copy_in((t::x,), slow)
        })
    });
    assert_eq!(seen, (0, 0));
}

#[test]
fn diesels_own_transaction_commits_nothing() {
    use diesel::{Connection as _, RunQueryDsl as _};
    let seen = drop_all(Duration::from_millis(200), |db, number| {
        db.blocking(move |db| {
            let mut session = db.session()?;
            session.transaction(|tx| {
                diesel::sql_query(format!("INSERT INTO t VALUES ({number})")).execute(tx)?;
                thread::sleep(Duration::from_millis(500));
                Ok::<_, Error>(())
            })
        })
    });
    assert_eq!(seen, (0, 0));
}

#[test]
fn a_session_on_another_thread_ends_with_its_call() {
    let seen = drop_all(Duration::from_millis(200), |db, number| {
        db.blocking(move |db| {
            let mut session = db.session()?;
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(500));
                session.run(insert(number))
            })
            .join()
            .expect("no panic")
        })
    });
    assert_eq!(seen, (0, 0));
}

#[test]
fn a_session_that_outlives_its_call_is_used_on() {
    let (db, database) = open(2);
    let runtime = runtime(2);
    let session = runtime.block_on(db.blocking(|db| db.session()));
    let mut session = session.expect("a session");
    session.run(insert(1)).expect("its call has ended well");
    drop(session);
    shut_down(runtime);
    assert_eq!(rows(&database), 1);
}

#[test]
fn the_wait_for_a_session_ends() {
    let (db, database) = open(1);
    let held = db.database().session().expect("the only session");
    let runtime = runtime(2);
    runtime.block_on(async {
        let call = db.blocking(|db: &Database| db.run(insert(1)));
        timeout(Duration::from_millis(200), call)
            .await
            .expect_err("there is no session");
    });
    let deadline = Instant::now() + SOON;
    while db.pool_state().waiting > 0 {
        assert!(Instant::now() < deadline, "it waits on");
        thread::sleep(Duration::from_millis(5));
    }
    drop(held);
    shut_down(runtime);
    assert_eq!(rows(&database), 0);
}

#[test]
fn a_loop_over_notifications_ends() {
    let (db, _database) = open(2);
    let runtime = runtime(4);
    let told = Arc::new(Mutex::new(None));
    let task = runtime.spawn({
        let (db, told) = (db.clone(), Arc::clone(&told));
        async move {
            db.blocking(move |db| {
                let mut session = db.session()?;
                session.listen("jobs")?;
                loop {
                    if let Err(error) = session.wait_for_notification(Duration::from_secs(60)) {
                        *told.lock().expect("no panic") = Some(error.to_string());
                        return Err::<(), _>(error);
                    }
                }
            })
            .await
        }
    });
    runtime.block_on(async {
        let deadline = Instant::now() + SOON;
        while db.pool_state().in_use == 0 {
            assert!(Instant::now() < deadline, "it does not listen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    });
    task.abort();
    shut_down(runtime);
    let told = told.lock().expect("no panic").take().expect("an error");
    assert!(told.contains("the call was given up"), "{told}");
    assert_eq!(db.pool_state().in_use, 0);
}

#[test]
fn a_stream_whose_rows_are_here_already_ends() {
    let (db, _database) = open(4);
    let runtime = runtime(4);
    let endless = "SELECT generate_series(1, 4000000000) AS x";
    let ended = Arc::new(Mutex::new(Vec::new()));
    runtime.block_on(async {
        let note = |done: Result<()>, ended: &Mutex<Vec<String>>| {
            let done = done.map_or_else(|error| error.to_string(), |()| "done".to_owned());
            ended.lock().expect("no panic").push(done);
        };
        let streamed = Arc::clone(&ended);
        let stream = db.blocking(move |db| {
            let done = db
                .stream(sql_query(endless).all::<X>())
                .and_then(|mut rows| rows.try_for_each(|row| row.map(drop)));
            note(done, &streamed);
            Ok::<_, Error>(())
        });
        let told = Arc::clone(&ended);
        let script = db.blocking(move |db| {
            let mut session = db.session()?;
            note(
                session.simple_query(endless, |_| ControlFlow::Continue(())),
                &told,
            );
            Ok::<_, Error>(())
        });
        let short = Duration::from_millis(300);
        timeout(short, stream).await.expect_err("endless");
        timeout(short, script).await.expect_err("endless");
    });
    shut_down(runtime);
    let ended = ended.lock().expect("no panic");
    assert_eq!(ended.len(), 2);
    assert!(!ended.contains(&"done".to_owned()), "{ended:?}");
}

#[derive(bowline::Row)]
struct X {
    #[diesel(sql_type = BigInt)]
    #[expect(dead_code, reason = "it is only read")]
    x: i64,
}

#[test]
fn a_batch_that_was_sent_in_part_is_not_committed() {
    let (direct, database) = open(1);
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    let db = db.into_async();
    let runtime = runtime(1);
    // Larger than all buffers between client and server, so that its end is still at the client.
    let filling = "x".repeat(1024 * 1024);
    let batch: Vec<_> = (0..8)
        .map(|number| {
            sql_query("INSERT INTO t SELECT $1 WHERE $2 <> ''")
                .bind::<BigInt, _>(number)
                .bind::<diesel::sql_types::Text, _>(filling.clone())
                .affected()
        })
        .collect();
    proxy.freeze();
    runtime.block_on(async {
        timeout(Duration::from_millis(300), db.run(batch))
            .await
            .expect_err("nobody passes it on");
    });
    proxy.resume();
    shut_down(runtime);
    drop((db, direct));
    assert_eq!(rows(&database), 0);
}

#[test]
fn only_the_rollback_is_sent_once_the_call_is_given_up() {
    let database = test_database();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).max_size(1);
    let db = db.open().expect("a server").into_async();
    let runtime = runtime(1);
    let recording = runtime.block_on(async {
        let work = db.blocking(move |db| {
            db.transaction(|tx| {
                tx.run(sql_query("SELECT 'begun'").affected())?;
                thread::sleep(Duration::from_millis(600));
                tx.run(sql_query("SELECT 'later'").affected()).ok();
                tx.savepoint(|tx| tx.run(sql_query("SELECT 'later'").affected()))
                    .ok();
                Ok::<_, Error>(())
            })
        });
        timeout(Duration::from_millis(300), work)
            .await
            .expect_err("it is busy");
        proxy.record();
        let deadline = Instant::now() + SOON;
        while db.pool_state().in_use > 0 {
            assert!(Instant::now() < deadline, "it goes on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.take_recording()
    });
    let said: Vec<u8> = recording
        .into_iter()
        .filter(|message| message.direction == Direction::ToServer)
        .flat_map(|message| message.bytes)
        .collect();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("ROLLBACK"), "{said}");
    assert!(
        !said.contains("later") && !said.contains("COMMIT"),
        "{said}"
    );
    assert_eq!(db.pool_state().opened, 1);
    shut_down(runtime);
}
