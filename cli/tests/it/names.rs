//! The messages of `bowline generate` on names, on settings, and on relations without code.

mod lists;
mod settings;

use crate::Project;

fn printed(sql: &str, files: &[(&str, &str)]) -> String {
    let project = Project::new(&[("migrations/1_a/up.sql", sql)]);
    for (path, text) in files {
        project.write(path, text);
    }
    project.printed(&["generate", "--offline"], &[])
}

/// Returns the names of the functions in a file.
fn functions(sql: &str, file: &str) -> Vec<String> {
    let project = Project::new(&[("migrations/1_a/up.sql", sql)]);
    let printed = project.printed(&["generate", "--offline"], &[]);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let text = project.read(&format!("src/db/{file}.rs"));
    text.lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("pub fn ")?
                .split(['(', '<'])
                .next()
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn all_colliding_names_are_reported_at_once() {
    let sql = "CREATE SCHEMA app;
        CREATE TYPE app.state AS ENUM ('a', 'A'); CREATE TYPE state AS ENUM ('<', 'less');
        CREATE TABLE users (id serial PRIMARY KEY, state state NOT NULL, app app.state NOT NULL);
        CREATE TABLE user_ids (id serial PRIMARY KEY); CREATE TABLE \"user-ids\" (id serial PRIMARY KEY);";
    insta::assert_snapshot!(printed(sql, &[]), @r#"
    the labels 'a', 'A' of the enum app.state would all be the variant A in Rust
    the labels '<', 'less' of the enum state would all be the variant Less in Rust
    table user-ids and table user_ids would both be called UserId in Rust
    table user-ids and table users would both be called UserId in Rust

    error: no code can be generated: 4 problems
    hint: name the variants in bowline.toml: [variants."app.state"] A = ".."
    hint: name the variants in bowline.toml: [variants.state] less = ".."
    hint: name one of the two in bowline.toml: [names] user-ids = "..", or user_ids = ".."
    hint: name one of the two in bowline.toml: [names] user-ids = "..", or users = ".."
    exit 1
    "#);
    let settings = "[names]\n\"app.state\" = \"AppState\"\nuser_ids = \"KnownId\"\nuser-ids = \"DashedId\"\n\
        [variants]\n\"app.state\" = { A = \"UpperA\" }\nstate = { \"<\" = \"LessThan\" }\n";
    let named = printed(sql, &[("bowline.toml", settings)]);
    assert!(named.ends_with("exit 0"), "{named}");
}

#[test]
fn unknown_names_in_settings_get_a_suggestion() {
    let sql = "CREATE TYPE mood AS ENUM ('glad', 'sad');
        CREATE TABLE organisations (id serial PRIMARY KEY, mood mood NOT NULL, name text NOT NULL UNIQUE);";
    let settings = "derives = [\"not a path\"]\nleave_out = [\"Organisation::delete\", \"Organisatoin::insert\", \"Organisation::find_by_nam\"]\n\
        joinables = [\"organisations.boss\"]\n\
        [names]\norganisation = \"Org\"\nmood = \"not a name\"\n\
        [variants]\nmood = { gald = \"Happy\" }\nmode = { sad = \"Sad\" }\n\
        [keys]\norganisations = [\"nmae\"]\n";
    insta::assert_snapshot!(printed(sql, &[("bowline.toml", settings)]), @r#"
    error: "not a name" is not a name for a type in Rust
     --> bowline.toml:6:8
      |
    6 | mood = "not a name"
      |        ^^^^^^^^^^^^

    error: there is no table or enum organisation
     --> bowline.toml:5:1
      |
    5 | organisation = "Org"
      | ^^^^^^^^^^^^
      |
    help: did you mean organisations?

    error: there is no enum mode
     --> bowline.toml:9:1
      |
    9 | mode = { sad = "Sad" }
      | ^^^^
      |
    help: did you mean mood?

    error: the enum mood has no label "gald"
     --> bowline.toml:8:10
      |
    8 | mood = { gald = "Happy" }
      |          ^^^^
      |
    help: did you mean glad?

    error: the table organisations has no column nmae
      --> bowline.toml:11:18
       |
    11 | organisations = ["nmae"]
       |                  ^^^^^^
       |
    help: did you mean name?

    error: the table organisations has no column boss
     --> bowline.toml:3:14
      |
    3 | joinables = ["organisations.boss"]
      |              ^^^^^^^^^^^^^^^^^^^^

    error: "not a path" is not the path of a derive macro
     --> bowline.toml:1:12
      |
    1 | derives = ["not a path"]
      |            ^^^^^^^^^^^^

    error: no function Organisatoin::insert is generated
     --> bowline.toml:2:38
      |
    2 | leave_out = ["Organisation::delete", "Organisatoin::insert", "Organisation::find_by_nam"]
      |                                      ^^^^^^^^^^^^^^^^^^^^^^
      |
    help: did you mean Organisation::insert?

    error: no function Organisation::find_by_nam is generated
     --> bowline.toml:2:62
      |
    2 | leave_out = ["Organisation::delete", "Organisatoin::insert", "Organisation::find_by_nam"]
      |                                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    help: did you mean Organisation::find_by_name?

    error: no code can be generated: 9 problems
    exit 1
    "#);
    let settings = "leave_out = [\"Organisation::delete\", \"Organisatoin::insert\", \"Organisation::find_by_nam\"]\n";
    insta::assert_snapshot!(printed(sql, &[("bowline.toml", settings)]), @r#"
    error: no function Organisatoin::insert is generated
     --> bowline.toml:1:38
      |
    1 | leave_out = ["Organisation::delete", "Organisatoin::insert", "Organisation::find_by_nam"]
      |                                      ^^^^^^^^^^^^^^^^^^^^^^
      |
    help: did you mean Organisation::insert?

    error: no function Organisation::find_by_nam is generated
     --> bowline.toml:1:62
      |
    1 | leave_out = ["Organisation::delete", "Organisatoin::insert", "Organisation::find_by_nam"]
      |                                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    help: did you mean Organisation::find_by_name?

    error: no code can be generated: 2 problems
    exit 1
    "#);
    let settings = "leaveout = [\"Organisation::delete\"]\n";
    insta::assert_snapshot!(printed(sql, &[("bowline.toml", settings)]), @r#"
    error: unknown field `leaveout`
     --> bowline.toml:1:1
      |
    1 | leaveout = ["Organisation::delete"]
      | ^^^^^^^^

    error: [project]/bowline.toml is not valid
    hint: did you mean leave_out?
    hint: the guide's page on settings lists the keys of bowline.toml
    exit 1
    "#);
}

#[test]
fn all_invalid_settings_are_reported_at_once() {
    let sql = "CREATE TABLE organisation (id serial PRIMARY KEY, name text NOT NULL);";
    let settings = "leave_out = [\"Organisation::find_by_nam\"]\n\
        [names]\norganisatoin = \"Org\"\n";
    insta::assert_snapshot!(printed(sql, &[("bowline.toml", settings)]), @r#"
    error: there is no table or enum organisatoin
     --> bowline.toml:3:1
      |
    3 | organisatoin = "Org"
      | ^^^^^^^^^^^^
      |
    help: did you mean organisation?

    error: no function Organisation::find_by_nam is generated
     --> bowline.toml:1:14
      |
    1 | leave_out = ["Organisation::find_by_nam"]
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    help: did you mean Organisation::find_many?

    error: no code can be generated: 2 problems
    exit 1
    "#);
    let settings = "leaveout = []\nderives = \"Hash\"\nname = { a = \"A\" }\n";
    let diesel = "[print_schema]\nfile = \"src/db/schema.rs\"\nwith_doc = true\nfiltre = {}\nwith_docs = \"all\"\n\
        [migrations_directory]\ndri = \"m\"\n";
    let files = [("bowline.toml", settings), ("diesel.toml", diesel)];
    insta::assert_snapshot!(printed(sql, &files), @r#"
    error: unknown field `dri`
     --> diesel.toml:7:1
      |
    7 | dri = "m"
      | ^^^

    error: unknown field `with_doc`
     --> diesel.toml:3:1
      |
    3 | with_doc = true
      | ^^^^^^^^

    error: invalid type: string "Hash"
     --> bowline.toml:2:11
      |
    2 | derives = "Hash"
      |           ^^^^^^

    error: unknown field `leaveout`
     --> bowline.toml:1:1
      |
    1 | leaveout = []
      | ^^^^^^^^

    error: unknown field `name`
     --> bowline.toml:3:1
      |
    3 | name = { a = "A" }
      | ^^^^

    error: [project]/diesel.toml is not valid; diesel.toml: with_docs cannot be "all"; [project]/bowline.toml is not valid
    hint: the known keys are dir
    hint: https://diesel.rs/guides/configuring-diesel-cli lists the keys of diesel.toml
    hint: did you mean with_docs?
    hint: it can be true, false, "only-database-comments", "no-doc-comments" or "database-comments-fallback-to-auto-generated-doc-comment"
    hint: the guide's page on settings lists the keys of bowline.toml
    hint: did you mean leave_out?
    hint: did you mean names?
    exit 1
    "#);
}

#[test]
fn files_of_outputs_that_collide_are_refused() {
    let sql =
        "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE users (id serial PRIMARY KEY, mood mood);";
    let refused = |diesel: &str| printed(sql, &[("diesel.toml", diesel)]);
    insta::assert_snapshot!(refused("[print_schema.a]\nfile = \"src/db/schema.rs\"\n[print_schema.b]\nfile = \"src/./db/schema.rs\"\nschema = \"b\"\n"), @r"
    error: diesel.toml names src/db/schema.rs as the file of two outputs, a and b
    hint: give each output a file of its own
    exit 1
    ");
    insta::assert_snapshot!(refused("[print_schema]\nfile = \"src/schema.txt\"\n"), @r"
    error: src/schema.txt cannot be the module of the schema: its name has to be one that Rust accepts, other than `types`, with the ending .rs
    hint: set another file in diesel.toml, or use --schema-only
    exit 1
    ");
    let types = "[print_schema]\nfile = \"src/db/types.rs\"\n";
    insta::assert_snapshot!(refused(types), @r"
    error: src/db/types.rs cannot be the module of the schema: its name has to be one that Rust accepts, other than `types`, with the ending .rs
    hint: set another file in diesel.toml, or use --schema-only
    exit 1
    ");
    for name in ["type.rs", "my-schema.rs", "schema"] {
        let printed = refused(&format!("[print_schema]\nfile = \"src/db/{name}\"\n"));
        assert!(
            printed.contains("cannot be the module of the schema"),
            "{printed}"
        );
    }
}

#[test]
fn relations_without_code_are_noted() {
    let sql = "CREATE SCHEMA audit;
        CREATE TABLE audit.events (id serial PRIMARY KEY); CREATE TABLE audit.\"Other\" (id serial PRIMARY KEY);
        CREATE TABLE logs (id serial, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE logs_1 PARTITION OF logs DEFAULT;
        CREATE TABLE loose (name text); CREATE TABLE hidden (id serial PRIMARY KEY); CREATE TABLE __own (id serial PRIMARY KEY);
        CREATE VIEW names AS SELECT name FROM loose; CREATE MATERIALIZED VIEW kept AS SELECT name FROM loose;
        CREATE TABLE shown (id serial PRIMARY KEY, every interval NOT NULL, grid int[][]);";
    let diesel_toml =
        "[print_schema]\nfile = \"src/db/schema.rs\"\nfilter = { except_tables = [\"hidden\"] }\n";
    insta::assert_snapshot!(printed(sql, &[("diesel.toml", diesel_toml)]), @r#"
    note: __own is left out, since names that begin with __ are reserved for tables of diesel's own
    note: loose is in relations.rs, since schema.rs has only tables with a primary key, and has no find, update and delete, since nothing identifies its rows; a primary key or a unique index over columns that are NOT NULL would do so
    note: logs_1 is a partition of logs; use the code of that table
    note: hidden is left out by the filter in diesel.toml
    note: Other, events of the schema audit are left out; to generate a schema.rs for that schema, add to diesel.toml:
          [print_schema.audit]
          file = "src/db/audit_schema.rs"
          schema = "audit"
    note: shown.grid is read and written as text: Rust has no type for arrays of several dimensions; [types] in bowline.toml names a type of your own
    wrote   src/db/kept.rs
    wrote   src/db/logs.rs
    wrote   src/db/loose.rs
    wrote   src/db/mod.rs
    wrote   src/db/names.rs
    wrote   src/db/relations.rs
    wrote   src/db/schema.rs
    wrote   src/db/shown.rs
    8 files, 8 changed
    exit 0
    "#);
}

#[test]
fn the_root_of_a_workspace_gets_no_code() {
    let project = Project::bare(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id serial PRIMARY KEY);",
        ),
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\", \"app\"]\n",
        ),
        ("app/Cargo.toml", "[package]\nname = \"app\"\n"),
    ]);
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r#"
    error: [project]/Cargo.toml belongs to a workspace, which has no code of its own
    hint: run this in the folder of one of its members: crates/*, app
    hint: or set the file in diesel.toml: [print_schema] file = "app/src/db/schema.rs"
    exit 1
    "#);
    assert!(!project.has("src"));
    project.write(
        "diesel.toml",
        "[print_schema]\nfile = \"app/src/db/schema.rs\"\n",
    );
    assert!(project.printed(&["generate"], &[]).ends_with("exit 0"));
    assert!(project.has("app/src/db/a.rs"));
}

#[test]
fn a_table_that_is_too_wide_for_diesel_is_refused() {
    let table = |columns: usize| {
        let columns: Vec<String> = (1..columns).map(|n| format!("c{n} int")).collect();
        format!(
            "CREATE TABLE wide (id serial PRIMARY KEY, {});",
            columns.join(", ")
        )
    };
    insta::assert_snapshot!(printed(&table(129), &[]), @r#"
    error: wide has 129 columns, and diesel supports at most 128
    hint: leave it out in diesel.toml: [print_schema] filter = { except_tables = ["^wide$"] }, or split it in two
    exit 1
    "#);
    assert!(printed(&table(128), &[]).ends_with("exit 0"));
}

#[test]
fn no_function_is_generated_that_cannot_succeed() {
    let required = "CREATE TABLE bans (id int PRIMARY KEY, room int NOT NULL UNIQUE, during tstzrange NOT NULL);";
    assert_eq!(
        functions(required, "bans"),
        [
            "find",
            "get",
            "find_many",
            "find_by_room",
            "list",
            "list_order_by_room",
            "insert",
            "insert_many",
            "update",
            "update_many",
            "upsert",
            "upsert_many",
            "insert_or_ignore",
            "insert_many_or_ignore",
            "upsert_by_room",
            "upsert_many_by_room",
            "insert_or_ignore_by_room",
            "insert_many_or_ignore_by_room",
            "delete",
            "delete_many",
            "count",
            "exists",
            "exists_by_room",
            "delete_by_room"
        ]
    );
    let filled = "CREATE TABLE jobs (id serial PRIMARY KEY, every interval NOT NULL DEFAULT '1 day', name text NOT NULL);";
    assert!(functions(filled, "jobs").contains(&"insert".to_owned()));
    let later = "CREATE TABLE ranks (id int PRIMARY KEY DEFERRABLE, place int NOT NULL UNIQUE DEFERRABLE, name text UNIQUE);";
    let upserts: Vec<String> = functions(later, "ranks")
        .into_iter()
        .filter(|name| name.starts_with("upsert"))
        .collect();
    assert_eq!(upserts, ["upsert_by_name", "upsert_many_by_name"]);
    let ruled = "CREATE TABLE kept (id int PRIMARY KEY, name text UNIQUE);
        CREATE TABLE log (name text);
        CREATE RULE a AS ON INSERT TO kept DO ALSO INSERT INTO log VALUES (new.name);
        CREATE RULE b AS ON DELETE TO kept DO INSTEAD NOTHING;";
    assert_eq!(
        functions(ruled, "kept"),
        [
            "find",
            "get",
            "find_many",
            "find_by_name",
            "list",
            "list_order_by_name",
            "insert_many",
            "update",
            "update_many",
            "count",
            "exists",
            "exists_by_name"
        ]
    );
    let nothing = "CREATE TABLE carts (id bigserial PRIMARY KEY);";
    assert_eq!(
        functions(nothing, "carts"),
        [
            "find",
            "get",
            "find_many",
            "list",
            "insert",
            "insert_many",
            "delete",
            "delete_many",
            "count",
            "exists"
        ]
    );
}

#[test]
fn ids_keep_their_types_through_composite_keys() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE tenants (id int PRIMARY KEY);
         CREATE TABLE docs (tenant_id int REFERENCES tenants, id int, PRIMARY KEY (tenant_id, id));
         CREATE TABLE projects (id bigserial PRIMARY KEY, tenant_id int REFERENCES tenants, UNIQUE (tenant_id, id));
         CREATE TABLE lines (tenant_id int, doc_id int, line int, project_id bigint, PRIMARY KEY (tenant_id, doc_id, line),
            FOREIGN KEY (tenant_id, doc_id) REFERENCES docs, FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id));
         CREATE TABLE narrow (id serial PRIMARY KEY, project_id int REFERENCES projects);",
    )]);
    project.run(&["generate"]);
    let lines = project.read("src/db/lines.rs");
    for field in [
        "tenant_id: TenantId,",
        "doc_id: i32,",
        "project_id: Option<ProjectId>,",
    ] {
        assert!(lines.contains(&format!("    pub {field}\n")), "{field}");
    }
    // A foreign key of another SQL type than the key does not have the type of the id.
    let narrow = project.read("src/db/narrow.rs");
    assert!(
        narrow.contains("    pub project_id: Option<i32>,\n"),
        "{narrow}"
    );
}

#[test]
fn a_unique_index_without_null_is_a_key() {
    let sql = "CREATE TABLE visits (a int NOT NULL, b int NOT NULL, c int, note text);
        CREATE UNIQUE INDEX ON visits (c); CREATE UNIQUE INDEX ON visits (a) WHERE b > 0; CREATE UNIQUE INDEX ON visits (a, b);";
    assert_eq!(
        functions(sql, "visits")[..6],
        ["find", "get", "find_many", "find_by_c", "find_by_a", "list"]
    );
}

#[test]
fn an_index_predicate_is_parenthesized() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id serial PRIMARY KEY, name text, x int, y int);
         CREATE UNIQUE INDEX ON a (name) WHERE x > 0 OR y > 0;
         CREATE UNIQUE INDEX ON a (x) WHERE name <> 'two  spaces';",
    )]);
    project.run(&["generate"]);
    let text = project.read("src/db/a.rs");
    assert!(
        text.contains("WHERE name = $1 AND (x > 0 OR y > 0)"),
        "{text}"
    );
    assert!(
        text.contains("WHERE x = $1 AND name <> 'two  spaces'"),
        "{text}"
    );
}
