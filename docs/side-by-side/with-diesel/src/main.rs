//! The beginner's session and a transfer, with diesel.

// The same migrations as for Bowline, and the file that `diesel print-schema` writes for them.
mod queries;
#[path = "../../with-bowline/src/db/schema.rs"]
mod schema;

use std::thread;
use std::time::{Duration, Instant};

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use schema::{accounts, newtable, table1, transfers};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../with-bowline/migrations");
const ATTEMPTS: u32 = 10;
/// The limit of all attempts together.
const PATIENCE: Duration = Duration::from_secs(10);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Returns the URL with limits for connecting and for each statement. The server applies the
/// latter, so it does not help if the server hangs; tcp_user_timeout is for lost packets.
fn url() -> Result<String, AnyError> {
    let url = std::env::var("DATABASE_URL")?;
    let limits = "connect_timeout=5&tcp_user_timeout=5000&options=-c%20statement_timeout%3D5s";
    Ok(format!(
        "{url}{}{limits}",
        if url.contains('?') { '&' } else { '?' }
    ))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = table1)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct Table1 {
    id: i32,
    description: String,
}

fn session() -> Result<(), AnyError> {
    let conn = &mut PgConnection::establish(&url()?)?;
    conn.run_pending_migrations(MIGRATIONS)?;

    diesel::insert_into(table1::table)
        .values(&[
            table1::description.eq("New table"),
            table1::description.eq("called table 1"),
        ])
        .execute(conn)?;
    let rows = table1::table
        .order(table1::id)
        .select(Table1::as_select())
        .load(conn)?;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row.id, row.description))
        .collect();
    println!("table1: {}", shown.join(", "));

    conn.transaction(|conn| {
        diesel::insert_into(newtable::table)
            .values((newtable::id.eq(1), newtable::status.eq(true)))
            .execute(conn)
    })?;

    let second = &mut PgConnection::establish(&url()?)?;
    let (id, status) = newtable::table.first::<(Option<i32>, bool)>(second)?;
    println!("a second session: {} {status}", id.unwrap_or_default());

    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let tables =
        "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let tables = diesel::sql_query(tables).load::<Table>(conn)?;
    let names: Vec<_> = tables.into_iter().map(|table| table.name).collect();
    println!("tables: {}", names.join(", "));

    let too_long = table1::description.eq("x".repeat(31));
    match diesel::insert_into(table1::table)
        .values(too_long)
        .execute(conn)
    {
        // diesel has no SQLSTATE, and the message is in the server's language.
        Err(Error::DatabaseError(kind, information)) => {
            println!("too long: {kind:?}, {}", information.message());
        }
        other => println!("too long: {other:?}"),
    }
    Ok(())
}

type PgPool = Pool<ConnectionManager<PgConnection>>;

fn new_pool(size: u32) -> Result<PgPool, AnyError> {
    Ok(Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(5))
        .build(ConnectionManager::new(url()?))?)
}

/// The outcome of a transfer.
#[derive(Debug)]
enum Sent {
    Moved,
    NotEnough,
}

/// Returns true if another attempt may succeed: after a conflict, or a lost connection. diesel has
/// no error kind for a deadlock.
fn is_transient(error: &Error) -> bool {
    match error {
        Error::DatabaseError(
            DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | Error::BrokenTransactionManager => true,
        Error::DatabaseError(_, information) => information.message() == "deadlock detected",
        Error::RollbackErrorOnCommit { commit_error, .. } => is_transient(commit_error),
        _ => false,
    }
}

/// Moves money once for this key; returns the result and the number of attempts.
fn transfer(
    pool: &PgPool,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> Result<(Sent, u32), AnyError> {
    let deadline = Instant::now() + PATIENCE;
    for attempt in 1.. {
        let done = attempt_transfer(&mut *pool.get()?, from, to, cents, key);
        match done {
            Ok(sent) => return Ok((sent, attempt)),
            // Also if the COMMIT was on its way. The key makes another attempt safe: if the work is
            // done, the attempt finds the key and does nothing.
            Err(error)
                if is_transient(&error) && attempt < ATTEMPTS && Instant::now() < deadline => {}
            Err(error) => return Err(error.into()),
        }
        thread::sleep(Duration::from_millis(fastrand::u64(
            ..1000.min(20 << attempt),
        )));
    }
    unreachable!("the last attempt returns")
}

fn attempt_transfer(
    conn: &mut PgConnection,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> QueryResult<Sent> {
    let done = conn.build_transaction().serializable().run(|conn| {
        let inserted = diesel::insert_into(transfers::table)
            .values((
                transfers::key.eq(key),
                transfers::sender_id.eq(from),
                transfers::receiver_id.eq(to),
                transfers::amount.eq(cents),
            ))
            .on_conflict_do_nothing()
            .execute(conn)?;
        if inserted == 0 {
            return Ok(Sent::Moved); // by an attempt whose answer was lost
        }
        let balance: i64 = accounts::table
            .find(from)
            .select(accounts::balance)
            .first(conn)?;
        if balance < cents {
            return Err(Error::RollbackTransaction);
        }
        for (id, cents) in [(from, -cents), (to, cents)] {
            diesel::update(accounts::table.find(id))
                .set(accounts::balance.eq(accounts::balance + cents))
                .execute(conn)?;
        }
        Ok(Sent::Moved)
    });
    match done {
        Err(Error::RollbackTransaction) => Ok(Sent::NotEnough),
        done => done,
    }
}

/// Runs transactions of ten writes, and prints the mean time of one in microseconds.
fn writes(count: u32) -> Result<(), AnyError> {
    let pool = new_pool(1)?;
    let mut began = Instant::now();
    for number in 0..=count {
        if number == 1 {
            began = Instant::now(); // connecting and preparing are over
        }
        pool.get()?.transaction(|conn| {
            for _ in 0..10 {
                diesel::insert_into(transfers::table)
                    .values((
                        transfers::key.eq(new_key()),
                        transfers::sender_id.eq(1),
                        transfers::receiver_id.eq(2),
                        transfers::amount.eq(1),
                    ))
                    .execute(conn)?;
            }
            QueryResult::Ok(())
        })?;
    }
    println!("{}", began.elapsed().as_micros() / u128::from(count));
    Ok(())
}

/// A statement fails, the error is ignored, and the transaction is committed.
fn passed_over() -> Result<(), AnyError> {
    let conn = &mut PgConnection::establish(&url()?)?;
    let done = conn.transaction(|conn| {
        let insert = "INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES ('passed over', 1, 2, 1)";
        diesel::sql_query(insert).execute(conn)?;
        diesel::sql_query("SELECT 1 / 0").execute(conn).ok(); // as careless code does
        QueryResult::Ok(())
    });
    match done {
        Ok(()) => println!("COMMIT reported success"),
        Err(error) => println!("COMMIT reported {error}"),
    }
    Ok(())
}

/// Returns a key that no other request has.
fn new_key() -> String {
    format!("{:032x}", fastrand::u128(..))
}

fn race(workers: u32, count: u32) -> Result<(), AnyError> {
    let pool = &new_pool(workers)?;
    let work = |number: u32| -> Result<u32, AnyError> {
        let (from, to) = if number % 2 == 1 { (1, 2) } else { (2, 1) };
        (0..count)
            .map(|_| Ok(transfer(pool, from, to, 1, &new_key())?.1))
            .sum()
    };
    let attempts: Result<u32, AnyError> = thread::scope(|scope| {
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

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["session"] => session()?,
        ["queries"] => queries::show(&mut PgConnection::establish(&url()?)?)?,
        ["passed-over"] => passed_over()?,
        ["transfer", count] => {
            let pool = new_pool(1)?;
            for _ in 0..count.parse()? {
                println!("{:?}", transfer(&pool, 1, 2, 10, &new_key())?.0);
            }
        }
        ["overdraw"] => println!(
            "{:?}",
            transfer(&new_pool(1)?, 1, 2, 1_000_000, &new_key())?.0
        ),
        ["race", workers, count] => race(workers.parse()?, count.parse()?)?,
        ["writes", count] => writes(count.parse()?)?,
        _ => {
            return Err(
                "usage: with-diesel session | queries | passed-over | transfer N | overdraw | race WORKERS N | writes N"
                    .into(),
            );
        }
    }
    Ok(())
}
