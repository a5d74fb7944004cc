//! A server that stops, crashes, hangs, or terminates its processes while calls are running.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bowline::retry::RetryPolicy;
use bowline::testing::{LocalServer, Shutdown};
use bowline::{
    Config, Database, Error, ErrorKind, Outcome, Result, Session, SqlState, StatementDsl as _,
    TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Integer};

/// Returns the server that these tests break, one test at a time.
fn breakable() -> MutexGuard<'static, LocalServer> {
    static SERVER: OnceLock<Mutex<LocalServer>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let settings = [
            // Acknowledged commits have to survive a crash of the server.
            ("synchronous_commit", "on"),
            ("wal_level", "replica"),
            ("max_wal_senders", "2"),
            ("max_locks_per_transaction", "10"),
            ("max_connections", "20"),
            ("restart_after_crash", "on"),
        ];
        Mutex::new(LocalServer::private(&settings).expect("a server"))
    });
    let server = server.lock().unwrap_or_else(PoisonError::into_inner);
    if server.pid().is_none() {
        // A test failed while the server was down.
        server.start_again().expect("it starts");
    }
    server
}

/// Creates an empty table `t (x int primary key)`, and returns the session that did.
fn with_table(server: &LocalServer) -> Session {
    let mut witness = Session::connect(&server.config("postgres")).expect("a server");
    witness
        .batch_execute("DROP TABLE IF EXISTS t; CREATE TABLE t (x int PRIMARY KEY)")
        .expect("DDL");
    witness
}

fn hurried(server: &LocalServer) -> Config {
    server
        .config("postgres")
        .connect_timeout(Duration::from_secs(2))
        .checkout_timeout(Duration::from_secs(1))
        .call_timeout(Duration::from_secs(5))
        .retry(RetryPolicy::never())
}

fn insert(x: i32) -> impl bowline::Statement<Output = usize> {
    sql_query("INSERT INTO t VALUES ($1)")
        .bind::<Integer, _>(x)
        .affected()
}

#[derive(bowline::Row)]
struct X {
    #[diesel(sql_type = Integer)]
    x: i32,
}

fn all(witness: &mut Session) -> Vec<i32> {
    let rows = witness.run(sql_query("SELECT x FROM t ORDER BY x").all::<X>());
    rows.expect("the table").iter().map(|row| row.x).collect()
}

fn signal(name: &str, pid: i32) {
    let killed = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(killed.expect("kill is there").success());
}

/// Repeats a call until it succeeds. Returns how long that took.
fn until_ok<T>(limit: Duration, mut call: impl FnMut() -> Result<T>) -> Duration {
    let started = Instant::now();
    loop {
        match call() {
            Ok(_) => return started.elapsed(),
            Err(error) => assert!(started.elapsed() < limit, "{error}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the condition holds, 10 s at most.
fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_stopped_server_is_used_again_when_it_is_back() {
    let server = breakable();
    let db = hurried(&server).open().expect("a server");
    with_table(&server);
    server.shut_down(Shutdown::Fast).expect("it stops");
    for _ in 0..3 {
        let started = Instant::now();
        let error = db.run(insert(1)).expect_err("nobody is there");
        assert!(started.elapsed() < Duration::from_secs(3));
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
    }
    server.start_again().expect("it starts");
    until_ok(Duration::from_secs(3), || db.run(insert(2)));
}

/// Writes in every way that there is, until `stop` is set. Returns the result of each call.
fn write_until(
    stop: &AtomicBool,
    db: &Database,
    numbers: &AtomicI32,
) -> BTreeMap<i32, std::result::Result<(), Outcome>> {
    let mut reported = BTreeMap::new();
    while !stop.load(Ordering::SeqCst) {
        let x = numbers.fetch_add(2, Ordering::SeqCst);
        let written = match x / 2 % 3 {
            0 => db.run((insert(x), insert(x + 1))).map(drop),
            1 => db
                .with_options(TransactionOptions::serializable())
                .run((insert(x), insert(x + 1)))
                .map(drop),
            _ => db.transaction_once(|tx| {
                tx.run(insert(x))?;
                tx.run(insert(x + 1)).map(drop)
            }),
        };
        if written.is_err() {
            thread::sleep(Duration::from_millis(2));
        }
        reported.insert(x, written.map_err(|error| error.outcome()));
    }
    reported
}

#[test]
fn writers_report_the_truth_across_restarts() {
    /// A number that no writer reaches.
    const LAST: i32 = 1_000_000_000;
    let server = breakable();
    with_table(&server);
    let db = hurried(&server).open().expect("a server");
    let (stop, numbers) = (AtomicBool::new(false), AtomicI32::new(0));
    let reported: BTreeMap<_, _> = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| write_until(&stop, &db, &numbers)))
            .collect();
        for how in [Shutdown::Fast, Shutdown::Immediate].repeat(3) {
            thread::sleep(Duration::from_millis(150));
            server.shut_down(how).expect("it stops");
            server.start_again().expect("it starts");
        }
        // The pool has to work again after the last restart, however long the recovery takes.
        until_ok(Duration::from_secs(20), || db.run(insert(LAST)));
        stop.store(true, Ordering::SeqCst);
        writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("no panic"))
            .collect()
    });
    let mut witness = Session::connect(&server.config("postgres")).expect("a server");
    let there = all(&mut witness);
    let holds = |x: i32| there.binary_search(&x).is_ok();
    let mut failed = 0;
    for (x, outcome) in &reported {
        assert_eq!(holds(*x), holds(x + 1), "half of {x}: {outcome:?}");
        match outcome {
            Ok(()) | Err(Outcome::Committed) => assert!(holds(*x), "{x} is lost: {outcome:?}"),
            Err(Outcome::NotCommitted) => assert!(!holds(*x), "{x} is there: {outcome:?}"),
            Err(Outcome::Unknown) => {}
        }
        failed += usize::from(outcome.is_err());
    }
    assert!(failed > 0 && there.len() > 100, "{failed}, {}", there.len());
    assert!(holds(LAST));
}

#[test]
fn a_crash_of_one_process_commits_nothing_of_others() {
    let server = breakable();
    with_table(&server);
    let db = hurried(&server).open().expect("a server");
    let victim = Session::connect(&server.config("postgres")).expect("a server");
    let error = db
        .transaction_once(|tx| {
            tx.run(insert(1))?;
            signal("-KILL", victim.backend_pid());
            until_ok(Duration::from_secs(10), || {
                Session::connect(&hurried(&server))
            });
            tx.run(insert(2))
        })
        .expect_err("the server began anew");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    until_ok(Duration::from_secs(3), || db.run(insert(3)));
    let mut witness = Session::connect(&server.config("postgres")).expect("a server");
    assert_eq!(all(&mut witness), [3]);
}

#[test]
fn a_suspended_server_is_abandoned_in_time() {
    let server = breakable();
    let mut open = Session::connect(&server.config("postgres")).expect("a server");
    let pid = server.pid().expect("it runs");
    signal("-STOP", pid);
    let started = Instant::now();
    let connected = Session::connect(
        &server
            .config("postgres")
            .connect_timeout(Duration::from_millis(300)),
    );
    let took = started.elapsed();
    // An existing session continues, and a request to cancel is not answered.
    let asked = open.run(sql_query("SELECT 1").affected());
    open.set_timeout(Duration::from_millis(300));
    let slow_started = Instant::now();
    let slow = open.run(sql_query("SELECT pg_sleep(20)").affected());
    let slow_took = slow_started.elapsed();
    signal("-CONT", pid);
    assert!(
        matches!(&connected, Err(error) if error.kind() == ErrorKind::Timeout),
        "{connected:?}"
    );
    assert!(took < Duration::from_millis(2300), "{took:?}");
    asked.expect("an answer");
    assert!(
        matches!(&slow, Err(error) if error.kind() == ErrorKind::Timeout),
        "{slow:?}"
    );
    assert!(slow_took < Duration::from_secs(6), "{slow_took:?}");
    assert!(open.is_broken());
}

/// Terminates a server process, and waits until it is gone.
fn terminate(witness: &mut Session, pid: i32) {
    let end = sql_query("SELECT pg_terminate_backend($1, 5000)").bind::<Integer, _>(pid);
    witness.run(end.affected()).expect("the right to do so");
}

#[test]
fn a_terminated_transaction_is_not_committed() {
    let server = breakable();
    let mut witness = with_table(&server);
    let db = hurried(&server).open().expect("a server");
    for before_commit in [false, true] {
        let error = db
            .transaction_once(|tx| {
                tx.run(insert(1))?;
                terminate(&mut witness, tx.backend_pid());
                if before_commit {
                    return Ok(0);
                }
                tx.run(insert(2))
            })
            .expect_err("the process is gone");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert_eq!(
            (error.sqlstate(), error.outcome()),
            (Some(SqlState::ADMIN_SHUTDOWN), Outcome::NotCommitted),
            "{error:?}"
        );
    }
    let mut alone = Session::connect(&server.config("postgres")).expect("a server");
    terminate(&mut witness, alone.backend_pid());
    let error = alone.run(insert(3)).expect_err("the process is gone");
    assert_eq!(error.outcome(), Outcome::NotCommitted, "{error:?}");
    assert!(all(&mut witness).is_empty());
}

#[test]
fn an_idle_transaction_timeout_commits_nothing() {
    let server = breakable();
    let mut witness = with_table(&server);
    let idle = |setting: &str| {
        hurried(&server)
            .parameter("options", format!("-c {setting}=100ms"))
            .max_size(1)
            .open()
            .expect("a server")
    };
    let db = idle("idle_in_transaction_session_timeout");
    let error = db
        .transaction_once(|tx| {
            tx.run(insert(1))?;
            let pid = tx.backend_pid();
            let gone = "SELECT 1 FROM pg_stat_activity WHERE pid = $1";
            until(|| {
                let there = witness.run(sql_query(gone).bind::<Integer, _>(pid).affected());
                there.expect("an answer") == 0
            });
            Ok::<_, Error>(())
        })
        .expect_err("the process is gone");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (
            Some(SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT),
            Outcome::NotCommitted
        )
    );
    assert!(all(&mut witness).is_empty());
    let db = idle("idle_session_timeout");
    let pid = db.session().expect("a session").backend_pid();
    thread::sleep(Duration::from_millis(400));
    db.run(insert(2)).expect("a new session");
    assert_ne!(db.session().expect("a session").backend_pid(), pid);
}

#[test]
fn a_waiting_commit_is_bounded_with_its_true_outcome() {
    let server = breakable();
    let mut witness = with_table(&server);
    for setting in [
        "SET synchronous_commit = local",
        "ALTER SYSTEM SET synchronous_standby_names = 'ghost'",
    ] {
        witness.batch_execute(setting).expect("the right to do so");
    }
    let reload = |witness: &mut Session| {
        witness
            .run(sql_query("SELECT pg_reload_conf()").affected())
            .expect("the right to do so");
    };
    reload(&mut witness);
    let shown = "SELECT 1 WHERE current_setting('synchronous_standby_names') = 'ghost'";
    until(|| witness.run(sql_query(shown).affected()).expect("an answer") == 1);
    let limit = Duration::from_millis(300);
    let db = hurried(&server)
        .call_timeout(limit)
        .open()
        .expect("a server");
    let mut reported = Vec::new();
    for x in 1..=3 {
        let started = Instant::now();
        let written = match x {
            1 => db.run(insert(x)).map(drop),
            2 => db
                .with_options(TransactionOptions::serializable())
                .run(insert(x))
                .map(drop),
            _ => db.transaction_once(|tx| tx.run(insert(x)).map(drop)),
        };
        assert!(started.elapsed() < limit + Duration::from_secs(5));
        reported.push((x, written.map_err(|error| error.outcome())));
    }
    witness
        .batch_execute("ALTER SYSTEM RESET synchronous_standby_names")
        .expect("the right to do so");
    reload(&mut witness);
    let there = all(&mut witness);
    for (x, outcome) in reported {
        let holds = there.contains(&x);
        match outcome {
            Ok(()) | Err(Outcome::Committed) => assert!(holds, "{x}: {outcome:?}"),
            Err(Outcome::NotCommitted) => assert!(!holds, "{x}: {outcome:?}"),
            Err(Outcome::Unknown) => {}
        }
    }
}

#[test]
fn slow_deferred_work_ends_at_the_deadline() {
    let server = breakable();
    let mut witness = with_table(&server);
    witness
        .batch_execute(
            "CREATE OR REPLACE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION slowly()",
        )
        .expect("DDL");
    let limit = Duration::from_millis(300);
    let config = hurried(&server);
    let by_deadline = config.clone().call_timeout(limit).open().expect("a server");
    let by_setting = config
        .parameter("options", "-c statement_timeout=300ms")
        .open()
        .expect("a server");
    let in_one_trip = |db: &Database| db.run(insert(1)).map(drop);
    let with_options = |db: &Database| {
        db.with_options(TransactionOptions::serializable())
            .run(insert(1))
            .map(drop)
    };
    let in_steps = |db: &Database| db.transaction_once(|tx| tx.run(insert(1)).map(drop));
    type Write<'a> = &'a dyn Fn(&Database) -> Result<()>;
    let ways: [(&Database, Write<'_>); 5] = [
        (&by_deadline, &in_one_trip),
        (&by_deadline, &with_options),
        (&by_deadline, &in_steps),
        // PostgreSQL's statement_timeout does not apply to an implicit commit, but it does to a
        // COMMIT.
        (&by_setting, &with_options),
        (&by_setting, &in_steps),
    ];
    for (db, write) in ways {
        let started = Instant::now();
        let error = write(db).expect_err("too slow");
        assert!(started.elapsed() < limit + Duration::from_secs(4));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert_eq!(
            (error.sqlstate(), error.outcome()),
            (Some(SqlState::QUERY_CANCELED), Outcome::NotCommitted)
        );
    }
    assert!(all(&mut witness).is_empty());
}

#[test]
fn a_resource_limit_is_reported_and_the_session_continues() {
    let server = breakable();
    let config = hurried(&server).parameter("options", "-c temp_file_limit=1MB -c work_mem=64kB");
    let mut session = Session::connect(&config).expect("a server");
    let sort = sql_query(
        "SELECT count(*) FROM (SELECT n FROM generate_series(1, 1000000) n ORDER BY n DESC) s",
    );
    let locks =
        sql_query("SELECT pg_advisory_xact_lock(generate_series($1, 200000))").bind::<BigInt, _>(1);
    let errors = [session.run(sort.affected()), session.run(locks.affected())];
    let codes = errors.map(|error| {
        let error = error.expect_err("too much");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        (error.outcome() == Outcome::NotCommitted)
            .then(|| error.sqlstate())
            .flatten()
    });
    assert_eq!(
        codes,
        [
            Some(SqlState::CONFIGURATION_LIMIT_EXCEEDED),
            Some(SqlState::OUT_OF_MEMORY)
        ]
    );
    session
        .run(sql_query("SELECT 1").affected())
        .expect("the session is whole");
}
