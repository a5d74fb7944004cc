//! The check of one call: mistakes, half-typed SQL, and the files that it reads.

mod mistakes;

use std::path::Path;
use std::sync::Arc;

use super::super::message::Mistake;
use super::super::schema::{self, Schema};
use super::super::text::{Location, Sql};
use super::{against, check, within};

const AT: Location = Location {
    line: 12,
    column: 20,
};

/// Returns the root of the repository, whose migrations are those of the sample bank.
fn package() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn bank() -> Arc<Schema> {
    schema::of(package()).expect("the migrations can be replayed")
}

/// Returns the message for SQL as it is written in the source, or the types of its columns.
fn answer(literal: &str, arguments: usize) -> String {
    let mut sql = Sql::default();
    if let Err(why) = sql.push(literal, AT) {
        return why.to_owned();
    }
    match against(&bank(), &sql.text, &vec![false; arguments]) {
        Ok(checked) => {
            let columns = checked.query.columns.iter();
            let columns: Vec<String> = columns
                .map(|column| format!("{}: {}", column.name, column.rust_type))
                .collect();
            columns.join(", ")
        }
        Err(mistake) => mistake.shown(&sql, "src/main.rs"),
    }
}

#[test]
fn types_are_absolute_paths() {
    insta::assert_snapshot!(
        answer(
            r#""SELECT id, status, email, created_at, ARRAY[username] AS \"names?\" FROM accounts""#,
            0
        ),
        @r##"id: bank::AccountId, status: bank::AccountStatus, email: ::core::option::Option<::std::string::String>, created_at: ::chrono::DateTime<::chrono::Utc>, names: ::core::option::Option<::std::vec::Vec<::core::option::Option<::std::string::String>>>"##
    );
}

/// A language server expands a call after each key press, so SQL is often incomplete.
#[test]
fn half_typed_sql_does_not_panic() {
    let whole = "WITH rich AS (SELECT id, 'x' || username AS \"name!\" FROM accounts WHERE balance > \
                 $1::bigint AND status = ANY('{active}'::account_status[])) SELECT rich.*, (SELECT \
                 count(*) FROM transfers t WHERE t.sender_id = rich.id) AS sent FROM rich ORDER BY 1";
    let bank = bank();
    let mut accepted = 0;
    for end in 0..=whole.len() {
        for sql in [&whole[..end], &whole[end..]] {
            let mut written = Sql::default();
            written
                .push(&format!("{sql:?}"), AT)
                .expect("it is a string");
            match against(&bank, sql, &[false]) {
                Ok(_) => accepted += 1,
                Err(mistake) => {
                    let shown = mistake.shown(&written, "src/main.rs");
                    assert!(!shown.is_empty());
                }
            }
        }
    }
    assert!(accepted > 0, "the whole query is accepted");
}

#[test]
fn deeply_nested_sql_does_not_panic() {
    for sql in [
        format!("SELECT {}1{} AS a", "(".repeat(3_000), ")".repeat(3_000)),
        format!("SELECT {}1 AS a", "- ".repeat(3_000)),
        format!("SELECT 1{} AS a", " + 1".repeat(3_000)),
    ] {
        let answer = check(package(), &sql, &[]);
        assert!(answer.is_ok() || answer.is_err_and(|it| !it.message.is_empty()));
    }
}

#[test]
fn a_panic_and_an_endless_check_become_errors() {
    let second = std::time::Duration::from_millis(100);
    let panicked = within::<()>(second * 100, || panic!("no")).expect_err("a mistake");
    assert_eq!(panicked.message, "the check of this query failed: no");
    let slow = within(second, move || {
        std::thread::sleep(second * 10);
        Err::<(), _>(Mistake::new("late"))
    });
    let slow = slow.expect_err("a mistake");
    assert!(
        slow.message
            .starts_with("the check of this query takes longer")
    );
}

#[test]
fn a_changed_migration_is_read_again() {
    let folder = std::env::temp_dir().join(format!("bowline-query-{}", std::process::id()));
    let migration = folder.join("migrations/1_a");
    std::fs::create_dir_all(&migration).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("Cargo.toml", "[package]\nname = \"a\"\n");
    write(
        "migrations/1_a/up.sql",
        "CREATE TABLE t (a int PRIMARY KEY);",
    );
    let checked = |sql: &str| {
        std::thread::sleep(schema::UNREAD);
        check(&folder, sql, &[]).map(|checked| checked.query.columns.len())
    };
    assert_eq!(checked("SELECT a FROM t"), Ok(1));
    write(
        "migrations/1_a/up.sql",
        "CREATE TABLE t (b int PRIMARY KEY);",
    );
    let wrong = checked("SELECT a FROM t").expect_err("the column is gone");
    assert_eq!(wrong.code, Some("42703"));
    std::fs::create_dir_all(folder.join("migrations/2_b")).expect("a folder");
    write("migrations/2_b/up.sql", "ALTER TABLE t ADD a int;");
    assert_eq!(checked("SELECT a, b FROM t"), Ok(2));
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
}

#[test]
fn a_query_that_locks_counts_as_writing() {
    let schema = bank();
    let writes = |sql: &str| {
        let checked = against(&schema, sql, &[]).expect("a query");
        checked.query.writes
    };
    assert!(!writes("SELECT id FROM accounts"));
    for sql in [
        "SELECT id FROM accounts FOR UPDATE",
        "SELECT id FROM accounts FOR NO KEY UPDATE SKIP LOCKED",
        "SELECT a.id FROM accounts a, transfers t FOR SHARE OF a",
        "SELECT s.id FROM (SELECT id FROM accounts FOR KEY SHARE) s",
        "WITH a AS (UPDATE accounts SET balance = 0 RETURNING id) SELECT id FROM a",
    ] {
        assert!(writes(sql), "{sql}");
    }
}

/// The other package has the migrations, and its generated code.
#[test]
fn the_setting_package_names_the_migrations() {
    let folder = std::env::temp_dir().join(format!("bowline-package-{}", std::process::id()));
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("app/Cargo.toml", "[package]\nname = \"app\"\n");
    write("app/bowline.toml", "package = \"../data\"\n");
    write("data/Cargo.toml", "[package]\nname = \"my-data\"\n");
    write(
        "data/diesel.toml",
        "[print_schema]\nfile = \"src/db/schema.rs\"\n",
    );
    write("data/bowline.toml", "postgres = \"16\"\n");
    let migration = "CREATE TABLE things (id bigint PRIMARY KEY);";
    write("data/migrations/1_things/up.sql", migration);
    let app = folder.join("app");
    let checked = check(&app, "SELECT id FROM things", &[]).expect("a query");
    assert_eq!(checked.query.columns[0].rust_type, "my_data::db::ThingId");
    let names: Vec<_> = checked
        .files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name.ends_with("migrations/1_things/up.sql")),
        "{names:?}"
    );
    let new = check(&app, "SELECT casefold('A') AS name", &[]).expect_err("it is too new");
    assert_eq!(
        new.message,
        "`casefold` came with PostgreSQL 18; the settings say 16"
    );
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
}

/// A statement whose effect depends on the server.
const DYNAMIC: &str = "DO $$ BEGIN IF current_setting('server_version_num')::int > 1 THEN \
                       CREATE TABLE t (a int PRIMARY KEY); END IF; END $$;";

#[test]
fn the_committed_catalog_replaces_unsupported_migrations() {
    let folder = std::env::temp_dir().join(format!("bowline-committed-{}", std::process::id()));
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let checked = || {
        std::thread::sleep(schema::UNREAD);
        check(&folder, "SELECT a FROM t", &[]).map(|checked| checked.query.columns.len())
    };
    write("Cargo.toml", "[package]\nname = \"a\"\n");
    write("migrations/1_a/up.sql", DYNAMIC);
    let missing = checked().expect_err("no catalog is committed");
    assert!(
        missing.message.contains("cannot be followed"),
        "{missing:?}"
    );
    let hint = missing.hint.unwrap_or_default();
    assert!(
        hint.contains("`bowline generate`") && hint.contains("schema.catalog"),
        "{hint}"
    );
    let plain = bowline_migrations::SqlFile {
        path: "1".into(),
        text: "CREATE TABLE t (a int PRIMARY KEY);".to_owned(),
    };
    let catalog = bowline_catalog::replay::replay([&plain]).catalog;
    let prints = [("1_a".to_owned(), bowline_migrations::fingerprint(DYNAMIC))];
    let text = bowline_plan::committed::write(&catalog, &prints).expect("a text");
    write("src/schema.catalog", &text);
    assert_eq!(checked(), Ok(1));
    write("migrations/2_b/up.sql", "CREATE TABLE u (a int);");
    let older = checked().expect_err("a migration was added");
    assert_eq!(
        older.message,
        "src/schema.catalog is older than the migrations: 2_b was added"
    );
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
}
