//! Packages that `bowline init` cannot complete.

use super::*;

#[test]
fn obstacles_are_errors_and_nothing_is_written() {
    let refused = |files_there: &[(&str, &str)]| {
        let project = Project::bare(files_there);
        let before = files(&project);
        let printed = printed(&project, &[]);
        assert_eq!(files(&project), before, "{printed}");
        printed
    };
    let package = |more: &str| CARGO_TOML.1.replace("edition = \"2024\"\n", more);
    insta::assert_snapshot!(refused(&[]), @r"
    error: no Cargo.toml in [project] or above it
    hint: create a package first: cargo new NAME
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n")]), @r"
    error: [project]/Cargo.toml belongs to a workspace, which has no code of its own
    hint: run this in the folder of one of its members: crates/*
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", "[package\n")]), @r"
    error: [project]/Cargo.toml is not valid: unclosed table, expected `]`
    hint: `cargo metadata` explains what is wrong with it
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", &package("edition = \"2018\"\n")), MAIN]), @r"
    error: the package uses edition 2018 of Rust, and generated code needs 2021 or later
    hint: run `cargo fix --edition`, then set edition in Cargo.toml
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", &package("")), MAIN]), @r"
    error: the package uses edition 2015 of Rust, and generated code needs 2021 or later
    hint: run `cargo fix --edition`, then set edition in Cargo.toml
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", &format!("{}diesel = \"1.4\"\n", CARGO_TOML.1)), MAIN]), @r"
    error: Cargo.toml requires diesel 1.4, and bowline needs 2.3.14 or a later 2.3
    hint: upgrade to diesel 2.3 first: https://diesel.rs/guides/migration_guide.html
    exit 1
    ");
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("src/db.rs", "// mine\n")]), @r#"
    error: src/db.rs is a module of that name already, and generated code would be in src/db
    hint: name another folder in bowline.toml: folder = "src/data"
    exit 1
    "#);
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("src/db/mod.rs", "// mine\n")]), @r#"
    error: src/db/mod.rs is a module of that name already, and generated code would be in src/db
    hint: name another folder in bowline.toml: folder = "src/data"
    exit 1
    "#);
    insta::assert_snapshot!(refused(&[CARGO_TOML, ("src/main.rs", "mod db {}\n\nfn main() {}\n")]), @r#"
    error: src/main.rs has a module of that name already, and generated code would be in src/db
    hint: name another folder in bowline.toml: folder = "src/data"
    exit 1
    "#);
    insta::assert_snapshot!(refused(&[CARGO_TOML, ("src/main.rs", "#[path = \"other.rs\"]\nmod db;\n\nfn main() {}\n"), ("src/other.rs", "")]), @r#"
    error: src/main.rs has a module of that name already, and generated code would be in src/db
    hint: name another folder in bowline.toml: folder = "src/data"
    exit 1
    "#);
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("bowline.toml", "folder = \"src/my-db\"\n")]), @r"
    error: the folder src/my-db cannot be a module, because my-db is not an identifier in Rust
    hint: name another folder: file in diesel.toml, or folder in bowline.toml
    exit 1
    ");
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("migrations", "a file\n")]), @r"
    error: migrations is a file, but a folder of that name is needed for migrations/[now]_create_notes/up.sql
    hint: move the file away, and run this again
    exit 1
    ");
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("migrations/1_a/down.sql", "")]), @r"
    error: [project]/migrations/1_a has no up.sql
    hint: write it, or remove the folder
    exit 1
    ");
}

#[test]
fn an_invalid_root_file_is_not_changed() {
    let project = Project::bare(&[CARGO_TOML, ("src/main.rs", "fn main( {\n")]);
    let printed = printed(&project, &[]);
    insta::assert_snapshot!(printed.lines().find(|line| line.contains("main.rs")).expect("a line"), @"note: src/main.rs is not valid Rust (cannot parse string into token stream); add `mod db;` there yourself");
    assert!(printed.ends_with("exit 0"), "{printed}");
}

#[test]
fn sql_files_that_are_no_migrations_get_a_note() {
    let project = Project::bare(&[
        CARGO_TOML,
        MAIN,
        (
            "migrations/accounts.sql",
            "CREATE TABLE accounts (id int PRIMARY KEY);\n",
        ),
        ("migrations/more.sql", ""),
    ]);
    let note = "migrations/accounts.sql and 1 more are ignored: as for diesel, a migration is a folder with the SQL in migrations/accounts/up.sql";
    for printed in [printed(&project, &[]), project.printed(&["generate"], &[])] {
        assert!(printed.contains(note), "{printed}");
    }
}
