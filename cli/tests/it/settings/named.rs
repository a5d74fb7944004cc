//! Settings that name something which is not there, and settings that are written twice.

use super::{PACKAGE, generate};
use crate::Project;

const TABLES: (&str, &str) = (
    "migrations/1_a/up.sql",
    "CREATE TABLE users (id bigint PRIMARY KEY, name text, nick text);
     CREATE TABLE logs (at timestamptz, what text);",
);

/// Returns the first line of what `generate` prints, and its last hint.
fn answer(settings: &str) -> (String, String) {
    let project = Project::new(&[TABLES, ("Cargo.toml", PACKAGE), ("bowline.toml", settings)]);
    let printed = generate(&project);
    assert!(printed.ends_with("exit 1"), "{settings}: {printed}");
    let first = printed.lines().next().unwrap_or_default().to_owned();
    let hint = printed.lines().find(|line| line.starts_with("hint: "));
    assert!(printed.contains("--> bowline.toml:"), "{printed}");
    (first, hint.unwrap_or_default().to_owned())
}

#[test]
fn settings_that_name_nothing_are_refused() {
    let cases = [
        (
            "queries = \"sql\"\n",
            "sql does not exist",
            "create the folder",
        ),
        ("queries = \"\"\n", "this names no folder", "write a path"),
        (
            "queries = \"Cargo.toml\"\n",
            "is a file",
            "create the folder",
        ),
        ("folder = \"\"\n", "this names no folder", "write a path"),
        ("folder = \"Cargo.toml\"\n", "is a file", "generated files"),
        (
            "package = \"other\"\n",
            "other/Cargo.toml does not exist",
            "the package",
        ),
        (
            "module = \"a path!\"\n",
            "is not the path of a module",
            "crate::db",
        ),
        (
            "module = \"\"\n",
            "is not the path of a module",
            "crate::db",
        ),
    ];
    for (settings, title, hint) in cases {
        let answered = answer(settings);
        assert!(answered.0.contains(title), "{settings}: {answered:?}");
        assert!(answered.1.contains(hint), "{settings}: {answered:?}");
    }
}

#[test]
fn a_name_or_key_that_is_set_twice_is_refused() {
    let cases = [
        (
            "names = { users = \"A\" }\ntables.users.row = \"B\"\n",
            "names.users",
        ),
        (
            "names = { \"public.users\" = \"A\" }\ntables.users.row = \"A\"\n",
            "names.public.users",
        ),
        (
            "keys = { logs = [\"at\"] }\ntables.logs.key = [\"what\"]\n",
            "keys.logs",
        ),
    ];
    for (settings, named) in cases {
        let answered = answer(settings);
        assert!(answered.0.contains(named), "{settings}: {answered:?}");
        assert_eq!(answered.1, "hint: remove one of the two");
    }
}

#[test]
fn two_columns_have_two_names_in_json() {
    for (settings, message) in [
        ("name.rename = \"\"", "users.name has no name in JSON"),
        (
            "name.rename = \"nick\"",
            "users.name and users.nick have one name in JSON",
        ),
    ] {
        let answered = answer(&format!("tables.users.columns.{settings}\n"));
        assert_eq!(answered.0, format!("error: {message}"));
    }
    // Each has the name of the other.
    let both = "[tables.users.columns]\nname.rename = \"nick\"\nnick.rename = \"name\"\n";
    let project = Project::new(&[TABLES, ("Cargo.toml", PACKAGE), ("bowline.toml", both)]);
    assert!(generate(&project).ends_with("exit 0"));
}
