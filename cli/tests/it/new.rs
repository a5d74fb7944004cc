//! `bowline new`.

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};

use crate::Project;

/// Returns output with a placeholder for the version.
fn printed(project: &Project, arguments: &[&str]) -> String {
    let version = regex::Regex::new(r"20\d\d-\d\d-\d\d-\d{6}").expect("an expression");
    version
        .replace_all(&project.printed(arguments, &[]), "[version]")
        .into_owned()
}

/// Returns the names of the migrations, and the text of one file of each.
fn migrations(project: &Project, file: &str) -> Vec<(String, String)> {
    let folder = std::fs::read_dir(project.path("migrations")).expect("a folder");
    let mut found: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(path.join(file)).expect("a file");
            (name, text)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_migration_is_two_files_in_diesels_format() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(printed(&project, &["new", "add_email"]), @r"
    wrote migrations/[version]_add_email/up.sql
    wrote migrations/[version]_add_email/down.sql
    write the SQL, then run `bowline generate` and `bowline migrate run`
    exit 0
    ");
    insta::assert_snapshot!(migrations(&project, "up.sql")[0].1, @r"
    -- add email
    --
    -- Runs in a transaction of its own. A statement that cannot run in a transaction (CREATE INDEX
    -- CONCURRENTLY) needs a migration of its own, with a file metadata.toml beside its up.sql that
    -- contains: run_in_transaction = false
    ");
    insta::assert_snapshot!(migrations(&project, "down.sql")[0].1, @r"
    -- Reverts: add email
    --
    -- `bowline verify` tests it. Delete this file if the migration cannot be reverted.
    ");
    assert!(project.run(&["generate", "--offline"]).status.success());
}

#[test]
fn two_migrations_of_one_second_have_two_versions() {
    let project = Project::new(&[]);
    for _ in 0..3 {
        assert!(project.run(&["new", "same"]).status.success());
    }
    let names: Vec<String> = migrations(&project, "up.sql")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names.len(), 3);
    assert!(
        project.run(&["catalog"]).status.success(),
        "no two have one version"
    );
}

#[test]
fn a_bad_name_is_refused_with_its_reason() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(project.printed(&["new", "add email"], &[]), @r"
    error: invalid value 'add email' for '[NAME]': it is the name of a folder; use add_email

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(project.printed(&["new", "../up"], &[]), @r"
    error: invalid value '../up' for '[NAME]': '.' is not allowed; use letters, digits, _ and -

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(project.printed(&["new"], &[]), @r"
    error: the following required arguments were not provided:
      <NAME>

    Usage: bowline new <NAME>

    For more information, try '--help'.
    exit 2
    ");
    assert!(!project.has("migrations"), "nothing was written");
}

#[test]
fn a_migration_after_the_new_one_is_noted() {
    let project = Project::new(&[("migrations/9_last/up.sql", "SELECT 1;")]);
    insta::assert_snapshot!(printed(&project, &["new", "add_email"]), @r"
    wrote migrations/[version]_add_email/up.sql
    wrote migrations/[version]_add_email/down.sql
    note: 9_last comes after the new migration: its version is greater
    write the SQL, then run `bowline generate` and `bowline migrate run`
    exit 0
    ");
}

#[test]
fn commit_keys_are_created_once() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(printed(&project, &["new", "--commit-keys"]), @r"
    wrote migrations/[version]_create_commit_keys/up.sql
    wrote migrations/[version]_create_commit_keys/down.sql
    run `bowline migrate run`; the documentation of bowline::commit_keys explains how to use them
    exit 0
    ");
    assert!(
        migrations(&project, "up.sql")[0]
            .1
            .contains("CREATE TABLE __bowline_commit_keys")
    );
    assert!(
        migrations(&project, "down.sql")[0]
            .1
            .contains("DROP TABLE __bowline_commit_keys")
    );
    insta::assert_snapshot!(printed(&project, &["new", "--commit-keys"]), @r"
    error: [version]_create_commit_keys already creates the table of commit keys
    exit 1
    ");
}

/// A project with a table in use.
pub(crate) fn in_use() -> Project {
    Project::new(&[(
        "migrations/1_accounts/up.sql",
        "CREATE TABLE owners (id bigint PRIMARY KEY);
         CREATE TABLE accounts (id bigint PRIMARY KEY, owner bigint, email varchar(200), age int NOT NULL,
             note text DEFAULT '');
         CREATE TABLE cars (owner bigint REFERENCES owners);
         CREATE TABLE tickets (id serial PRIMARY KEY, n int);
         CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int);
         CREATE TABLE events (id bigint, kind text) PARTITION BY RANGE (id);
         CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
         CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20);
         CREATE INDEX accounts_age ON accounts (age);",
    )])
}

/// The statements that `--safe` is made for.
pub(crate) const STATEMENTS: &[(&str, &str)] = &[
    (
        "not null",
        "ALTER TABLE accounts ALTER COLUMN email SET NOT NULL",
    ),
    (
        "foreign key",
        "ALTER TABLE accounts ADD FOREIGN KEY (owner) REFERENCES owners (id);",
    ),
    ("unique", "ALTER TABLE accounts ADD UNIQUE (email)"),
    ("check", "ALTER TABLE accounts ADD CHECK (age >= 0)"),
    ("index", "CREATE INDEX ON accounts (lower(email))"),
    ("type", "ALTER TABLE accounts ALTER COLUMN age TYPE bigint"),
    ("rename", "ALTER TABLE accounts RENAME COLUMN age TO years"),
    ("drop", "ALTER TABLE accounts DROP COLUMN age"),
    (
        "add",
        "ALTER TABLE accounts ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()",
    ),
    (
        "value",
        "ALTER TABLE accounts ADD COLUMN required int NOT NULL",
    ),
    ("plain", "ALTER TABLE accounts ADD COLUMN nick text"),
    ("serial", "ALTER TABLE tickets ALTER COLUMN id TYPE bigint"),
    ("identity", "ALTER TABLE orders ALTER COLUMN id TYPE bigint"),
    ("partitions", "CREATE INDEX ON events (kind)"),
    ("detach", "ALTER TABLE events DETACH PARTITION events_2"),
    ("update", "UPDATE accounts SET note = lower(note)"),
    ("delete", "DELETE FROM accounts WHERE age > 90"),
];

#[test]
fn the_safe_steps_of_a_statement_are_migrations() {
    let mut all = String::new();
    for (_, sql) in STATEMENTS {
        let project = in_use();
        let shown = printed(&project, &["new", "--safe", sql]);
        assert!(shown.ends_with("exit 0"), "{sql}: {shown}");
        all.push_str(&format!("== {sql}\n"));
        let notes = shown.lines().filter(|line| !line.starts_with("wrote"));
        notes.for_each(|line| all.push_str(&format!("{line}\n")));
        for folder in folders(&project) {
            let name = folder.split_once('_').map_or("", |(_, name)| name);
            if name == "accounts" {
                continue;
            }
            let read = |file: &str| {
                std::fs::read_to_string(project.path("migrations").join(&folder).join(file)).ok()
            };
            let outside = match read("metadata.toml") {
                Some(_) => " (without a transaction)",
                None => "",
            };
            let up = read("up.sql").expect("a file");
            let down = read("down.sql").unwrap_or_else(|| "none".to_owned());
            all.push_str(&format!("-- {name}{outside}\n{up}-- down\n{down}"));
        }
    }
    insta::assert_snapshot!(all);
}

/// Returns the names of the migrations, in order.
pub(crate) fn folders(project: &Project) -> Vec<String> {
    let folder = std::fs::read_dir(project.path("migrations")).expect("a folder");
    let mut names: Vec<String> = folder
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn the_safe_steps_run_up_and_down_on_a_server() {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    for (_, sql) in STATEMENTS {
        let project = in_use();
        assert!(
            project.run(&["new", "--safe", sql]).status.success(),
            "{sql}"
        );
        for folder in folders(&project) {
            // The value that a person writes.
            let up = format!("migrations/{folder}/up.sql");
            project.write(&up, &project.read(&up).replace("= ..", "= 0"));
        }
        let verified = project.printed(&["verify", "--database-url", &server.url("postgres")], &[]);
        assert!(verified.ends_with("exit 0"), "{sql}: {verified}");
    }
}

#[test]
fn a_statement_without_safe_steps_is_refused() {
    let project = in_use();
    for (sql, why) in [
        ("", "--safe takes one statement"),
        ("SELECT 1; SELECT 2", ""),
        ("ALTER TABLE missing ADD a int", ""),
        (
            "ALTER TABLE accounts ALTER COLUMN email SET NOT NULL, ADD CHECK (age > 0)",
            "",
        ),
        (
            "ALTER TABLE owners RENAME COLUMN id TO number",
            "cars_owner_fkey of cars refers to it",
        ),
        (
            "UPDATE cars SET owner = 1",
            "cars has no primary key, by which its rows could be written in batches",
        ),
        (
            "UPDATE accounts SET id = id + 1",
            "it changes id, a column of the primary key",
        ),
        (
            "UPDATE accounts SET age = o.age FROM accounts o WHERE o.id = accounts.owner",
            "it reads accounts beside the row that it changes",
        ),
        (
            "DELETE FROM accounts WHERE age < (SELECT max(age) FROM accounts)",
            "it reads accounts beside the row that it changes",
        ),
        (
            "WITH o AS (SELECT 1 AS n) UPDATE accounts SET age = n FROM o",
            "only an UPDATE or DELETE can run in batches",
        ),
        ("UPDATE accounts SET missing = 1", "missing"),
    ] {
        let shown = printed(&project, &["new", "--safe", sql]);
        assert!(
            shown.ends_with("exit 1") || shown.ends_with("exit 2"),
            "{sql}: {shown}"
        );
        assert!(shown.contains(why), "{sql}: {shown}");
    }
    assert_eq!(folders(&project), ["1_accounts"]);
}

#[test]
fn a_name_can_end_as_that_of_a_backfill() {
    let project = in_use();
    let sql = "ALTER TABLE accounts ADD COLUMN nick text";
    let shown = printed(&project, &["new", "undo_backfill", "--safe", sql]);
    assert!(shown.ends_with("exit 0"), "{shown}");
}

#[test]
fn a_revert_of_a_rename_keeps_the_rows() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut admin = Session::connect(&server.config("postgres")).expect("a connection");
    for (number, sql) in [
        "ALTER TABLE shop.\"Order Lines\" RENAME TO lines",
        "ALTER TABLE shop.\"Order Lines\" SET SCHEMA public",
        "ALTER SCHEMA shop RENAME TO store",
        "ALTER TABLE shop.days RENAME TO nights",
        "ALTER SEQUENCE shop.numbers RENAME TO counters",
        "ALTER TYPE shop.mood RENAME TO feeling",
        "ALTER TYPE shop.mood RENAME VALUE 'sad' TO 'blue'",
    ]
    .into_iter()
    .enumerate()
    {
        let project = Project::new(&[(
            "migrations/1_shop/up.sql",
            "CREATE SCHEMA shop;
             CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
             CREATE SEQUENCE shop.numbers;
             CREATE TABLE shop.\"Order Lines\" (id bigint PRIMARY KEY, mood shop.mood);
             CREATE VIEW shop.recent AS SELECT id, mood FROM shop.\"Order Lines\";
             CREATE TABLE shop.days (id bigint) PARTITION BY RANGE (id);
             CREATE TABLE shop.first_days PARTITION OF shop.days FOR VALUES FROM (0) TO (10);",
        )]);
        let database = format!("renames_{number}");
        let created = format!("CREATE DATABASE {database}");
        admin
            .run(sql_query(&created).affected())
            .expect("a database");
        let url = server.url(&database);
        let ends_well = |arguments: &[&str]| {
            let shown = project.printed(arguments, &[("DATABASE_URL", &url)]);
            assert!(shown.ends_with("exit 0"), "{sql}: {shown}");
        };
        ends_well(&["migrate", "run"]);
        let mut session = Session::connect(&server.config(&database)).expect("a connection");
        for rows in [
            "INSERT INTO shop.\"Order Lines\" VALUES (1, 'sad')",
            "INSERT INTO shop.days VALUES (1)",
            "SELECT nextval('shop.numbers')",
        ] {
            session.run(sql_query(rows).affected()).expect("rows");
        }
        ends_well(&["new", "--safe", sql]);
        let count = folders(&project).len() - 1;
        ends_well(&["migrate", "run"]);
        ends_well(&["migrate", "revert", "-n", &count.to_string()]);
        let kept = "SELECT 1 FROM shop.recent r, shop.days d, shop.numbers n
                    WHERE r.mood = 'sad' AND n.last_value = 1 AND n.is_called";
        assert_eq!(
            session.run(sql_query(kept).affected()).expect("rows"),
            1,
            "{sql}"
        );
    }
}
