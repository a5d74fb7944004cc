//! Sandboxes in sequence: the next test sees no change that a test made to its session.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;

use bowline::testing::{LocalServer, sandbox};
use bowline::{Database, Result, Session, StatementDsl as _, sql_query};
use diesel::Connection as _;
use diesel::connection::{CacheSize, SimpleConnection as _};
use testkit::Proxy;

use crate::support::{MIGRATIONS, only, server};

/// A folder of migrations that no other test uses, so its sandboxes have separate sessions.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("bowline-{name}-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        let migration = folder.join("2026-01-01-000000_notes");
        fs::create_dir_all(&migration).expect("a folder");
        let up = "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL);
                  CREATE FUNCTION locks() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock(4713)';
                  CREATE TYPE mood AS ENUM ('low', 'high');";
        fs::write(migration.join("up.sql"), up).expect("a file");
        let down = "DROP TYPE mood; DROP FUNCTION locks; DROP TABLE notes;";
        fs::write(migration.join("down.sql"), down).expect("a file");
        Self(folder)
    }

    fn sandbox(&self) -> Database {
        sandbox(&self.0).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn run(db: &Database, sql: &str) -> Result<u64> {
    Ok(db.run(sql_query(sql).affected())? as u64)
}

/// Fails unless the sandbox is in the state of a new session on the migrated database.
fn assert_new(db: &Database, after: &str) {
    let left = "SELECT concat_ws(', ',
        'role ' || current_user, 'user ' || session_user, 'path ' || current_setting('search_path'),
        'memory ' || current_setting('work_mem'),
        'read only ' || current_setting('transaction_read_only'), 'level ' || current_setting('transaction_isolation'),
        'setting of its own ' || current_setting('kept.sessions', true),
        'channels ' || (SELECT string_agg(channel, ' ') FROM pg_listening_channels() AS channel),
        'locks ' || (SELECT nullif(count(*), 0) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
        'statements ' || (SELECT string_agg(name, ' ') FROM pg_prepared_statements WHERE name NOT LIKE 'bowline%'),
        'cursors ' || (SELECT nullif(count(*), 0) FROM pg_cursors WHERE name <> ''),
        'temporary ' || pg_my_temp_schema()::text,
        'rows ' || (SELECT nullif(count(*), 0) FROM notes),
        'table ' || to_regclass('extra')::text, 'type ' || to_regtype('colour')::text,
        'columns ' || (SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 'notes'::regclass AND attnum > 0))";
    let found = db.run(sql_query(left).one::<String>()).expect("an answer");
    assert_eq!(
        found,
        "role postgres, user postgres, path \"$user\", public, memory 4MB, read only off, \
         level read committed, temporary 0, columns id text",
        "after: {after}"
    );
    let last = db.run(sql_query("SELECT lastval()").one::<i64>());
    last.expect_err("no sequence was used");
    let session = db.session().expect("it is not held");
    assert_eq!(
        (session.transaction_depth(), session.is_touched()),
        (1, false),
        "after: {after}"
    );
}

/// An action of a test, and whether its session is used again afterwards.
type Deed = (&'static str, fn(&Database) -> Result<()>, bool);

const DEEDS: [Deed; 26] = [
    ("nothing", |_| Ok(()), true),
    (
        "a row",
        |db| run(db, "INSERT INTO notes (text) VALUES ('a')").map(drop),
        true,
    ),
    (
        "a failed statement",
        |db| {
            run(db, "SELECT 1/0").expect_err("a failure");
            Ok(())
        },
        true,
    ),
    (
        "a panic in a transaction",
        |db| {
            db.transaction(|tx| {
                tx.run(sql_query("INSERT INTO notes (text) VALUES ('a')").exactly(1))?;
                resume_unwind(Box::new("a deed"))
            })
        },
        true,
    ),
    (
        "a panic while the session is held",
        |db| {
            let mut session = db.session()?;
            session.run(sql_query("INSERT INTO notes (text) VALUES ('a')").exactly(1))?;
            resume_unwind(Box::new("a deed"))
        },
        true,
    ),
    (
        "an open savepoint",
        |db| {
            let mut session = db.session()?;
            session
                .batch_execute("SAVEPOINT a; INSERT INTO notes (text) VALUES ('a')")
                .map_err(bowline::Error::from)
        },
        true,
    ),
    (
        "a setting",
        |db| run(db, "SET work_mem = '77MB'").map(drop),
        true,
    ),
    (
        "a setting of the transaction",
        |db| run(db, "SET LOCAL work_mem = '78MB'").map(drop),
        true,
    ),
    (
        "a setting of its own",
        |db| run(db, "SET LOCAL kept.sessions = '1'").map(drop),
        false,
    ),
    (
        "a setting by a function",
        |db| run(db, "SELECT set_config('kept.sessions', '1', false)").map(drop),
        false,
    ),
    (
        "a role",
        |db| run(db, "SET ROLE pg_monitor").map(drop),
        true,
    ),
    (
        "a user",
        |db| run(db, "SET SESSION AUTHORIZATION pg_monitor").map(drop),
        true,
    ),
    (
        "a search path",
        |db| run(db, "SET search_path TO pg_temp, public").map(drop),
        true,
    ),
    (
        "a temporary table",
        |db| run(db, "CREATE TEMP TABLE notes (x int)").map(drop),
        true,
    ),
    (
        "a lock",
        |db| run(db, "SELECT pg_advisory_lock(4711)").map(drop),
        true,
    ),
    (
        "a lock by a guard",
        |db| {
            std::mem::forget(db.session()?.advisory_lock("kept sessions")?);
            Ok(())
        },
        true,
    ),
    (
        "a lock by a function",
        |db| run(db, "SELECT locks()").map(drop),
        true,
    ),
    (
        "a channel",
        |db| db.session()?.listen("kept_sessions"),
        true,
    ),
    (
        "a prepared statement",
        |db| run(db, "PREPARE kept_sessions AS SELECT 1").map(drop),
        true,
    ),
    (
        "a cursor that is held",
        |db| run(db, "DECLARE kept_sessions CURSOR WITH HOLD FOR SELECT 1").map(drop),
        true,
    ),
    (
        "a column",
        |db| {
            run(db, "ALTER TABLE notes ADD COLUMN more int")?;
            run(db, "SELECT * FROM notes").map(drop)
        },
        true,
    ),
    (
        "a table and a type",
        |db| {
            run(db, "CREATE TYPE colour AS ENUM ('red')")?;
            run(db, "CREATE TABLE extra (colour colour)").map(drop)
        },
        true,
    ),
    (
        "a block",
        |db| run(db, "DO $$ BEGIN PERFORM setval('notes_id_seq', 5); END $$").map(drop),
        true,
    ),
    (
        "a seed",
        |db| run(db, "SELECT setseed(0.5)").map(drop),
        false,
    ),
    (
        "limits of the client",
        |db| {
            let mut session = db.session()?;
            session.set_timeout(std::time::Duration::ZERO);
            session.set_prepared_statement_cache_size(CacheSize::Disabled);
            Ok(())
        },
        true,
    ),
    (
        "the end of its server process",
        |db| {
            run(db, "SELECT pg_terminate_backend(pg_backend_pid())").expect_err("the end");
            Ok(())
        },
        false,
    ),
];

/// Returns a pseudo-random number below `end`; the sequence is the same in each run.
fn below(state: &mut u64, end: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % end as u64) as usize
}

fn pid(db: &Database) -> i32 {
    db.session().expect("it is not held").backend_pid()
}

#[test]
fn no_state_of_a_test_reaches_the_next() {
    let folder = Folder::new("deeds");
    let mut state = 0x9E37_79B9_7F4A_7C15;
    let single = DEEDS.iter().map(|deed| vec![deed]);
    let random: Vec<Vec<_>> = (0..150)
        .map(|_| {
            let count = 2 + below(&mut state, 3);
            (0..count)
                .map(|_| &DEEDS[below(&mut state, DEEDS.len())])
                .collect()
        })
        .collect();
    let mut before = pid(&folder.sandbox());
    for deeds in single.chain(random) {
        let names: Vec<_> = deeds.iter().map(|(name, ..)| *name).collect();
        let names = names.join(", then ");
        let db = folder.sandbox();
        assert_eq!(pid(&db), before, "before: {names}");
        for (_, deed, _) in &deeds {
            // An action may fail because of an earlier one, such as a role without privileges.
            catch_unwind(AssertUnwindSafe(|| deed(&db))).ok();
        }
        drop(db);
        let next = folder.sandbox();
        let is_kept = deeds.iter().all(|(.., kept)| *kept);
        if let [_] = &*deeds {
            assert_eq!(pid(&next) == before, is_kept, "after: {names}");
        }
        before = pid(&next);
        assert_new(&next, &names);
    }
}

mod sql_types {
    #[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
    #[diesel(postgres_type(name = "mood"))]
    pub struct Mood;
    #[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
    #[diesel(postgres_type(name = "colour"))]
    pub struct Colour;
}

bowline::__generated::pg_enum! {
    /// A type that the migrations create.
    pub enum Mood: sql_types::Mood {
        Low = "low",
    }
}

bowline::__generated::pg_enum! {
    /// A type that a test creates.
    pub enum Colour: sql_types::Colour {
        Red = "red",
    }
}

#[test]
fn types_are_found_after_a_test_that_changed_the_schema() {
    let folder = Folder::new("types");
    let mut before = pid(&folder.sandbox());
    for test in 0..4 {
        let db = folder.sandbox();
        assert_eq!(pid(&db), before);
        let mood = || {
            sql_query("SELECT $1::text")
                .bind::<sql_types::Mood, _>(Mood::Low)
                .one::<String>()
        };
        assert_eq!(db.run(mood()).expect("a type of the migrations"), "low");
        if test == 0 {
            run(&db, "ALTER TYPE mood RENAME TO moods").expect("DDL");
            run(&db, "CREATE TYPE mood AS ENUM ('low')").expect("DDL");
            assert_eq!(db.run(mood()).expect("the new type"), "low");
        } else {
            run(&db, "CREATE TYPE colour AS ENUM ('red')").expect("DDL");
            let colour = sql_query("SELECT $1::text")
                .bind::<sql_types::Colour, _>(Colour::Red)
                .one::<String>();
            assert_eq!(db.run(colour).expect("a new type"), "red");
        }
        drop(db);
        before = pid(&folder.sandbox());
    }
}

#[test]
fn a_database_that_a_test_leaks_is_not_used_again() {
    let folder = Folder::new("leaks");
    let db = folder.sandbox();
    let leaked = pid(&db);
    run(&db, "INSERT INTO notes (text) VALUES ('a')").expect("a row");
    std::mem::forget(db.clone());
    drop(db);
    let next = folder.sandbox();
    assert_ne!(pid(&next), leaked);
    assert_new(&next, "a leaked database");

    // A thread that outlives its test returns the session when it ends.
    let (go_on, waits) = mpsc::channel::<()>();
    let (held, db) = (pid(&next), next.clone());
    let outlives = thread::spawn(move || {
        waits.recv().ok();
        run(&db, "INSERT INTO notes (text) VALUES ('a')")
    });
    drop(next);
    let meanwhile = folder.sandbox();
    assert_ne!(pid(&meanwhile), held);
    go_on.send(()).expect("it waits");
    outlives.join().expect("no panic").expect("a row");
    let next = folder.sandbox();
    assert_eq!(pid(&next), held);
    assert_new(&next, "a thread that outlives its test");
}

#[test]
fn a_session_that_is_never_returned_is_not_used_again() {
    let folder = Folder::new("held");
    let db = folder.sandbox();
    let held = pid(&db);
    std::mem::forget(db.session().expect("it is not held"));
    drop(db);
    let next = folder.sandbox();
    assert_ne!(pid(&next), held);
    assert_new(&next, "a session that is held for ever");
}

#[test]
fn sandboxes_side_by_side_have_a_session_each() {
    let folder = Folder::new("side-by-side");
    let count_rows = |db: &Database| db.run(sql_query("SELECT count(*) FROM notes").one::<i64>());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let db = folder.sandbox();
                    assert_eq!(count_rows(&db).expect("a count"), 0);
                    run(&db, "INSERT INTO notes (text) VALUES ('a')").expect("a row");
                    assert_eq!(count_rows(&db).expect("a count"), 1);
                }
            });
        }
    });
}

/// cargo-nextest runs this test in a separate process.
#[bowline::test]
fn a_test_that_may_have_a_process_of_its_own(db: Database) -> Result<()> {
    db.run(sql_query("INSERT INTO accounts (username) VALUES ('ann')").exactly(1))?;
    Ok(())
}

fn alone(url: &str) -> Output {
    let this = std::env::current_exe().expect("this program");
    Command::new(this)
        .args(only(
            module_path!(),
            "a_test_that_may_have_a_process_of_its_own",
        ))
        .env("BOWLINE_TEST_URL", url)
        .output()
        .expect("it runs")
}

#[test]
fn a_process_of_one_test_connects_once_and_takes_no_lock() {
    // The database that sandboxes share exists already.
    drop(sandbox(Path::new(MIGRATIONS)).expect("a sandbox"));
    let proxy = Proxy::start(&server()).expect("a proxy");
    proxy.record();
    // A sandbox that needed the server's lock would wait for this holder.
    let mut holder = Session::connect(&server().config("postgres")).expect("a connection");
    let _lock = holder.advisory_lock(0x626f_776c).expect("the lock");
    let output = alone(&proxy.url("postgres"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(proxy.connections(), 1);
    // Connecting, BEGIN with the INSERT, ROLLBACK.
    assert_eq!(proxy.take_round_trips(), 3);
}

#[test]
fn a_stopped_shared_server_is_replaced() {
    const REPLACES: &str = "BOWLINE_TEST_REPLACES";
    if std::env::var_os(REPLACES).is_none() {
        // This runs in a child process with a shared server that no other test uses.
        let folder = std::env::temp_dir().join(format!("bowline-gone-{}", std::process::id()));
        let programs = LocalServer::installed().expect("programs").0;
        std::os::unix::fs::symlink(programs, &folder).expect("a link");
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(only(module_path!(), "a_stopped_shared_server_is_replaced"))
            .env(REPLACES, "1")
            .env("BOWLINE_PG_BIN", &folder)
            .output()
            .expect("it runs");
        fs::remove_file(&folder).ok();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let folder = Folder::new("gone");
    drop(folder.sandbox());
    let first = LocalServer::start().expect("the shared server");
    first.stop().expect("it stops");
    assert_new(&folder.sandbox(), "another server");
    let second = LocalServer::start().expect("the shared server");
    assert_ne!(first.socket_folder(), second.socket_folder());
    let mode = |path: PathBuf| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    };
    let beside = second.socket_folder().parent().expect("a folder");
    for entry in fs::read_dir(beside).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".current") || name.ends_with(".binaries") {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let is_ours =
                text.contains("bowline-gone-") || second.socket_folder().ends_with(text.trim());
            assert!(!is_ours || mode(entry.path()) == 0o600, "{name}");
        }
    }
}
