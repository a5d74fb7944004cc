//! Packages that `bowline init` cannot complete.

use super::*;

#[test]
fn what_is_in_the_way_is_told_and_nothing_is_written() {
    let refused = |files_there: &[(&str, &str)]| {
        let project = Project::bare(files_there);
        let before = files(&project);
        let said = said(&project, &[]);
        assert_eq!(files(&project), before, "{said}");
        said
    };
    let package = |more: &str| CARGO_TOML.1.replace("edition = \"2024\"\n", more);
    insta::assert_snapshot!(refused(&[]), @r"
    error: there is no Cargo.toml in [project] or above it
    hint: make a package first: cargo new NAME
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n")]), @r"
    error: [project]/Cargo.toml is that of a workspace, which has no code of its own
    hint: run this in the folder of one of its members: crates/*
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", "[package\n")]), @r"
    error: [project]/Cargo.toml cannot be followed: unclosed table, expected `]`
    hint: `cargo metadata` says what is wrong with it
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", &package("edition = \"2018\"\n")), MAIN]), @r"
    error: the package is of Rust's edition 2018, and generated code is of 2021 or later
    hint: `cargo fix --edition` readies the code for the next one; then set edition in Cargo.toml
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", &package("")), MAIN]), @r"
    error: the package is of Rust's edition 2015, and generated code is of 2021 or later
    hint: `cargo fix --edition` readies the code for the next one; then set edition in Cargo.toml
    exit 1
    ");
    insta::assert_snapshot!(refused(&[("Cargo.toml", &format!("{}diesel = \"1.4\"\n", CARGO_TOML.1)), MAIN]), @r"
    error: Cargo.toml asks for diesel 1.4, and bowline works with 2.3.14 and later of 2.3
    hint: move to diesel 2.3 first: https://diesel.rs/guides/migration_guide.html
    exit 1
    ");
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("src/db.rs", "// mine\n")]), @r#"
    error: src/db.rs has a module of that name already, and src/db is where generated code would go
    hint: name another folder in Cargo.toml: [package.metadata.bowline] folder = "src/data"
    exit 1
    "#);
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("src/db/mod.rs", "// mine\n")]), @r#"
    error: src/db/mod.rs has a module of that name already, and src/db is where generated code would go
    hint: name another folder in Cargo.toml: [package.metadata.bowline] folder = "src/data"
    exit 1
    "#);
    insta::assert_snapshot!(refused(&[CARGO_TOML, ("src/main.rs", "mod db {}\n\nfn main() {}\n")]), @r#"
    error: src/main.rs has a module of that name already, and src/db is where generated code would go
    hint: name another folder in Cargo.toml: [package.metadata.bowline] folder = "src/data"
    exit 1
    "#);
    insta::assert_snapshot!(refused(&[CARGO_TOML, MAIN, ("migrations/1_a/down.sql", "")]), @r"
    error: [project]/migrations/1_a has no up.sql
    hint: write it, or remove the folder
    exit 1
    ");
}

#[test]
fn a_root_that_cannot_be_read_is_left_to_its_author() {
    let project = Project::bare(&[CARGO_TOML, ("src/main.rs", "fn main( {\n")]);
    let said = said(&project, &[]);
    insta::assert_snapshot!(said.lines().find(|line| line.contains("main.rs")).expect("a line"), @"note: src/main.rs cannot be read as Rust (cannot parse string into token stream), so say `mod db;` there");
    assert!(said.ends_with("exit 0"), "{said}");
}

#[test]
fn migrations_in_the_form_of_other_tools_are_not_passed_over_in_silence() {
    let project = Project::bare(&[
        CARGO_TOML,
        MAIN,
        (
            "migrations/0001_accounts.sql",
            "CREATE TABLE accounts (id int PRIMARY KEY);\n",
        ),
        ("migrations/0002_more.sql", ""),
    ]);
    let note = "migrations/0001_accounts.sql and 1 more are passed over: a migration is a folder, as diesel has it, \
                with the SQL in migrations/0001_accounts/up.sql";
    for said in [said(&project, &[]), project.said(&["generate"], &[])] {
        assert!(said.contains(note), "{said}");
    }
}
