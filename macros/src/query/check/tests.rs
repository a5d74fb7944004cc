//! Typical mistakes, as snapshots.

use std::path::Path;
use std::sync::Arc;

use super::super::message::Mistake;
use super::super::schema::{self, Schema};
use super::super::text::{Place, Sql};
use super::{against, check, within};

const AT: Place = Place {
    line: 12,
    column: 20,
};

/// Returns the repository, whose migrations are the bank's.
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

#[test]
fn mistakes_are_underlined() {
    let mistakes = [
        (r#""SELECT id, usernme FROM accounts""#, 0),
        (r#""SELECT id FROM acounts""#, 0),
        ("\"SELECT id\n    FROM accounts\n   WHERE balnce > $1\"", 1),
        (r##"r#"SELECT "Id" FROM accounts"#"##, 0),
        (r#""SELECT 'it\'s', id + username FROM accounts""#, 0),
        (r#""SELECT id FROM accounts WHERE balance > 'much'""#, 0),
        (r#""SELECT status, count(*) FROM accounts""#, 0),
        (r#""INSERT INTO accounts (usernam) VALUES ($1)""#, 1),
        (r#""SELECT id FROM accounts WHERE status = 'activ'""#, 0),
        (
            r#""SELECT id FROM accounts WHERE id = $1 AND username = $2""#,
            1,
        ),
        (r#""SELECT id FROM accounts WHERE id = $1""#, 2),
        (r#""SELECT id, balance + 1 FROM accounts""#, 0),
        (r#""SELECT a.id, b.id FROM accounts a, accounts b""#, 0),
        (
            r#""SELECT to_tsvector(username) AS words FROM accounts""#,
            0,
        ),
        (r#""SELECT id FROM accounts; SELECT 1""#, 0),
        (r#""SELEC id FROM accounts""#, 0),
        (r#""""#, 0),
    ];
    let shown: Vec<String> = mistakes
        .iter()
        .map(|(literal, arguments)| answer(literal, *arguments))
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"), @r##"
    column "usernme" does not exist (42703)
      --> src/main.rs:12:32
       |
    12 | SELECT id, usernme FROM accounts
       |            ^^^^^^^
     = help: did you mean accounts.username?

    relation "acounts" does not exist (42P01)
      --> src/main.rs:12:36
       |
    12 | SELECT id FROM acounts
       |                ^^^^^^^
     = help: check the spelling, and whether a migration creates it

    column "balnce" does not exist (42703)
      --> src/main.rs:14:10
       |
    14 |    WHERE balnce > $1
       |          ^^^^^^
     = help: did you mean accounts.balance?

    column "Id" does not exist (42703)
      --> src/main.rs:12:30
       |
    12 | SELECT "Id" FROM accounts
       |        ^^^^
     = help: did you mean accounts.id?

    syntax error: missing comma
      --> src/main.rs:12:34
       |
    12 | SELECT 'it's', id + username FROM accounts
       |             ^

    invalid input syntax for type bigint: "much" (22P02)
      --> src/main.rs:12:61
       |
    12 | SELECT id FROM accounts WHERE balance > 'much'
       |                                         ^^^^^^

    column "accounts.status" must appear in the GROUP BY clause or be used in an aggregate function (42803)
      --> src/main.rs:12:28
       |
    12 | SELECT status, count(*) FROM accounts
       |        ^^^^^^
     = help: add it to GROUP BY, or use min(), max() or another aggregate

    column "usernam" of relation "accounts" does not exist (42703)
      --> src/main.rs:12:43
       |
    12 | INSERT INTO accounts (usernam) VALUES ($1)
       |                       ^^^^^^^
     = help: check the spelling, and whether a migration creates it

    invalid input value for enum account_status: "activ" (22P02)
      --> src/main.rs:12:60
       |
    12 | SELECT id FROM accounts WHERE status = 'activ'
       |                                        ^^^^^^^
     = help: its labels are active, frozen, closed

    the query has 2 parameters, and 1 argument is given
      --> src/main.rs:12:74
       |
    12 | SELECT id FROM accounts WHERE id = $1 AND username = $2
       |                                                      ^^

    the query has 1 parameter, and 2 arguments are given

    column 2 has no name
     = help: name it in the SQL with AS

    two columns have the name id
     = help: give one of them another name with AS

    column words has type tsvector, for which there is no Rust type
      --> src/main.rs:12:53
       |
    12 | SELECT to_tsvector(username) AS words FROM accounts
       |                                 ^^^^^
     = help: cast it in the SQL to a type that Rust has, such as words::text

    cannot insert multiple commands into a prepared statement (42601)
      --> src/main.rs:12:46
       |
    12 | SELECT id FROM accounts; SELECT 1
       |                          ^^^^^^^^
     = help: write each statement by itself

    syntax error: expected command, found IDENT
      --> src/main.rs:12:21
       |
    12 | SELEC id FROM accounts
       | ^

    there is no statement (42601)
    "##);
}

/// A language server expands a call at each key that is pressed.
#[test]
fn half_typed_sql_is_an_answer() {
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
fn deep_sql_is_an_answer() {
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
fn a_panic_and_an_endless_check_are_mistakes() {
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
