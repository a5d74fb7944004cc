//! A bank whose server processes are terminated at random while it moves money: no transfer is lost
//! or made twice, and every outcome is known.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bowline::retry::RetryBudget;
use bowline::retry::RetryPolicy;
use bowline::{
    Database, Error, Outcome, Result, Session, Statement, StatementDsl as _, TransactionOptions,
    commit_keys, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Integer};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::test_database;

/// Seconds to run, set by `script/bank-under-fire`.
const SECONDS: &str = "BOWLINE_FIRE_SECONDS";

const THREADS: usize = 16;
const ACCOUNTS: i64 = 200;
const BALANCE: i64 = 1000;
/// The pause between two terminations.
const BREATH: Duration = Duration::from_millis(5);

/// Counters of what was observed.
#[derive(Default)]
struct Figures {
    /// Attempts of interactive transactions, counted by runs of the closure.
    attempts: AtomicU64,
    interactive: AtomicU64,
    not_committed: AtomicU64,
    unknown: AtomicU64,
    found_out: FoundOut,
    ended: AtomicU64,
}

/// Counts the commits whose answer was lost and whose outcome another session determined.
#[derive(Clone, Default)]
struct FoundOut(Arc<AtomicU64>);

impl Subscriber for FoundOut {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "bowline::outcome"
    }

    fn event(&self, event: &Event<'_>) {
        let found_out = *event.metadata().level() == tracing::Level::INFO;
        self.0.fetch_add(u64::from(found_out), Ordering::Relaxed);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Bank {
    db: Database,
    numbers: AtomicI64,
    stop: AtomicBool,
    figures: Figures,
    /// The reported result of each transfer.
    reported: Mutex<BTreeMap<i64, std::result::Result<(), Outcome>>>,
}

#[derive(bowline::Row)]
struct Balance {
    #[diesel(sql_type = BigInt)]
    balance: i64,
}

#[derive(bowline::Row)]
struct Logged {
    #[diesel(sql_type = BigInt)]
    transfer: i64,
    #[diesel(sql_type = BigInt)]
    times: i64,
}

const TABLES: &str = "
    CREATE TABLE vaults (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0)) WITH (fillfactor = 20);
    CREATE TABLE moved (transfer bigint NOT NULL, payer bigint NOT NULL, payee bigint NOT NULL, amount bigint NOT NULL)";

fn pay(id: i64, amount: i64) -> impl Statement<Output = ()> {
    sql_query("UPDATE vaults SET balance = balance + $2 WHERE id = $1")
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(amount)
        .affected()
        .map(drop)
}

fn log(transfer: i64, payer: i64, payee: i64, amount: i64) -> impl Statement<Output = ()> {
    sql_query("INSERT INTO moved VALUES ($1, $2, $3, $4)")
        .bind::<BigInt, _>(transfer)
        .bind::<BigInt, _>(payer)
        .bind::<BigInt, _>(payee)
        .bind::<BigInt, _>(amount)
        .affected()
        .map(drop)
}

fn balance(id: i64) -> impl Statement<Output = Balance> {
    sql_query("SELECT balance FROM vaults WHERE id = $1")
        .bind::<BigInt, _>(id)
        .one::<Balance>()
}

impl Bank {
    fn clerk(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            let transfer = self.numbers.fetch_add(1, Ordering::SeqCst);
            // Spreads the payers and payees without a generator of random numbers.
            let mixed = transfer.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64);
            let payer = (mixed >> 17).rem_euclid(ACCOUNTS);
            let payee = (payer + 1 + (mixed >> 40).rem_euclid(ACCOUNTS - 1)) % ACCOUNTS;
            let amount = 1 + (mixed >> 50).rem_euclid(5);
            let done = if transfer % 2 == 0 {
                self.in_one_trip(transfer, payer, payee, amount)
            } else {
                self.interactively(transfer, payer, payee, amount)
            };
            let done = done.map_err(|error| {
                let outcome = error.outcome();
                let count = match outcome {
                    Outcome::Unknown => &self.figures.unknown,
                    _ => &self.figures.not_committed,
                };
                count.fetch_add(1, Ordering::Relaxed);
                outcome
            });
            let mut reported = self.reported.lock().expect("no panic while it is held");
            reported.insert(transfer, done);
        }
    }

    fn in_one_trip(&self, transfer: i64, payer: i64, payee: i64, amount: i64) -> Result<()> {
        self.db
            .with_options(TransactionOptions::serializable().with_generated_commit_key())
            .run((
                pay(payer, -amount),
                pay(payee, amount),
                log(transfer, payer, payee, amount),
            ))?;
        Ok(())
    }

    /// Reads, decides and writes, which is safe in serializable transactions only.
    fn interactively(&self, transfer: i64, payer: i64, payee: i64, amount: i64) -> Result<()> {
        self.figures.interactive.fetch_add(1, Ordering::Relaxed);
        self.db
            .with_options(TransactionOptions::serializable())
            .transaction(|tx| {
                self.figures.attempts.fetch_add(1, Ordering::Relaxed);
                let (from, to) = tx.run((balance(payer), balance(payee)))?;
                let set = |id, balance| {
                    sql_query("UPDATE vaults SET balance = $2 WHERE id = $1")
                        .bind::<BigInt, _>(id)
                        .bind::<BigInt, _>(balance)
                        .affected()
                };
                tx.run((
                    set(payer, from.balance - amount),
                    set(payee, to.balance + amount),
                    log(transfer, payer, payee, amount),
                ))?;
                Ok::<_, Error>(())
            })
    }

    /// Terminates one of the bank's server processes every few milliseconds.
    fn arsonist(&self, witness: &mut Session) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1";
        while !self.stop.load(Ordering::SeqCst) {
            let ended = witness
                .run(sql_query(end).affected())
                .expect("the right to do so");
            self.figures
                .ended
                .fetch_add(ended as u64, Ordering::Relaxed);
            thread::sleep(BREATH);
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_done_twice() {
    let seconds = std::env::var(SECONDS)
        .ok()
        .and_then(|text| text.parse().ok());
    let seconds: u64 = seconds.unwrap_or(3);
    let database = test_database();
    let mut witness = Session::connect(&database.config()).expect("a server");
    witness.batch_execute(TABLES).expect("DDL");
    witness.batch_execute(commit_keys::MIGRATION).expect("DDL");
    let fill = "INSERT INTO vaults SELECT id, $1 FROM generate_series(0, $2 - 1) id";
    let fill = sql_query(fill)
        .bind::<BigInt, _>(BALANCE)
        .bind::<Integer, _>(ACCOUNTS as i32);
    witness.run(fill.affected()).expect("accounts");
    let policy = RetryPolicy {
        attempts: 20,
        reconnects: 10,
        budget: RetryBudget {
            burst: 10_000,
            percent: 100,
        },
        ..RetryPolicy::default()
    };
    let bank = Bank {
        db: database
            .config()
            .max_size(THREADS as u32 + 4)
            .retry(policy)
            .open()
            .expect("a server"),
        numbers: AtomicI64::new(1),
        stop: AtomicBool::new(false),
        figures: Figures::default(),
        reported: Mutex::default(),
    };
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let found_out = bank.figures.found_out.clone();
            scope.spawn(|| tracing::subscriber::with_default(found_out, || bank.clerk()));
        }
        scope.spawn(|| bank.arsonist(&mut witness));
        thread::sleep(Duration::from_secs(seconds));
        bank.stop.store(true, Ordering::SeqCst);
    });
    let took = started.elapsed();
    let mut witness = Session::connect(&database.config()).expect("a server");
    let acknowledged = audit(&bank, &mut witness);
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let figures = &bank.figures;
    let repeated = count(&figures.attempts) - count(&figures.interactive);
    let found_out = count(&figures.found_out.0);
    println!(
        "{acknowledged} transfers acknowledged in {took:.1?}, {} not committed, {} unknown; {} server processes ended, \
         {found_out} lost answers found out, {repeated} attempts repeated of {} interactive transfers",
        count(&figures.not_committed),
        count(&figures.unknown),
        count(&figures.ended),
        count(&figures.interactive),
    );
    assert_eq!(count(&figures.unknown), 0, "an outcome was not found out");
    assert!(repeated > 0 && acknowledged > 0 && count(&figures.ended) > 0);
    if seconds >= 60 {
        assert!(found_out > 0 && acknowledged >= 10_000);
    }
}

/// Compares the reported results with the rows of the table. Returns the number of acknowledged
/// transfers.
fn audit(bank: &Bank, witness: &mut Session) -> usize {
    let reported = bank.reported.lock().expect("no panic while it is held");
    let logged = witness
        .run(
            sql_query("SELECT transfer, count(*) AS times FROM moved GROUP BY transfer")
                .all::<Logged>(),
        )
        .expect("the log");
    let logged: BTreeMap<_, _> = logged.iter().map(|row| (row.transfer, row.times)).collect();
    for (transfer, done) in reported.iter() {
        let times = logged.get(transfer).copied().unwrap_or(0);
        match done {
            Ok(()) | Err(Outcome::Committed) => assert_eq!(times, 1, "{transfer}: {done:?}"),
            Err(Outcome::NotCommitted) => assert_eq!(times, 0, "{transfer}: {done:?}"),
            Err(Outcome::Unknown) => assert!(times <= 1, "{transfer}: {done:?}"),
        }
    }
    let wrong = "SELECT v.id FROM vaults v WHERE v.balance <> $1
         + coalesce((SELECT sum(amount) FROM moved WHERE payee = v.id), 0)
         - coalesce((SELECT sum(amount) FROM moved WHERE payer = v.id), 0)";
    let wrong = witness.run(sql_query(wrong).bind::<BigInt, _>(BALANCE).affected());
    assert_eq!(wrong.expect("the accounts"), 0, "accounts off their log");
    let total = witness
        .run(sql_query("SELECT sum(balance)::bigint AS balance FROM vaults").one::<Balance>());
    assert_eq!(total.expect("the total").balance, ACCOUNTS * BALANCE);
    reported.values().filter(|done| done.is_ok()).count()
}
