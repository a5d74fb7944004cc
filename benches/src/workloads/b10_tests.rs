//! B10: small tests, each of which finds the database as the migrations leave it.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};

use super::Part;
use crate::package::{Package, REPOSITORY, succeed};
use crate::rounds::{least, median, most, ratios};
use crate::server::Server;
use crate::table::{Table, thousands};

pub const PART: Part = Part {
    name: "B10",
    title: "tests that insert a row and count, through `cargo test`",
    measure,
};

const ROUNDS: usize = 3;
const TABLE: &str =
    "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL);";

/// A file of tests.
struct Tests {
    /// The file's name below `tests`.
    file: &'static str,
    name: &'static str,
    /// How many tests it has: fewer of those that make a database each.
    count: usize,
    head: &'static str,
    /// A test, with `NAME` for its name.
    test: &'static str,
}

const ALL: &[Tests] = &[
    Tests {
        file: "bowline_sandbox",
        name: "bowline, rolled back",
        count: 1_000,
        head: BOWLINE,
        test: "#[bowline::test]\nfn NAME(db: Database) -> Result<()> { insert_and_count(&db) }\n",
    },
    Tests {
        file: "diesel_transaction",
        name: "diesel, test transaction",
        count: 1_000,
        head: DIESEL,
        test: "#[test]\nfn NAME() { insert_and_count(); }\n",
    },
    Tests {
        file: "bowline_database",
        name: "bowline, a database each",
        count: 100,
        head: BOWLINE,
        test: "#[bowline::test(database)]\nfn NAME(db: Database) -> Result<()> { insert_and_count(&db) }\n",
    },
    #[cfg(feature = "sqlx")]
    Tests {
        file: "sqlx_database",
        name: "sqlx::test, a database each",
        count: 100,
        head: SQLX,
        test: "#[sqlx::test(migrations = \"./sqlx-migrations\")]\nasync fn NAME(pool: PgPool) { insert_and_count(pool).await; }\n",
    },
];

const BOWLINE: &str = r#"
use bowline::{Database, Result, StatementDsl as _, sql_query};

fn insert_and_count(db: &Database) -> Result<()> {
    db.run(sql_query("INSERT INTO notes (text) VALUES ('a')").exactly(1))?;
    assert_eq!(db.run(sql_query("SELECT count(*) FROM notes").one::<i64>())?, 1);
    Ok(())
}
"#;

const DIESEL: &str = r#"
use diesel::prelude::*;

diesel::table! { notes (id) { id -> BigInt, text -> Text, } }

fn insert_and_count() {
    let url = std::env::var("DIESEL_URL").expect("a URL");
    let mut connection = PgConnection::establish(&url).expect("a connection");
    connection.begin_test_transaction().expect("a transaction");
    diesel::insert_into(notes::table).values(notes::text.eq("a")).execute(&mut connection).expect("a row");
    assert_eq!(notes::table.count().get_result(&mut connection), Ok(1_i64));
}
"#;

#[cfg(feature = "sqlx")]
const SQLX: &str = r#"
use sqlx::PgPool;

async fn insert_and_count(pool: PgPool) {
    sqlx::query("INSERT INTO notes (text) VALUES ('a')").execute(&pool).await.expect("a row");
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&pool).await.expect("a count");
    assert_eq!(count, 1);
}
"#;

fn measure(_: &Server) -> Result<String, Box<dyn Error>> {
    let package = write_package()?;
    succeed(&mut package.cargo(&["test", "--quiet", "--no-run"]))?;
    // The server that tests share stays as long as this process uses it too.
    let server = LocalServer::start()?;
    let mut session = Session::connect(&server.config("postgres"))?;
    session.run(sql_query("DROP DATABASE IF EXISTS diesel_tests").affected())?;
    session.run(sql_query("CREATE DATABASE diesel_tests").affected())?;
    Session::connect(&server.config("diesel_tests"))?.run(sql_query(TABLE).affected())?;

    let mut text = String::new();
    for threads in [1, 8] {
        let mut rates = vec![Vec::new(); ALL.len()];
        for round in 0..=ROUNDS {
            for (tests, rates) in ALL.iter().zip(&mut rates) {
                let mut command = package.cargo(&["test", "--quiet", "--test", tests.file]);
                command
                    .args(["--", "--test-threads", &threads.to_string()])
                    .env("DATABASE_URL", server.url("postgres"))
                    .env("DIESEL_URL", server.url("diesel_tests"));
                let began = Instant::now();
                let output = succeed(&mut command)?;
                let passed = format!("{} passed", tests.count);
                assert!(String::from_utf8_lossy(&output.stdout).contains(&passed));
                // The first round makes what later ones find.
                if round > 0 {
                    rates.push(tests.count as f64 / began.elapsed().as_secs_f64());
                }
            }
        }
        let mut table = Table::new(&[
            "tests",
            "how many",
            "a second: median (least to most)",
            "by bowline, rolled back",
        ]);
        for (tests, of) in ALL.iter().zip(&rates) {
            let (low, high) = (thousands(least(of)), thousands(most(of)));
            table.row([
                tests.name.to_owned(),
                tests.count.to_string(),
                format!("{} ({low} to {high})", thousands(median(of))),
                format!("{:.2}", median(&ratios(of, &rates[0]))),
            ]);
        }
        write!(
            text,
            "{threads} at a time; cargo's own time is in it.\n\n{table}\n"
        )?;
    }
    session.run(sql_query("DROP DATABASE diesel_tests").affected())?;
    Ok(text)
}

fn write_package() -> Result<Package, Box<dyn Error>> {
    let mut dependencies = format!(
        "bowline = {{ path = \"{REPOSITORY}\", features = [\"testing\"] }}\n\
         diesel = {{ version = \"2.3.14\", default-features = false, features = [\"postgres\"] }}\n"
    );
    if cfg!(feature = "sqlx") {
        dependencies += "sqlx = { version = \"0.9\", default-features = false, \
            features = [\"macros\", \"migrate\", \"postgres\", \"runtime-tokio\"] }\n";
    }
    let package = Package::write("tests-a-second", &dependencies)?;
    package.file("migrations/2026-01-01-000000_notes/up.sql", TABLE)?;
    package.file(
        "migrations/2026-01-01-000000_notes/down.sql",
        "DROP TABLE notes;",
    )?;
    package.file("sqlx-migrations/1_notes.sql", TABLE)?;
    for tests in ALL {
        let mut source = tests.head.to_owned();
        for number in 0..tests.count {
            write!(
                source,
                "\n{}",
                tests.test.replace("NAME", &format!("test_{number}"))
            )?;
        }
        package.file(&format!("tests/{}.rs", tests.file), &source)?;
    }
    Ok(package)
}
