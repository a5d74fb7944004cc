//! Code for views and for other relations that `diesel print-schema` omits.

use crate::Project;

const MIGRATION: &str = "migrations/1_a/up.sql";

/// Returns the lines of a struct between its braces.
fn fields(project: &Project, file: &str, row: &str) -> String {
    let text = project.read(&format!("src/db/{file}.rs"));
    let (_, after) = text
        .split_once(&format!("pub struct {row} {{\n"))
        .expect("the struct");
    let (inside, _) = after.split_once("}\n").expect("its end");
    let lines = inside
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub "));
    lines.collect::<Vec<_>>().join(" ")
}

fn functions(project: &Project, file: &str) -> String {
    let text = project.read(&format!("src/db/{file}.rs"));
    let names = text.lines().filter_map(|line| {
        line.trim()
            .strip_prefix("pub fn ")?
            .split(['(', '<'])
            .next()
    });
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_view_has_inferred_nulls_and_the_ids_of_its_tables() {
    let project = Project::new(&[(
        MIGRATION,
        "CREATE TABLE owners (id bigserial PRIMARY KEY, name text NOT NULL);
         CREATE TABLE pets (id bigserial PRIMARY KEY, owner_id bigint REFERENCES owners, name text NOT NULL);
         CREATE VIEW totals AS SELECT o.id AS owner_id, count(p.id) AS pets, max(p.name) AS last, p2.id AS some
            FROM owners o LEFT JOIN pets p ON p.owner_id = o.id LEFT JOIN pets p2 ON p2.id = p.id GROUP BY o.id, p2.id;
         CREATE VIEW of_totals AS SELECT owner_id AS owner, pets FROM totals;",
    )]);
    assert!(
        project
            .printed(&["generate", "--offline"], &[])
            .ends_with("exit 0")
    );
    assert_eq!(
        fields(&project, "totals", "Total"),
        "owner_id: OwnerId, pets: i64, last: Option<String>, some: Option<PetId>,"
    );
    assert_eq!(
        fields(&project, "of_totals", "OfTotal"),
        "owner: OwnerId, pets: i64,"
    );
    assert_eq!(functions(&project, "totals"), "list count");
    project.write("bowline.toml", "[keys]\ntotals = [\"owner_id\"]\n");
    project.run(&["generate", "--offline"]);
    assert_eq!(functions(&project, "totals"), "find get list count exists");
}

#[test]
fn a_materialized_view_holds_null_unless_a_setting_denies() {
    let project = Project::new(&[(
        MIGRATION,
        "CREATE TABLE pets (id bigserial PRIMARY KEY, name text NOT NULL);
         CREATE MATERIALIZED VIEW names AS SELECT id AS pet_id, name FROM pets;
         CREATE MATERIALIZED VIEW keyed AS SELECT id AS pet_id, name FROM pets;
         CREATE UNIQUE INDEX ON keyed (pet_id);",
    )]);
    project.run(&["generate", "--offline"]);
    assert_eq!(
        fields(&project, "names", "Name"),
        "pet_id: Option<PetId>, name: Option<String>,"
    );
    assert_eq!(functions(&project, "names"), "list refresh count");
    assert_eq!(
        functions(&project, "keyed"),
        "find_by_pet_id list refresh refresh_concurrently count"
    );
    project.write("bowline.toml", "not_null = [\"keyed.pet_id\"]\n");
    project.run(&["generate", "--offline"]);
    assert_eq!(
        fields(&project, "keyed", "Keyed"),
        "pet_id: PetId, name: Option<String>,"
    );
    assert_eq!(
        functions(&project, "keyed"),
        "find get list refresh refresh_concurrently count exists"
    );
}

#[test]
fn a_table_without_a_key_is_read_and_inserted() {
    let project = Project::new(&[(
        MIGRATION,
        "CREATE TABLE log (at timestamptz NOT NULL DEFAULT now(), line text NOT NULL);
         CREATE TABLE codes (code text UNIQUE, note text);",
    )]);
    project.run(&["generate", "--offline"]);
    assert_eq!(functions(&project, "log"), "list insert insert_many count");
    assert_eq!(
        functions(&project, "codes"),
        "find_by_code list insert insert_many upsert_by_code upsert_many_by_code insert_or_ignore_by_code insert_many_or_ignore_by_code count exists_by_code delete_by_code"
    );
    assert!(!project.read("src/db/schema.rs").contains("log"));
    let schema = "diesel::table! {\n    log (at, line) {";
    assert!(project.read("src/db/relations.rs").contains(schema));
}

#[test]
fn a_foreign_table_has_the_key_of_a_setting() {
    let project = Project::new(&[
        (
            MIGRATION,
            "CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
             CREATE FOREIGN TABLE rates (code text NOT NULL, rate float8) SERVER elsewhere;
             CREATE FOREIGN TABLE more (code text) SERVER elsewhere;",
        ),
        ("bowline.toml", "[keys]\nrates = [\"code\"]\n"),
    ]);
    let printed = project.printed(&["generate", "--offline"], &[]);
    assert!(
        printed.contains("note: more is in relations.rs, since schema.rs has only tables with a primary key, and has no find, update and delete, since nothing identifies its rows; columns that identify its rows can be named in bowline.toml: [keys] more = [\"..\"]\n"),
        "{printed}"
    );
    assert_eq!(
        functions(&project, "rates"),
        "find get find_many list insert insert_many update update_many delete delete_many count exists"
    );
}

#[test]
fn a_view_gives_way_to_a_table_with_its_name() {
    let project = Project::new(&[(
        MIGRATION,
        "CREATE TABLE pets (id serial PRIMARY KEY); CREATE VIEW pet AS SELECT id FROM pets;",
    )]);
    project.run(&["generate", "--offline"]);
    assert_eq!(fields(&project, "pets", "Pet"), "id: PetId,");
    assert_eq!(fields(&project, "pet", "PetView"), "id: PetId,");
}

#[test]
fn a_child_that_can_hold_the_same_id_is_noted() {
    let project = Project::new(&[(
        MIGRATION,
        "CREATE TABLE cities (id serial PRIMARY KEY); CREATE TABLE capitals (state text) INHERITS (cities);",
    )]);
    let printed = project.printed(&["generate", "--offline"], &[]);
    assert!(
        printed.contains("note: capitals inherits from cities, whose functions read and write the rows of all: where two have the same id, get and update of cities fail\n"),
        "{printed}"
    );
}

#[test]
fn the_setting_not_null_is_for_views() {
    let project = Project::new(&[
        (
            MIGRATION,
            "CREATE TABLE pets (id serial PRIMARY KEY, name text); CREATE VIEW named AS SELECT name FROM pets;",
        ),
        (
            "bowline.toml",
            "not_null = [\"pets.name\", \"named.nam\"]\n",
        ),
    ]);
    insta::assert_snapshot!(project.printed(&["generate", "--offline"], &[]), @r#"
    error: pets is no view: in a table, the migrations say which columns are NOT NULL
     --> bowline.toml:1:13
      |
    1 | not_null = ["pets.name", "named.nam"]
      |             ^^^^^^^^^^^

    error: the table named has no column nam
     --> bowline.toml:1:26
      |
    1 | not_null = ["pets.name", "named.nam"]
      |                          ^^^^^^^^^^^
      |
    help: did you mean name?

    error: no code can be generated: 2 problems
    exit 1
    "#);
}

#[test]
fn a_domain_that_is_not_null_can_be_null_in_a_view() {
    let project = Project::new(&[(
        MIGRATION,
        "CREATE DOMAIN given AS int NOT NULL;
         CREATE TABLE holders (id int PRIMARY KEY, held given);
         CREATE VIEW ninth AS SELECT (SELECT held FROM holders WHERE id = 9) AS held;",
    )]);
    project.run(&["generate", "--offline"]);
    assert_eq!(
        fields(&project, "holders", "Holder"),
        "id: HolderId, held: i32,"
    );
    assert_eq!(fields(&project, "ninth", "Ninth"), "held: Option<i32>,");
}
