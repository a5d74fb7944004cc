//! `bowline catalog` and `bowline diff`.

use bowline::Session;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use crate::Project;
use crate::scratch::checkout;

#[test]
fn the_page_lists_all_that_is_not_compared() {
    let page = checkout().join("docs/CATALOG.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let list = bowline_catalog::compare::never_compared();
    assert!(
        page.contains(&format!(" do not compare them: {list}.")),
        "{list}"
    );
}

const HISTORY: [(&str, &str); 2] = [
    (
        "migrations/2026-01-01_a/up.sql",
        "CREATE TYPE mood AS ENUM ('good', 'bad');
         CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood NOT NULL DEFAULT 'good', price numeric(10, 2));",
    ),
    (
        "migrations/2026-01-02_b/up.sql",
        "CREATE TABLE b (a_id bigint REFERENCES a ON DELETE CASCADE, note text UNIQUE, CHECK (note <> ''));
         CREATE INDEX ON b (lower(note) DESC); COMMENT ON TABLE b IS 'notes';",
    ),
];

#[test]
fn a_catalog_is_json_that_can_be_read_again() {
    let project = Project::new(&HISTORY);
    let json = project.run(&["catalog"]);
    let json = String::from_utf8(json.stdout).expect("text");
    insta::assert_snapshot!("json", json);
    project.write("now.json", &json);
    insta::assert_snapshot!(project.printed(&["diff", "now.json", "migrations"], &[]), @"
    now.json and the migrations are the same
    note: [the list of what is never compared] are not compared
    exit 0
    ");
}

#[test]
fn two_versions_differ_by_the_migrations_between() {
    let project = Project::new(&HISTORY);
    insta::assert_snapshot!(project.printed(&["diff", "migrations@20260101", "migrations"], &[]), @r"
    relation b is in the migrations, but not in the migrations up to 20260101
    error: 1 difference between the migrations up to 20260101 and the migrations
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["diff", "migrations@20260101", "migrations", "--json"], &[]), @r#"
    [
      {
        "subject": "relation b",
        "kind": "only_right",
        "aspect": null,
        "left": null,
        "right": null,
        "words": "relation b is in the migrations, but not in the migrations up to 20260101"
      }
    ]
    error: 1 difference between the migrations up to 20260101 and the migrations
    exit 1
    "#);
    insta::assert_snapshot!(project.printed(&["diff", "migrations", "migrations@2026-01-01_a", "--sql"], &[]), @r"
    -- relation b is in the migrations, but not in the migrations up to 2026-01-01_a

    CREATE TABLE b (a_id int8, note text);
    ALTER TABLE b ADD CONSTRAINT b_note_check CHECK (note <> '');
    ALTER TABLE b ADD CONSTRAINT b_note_key UNIQUE (note);
    CREATE INDEX b_lower_idx ON b USING btree ((lower(note)) DESC);
    ALTER TABLE b ADD CONSTRAINT b_a_id_fkey FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE;
    COMMENT ON TABLE b IS 'notes';
    error: 1 difference between the migrations and the migrations up to 2026-01-01_a
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["diff", "migrations@3", "migrations"], &[]), @r"
    error: there is no migration 3
    hint: `bowline migrate status` lists them; the version is the part before the first _
    exit 1
    ");
}

#[test]
fn a_database_equals_its_migrations() {
    let project = Project::new(&HISTORY);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    for (_, sql) in HISTORY {
        session.batch_execute(sql).expect("PostgreSQL takes it");
    }
    insta::assert_snapshot!(project.printed(&["diff", "migrations", &url], &[]), @"
    the migrations and the database are the same
    note: [the list of what is never compared] are not compared
    exit 0
    ");
}

#[test]
fn an_invalid_source_or_catalog_is_an_error() {
    let project = Project::new(&HISTORY);
    let wrong = project.printed(&["diff", "migrations", "nothing"], &[]);
    assert!(
        wrong.contains("expected migrations, migrations@VERSION, a postgres:// URL")
            && wrong.ends_with("exit 2"),
        "{wrong}"
    );
    project.write("a.json", "{}");
    project.write("b.json", "{\"bowline_catalog\": 9, \"schemas\": {}, \"relations\": [], \"sequences\": [], \"types\": [], \"extensions\": []}");
    insta::assert_snapshot!(project.printed(&["diff", "migrations", "a.json"], &[]), @r"
    error: a.json is not a catalog: missing field `bowline_catalog` at line 1 column 2
    hint: `bowline catalog` writes one; docs/CATALOG.md describes the format
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["diff", "migrations", "b.json"], &[]), @r"
    error: b.json is not a catalog: it is of version 9, and this command reads version 4
    hint: `bowline catalog` writes one; docs/CATALOG.md describes the format
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["diff", "migrations", "none.json"], &[]), @r"
    error: cannot read none.json: No such file or directory (os error 2)
    exit 1
    ");
}
