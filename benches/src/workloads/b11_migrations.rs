//! B11: 500 migrations on an empty database.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use bowline::{Config, Session, StatementDsl as _, sql_query};
use diesel::{Connection as _, PgConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};

use super::Part;
use crate::rounds::{Timed, own_cpu, table};
use crate::server::Server;

pub const PART: Part = Part {
    name: "B11",
    title: "500 migrations on an empty database",
    measure,
};

const MIGRATIONS: usize = 500;
const ROUNDS: usize = 5;

/// A way to run migrations: it gets the folder of all migrations, and the URL of the database.
type Way = (&'static str, fn(&Path, &str) -> Result<(), Box<dyn Error>>);

const WAYS: [Way; 4] = [
    ("bowline", |folder, url| {
        let db = Config::from_url(url)?.open()?;
        let ran = db.migrate(FileBasedMigrations::from_path(folder)?)?;
        assert!(ran.len() == MIGRATIONS);
        Ok(())
    }),
    ("diesel_migrations", |folder, url| {
        let migrations = FileBasedMigrations::from_path(folder)?;
        let mut connection = PgConnection::establish(url)?;
        let ran = connection.run_pending_migrations(migrations);
        assert!(ran.map_err(|error| error.to_string())?.len() == MIGRATIONS);
        Ok(())
    }),
    ("psql, a transaction each", |folder, url| {
        psql(&folder.join("../each.sql"), url, &[])
    }),
    ("psql, one transaction", |folder, url| {
        psql(&folder.join("../all.sql"), url, &["--single-transaction"])
    }),
];

fn psql(file: &Path, url: &str, options: &[&str]) -> Result<(), Box<dyn Error>> {
    let status = Command::new("psql")
        .args(["-qX", "-v", "ON_ERROR_STOP=1", url, "-f"])
        .arg(file)
        .args(options)
        .status()?;
    assert!(status.success());
    Ok(())
}

fn measure(server: &Server) -> Result<String, Box<dyn Error>> {
    let folder = write_migrations()?;
    let mut session = Session::connect(&server.local.config("postgres"))?;
    let mut timed: Vec<Timed> = WAYS.iter().map(|(name, _)| Timed::new(name)).collect();
    for round in 0..ROUNDS {
        for index in 0..WAYS.len() {
            let index = (index + round) % WAYS.len();
            session.run(sql_query("CREATE DATABASE migrated").affected())?;
            let (cpu, began) = (own_cpu(), Instant::now());
            WAYS[index].1(&folder, &server.local.url("migrated"))?;
            timed[index].wall.push(began.elapsed().as_secs_f64());
            timed[index].cpu.push((own_cpu() - cpu).as_secs_f64());
            session.run(sql_query("DROP DATABASE migrated WITH (FORCE)").affected())?;
        }
    }
    if let Some(scratch) = folder.parent() {
        fs::remove_dir_all(scratch).ok();
    }
    let mut text = String::new();
    let what =
        "Unix socket. The CPU of psql is not counted, and it keeps no record of what it ran.";
    write!(text, "{what}\n\n{}\n", table(&timed))?;
    Ok(text)
}

/// Writes the folder of migrations, and the same migrations as one file, with and without
/// transactions.
fn write_migrations() -> Result<PathBuf, Box<dyn Error>> {
    let scratch = std::env::temp_dir().join(format!("bowline-bench-{}", std::process::id()));
    let folder = scratch.join("migrations");
    let (mut all, mut each) = (String::new(), String::new());
    for number in 0..MIGRATIONS {
        let statement = match number % 5 {
            0 => format!(
                "CREATE TABLE t{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);"
            ),
            1 => format!(
                "ALTER TABLE t{} ADD COLUMN amount integer NOT NULL DEFAULT 0;",
                number - 1
            ),
            2 => format!("CREATE INDEX ON t{} (amount);", number - 2),
            3 => format!("ALTER TABLE t{} ADD CHECK (amount >= 0);", number - 3),
            _ => format!(
                "ALTER TABLE t{} ALTER COLUMN name SET DEFAULT '';",
                number - 4
            ),
        };
        let own = folder.join(format!("2026-01-01-{number:06}_step"));
        fs::create_dir_all(&own)?;
        fs::write(own.join("up.sql"), &statement)?;
        fs::write(own.join("down.sql"), "SELECT 1;")?;
        writeln!(all, "{statement}")?;
        writeln!(each, "BEGIN; {statement} COMMIT;")?;
    }
    fs::write(scratch.join("all.sql"), all)?;
    fs::write(scratch.join("each.sql"), each)?;
    Ok(folder)
}
