//! The beginner's session and a transfer, with tokio-postgres and deadpool.

use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use futures_util::future::{try_join, try_join_all};
use tokio_postgres::{Error, IsolationLevel, NoTls};

const ATTEMPTS: u32 = 10;
/// The limit of one attempt, and of all attempts together.
const LIMIT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn new_pool(size: usize) -> Result<Pool, AnyError> {
    let config = std::env::var("DATABASE_URL")?.parse::<tokio_postgres::Config>()?;
    let manager = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = Manager::from_config(config, NoTls, manager);
    let timeouts = Timeouts {
        wait: Some(LIMIT),
        create: Some(LIMIT),
        recycle: Some(LIMIT),
    };
    let pool = Pool::builder(manager).max_size(size);
    Ok(pool.runtime(Runtime::Tokio1).timeouts(timeouts).build()?)
}

async fn session() -> Result<(), AnyError> {
    let pool = new_pool(2)?;
    let (mut first, second) = (pool.get().await?, pool.get().await?);
    first
        .batch_execute(
            "CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL);
             CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)",
        )
        .await?;
    for description in ["New table", "called table 1"] {
        let insert = "INSERT INTO table1 (description) VALUES ($1)";
        first.execute(insert, &[&description]).await?;
    }
    let rows = first
        .query("SELECT id, description FROM table1 ORDER BY id", &[])
        .await?;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row.get::<_, i32>(0), row.get::<_, &str>(1)))
        .collect();
    println!("table1: {}", shown.join(", "));

    let tx = first.transaction().await?;
    tx.execute("INSERT INTO newtable VALUES (1, true)", &[])
        .await?;
    tx.commit().await?;
    let row = second
        .query_one("SELECT id, status FROM newtable", &[])
        .await?;
    println!(
        "a second session: {} {}",
        row.get::<_, i32>(0),
        row.get::<_, bool>(1)
    );

    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let rows = second.query(tables, &[]).await?;
    let names: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    println!("tables: {}", names.join(", "));

    let too_long = "x".repeat(31);
    let insert = "INSERT INTO table1 (description) VALUES ($1)";
    if let Err(error) = first.execute(insert, &[&too_long]).await {
        println!("too long: {}", code(&error));
    }
    Ok(())
}

/// Returns the server's code, or nothing if the server did not answer.
fn code(error: &Error) -> &str {
    error.code().map_or("", |code| code.code())
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
    pool: &Pool,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> Result<(Sent, u32), AnyError> {
    let deadline = Instant::now() + PATIENCE;
    for attempt in 1.. {
        let mut client = pool.get().await?;
        let work = attempt_transfer(&mut client, from, to, cents, key);
        let may_retry = attempt < ATTEMPTS && Instant::now() < deadline;
        match tokio::time::timeout(LIMIT, work).await {
            Ok(Ok(sent)) => return Ok((sent, attempt)),
            // Also if the COMMIT was on its way: the key makes another attempt safe.
            Ok(Err(error)) if may_retry && is_transient(&error) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(elapsed) => {
                // The request is still in flight, so this connection cannot be used again.
                drop(Object::take(client));
                if !may_retry {
                    return Err(elapsed.into());
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(
            ..1000.min(20 << attempt),
        )))
        .await;
    }
    unreachable!("the last attempt returns")
}

async fn attempt_transfer(
    client: &mut Object,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> Result<Sent, Error> {
    let tx = client
        .build_transaction()
        .isolation_level(IsolationLevel::Serializable)
        .start()
        .await?;
    let insert = tx.prepare_cached(INSERT).await?;
    let inserted = tx.execute(&insert, &[&key, &from, &to, &cents]).await?;
    if inserted == 0 {
        return Ok(Sent::Moved); // by an attempt whose answer was lost
    }
    let balance = tx
        .prepare_cached("SELECT balance FROM accounts WHERE id = $1")
        .await?;
    let balance: i64 = tx.query_one(&balance, &[&from]).await?.get(0);
    if balance < cents {
        tx.rollback().await?;
        return Ok(Sent::NotEnough);
    }
    let update = tx
        .prepare_cached("UPDATE accounts SET balance = balance + $2 WHERE id = $1")
        .await?;
    let (less, more): ([&(dyn tokio_postgres::types::ToSql + Sync); 2], _) = (
        [&from, &-cents],
        [&to as &(dyn tokio_postgres::types::ToSql + Sync), &cents],
    );
    // Futures that are polled together travel in one round trip.
    try_join(tx.execute(&update, &less), tx.execute(&update, &more)).await?;
    tx.commit().await?;
    Ok(Sent::Moved)
}

const INSERT: &str = "INSERT INTO transfers (key, sender_id, receiver_id, amount)
    VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO NOTHING";

/// Runs transactions of ten writes, and prints the mean time of one in microseconds.
async fn writes(count: u32, pipelined: bool) -> Result<(), AnyError> {
    let pool = new_pool(1)?;
    let mut began = Instant::now();
    for number in 0..=count {
        if number == 1 {
            began = Instant::now(); // connecting and preparing are over
        }
        let mut client = pool.get().await?;
        let tx = client.transaction().await?;
        let insert = &tx.prepare_cached(INSERT).await?;
        let keys: Vec<String> = (0..10).map(|_| new_key()).collect();
        let write = async |key: &String| tx.execute(insert, &[key, &1_i64, &2_i64, &1_i64]).await;
        if pipelined {
            try_join_all(keys.iter().map(write)).await?;
        } else {
            for key in &keys {
                write(key).await?;
            }
        }
        tx.commit().await?;
    }
    println!("{}", began.elapsed().as_micros() / u128::from(count));
    Ok(())
}

/// A statement fails, the error is ignored, and the transaction is committed.
async fn passed_over() -> Result<(), AnyError> {
    let mut client = new_pool(1)?.get().await?;
    let tx = client.transaction().await?;
    let insert = "INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES ('passed over', 1, 2, 1)";
    tx.execute(insert, &[]).await?;
    tx.execute("SELECT 1 / 0", &[]).await.ok(); // as careless code does
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

async fn race(workers: usize, count: usize) -> Result<(), AnyError> {
    let pool = new_pool(workers)?;
    let workers: Vec<_> = (0..workers)
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
    let moved = workers.len() * count;
    let mut attempts = 0;
    for worker in workers {
        attempts += worker.await??;
    }
    println!("moved {moved} times, in {attempts} attempts");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["session"] => session().await?,
        ["passed-over"] => passed_over().await?,
        ["transfer", count] => {
            let pool = new_pool(1)?;
            for _ in 0..count.parse()? {
                println!("{:?}", transfer(&pool, 1, 2, 10, &new_key()).await?.0);
            }
        }
        ["overdraw"] => {
            let sent = transfer(&new_pool(1)?, 1, 2, 1_000_000, &new_key()).await?.0;
            println!("{sent:?}");
        }
        ["race", workers, count] => race(workers.parse()?, count.parse()?).await?,
        ["writes", count] => writes(count.parse()?, false).await?,
        ["writes-pipelined", count] => writes(count.parse()?, true).await?,
        _ => return Err("usage: with-tokio-postgres session | passed-over | transfer N | overdraw | race WORKERS N | writes N | writes-pipelined N".into()),
    }
    Ok(())
}
