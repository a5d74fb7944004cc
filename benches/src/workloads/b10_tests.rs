//! B10: small tests, each on a database in the state after the migrations.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
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
    /// The number of tests; fewer if each creates a database.
    count: usize,
    head: &'static str,
    /// The text of a test, with `NAME` in place of its name.
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
    let binaries = build(&package)?;
    // Bowline's tests share a server, which runs as long as this process uses it too. The peers use
    // another server with the same settings, since sqlx leaves a schema in it.
    let _shared = LocalServer::start()?;
    let peers = LocalServer::private(&[])?;
    let mut session = Session::connect(&peers.config("postgres"))?;
    session.run(sql_query("CREATE DATABASE diesel_tests").affected())?;
    Session::connect(&peers.config("diesel_tests"))?.run(sql_query(TABLE).affected())?;
    let with_urls = |mut command: Command| {
        command
            .env("DATABASE_URL", peers.url("postgres"))
            .env("DIESEL_URL", peers.url("diesel_tests"));
        command
    };

    let mut text = String::new();
    for threads in [1, 8] {
        let table = in_rounds(|tests| {
            let mut command = with_urls(package.cargo(&["test", "--quiet", "--test", tests.file]));
            command.args(["--", "--test-threads", &threads.to_string()]);
            passes(&mut command, tests.count)?;
            Ok(tests.count)
        })?;
        write!(
            text,
            "{threads} at a time; cargo's own time is in it.\n\n{table}\n"
        )?;
    }
    for processes in [1, 8] {
        let table = in_rounds(|tests| {
            let binary = &binaries[tests.file];
            let count = tests.count.min(ALONE);
            thread::scope(|scope| {
                let runs: Vec<_> = (0..processes)
                    .map(|first| {
                        scope.spawn(move || -> Result<(), String> {
                            for number in (first..count).step_by(processes) {
                                let mut command = with_urls(Command::new(binary));
                                command.args(["--exact", &format!("test_{number}")]);
                                passes(&mut command, 1).map_err(|error| error.to_string())?;
                            }
                            Ok(())
                        })
                    })
                    .collect();
                let mut done = runs.into_iter();
                done.try_for_each(|run| run.join().expect("no panic"))
            })?;
            Ok(count)
        })?;
        write!(
            text,
            "A process for each test, as cargo-nextest has it, {processes} at a time.\n\n{table}\n"
        )?;
    }
    Ok(text)
}

/// The number of tests that run in a process each.
const ALONE: usize = 100;

/// Builds the tests; returns the program of each file.
fn build(package: &Package) -> Result<BTreeMap<&'static str, PathBuf>, Box<dyn Error>> {
    let output = succeed(&mut package.cargo(&["test", "--no-run", "--message-format", "json"]))?;
    let output = String::from_utf8(output.stdout)?;
    let program = |file: &'static str| {
        let mut paths = output
            .split("\"executable\":\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        let path = paths.find(|path| path.contains(&format!("/{file}-")))?;
        Some((file, PathBuf::from(path)))
    };
    ALL.iter()
        .map(|tests| {
            program(tests.file).ok_or_else(|| format!("no program of {}", tests.file).into())
        })
        .collect()
}

/// Runs tests, and fails unless this many pass.
fn passes(command: &mut Command, count: usize) -> Result<(), Box<dyn Error>> {
    let output = succeed(command)?;
    let passed = format!(" {count} passed");
    let output = String::from_utf8_lossy(&output.stdout);
    if output.contains(&passed) {
        return Ok(());
    }
    Err(format!("not {count} passed: {output}").into())
}

/// Runs all tests in rounds; `run` returns how many it has run.
fn in_rounds(
    run: impl Fn(&Tests) -> Result<usize, Box<dyn Error>>,
) -> Result<Table, Box<dyn Error>> {
    let mut rates = vec![Vec::new(); ALL.len()];
    let mut counts = vec![0; ALL.len()];
    for round in 0..=ROUNDS {
        for (index, tests) in ALL.iter().enumerate() {
            let began = Instant::now();
            counts[index] = run(tests)?;
            // The first round creates the server and databases that later rounds use.
            if round > 0 {
                rates[index].push(counts[index] as f64 / began.elapsed().as_secs_f64());
            }
        }
    }
    let mut table = Table::new(&[
        "tests",
        "how many",
        "a second: median (least to most)",
        "by bowline, rolled back",
    ]);
    for ((tests, of), count) in ALL.iter().zip(&rates).zip(counts) {
        let (low, high) = (thousands(least(of)), thousands(most(of)));
        table.row([
            tests.name.to_owned(),
            count.to_string(),
            format!("{} ({low} to {high})", thousands(median(of))),
            format!("{:.2}", median(&ratios(of, &rates[0]))),
        ]);
    }
    Ok(table)
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
