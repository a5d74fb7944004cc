//! What of the code that runs breaks by each statement of a new migration.

use crate::{Project, path};

const TABLES: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, age integer NOT NULL, note text);
CREATE TABLE visits (id bigint PRIMARY KEY, place text);
CREATE VIEW adults AS SELECT id, email FROM users WHERE age > 17;
";

const QUERIES: &str = "-- name: by_email :optional
SELECT id, age FROM users WHERE email = :email;

-- name: adults :many
SELECT email FROM adults;

-- name: visits :many
SELECT id FROM visits;
";

const SOURCE: &str = "fn f() {\n    query!(\"SELECT age FROM users\");\n}\n";

/// Returns a repository whose branch `main` is the release that runs.
fn released() -> Project {
    let project = Project::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\n",
        ),
        ("migrations/1_tables/up.sql", TABLES),
        ("queries/users.sql", QUERIES),
        ("src/main.rs", SOURCE),
    ]);
    project.git(&["init", "-q", "-b", "main"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "a"]);
    project.git(&["checkout", "-q", "-b", "branch"]);
    project
}

fn since(migration: &str) -> String {
    let project = released();
    project.write("migrations/2_later/up.sql", migration);
    project.printed(&["lint", "--since", "main"], &path())
}

#[test]
fn a_finding_names_the_code_that_breaks() {
    insta::assert_snapshot!(since(
        "ALTER TABLE users DROP COLUMN note, DROP COLUMN age CASCADE;
ALTER TABLE users RENAME COLUMN email TO mail;
ALTER TABLE visits RENAME TO calls;"
    ));
}

#[test]
fn a_break_without_another_rule_is_found() {
    insta::assert_snapshot!(since(
        "DROP VIEW adults;\nCREATE SCHEMA other;\nALTER TABLE visits SET SCHEMA other;"
    ));
}

#[test]
fn what_the_migration_restores_is_no_break() {
    let printed = since(
        "DROP VIEW adults;
CREATE VIEW adults AS SELECT id, email, note FROM users;
ALTER TABLE visits ADD COLUMN at timestamptz;",
    );
    assert_eq!(printed, "2 migrations, no findings\nexit 0");
}

#[test]
fn excluded_and_hidden_rules_do_not_hide_a_break() {
    let project = released();
    let drop = "ALTER TABLE users DROP COLUMN age CASCADE;\n";
    project.write(
        "bowline.toml",
        "[lint]\nexcluded_rules = [\"ban-drop-column\"]\n",
    );
    project.write("migrations/2_later/up.sql", drop);
    let lint = ["lint", "--since", "main", "--format", "github"];
    let excluded = project.printed(&lint, &path());
    project.write("bowline.toml", "");
    let hidden = format!("-- squawk-ignore ban-drop-column\n{drop}");
    project.write("migrations/2_later/up.sql", &hidden);
    let hidden = project.printed(&lint, &path());
    for printed in [&excluded, &hidden] {
        assert!(
            printed.contains("title=breaks-code") && printed.contains("1 finding in 1 migration"),
            "{printed}"
        );
    }
    let both = format!("-- squawk-ignore ban-drop-column, breaks-code\n{drop}");
    project.write("migrations/2_later/up.sql", &both);
    // Without the code, it is not known whether the comment hides something.
    for lint in [&["lint", "--since", "main"] as &[&str], &["lint"]] {
        let printed = project.printed(lint, &path());
        assert_eq!(printed, "2 migrations, no findings\nexit 0");
    }
}

#[test]
fn the_code_here_is_that_of_its_migrations() {
    let project = released();
    let generated = project.run_with(&["generate", "--offline"], &path());
    assert!(generated.status.success(), "{generated:?}");
    let drop = "ALTER TABLE visits DROP COLUMN place;\n";
    project.write("migrations/2_later/up.sql", drop);
    let lint = || {
        let output = project.run_with(&["lint", "--json"], &path());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["findings"][0]["code"].clone()
    };
    let code = lint();
    assert_eq!(code["release"], "the generated code here");
    let breaks = code["breaks"].as_array().expect("a list");
    let find = breaks
        .iter()
        .find(|found| found["function"] == "Visit::find");
    let find = find.expect("the function");
    assert_eq!(find["why"], "visits.place is gone");
    let at = find["at"].as_str().expect("a place");
    let (file, line) = at.rsplit_once(':').expect("a line");
    let line: usize = line.parse().expect("a number");
    let text = project.read(file);
    let declared = text.lines().nth(line - 1).expect("the line");
    assert!(declared.contains("pub fn find("), "{at}: {declared}");
    // Once it is generated anew, no code is older than the migrations.
    let generated = project.run_with(&["generate", "--offline"], &path());
    assert!(generated.status.success(), "{generated:?}");
    assert!(lint().is_null());
    let printed = project.printed(&["lint", "--after", "1"], &path());
    assert!(printed.contains("of the code here at 1, "), "{printed}");
}

#[test]
fn a_dropped_table_breaks_a_query_once() {
    let project = released();
    project.write("migrations/2_later/up.sql", "DROP TABLE users CASCADE;\n");
    let output = project.run_with(&["lint", "--since", "main", "--json"], &path());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let breaks = report["findings"][0]["code"]["breaks"].as_array();
    let breaks = breaks.expect("a list");
    let of_query = breaks.iter().filter(|it| it["function"] == "by_email");
    assert_eq!(of_query.count(), 1, "{report}");
}

#[test]
fn code_that_cannot_be_read_is_a_note() {
    let project = Project::new(&[
        ("migrations/1_tables/up.sql", TABLES),
        (
            "migrations/2_later/up.sql",
            "ALTER TABLE missing ADD COLUMN a text;\n",
        ),
        (
            "migrations/3_later/up.sql",
            "ALTER TABLE visits DROP COLUMN place;\n",
        ),
    ]);
    let printed = project.printed(&["lint", "--after", "2", "--format", "github"], &[]);
    assert!(
        printed.contains("title=ban-drop-column")
            && printed.contains("note: what breaks of the code here at 2 is not known"),
        "{printed}"
    );
}

/// Returns a block of SQL of the guide.
pub(super) fn block(text: &str, number: usize) -> String {
    let block = text.split("```sql\n").nth(number).expect("a block");
    block.split("```").next().expect("an end").to_owned()
}

#[test]
fn the_examples_of_breaks_code_break_or_do_not() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/lint.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, base) = page.split_once("\n## The rules\n").expect("the rules");
    let (_, section) = page.split_once("\n### breaks-code\n").expect("the rule");
    for (example, found) in [(1, true), (2, false)] {
        let project = Project::new(&[
            ("migrations/1_base/up.sql", &block(base, 1)),
            ("migrations/2_later/up.sql", &block(section, example)),
            (
                "queries/a.sql",
                "-- name: at :many\nSELECT at FROM moments;\n",
            ),
        ]);
        let printed = project.printed(&["lint", "--after", "1"], &[]);
        assert_eq!(printed.contains("breaks-code"), found, "{printed}");
        assert_eq!(printed.ends_with("exit 0"), !found, "{printed}");
    }
}
