//! Times of the pool, compared with plain r2d2 with the same sessions; `script/pool-figures` runs
//! it.
//!
//! Tests assert deadlines with a margin. This program prints the actual times on this machine.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use bowline::pool::SessionManager;
use bowline::testing::LocalServer;
use bowline::{Config, Database, StatementDsl as _, sql_query};
use testkit::{Direction, Proxy};

fn main() {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    threads(&server);
    uncontended(&server);
    contended(&server);
    spike(&server);
    deaf(&server);
    back(&server);
}

type Plain = r2d2::Pool<SessionManager>;

fn plain(config: Config, max: u32) -> Plain {
    r2d2::Pool::builder()
        .max_size(max)
        .min_idle(Some(1))
        .build(SessionManager::new(config))
        .expect("a server")
}

fn open(config: Config, max: u32) -> Database {
    config.max_size(max).open().expect("a server")
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn own_threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// Prints the number of threads before, while and after a database is open.
fn threads(server: &LocalServer) {
    let before = own_threads();
    let db = open(server.config("postgres"), 10);
    let held: Vec<_> = (0..5).map(|_| db.session().expect("a session")).collect();
    drop(held);
    thread::sleep(Duration::from_millis(50));
    let meanwhile = own_threads();
    let began = Instant::now();
    db.close(Duration::from_secs(5)).expect("all are back");
    let took = began.elapsed();
    thread::sleep(Duration::from_millis(50));
    println!(
        "threads: {before} before, {meanwhile} with a database open, {} after close, which took {took:.1?}",
        own_threads()
    );
}

/// Takes a session and returns it, repeatedly: pairs of rounds, alternating.
fn uncontended(server: &LocalServer) {
    const ROUNDS: usize = 10;
    const TIMES: usize = 20_000;
    let (db, plain) = (
        open(server.config("postgres"), 4),
        plain(server.config("postgres"), 4),
    );
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (take, times) in [
            (
                &(|| drop(db.session().expect("a session"))) as &dyn Fn(),
                &mut ours,
            ),
            (&|| drop(plain.get().expect("a session")), &mut theirs),
        ] {
            for _ in 0..TIMES {
                let began = Instant::now();
                take();
                times.push(began.elapsed());
            }
        }
    }
    for (name, times) in [("bowline", &mut ours), ("r2d2", &mut theirs)] {
        times.sort();
        println!(
            "checkout and return, uncontended, {name}: p50 {:?}, p99 {:?}, p99.9 {:?}",
            percentile(times, 0.5),
            percentile(times, 0.99),
            percentile(times, 0.999)
        );
    }
}

/// Sixteen threads share four sessions for a second; each holds one for 50 µs.
fn contended(server: &LocalServer) {
    let (db, plain) = (
        open(server.config("postgres"), 4),
        plain(server.config("postgres"), 4),
    );
    let hold = || thread::sleep(Duration::from_micros(50));
    let ours = || {
        let session = db.session().expect("a session");
        hold();
        drop(session);
    };
    let theirs = || {
        let session = plain.get().expect("a session");
        hold();
        drop(session);
    };
    for (name, work) in [
        ("bowline", &ours as &(dyn Fn() + Sync)),
        ("r2d2", &theirs),
        ("bowline", &ours),
        ("r2d2", &theirs),
    ] {
        let mut times: Vec<_> = thread::scope(|scope| {
            let callers: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        let (began, mut times) = (Instant::now(), Vec::new());
                        while began.elapsed() < Duration::from_secs(1) {
                            let asked = Instant::now();
                            work();
                            times.push(asked.elapsed());
                        }
                        times
                    })
                })
                .collect();
            callers
                .into_iter()
                .flat_map(|caller| caller.join().expect("no panic"))
                .collect()
        });
        times.sort();
        println!(
            "16 threads, 4 sessions held for 50 µs, {name}: {} a second, p50 {:.0?}, p99 {:.0?}, longest {:.0?}",
            times.len(),
            percentile(&times, 0.5),
            percentile(&times, 0.99),
            times[times.len() - 1]
        );
    }
}

/// Fifty callers at once, 2 ms of work each, 150 ms to connect, at most 50 sessions.
fn spike(server: &LocalServer) {
    let fifty = |work: &(dyn Fn() + Sync)| {
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(work);
            }
        });
        began.elapsed()
    };
    for _ in 0..3 {
        let proxy = Proxy::start(server).expect("a proxy");
        let db = open(proxy.config("postgres"), 50);
        proxy.delay(Direction::ToClient, Duration::from_millis(150));
        let took = fifty(&|| {
            let session = db.session().expect("a session");
            thread::sleep(Duration::from_millis(2));
            drop(session);
        });
        thread::sleep(Duration::from_millis(500));
        println!(
            "spike, bowline: all served after {took:.0?}, {} connections opened",
            proxy.connections()
        );
        let proxy = Proxy::start(server).expect("a proxy");
        let plain = plain(proxy.config("postgres"), 50);
        proxy.delay(Direction::ToClient, Duration::from_millis(150));
        let took = fifty(&|| {
            let session = plain.get().expect("a session");
            thread::sleep(Duration::from_millis(2));
            drop(session);
        });
        thread::sleep(Duration::from_secs(3));
        println!(
            "spike, r2d2: all served after {took:.0?}, {} connections opened",
            proxy.connections()
        );
    }
}

/// Prints how far past its deadline a checkout returns. Eight threads ask a server that accepts
/// connections and never answers.
fn deaf(server: &LocalServer) {
    let limit = Duration::from_millis(500);
    let longest = AtomicU64::new(0);
    let proxy = Proxy::start_tcp(server).expect("a proxy");
    let db = open(proxy.config("postgres").checkout_timeout(limit), 10);
    let held = db.session().expect("the first session");
    proxy.stop_accepting();
    for _ in 0..4 {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let asked = Instant::now();
                    assert!(db.session().is_err());
                    let late = asked.elapsed().saturating_sub(limit);
                    longest.fetch_max(late.as_micros() as u64, Relaxed);
                });
            }
        });
    }
    drop(held);
    println!(
        "deaf server, 8 threads, 32 checkouts of 500 ms: the last returned {:.1?} late",
        Duration::from_micros(longest.load(Relaxed))
    );
}

/// Prints how soon a waiting caller gets a session after the server has come back.
fn back(server: &LocalServer) {
    let mut times = Vec::new();
    for away in [100, 400, 900, 1700, 2300] {
        let proxy = Proxy::start_tcp(server).expect("a proxy");
        let db = Arc::new(open(proxy.config("postgres"), 2));
        let held = db.session().expect("the first session");
        proxy.refuse();
        let asking = Arc::clone(&db);
        let caller = thread::spawn(move || {
            asking
                .run(sql_query("SELECT 1").affected())
                .expect("it is back");
            Instant::now()
        });
        thread::sleep(Duration::from_millis(away));
        proxy.resume();
        let back = Instant::now();
        times.push(caller.join().expect("no panic").duration_since(back));
        drop(held);
    }
    println!("a server that is back is used after {times:.0?}");
}
