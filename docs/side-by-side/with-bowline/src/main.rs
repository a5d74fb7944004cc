//! The beginner's session and a transfer, with Bowline.

mod db;
mod queries;

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::thread;
use std::time::{Duration, Instant};

use bowline::retry::RetryPolicy;
use bowline::{
    Config, Database, Error, Outcome, Page, Result, Statement, StatementDsl as _,
    TransactionOptions, sql_query,
};
use db::schema::{accounts, newtable};
use db::{
    Account, AccountConstraint, AccountId, NewTable1, NewTransfer, Table1, Transfer, TransferId,
};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Sets the limit of each call, which includes waiting for a session, all attempts, and determining
/// a lost outcome.
fn configured(config: Config) -> Config {
    config
        .call_timeout(Duration::from_secs(5))
        .retry(RetryPolicy {
            attempts: 10, // as the others have it; 5 unless set
            ..RetryPolicy::default()
        })
}

fn session(db: &Database) -> Result<(), Box<dyn std::error::Error>> {
    db.session()?
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| error.to_string())?;

    let new = |description: &'static str| {
        Table1::insert(NewTable1 {
            description: description.into(),
        })
    };
    db.run((new("New table"), new("called table 1")))?;
    let rows = db.run(Table1::list(Page::first(10)))?;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row.id, row.description))
        .collect();
    println!("table1: {}", shown.join(", "));

    // Without a primary key there is no model, so this is plain diesel. `run` commits.
    db.run(
        diesel::insert_into(newtable::table)
            .values((newtable::id.eq(1), newtable::status.eq(true)))
            .exactly(1),
    )?;

    let (_first, mut second) = (db.session()?, db.session()?);
    let (id, status) = second.run(newtable::table.one::<(Option<i32>, bool)>())?;
    println!("a second session: {} {status}", id.unwrap_or_default());

    #[derive(bowline::Row)]
    struct Table {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let tables =
        "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let tables = second.run(sql_query(tables).all::<Table>())?;
    let names: Vec<_> = tables.into_iter().map(|table| table.name).collect();
    println!("tables: {}", names.join(", "));

    let too_long = NewTable1 {
        description: "x".repeat(31).into(),
    };
    if let Err(error) = db.run(Table1::insert(too_long)) {
        println!("too long: {}", code(&error));
    }
    Ok(())
}

/// The outcome of a transfer.
#[derive(Debug, PartialEq)]
enum Sent {
    Moved,
    NotEnough,
}

/// Moves money once for this key; reads, decides, writes. Returns the result and the number of
/// attempts.
fn transfer(
    db: &Database,
    from: AccountId,
    to: AccountId,
    cents: i64,
    key: &str,
) -> Result<(Sent, u32)> {
    let (attempts, key) = (Cell::new(0), TransferId::from(key.to_owned()));
    let sent = db
        .with_options(TransactionOptions::serializable())
        .transaction(|tx| {
            attempts.set(attempts.get() + 1);
            let (done, payer) = tx.run((Transfer::find(&key), Account::get(from)))?;
            if done.is_some() {
                return Ok(Sent::Moved); // the request was sent twice
            }
            if payer.balance < cents {
                return Ok(Sent::NotEnough);
            }
            tx.run(movement(from, to, cents, &key))?;
            Ok(Sent::Moved)
        });
    Ok((sent.or_else(done_before)?, attempts.get()))
}

/// Does the same in one round trip: the table's CHECK decides, so nothing is read.
fn transfer_in_one_trip(
    db: &Database,
    from: AccountId,
    to: AccountId,
    cents: i64,
    key: &str,
) -> Result<Sent> {
    let options = TransactionOptions::serializable().with_generated_commit_key(); // so that it can be found out if its answer is lost
    match db
        .with_options(options)
        .run(movement(from, to, cents, &key.to_owned().into()))
    {
        Ok(_) => Ok(Sent::Moved),
        Err(error) if error.outcome() == Outcome::Committed => Ok(Sent::Moved),
        Err(error) if error.constraint() == Some(AccountConstraint::BalanceCheck) => {
            Ok(Sent::NotEnough)
        }
        Err(error) => done_before(error),
    }
}

fn movement(
    from: AccountId,
    to: AccountId,
    cents: i64,
    key: &TransferId,
) -> impl Statement<Output = (Transfer, usize, usize)> {
    let add = |id: AccountId, cents: i64| {
        diesel::update(accounts::table.find(id))
            .set(accounts::balance.eq(accounts::balance + cents))
            .exactly(1)
    };
    let new = NewTransfer {
        key: key.clone(),
        sender_id: from,
        receiver_id: to,
        amount: cents,
    };
    (Transfer::insert(new), add(from, -cents), add(to, cents))
}

/// Returns success for a request that was done before.
fn done_before(error: Error) -> Result<Sent> {
    match error.constraint() {
        Some(db::TransferConstraint::Pkey) => Ok(Sent::Moved),
        _ => Err(error),
    }
}

/// Runs transactions of ten writes, and prints the mean time of one in microseconds.
fn writes(db: &Database, count: u32) -> Result<()> {
    let mut began = Instant::now();
    for number in 0..=count {
        if number == 1 {
            began = Instant::now(); // connecting and preparing are over
        }
        let new = |_| NewTransfer {
            key: new_key().into(),
            sender_id: ANN,
            receiver_id: BOB,
            amount: 1,
        };
        let inserts: Vec<_> = (0..10).map(new).map(Transfer::insert).collect();
        db.run(inserts)?;
    }
    println!("{}", began.elapsed().as_micros() / u128::from(count));
    Ok(())
}

/// A statement fails, the error is ignored, and the transaction is committed.
fn passed_over(db: &Database) {
    let done = db.transaction(|tx| {
        let insert = "INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES ('passed over', 1, 2, 1)";
        tx.run(sql_query(insert).exactly(1))?;
        tx.run(sql_query("SELECT 1 / 0").affected()).ok(); // as careless code does
        Ok(())
    });
    match done {
        Ok(()) => println!("COMMIT reported success"),
        Err(error) => println!("COMMIT reported {}", code(&error)),
    }
}

/// Returns the server's code, or nothing if the server did not answer.
fn code(error: &Error) -> String {
    error
        .sqlstate()
        .map(|state| state.to_string())
        .unwrap_or_default()
}

/// Returns a key that no other request has.
fn new_key() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

const ANN: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

fn race(db: &Database, workers: usize, count: usize) -> Result<()> {
    let work = |number: usize| -> Result<u32> {
        let (from, to) = if number % 2 == 1 {
            (ANN, BOB)
        } else {
            (BOB, ANN)
        };
        (0..count)
            .map(|_| Ok(transfer(db, from, to, 1, &new_key())?.1))
            .sum()
    };
    let attempts: Result<u32> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("it does not panic"))
            .sum()
    });
    println!("moved {} times, in {} attempts", workers * count, attempts?);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let db = configured(Config::from_env()?).open()?;
    match arguments[..] {
        ["session"] => session(&db)?,
        ["queries"] => queries::show(&db)?,
        ["passed-over"] => passed_over(&db),
        ["transfer", count] => {
            for _ in 0..count.parse()? {
                println!("{:?}", transfer(&db, ANN, BOB, 10, &new_key())?.0);
            }
        }
        ["one-trip", count] => {
            for _ in 0..count.parse()? {
                println!("{:?}", transfer_in_one_trip(&db, ANN, BOB, 10, &new_key())?);
            }
        }
        ["writes", count] => writes(&db, count.parse()?)?,
        ["overdraw"] => println!("{:?}", transfer(&db, ANN, BOB, 1_000_000, &new_key())?.0),
        ["race", workers, count] => race(&db, workers.parse()?, count.parse()?)?,
        _ => return Err("usage: with-bowline session | queries | passed-over | transfer N | one-trip N | overdraw | race WORKERS N | writes N".into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bowline::testing::TestDatabase;

    use super::*;

    /// Ann and Bob, with 1000 each.
    fn seed(db: &Database) {
        let accounts =
            "INSERT INTO accounts (username, balance) VALUES ('ann', 1000), ('bob', 1000)";
        db.run(sql_query(accounts).exactly(2))
            .expect("two accounts");
    }

    fn balances(db: &Database) -> (i64, i64) {
        let (ann, bob) = db
            .run((Account::get(ANN), Account::get(BOB)))
            .expect("two accounts");
        (ann.balance, bob.balance)
    }

    #[bowline::test(database)]
    fn the_session_goes_through(db: Database) {
        session(&db).expect("it goes through");
        assert_eq!(db.run(Table1::count()).expect("a count"), 2);
    }

    #[bowline::test(database)]
    fn a_request_that_is_sent_twice_moves_money_once(db: Database) -> Result<()> {
        seed(&db);
        for _ in 0..2 {
            assert_eq!(transfer(&db, ANN, BOB, 300, "a")?.0, Sent::Moved);
            assert_eq!(transfer_in_one_trip(&db, ANN, BOB, 700, "b")?, Sent::Moved);
        }
        assert_eq!(balances(&db), (0, 2000));
        Ok(())
    }

    #[bowline::test(database)]
    fn nobody_can_overdraw(db: Database) -> Result<()> {
        seed(&db);
        assert_eq!(transfer(&db, ANN, BOB, 1001, "a")?.0, Sent::NotEnough);
        assert_eq!(
            transfer_in_one_trip(&db, ANN, BOB, 1001, "b")?,
            Sent::NotEnough
        );
        assert_eq!(balances(&db), (1000, 1000));
        Ok(())
    }

    #[test]
    fn transfers_that_race_all_come_through() -> Result<()> {
        let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let database = TestDatabase::create(migrations.as_ref()).expect("a server");
        let db = configured(database.config())
            .call_timeout(Duration::from_secs(30))
            .open()?;
        seed(&db);
        race(&db, 4, 10)?;
        let (ann, bob) = balances(&db);
        assert_eq!((ann + bob, db.run(Transfer::count())?), (2000, 40));
        Ok(())
    }
}
