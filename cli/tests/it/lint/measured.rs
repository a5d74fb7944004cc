//! `--measure`: statements of which no rule knows what they do.

use super::code::block;
use crate::Project;
use crate::generate::with_a_server;

fn measured(migrations: &[&str], more: &[&str]) -> String {
    let project = Project::new(&[]);
    for (index, text) in migrations.iter().enumerate() {
        project.write(&format!("migrations/{}_a/up.sql", index + 1), text);
    }
    let arguments = [&["lint", "--measure", "--after", "1"], more].concat();
    let variables = with_a_server();
    project.printed(&arguments, &references(&variables))
}

fn references(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

const BASE: &str = "CREATE TABLE notes (id bigint PRIMARY KEY, text text);\nCREATE MATERIALIZED VIEW texts AS SELECT text FROM notes;\n";

#[test]
fn what_no_rule_knows_is_measured() {
    insta::assert_snapshot!(measured(
        &[
            BASE,
            "ALTER TABLE notes SET UNLOGGED;\nREFRESH MATERIALIZED VIEW texts;",
            "ALTER TABLE notes ADD COLUMN level bigint;\nUPDATE notes SET level = 1;",
        ],
        &[]
    ));
}

#[test]
fn what_a_rule_knows_is_not_found_twice() {
    let statements = [
        BASE,
        "ALTER TABLE notes ADD COLUMN a uuid DEFAULT gen_random_uuid();",
        "-- squawk-ignore require-concurrent-index-creation\nCREATE INDEX ON notes (text);",
        "ALTER TABLE notes ADD CHECK (id > 0);",
    ];
    let printed = measured(&statements, &["--format", "github"]);
    assert!(printed.contains("2 findings in 2 migrations"), "{printed}");
    assert!(!printed.contains("measured"), "{printed}");
}

#[test]
fn quick_statements_are_silent_when_measured() {
    let statements = [
        BASE,
        "CREATE TABLE other (id bigint); ALTER TABLE other SET UNLOGGED; UPDATE other SET id = 2;",
        "UPDATE notes SET text = ''; TRUNCATE notes; ALTER TABLE notes SET (fillfactor = 90);",
        "ALTER TABLE notes ADD COLUMN level bigint;",
    ];
    let printed = measured(&statements, &[]);
    assert_eq!(printed, "4 migrations, no findings\nexit 0");
}

#[test]
fn only_what_is_new_is_measured() {
    let project = Project::new(&[
        ("migrations/1_a/up.sql", BASE),
        ("migrations/2_a/up.sql", "ALTER TABLE notes SET UNLOGGED;"),
    ]);
    project.git(&["init", "-q", "-b", "main"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "a"]);
    project.write("migrations/3_a/up.sql", "ALTER TABLE notes SET LOGGED;");
    let lint = ["lint", "--measure", "--since", "main", "--json"];
    let variables = with_a_server();
    let output = project.run_with(&lint, &references(&variables));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{report}");
    assert_eq!(findings[0]["rule"], "measured-rewrite");
    assert_eq!(findings[0]["file"], "migrations/3_a/up.sql");
    let server = report["measured_on"].as_str().expect("a server");
    assert!(server.starts_with("PostgreSQL 1"), "{server}");
}

#[test]
fn without_a_server_the_command_says_so() {
    let nowhere = ["--server-url", "postgres://nobody@127.0.0.1:1/none"];
    let statements = [BASE, "ALTER TABLE notes DROP COLUMN text CASCADE;"];
    let printed = measured(&statements, &nowhere);
    assert!(
        printed.contains("ban-drop-column")
            && printed.contains("error: the migrations were not measured: ")
            && printed.ends_with("exit 1"),
        "{printed}"
    );
    // A migration that the server refuses.
    let printed = measured(&[BASE, "SELECT 1 / 0;"], &[]);
    assert!(
        printed.contains("error: not all migrations were measured on PostgreSQL 1")
            && printed.ends_with("exit 1"),
        "{printed}"
    );
}

#[test]
fn the_examples_of_measured_rules_are_measured() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/lint.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, base) = page.split_once("\n## The rules\n").expect("the rules");
    let base = block(base, 1);
    for rule in ["measured-rewrite", "measured-scan"] {
        let heading = format!("\n### {rule}\n");
        let (_, section) = page.split_once(&heading).expect("the rule");
        for (example, found) in [(1, true), (2, false)] {
            let example = block(section, example);
            let example = example.split("-- next migration\n");
            let migrations: Vec<&str> = std::iter::once(&*base).chain(example).collect();
            let printed = measured(&migrations, &[]);
            assert_eq!(printed.contains(rule), found, "{printed}");
            assert_eq!(printed.ends_with("exit 0"), !found, "{printed}");
        }
    }
}
