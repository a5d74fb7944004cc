//! Writes to a ledger for some time, while `script/failover` replaces the primary, and then
//! compares the ledger with what the writers were told.
//!
//! ```text
//! ledger LABEL URL pooler|'' TABLE SECONDS HOST,HOST,..
//! ```
//!
//! The hosts are those of the servers themselves. They are watched for which of them is the
//! primary, and asked at the end for sessions that stayed on another one.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bowline::{
    Config, Database, Outcome, Session, Statement, StatementDsl as _, TransactionOptions,
    commit_keys, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;

const WRITERS: usize = 16;

/// The pause of a writer after each write, so that three ledgers and three servers share a machine.
const PAUSE: Duration = Duration::from_millis(10);

/// The limit of a call: longer than Patroni takes to replace a primary, so that an outcome can be
/// found out on the new one.
const LIMIT: Duration = Duration::from_secs(40);

/// The result of a call, as its writer learned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Done,
    Failed(Outcome),
}

struct Ledger {
    db: Database,
    table: String,
    next: AtomicI64,
    stop: AtomicBool,
    /// The result of each call by its number, and whether it had a commit key.
    told: Mutex<BTreeMap<i64, (Told, bool)>>,
    /// The errors, for those that turn out to be untrue.
    errors: Mutex<BTreeMap<i64, String>>,
    /// When a write succeeded, in the order of success.
    successes: Mutex<Vec<Instant>>,
    /// When a host became the primary.
    primaries: Mutex<Vec<(String, Instant)>>,
}

impl Ledger {
    fn insert(&self, number: i64) -> impl Statement<Output = usize> + use<> {
        sql_query(format!("INSERT INTO {} VALUES ($1)", self.table))
            .bind::<BigInt, _>(number)
            .affected()
    }

    /// Writes until it is stopped: in one round trip, as a transaction, and with a commit key.
    fn write(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let has_key = number % 3 == 2;
            let done = match number % 3 {
                0 => self.db.run(self.insert(number)).map(drop),
                1 => self
                    .db
                    .transaction(|tx| tx.run(self.insert(number)).map(drop)),
                _ => {
                    let key = TransactionOptions::new().with_generated_commit_key();
                    let keyed = self.db.with_options(key);
                    match keyed.run(self.insert(number)) {
                        // Only the answer was lost.
                        Err(error) if error.outcome() == Outcome::Committed => Ok(()),
                        done => done.map(drop),
                    }
                }
            };
            let told = match done {
                Ok(()) => {
                    lock(&self.successes).push(Instant::now());
                    Told::Done
                }
                Err(error) => {
                    let text = format!("{error} ({:?})", error.sqlstate());
                    lock(&self.errors).insert(number, text);
                    Told::Failed(error.outcome())
                }
            };
            lock(&self.told).insert(number, (told, has_key));
            thread::sleep(PAUSE);
        }
    }

    /// Notes when this host becomes the primary.
    fn watch(&self, host: &str) {
        let mut was_primary = false;
        let mut session = None;
        while !self.stop.load(Ordering::SeqCst) {
            let is_primary = is_primary(&mut session, host).unwrap_or(false);
            if is_primary && !was_primary {
                lock(&self.primaries).push((host.to_owned(), Instant::now()));
            }
            was_primary = is_primary;
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn direct(host: &str) -> Config {
    const LIMIT: Duration = Duration::from_millis(500);
    Config::new()
        .host(host)
        .port(5432)
        .user("postgres")
        .dbname("postgres")
        .parameter("sslmode", "disable")
        .application_name("watcher")
        .connect_timeout(LIMIT)
        .call_timeout(LIMIT)
}

/// Returns whether this host is the primary, on a session that is opened again once it is lost.
fn is_primary(session: &mut Option<Session>, host: &str) -> bowline::Result<bool> {
    let open = match session.take() {
        Some(open) if !open.is_broken() => open,
        _ => Session::connect(&direct(host))?,
    };
    let open = session.insert(open);
    open.run(sql_query("SELECT NOT pg_is_in_recovery()").one::<bool>())
}

/// Repeats a call for a minute, until it succeeds.
fn in_time<T>(mut call: impl FnMut() -> bowline::Result<T>) -> bowline::Result<T> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match call() {
            Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(100)),
            done => return done,
        }
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [label, url, pooler, table, seconds, hosts] = arguments.as_slice() else {
        return Err("ledger LABEL URL pooler|'' TABLE SECONDS HOST,HOST,..".into());
    };
    let name = format!("ledger {table}");
    let config = Config::from_url(url)?
        .pooler(pooler == "pooler")
        .application_name(&name)
        .max_size(WRITERS.try_into()?)
        .connect_timeout(Duration::from_secs(2))
        .checkout_timeout(LIMIT)
        .call_timeout(LIMIT);
    let seconds: u64 = seconds.parse()?;
    let db = in_time(|| config.clone().open())?;
    in_time(|| {
        db.transaction(|tx| {
            tx.batch_execute(&format!(
                "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (number bigint)"
            ))?;
            tx.run(sql_query("SELECT pg_advisory_xact_lock(7)").affected())?;
            let exists = sql_query("SELECT to_regclass('__bowline_commit_keys') IS NOT NULL");
            if !tx.run(exists.one::<bool>())? {
                tx.batch_execute(commit_keys::MIGRATION)?;
            }
            Ok(())
        })
    })?;
    let ledger = Ledger {
        db,
        table: table.clone(),
        next: AtomicI64::new(0),
        stop: AtomicBool::new(false),
        told: Mutex::default(),
        errors: Mutex::default(),
        successes: Mutex::default(),
        primaries: Mutex::default(),
    };
    thread::scope(|scope| {
        for host in hosts.split(',') {
            let ledger = &ledger;
            scope.spawn(move || ledger.watch(host));
        }
        for _ in 0..WRITERS {
            scope.spawn(|| ledger.write());
        }
        thread::sleep(Duration::from_secs(seconds));
        ledger.stop.store(true, Ordering::SeqCst);
    });
    report(label, &ledger, hosts, &name)
}

/// Compares the ledger with what the writers were told.
fn report(
    label: &str,
    ledger: &Ledger,
    hosts: &str,
    name: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let numbers = format!(
        "SELECT number, count(*) FROM {} GROUP BY number",
        ledger.table
    );
    let rows = in_time(|| ledger.db.run(sql_query(&numbers).all::<(i64, i64)>()))?;
    let rows: BTreeMap<i64, i64> = rows.into_iter().collect();
    let told = lock(&ledger.told);
    let count = |is: &dyn Fn(&Told, bool, i64) -> bool| {
        let matching = told.iter().filter(|(number, (told, has_key))| {
            is(told, *has_key, rows.get(number).copied().unwrap_or(0))
        });
        matching.count()
    };
    let unknown = Told::Failed(Outcome::Unknown);
    let lost = count(&|told, _, rows| *told == Told::Done && rows == 0);
    let twice = count(&|_, _, rows| rows > 1);
    let untrue = count(&|told, _, rows| match told {
        Told::Failed(Outcome::NotCommitted) => rows > 0,
        Told::Failed(Outcome::Committed) => rows == 0,
        _ => false,
    });
    for (number, text) in lock(&ledger.errors).iter() {
        let is_there = rows.contains_key(number);
        if told[number].0 == Told::Failed(Outcome::NotCommitted) && is_there {
            println!("  untrue: number {number} of kind {}: {text}", number % 3);
        }
    }
    let keyed_unknown = count(&|told, has_key, _| *told == unknown && has_key);
    println!("{label}:");
    println!(
        "  acknowledged {}, refused {}, unknown without a key {}",
        count(&|told, _, _| *told == Told::Done),
        count(&|told, _, _| *told == Told::Failed(Outcome::NotCommitted)),
        count(&|told, has_key, _| *told == unknown && !has_key),
    );
    println!(
        "  acknowledged lost: {lost}, twice: {twice}, outcome untrue: {untrue}, keyed unknown: {keyed_unknown}"
    );
    let successes = lock(&ledger.successes);
    for (host, since) in lock(&ledger.primaries).iter().skip(1) {
        let first = successes.iter().filter(|success| *success > since).min();
        let last = successes.iter().filter(|success| *success <= since).max();
        match first {
            Some(first) => println!(
                "  {host} became the primary; first success {:.2} s later, {:.2} s after the last one before",
                first.duration_since(*since).as_secs_f64(),
                last.map_or(0.0, |last| first.duration_since(*last).as_secs_f64()),
            ),
            None => println!("  {host} became the primary; no success after it"),
        }
    }
    let stayed = sessions_elsewhere(hosts, name);
    println!("  sessions left on a server that is not the primary: {stayed}");
    let is_good = lost + twice + untrue + keyed_unknown + stayed == 0 && !successes.is_empty();
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Counts the sessions of this ledger on servers that are not the primary, as far as they answer.
fn sessions_elsewhere(hosts: &str, name: &str) -> usize {
    let sessions = format!("SELECT FROM pg_stat_activity WHERE application_name = '{name}'");
    let on_host = |host: &str| {
        let mut session = None;
        if is_primary(&mut session, host).ok()? {
            return Some(0);
        }
        session?.run(sql_query(&sessions).affected()).ok()
    };
    hosts.split(',').filter_map(on_host).sum()
}
