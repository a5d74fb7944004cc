//! The beginner's session and a transfer, with SeaORM.

mod entities;
mod queries;

use std::time::{Duration, Instant};

use entities::{accounts, table1, transfers};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend,
    DbErr, EntityTrait as _, IsolationLevel, QueryFilter as _, QueryOrder as _, RuntimeErr,
    Statement, TransactionTrait as _, TryInsertResult,
};

const ATTEMPTS: u32 = 10;
/// The limit of one attempt, and of all attempts together.
const LIMIT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn connect(size: u32) -> Result<DatabaseConnection, AnyError> {
    let mut options = ConnectOptions::new(std::env::var("DATABASE_URL")?);
    options
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(5))
        .sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

fn plain(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}

async fn session() -> Result<(), AnyError> {
    let db = connect(2).await?;
    db.execute_unprepared(
        "CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL);
         CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)",
    )
    .await?;
    let new = |description: &str| table1::ActiveModel {
        description: Set(description.to_owned()),
        ..Default::default()
    };
    table1::Entity::insert_many([new("New table"), new("called table 1")])
        .exec(&db)
        .await?;
    let rows = table1::Entity::find().order_by_asc(table1::Column::Id);
    let shown: Vec<_> = rows
        .all(&db)
        .await?
        .iter()
        .map(|row| format!("{} {}", row.id, row.description))
        .collect();
    println!("table1: {}", shown.join(", "));

    // Without a primary key there is no entity.
    let tx = db.begin().await?;
    tx.execute(plain("INSERT INTO newtable VALUES (1, true)"))
        .await?;
    let second = db.begin().await?;
    tx.commit().await?;
    let row = second
        .query_one(plain("SELECT id, status FROM newtable"))
        .await?
        .ok_or("no row")?;
    let (id, status) = (
        row.try_get::<i32>("", "id")?,
        row.try_get::<bool>("", "status")?,
    );
    println!("a second session: {id} {status}");

    let tables =
        "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let rows = second.query_all(plain(tables)).await?;
    let names: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get("", "name")).collect();
    println!("tables: {}", names?.join(", "));
    second.rollback().await?;

    let too_long = table1::Entity::insert(new(&"x".repeat(31)));
    if let Err(error) = too_long.exec(&db).await {
        println!("too long: {}", code(&error));
    }
    Ok(())
}

/// Returns the server's code, or nothing if the server did not answer.
fn code(error: &DbErr) -> String {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return String::new();
    };
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
fn is_transient(error: &DbErr) -> bool {
    let code = code(error);
    let codes = ["40001", "40P01", "08", "57P"];
    code.is_empty() || codes.iter().any(|prefix| code.starts_with(prefix))
}

/// Moves money once for this key; returns the result and the number of attempts.
async fn transfer(
    db: &DatabaseConnection,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> Result<(Sent, u32), AnyError> {
    let deadline = Instant::now() + PATIENCE;
    for attempt in 1.. {
        let work = attempt_transfer(db, from, to, cents, key);
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

/// Inserts a transfer; returns false if there is one with this key.
async fn insert(
    db: &impl ConnectionTrait,
    key: &str,
    from: i64,
    to: i64,
    cents: i64,
) -> Result<bool, DbErr> {
    let new = transfers::ActiveModel {
        key: Set(key.to_owned()),
        sender_id: Set(from),
        receiver_id: Set(to),
        amount: Set(cents),
    };
    let conflict = OnConflict::column(transfers::Column::Key)
        .do_nothing()
        .to_owned();
    let inserted = transfers::Entity::insert(new)
        .on_conflict(conflict)
        .do_nothing();
    Ok(matches!(
        inserted.exec_without_returning(db).await?,
        TryInsertResult::Inserted(1)
    ))
}

async fn attempt_transfer(
    db: &DatabaseConnection,
    from: i64,
    to: i64,
    cents: i64,
    key: &str,
) -> Result<Sent, DbErr> {
    let isolation = Some(IsolationLevel::Serializable);
    let tx = db.begin_with_config(isolation, None).await?;
    if !insert(&tx, key, from, to, cents).await? {
        return Ok(Sent::Moved); // by an attempt whose answer was lost
    }
    let payer = accounts::Entity::find_by_id(from).one(&tx).await?;
    if payer.is_none_or(|payer| payer.balance < cents) {
        tx.rollback().await?;
        return Ok(Sent::NotEnough);
    }
    for (id, cents) in [(from, -cents), (to, cents)] {
        accounts::Entity::update_many()
            .col_expr(
                accounts::Column::Balance,
                Expr::col(accounts::Column::Balance).add(cents),
            )
            .filter(accounts::Column::Id.eq(id))
            .exec(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(Sent::Moved)
}

/// Runs transactions of ten writes, and prints the mean time of one in microseconds.
async fn writes(count: u32) -> Result<(), AnyError> {
    let db = connect(1).await?;
    let mut began = Instant::now();
    for number in 0..=count {
        if number == 1 {
            began = Instant::now(); // connecting and preparing are over
        }
        let tx = db.begin().await?;
        for _ in 0..10 {
            insert(&tx, &new_key(), 1, 2, 1).await?;
        }
        tx.commit().await?;
    }
    println!("{}", began.elapsed().as_micros() / u128::from(count));
    Ok(())
}

/// A statement fails, the error is ignored, and the transaction is committed.
async fn passed_over() -> Result<(), AnyError> {
    let tx = connect(1).await?.begin().await?;
    let insert = "INSERT INTO transfers (key, sender_id, receiver_id, amount) VALUES ('passed over', 1, 2, 1)";
    tx.execute(plain(insert)).await?;
    tx.execute(plain("SELECT 1 / 0")).await.ok(); // as careless code does
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
    let db = connect(workers).await?;
    let tasks: Vec<_> = (0..workers)
        .map(|number| {
            let db = db.clone();
            let (from, to) = if number % 2 == 1 { (1, 2) } else { (2, 1) };
            tokio::spawn(async move {
                let mut attempts = 0;
                for _ in 0..count {
                    attempts += transfer(&db, from, to, 1, &new_key()).await?.1;
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
        ["queries"] => queries::show(&connect(1).await?).await?,
        ["passed-over"] => passed_over().await?,
        ["transfer", count] => {
            let db = connect(1).await?;
            for _ in 0..count.parse()? {
                println!("{:?}", transfer(&db, 1, 2, 10, &new_key()).await?.0);
            }
        }
        ["overdraw"] => {
            let db = connect(1).await?;
            println!("{:?}", transfer(&db, 1, 2, 1_000_000, &new_key()).await?.0);
        }
        ["race", workers, count] => race(workers.parse()?, count.parse()?).await?,
        ["writes", count] => writes(count.parse()?).await?,
        _ => return Err("usage: with-sea-orm session | queries | passed-over | transfer N | overdraw | race WORKERS N | writes N".into()),
    }
    Ok(())
}
