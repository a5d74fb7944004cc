//! Databases for tests: copies that are created in advance, each used by one test only.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use bank::Account;
use bowline::testing::TestDatabase;
use bowline::{Session, sql_query};

use crate::support::{MIGRATIONS, new_account, server};

fn create() -> TestDatabase {
    TestDatabase::create(Path::new(MIGRATIONS)).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the names of the databases whose names contain this.
fn databases(part: &str) -> Vec<String> {
    let mut session = Session::connect(&server().config("postgres")).expect("a connection");
    let query = sql_query("SELECT datname::text FROM pg_database WHERE strpos(datname, $1) > 0");
    let query = query.bind::<diesel::sql_types::Text, _>(part);
    session.run(query.all::<String>()).expect("the databases")
}

#[test]
fn each_test_has_a_database_of_its_own_that_is_new() {
    let names = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let database = create();
                    let db = database.open().expect("a pool");
                    assert_eq!(db.run(Account::count()).expect("a count"), 0);
                    db.run(Account::insert(new_account("ann"))).expect("a row");
                    let is_new = names
                        .lock()
                        .expect("no panic")
                        .insert(database.name().to_owned());
                    assert!(is_new, "{}", database.name());
                    assert_eq!(databases(database.name()), [database.name()]);
                }
            });
        }
    });
    let left = databases("bowline_");
    let names = names.into_inner().expect("no panic");
    assert_eq!(names.len(), 30);
    assert!(left.iter().all(|name| !names.contains(name)), "{left:?}");
}

#[test]
fn flat_migrations_run_in_the_order_of_their_numbers() {
    let folder = std::env::temp_dir().join(format!("bowline_flat_{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, sql) in [
        ("2_b.up.sql", "INSERT INTO t VALUES (1);"),
        ("2_b.down.sql", "TRUNCATE t;"),
        (
            "10_c.sql",
            "-- no-transaction\nCREATE INDEX CONCURRENTLY ON t (a);",
        ),
        ("1_a.sql", "CREATE TABLE t (a int);"),
    ] {
        std::fs::write(folder.join(name), sql).expect("a file");
    }
    let database = TestDatabase::create(&folder).unwrap_or_else(|error| panic!("{error}"));
    let db = database.open().expect("a pool");
    let rows = sql_query("SELECT count(*) FROM t, pg_indexes WHERE tablename = 't'");
    assert_eq!(db.run(rows.one::<i64>()).expect("a count"), 1);
    std::fs::remove_dir_all(folder).expect("the folder");
}

#[test]
fn a_test_database_can_come_from_a_dump() {
    let folder = std::env::temp_dir().join(format!("bowline_dump_{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let dump = folder.join("structure.sql");
    let text = "\\restrict abc\nSELECT pg_catalog.set_config('search_path', '', false);\n\
                CREATE TABLE public.t (a int);\n\\unrestrict abc\n";
    std::fs::write(&dump, text).expect("a file");
    let database = TestDatabase::create(&dump).unwrap_or_else(|error| panic!("{error}"));
    let db = database.open().expect("a pool");
    let rows = db.run(sql_query("SELECT count(*) FROM t").one::<i64>());
    assert_eq!(rows.expect("a count"), 0);

    let catalog = folder.join("schema.json");
    std::fs::write(&catalog, "{}").expect("a file");
    let Err(error) = TestDatabase::create(&catalog) else {
        panic!("a catalog has no SQL");
    };
    assert!(error.to_string().contains("has no SQL"), "{error}");
    std::fs::remove_dir_all(folder).expect("the folder");
}

#[test]
fn few_copies_are_created_in_advance() {
    let databases_now: Vec<_> = (0..8).map(|_| create()).collect();
    let template = databases_now[0]
        .name()
        .rsplitn(3, '_')
        .nth(2)
        .expect("a template");
    let spares = format!("{template}_spare_");
    let deadline = Instant::now() + Duration::from_secs(20);
    while databases(&spares).is_empty() {
        assert!(Instant::now() < deadline, "no copy was created ahead");
        thread::sleep(Duration::from_millis(20));
    }
    // Other processes on the same server may be creating some.
    assert!(databases(&spares).len() <= 8);
}
