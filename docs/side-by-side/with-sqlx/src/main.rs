//! The beginner's session and a transfer, with sqlx.

mod queries;

use std::time::{Duration, Instant};

use sqlx::Error;
use sqlx::postgres::{PgPool, PgPoolOptions};

const ATTEMPTS: u32 = 10;
/// The limit of one attempt, and of all attempts together.
const LIMIT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn new_pool(size: u32) -> Result<PgPool, AnyError> {
    let options = PgPoolOptions::new().max_connections(size);
    let options = options.acquire_timeout(Duration::from_secs(5));
    Ok(options.connect(&std::env::var("DATABASE_URL")?).await?)
}

async fn session() -> Result<(), AnyError> {
    let pool = new_pool(2).await?;
    sqlx::raw_sql(
        "CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL);
         CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)",
    )
    .execute(&pool)
    .await?;
    let insert = "INSERT INTO table1 (description) VALUES ($1)";
    for description in ["New table", "called table 1"] {
        sqlx::query(insert).bind(description).execute(&pool).await?;
    }
    let rows: Vec<(i32, String)> = sqlx::query_as("SELECT id, description FROM table1 ORDER BY id")
        .fetch_all(&pool)
        .await?;
    let shown: Vec<_> = rows
        .iter()
        .map(|(id, text)| format!("{id} {text}"))
        .collect();
    println!("table1: {}", shown.join(", "));

    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO newtable VALUES (1, true)")
        .execute(&mut *tx)
        .await?;
    let mut second = pool.acquire().await?;
    tx.commit().await?;
    let (id, status): (i32, bool) = sqlx::query_as("SELECT id, status FROM newtable")
        .fetch_one(&mut *second)
        .await?;
    println!("a second session: {id} {status}");

    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let names: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *second).await?;
    println!("tables: {}", names.join(", "));

    if let Err(error) = sqlx::query(insert)
        .bind("x".repeat(31))
        .execute(&pool)
        .await
    {
        println!("too long: {}", code(&error));
    }
    Ok(())
}

/// Returns the server's code, or nothing if the server did not answer.
fn code(error: &Error) -> String {
    let code = error.as_database_error().and_then(|error| error.code());
    code.unwrap_or_default().into_owned()
}

/// The result of a transfer.
#[derive(Debug)]
enum Sent {
    Moved,
    NotEnough,
}

/// Returns true if another attempt may succeed: after a conflict, or a lost connection.
fn is_transient(error: &Error) -> bool {
    let code = code(error);
    let codes = ["40001", "40P01", "08", "57P"];
    code.is_empty() || codes.iter().any(|prefix| code.starts_with(prefix))
}

/// Moves money once for this key; returns the result and the number of attempts.
async fn transfer(
    pool: &PgPool,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> Result<(Sent, u32), AnyError> {
    let deadline = Instant::now() + PATIENCE;
    for attempt in 1.. {
        let work = attempt_transfer(pool, from, to, cents, key);
        let may_retry = attempt < ATTEMPTS && Instant::now() < deadline;
        match tokio::time::timeout(LIMIT, work).await {
            Ok(Ok(sent)) => return Ok((sent, attempt)),
            // Also if the COMMIT was on its way: the key makes another attempt safe.
            Ok(Err(error)) if may_retry && is_transient(&error) => {}
            Err(_) if may_retry => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(elapsed) => return Err(elapsed.into()),
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(
            ..1000.min(20 << attempt),
        )))
        .await;
    }
    unreachable!("the last attempt returns")
}

async fn attempt_transfer(
    pool: &PgPool,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> Result<Sent, Error> {
    let mut tx = pool
        .begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE")
        .await?;
    let inserted = sqlx::query(INSERT)
        .bind(key)
        .bind(from)
        .bind(to)
        .bind(cents)
        .execute(&mut *tx)
        .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Sent::Moved); // by an attempt whose answer was lost
    }
    let balance: i64 = sqlx::query_scalar("SELECT balance FROM accounts WHERE id = $1")
        .bind(from)
        .fetch_one(&mut *tx)
        .await?;
    if balance < cents {
        tx.rollback().await?;
        return Ok(Sent::NotEnough);
    }
    for (id, cents) in [(from, -cents), (to, cents)] {
        sqlx::query("UPDATE accounts SET balance = balance + $2 WHERE id = $1")
            .bind(id)
            .bind(cents)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(Sent::Moved)
}

const INSERT: &str = "INSERT INTO transfers (key, sender_id, receiver_id, amount)
    VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING";

/// Runs transactions of ten writes, and prints the mean time of one in microseconds.
async fn writes(count: u32) -> Result<(), AnyError> {
    let pool = new_pool(1).await?;
    let mut began = Instant::now();
    for number in 0..=count {
        if number == 1 {
            began = Instant::now(); // connecting and preparing are over
        }
        let mut tx = pool.begin().await?;
        for _ in 0..10 {
            let insert = sqlx::query(INSERT).bind(new_key());
            insert
                .bind(1_i64)
                .bind(2_i64)
                .bind(1_i64)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
    }
    println!("{}", began.elapsed().as_micros() / u128::from(count));
    Ok(())
}

/// A statement fails, the error is ignored, and the transaction is committed.
async fn passed_over() -> Result<(), AnyError> {
    let pool = new_pool(1).await?;
    let mut tx = pool.begin().await?;
    let insert = "INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES ('passed over', 1, 2, 1)";
    sqlx::query(insert).execute(&mut *tx).await?;
    sqlx::query("SELECT 1 / 0").execute(&mut *tx).await.ok(); // as careless code does
    match tx.commit().await {
        Ok(()) => println!("COMMIT reported success"),
        Err(error) => println!("COMMIT reported {}", code(&error)),
    }
    Ok(())
}

/// Returns a key that no other request has.
fn new_key() -> String {
    format!("{:032x}", fastrand::u128(..))
}

async fn race(workers: u32, count: u32) -> Result<(), AnyError> {
    let pool = new_pool(workers).await?;
    let tasks: Vec<_> = (0..workers)
        .map(|number| {
            let pool = pool.clone();
            let (from, to) = if number % 2 == 1 { (1, 2) } else { (2, 1) };
            tokio::spawn(async move {
                let mut attempts = 0;
                for _ in 0..count {
                    attempts += transfer(&pool, from, to, 1, &new_key()).await?.1;
                }
                Ok::<_, AnyError>(attempts)
            })
        })
        .collect();
    let mut attempts = 0;
    for task in tasks {
        attempts += task.await??;
    }
    println!("moved {} times, in {attempts} attempts", workers * count);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["session"] => session().await?,
        ["queries"] => queries::show(&new_pool(1).await?).await?,
        ["passed-over"] => passed_over().await?,
        ["transfer", count] => {
            let pool = new_pool(1).await?;
            for _ in 0..count.parse()? {
                println!("{:?}", transfer(&pool, 1, 2, 10, &new_key()).await?.0);
            }
        }
        ["overdraw"] => {
            let pool = new_pool(1).await?;
            println!("{:?}", transfer(&pool, 1, 2, 1_000_000, &new_key()).await?.0);
        }
        ["race", workers, count] => race(workers.parse()?, count.parse()?).await?,
        ["writes", count] => writes(count.parse()?).await?,
        _ => return Err("usage: with-sqlx session | queries | passed-over | transfer N | overdraw | race WORKERS N | writes N".into()),
    }
    Ok(())
}
