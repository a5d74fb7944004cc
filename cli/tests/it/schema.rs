//! `bowline schema`.

use crate::Project;

fn project() -> Project {
    Project::new(&[
        (
            "migrations/1_people/up.sql",
            "CREATE TABLE people (id int PRIMARY KEY); CREATE TABLE gone (id int);",
        ),
        (
            "migrations/2_notes/up.sql",
            "CREATE TABLE notes (person_id int REFERENCES people); DROP TABLE gone;",
        ),
        (
            "migrations/3_more/up.sql",
            "COMMENT ON TABLE people IS 'who'; INSERT INTO notes VALUES (NULL);",
        ),
    ])
}

#[test]
fn a_page_says_which_migration_last_changed_each_table() {
    let page = project().said(&["schema", "--html", "--offline"], &[]);
    let section = |name: &str| {
        let start = page.find(&format!("<h2>{name}</h2>")).expect("a section");
        page[start..].lines().next().unwrap_or_default().to_owned()
    };
    assert!(section("people").contains("last changed by <code>3_more</code>"));
    assert!(section("notes").contains("last changed by <code>2_notes</code>"));
    assert!(!page.contains("gone"));
}

#[test]
fn a_diagram_of_an_earlier_version_is_that_of_then() {
    insta::assert_snapshot!(project().said(&["schema", "migrations@1", "--mermaid"], &[]), @r"
    erDiagram
        gone {
            int4 id
        }
        people {
            int4 id PK
        }
    exit 0
    ");
}

#[test]
fn one_form_has_to_be_named() {
    let said = project().said(&["schema"], &[]);
    assert!(
        said.contains("<--html|--mermaid>") && said.ends_with("exit 2"),
        "{said}"
    );
}
