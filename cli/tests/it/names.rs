//! What `bowline generate` says of names and settings that cannot be followed, and of what gets no code.

use crate::Project;

fn said(sql: &str, files: &[(&str, &str)]) -> String {
    let project = Project::new(&[("migrations/1_a/up.sql", sql)]);
    for (path, text) in files {
        project.write(path, text);
    }
    project.said(&["generate", "--offline"], &[])
}

/// The names of the functions of a file.
fn functions(sql: &str, file: &str) -> Vec<String> {
    let project = Project::new(&[("migrations/1_a/up.sql", sql)]);
    let said = project.said(&["generate", "--offline"], &[]);
    assert!(said.ends_with("exit 0"), "{said}");
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
fn all_names_that_are_given_twice_are_told_at_once() {
    let sql = "CREATE SCHEMA app;
        CREATE TYPE app.state AS ENUM ('a', 'A'); CREATE TYPE state AS ENUM ('<', 'less');
        CREATE TABLE users (id serial PRIMARY KEY, state state NOT NULL, app app.state NOT NULL);
        CREATE TABLE user_ids (id serial PRIMARY KEY); CREATE TABLE \"user-ids\" (id serial PRIMARY KEY);";
    insta::assert_snapshot!(said(sql, &[]), @r#"
    the labels 'a', 'A' of the enum app.state would all be the variant A in Rust
    the labels '<', 'less' of the enum state would all be the variant Less in Rust
    table user-ids and table user_ids would both be called UserId in Rust
    table user-ids and table users would both be called UserId in Rust
    enum app.state and enum state would both be called State in Rust

    error: 5 things cannot be generated as they are named
    hint: name the variants in Cargo.toml: [package.metadata.bowline.variants."app.state"] A = ".."
    hint: name the variants in Cargo.toml: [package.metadata.bowline.variants.state] less = ".."
    hint: name one of the two in Cargo.toml: [package.metadata.bowline.names] user-ids = "..", or user_ids = ".."
    hint: name one of the two in Cargo.toml: [package.metadata.bowline.names] user-ids = "..", or users = ".."
    hint: name one of the two in Cargo.toml: [package.metadata.bowline.names] "app.state" = "..", or state = ".."
    exit 1
    "#);
    let settings = "[package.metadata.bowline.names]\n\"app.state\" = \"AppState\"\nuser_ids = \"KnownId\"\nuser-ids = \"DashedId\"\n\
        [package.metadata.bowline.variants]\n\"app.state\" = { A = \"UpperA\" }\nstate = { \"<\" = \"LessThan\" }\n";
    let mended = said(sql, &[("Cargo.toml", settings)]);
    assert!(mended.ends_with("exit 0"), "{mended}");
}

#[test]
fn a_setting_that_names_nothing_is_told_with_what_was_meant() {
    let sql = "CREATE TYPE mood AS ENUM ('glad', 'sad');
        CREATE TABLE organisations (id serial PRIMARY KEY, mood mood NOT NULL, name text NOT NULL UNIQUE);";
    let settings = "[package.metadata.bowline]\nderives = [\"not a path\"]\nleave_out = [\"Organisation::delete\", \"Organisatoin::insert\", \"Organisation::find_by_nam\"]\n\
        joinables = [\"organisations.boss\"]\n\
        [package.metadata.bowline.names]\norganisation = \"Org\"\nmood = \"not a name\"\n\
        [package.metadata.bowline.variants]\nmood = { gald = \"Happy\" }\nmode = { sad = \"Sad\" }\n\
        [package.metadata.bowline.keys]\norganisations = [\"nmae\"]\n";
    insta::assert_snapshot!(said(sql, &[("Cargo.toml", settings)]), @r#"
    Cargo.toml calls mood "not a name", which is no name of a type in Rust
    Cargo.toml names the table or enum organisation, which is not there
    Cargo.toml names the enum mode, which is not there
    Cargo.toml names the label "gald" of the enum mood, which is not there
    Cargo.toml names the column organisations.nmae, which is not there
    Cargo.toml names the column organisations.boss, which is not there
    Cargo.toml names the derive "not a path", which is no path in Rust
    Cargo.toml leaves out the function Organisatoin::insert, which is not there
    Cargo.toml leaves out the function Organisation::find_by_nam, which is not there

    error: 9 things cannot be generated as they are named
    hint: look at names under [package.metadata.bowline]
    hint: did you mean organisations? look at names under [package.metadata.bowline]
    hint: did you mean mood? look at variants under [package.metadata.bowline]
    hint: did you mean glad? look at variants under [package.metadata.bowline]
    hint: did you mean name? look at keys under [package.metadata.bowline]
    hint: look at joinables under [package.metadata.bowline]
    hint: look at derives under [package.metadata.bowline]
    hint: did you mean Organisation::insert? look at leave_out under [package.metadata.bowline]
    hint: did you mean Organisation::find_by_name? look at leave_out under [package.metadata.bowline]
    exit 1
    "#);
    let settings = "[package.metadata.bowline]\nleave_out = [\"Organisation::delete\", \"Organisatoin::insert\", \"Organisation::find_by_nam\"]\n";
    insta::assert_snapshot!(said(sql, &[("Cargo.toml", settings)]), @r#"
    Cargo.toml leaves out the function Organisatoin::insert, which is not there
    Cargo.toml leaves out the function Organisation::find_by_nam, which is not there

    error: 2 things cannot be generated as they are named
    hint: did you mean Organisation::insert? look at leave_out under [package.metadata.bowline]
    hint: did you mean Organisation::find_by_name? look at leave_out under [package.metadata.bowline]
    exit 1
    "#);
    let settings = "[package.metadata.bowline]\nleaveout = [\"Organisation::delete\"]\n";
    insta::assert_snapshot!(said(sql, &[("Cargo.toml", settings)]), @r#"
    error: unknown field `leaveout`
     --> Cargo.toml:2:1
      |
    2 | leaveout = ["Organisation::delete"]
      | ^^^^^^^^

    error: [project]/Cargo.toml cannot be followed
    hint: did you mean leave_out?
    hint: the page Settings of the guide lists what [package.metadata.bowline] can say
    exit 1
    "#);
}

#[test]
fn all_wrong_settings_are_told_at_once() {
    let sql = "CREATE TABLE organisation (id serial PRIMARY KEY, name text NOT NULL);";
    let settings = "[package.metadata.bowline]\nleave_out = [\"Organisation::find_by_nam\"]\n\
        [package.metadata.bowline.names]\norganisatoin = \"Org\"\n";
    insta::assert_snapshot!(said(sql, &[("Cargo.toml", settings)]), @r#"
    Cargo.toml names the table or enum organisatoin, which is not there
    Cargo.toml leaves out the function Organisation::find_by_nam, which is not there

    error: 2 things cannot be generated as they are named
    hint: did you mean organisation? look at names under [package.metadata.bowline]
    hint: did you mean Organisation::find? look at leave_out under [package.metadata.bowline]
    exit 1
    "#);
    let settings =
        "[package.metadata.bowline]\nleaveout = []\nderives = \"Hash\"\nname = { a = \"A\" }\n";
    let diesel = "[print_schema]\nfile = \"src/db/schema.rs\"\nwith_doc = true\nfiltre = {}\nwith_docs = \"all\"\n\
        [migrations_directory]\ndri = \"m\"\n";
    let files = [("Cargo.toml", settings), ("diesel.toml", diesel)];
    insta::assert_snapshot!(said(sql, &files), @r#"
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
     --> Cargo.toml:3:11
      |
    3 | derives = "Hash"
      |           ^^^^^^

    error: unknown field `leaveout`
     --> Cargo.toml:2:1
      |
    2 | leaveout = []
      | ^^^^^^^^

    error: unknown field `name`
     --> Cargo.toml:4:1
      |
    4 | name = { a = "A" }
      | ^^^^

    error: [project]/diesel.toml cannot be followed; diesel.toml: with_docs cannot be "all"; [project]/Cargo.toml cannot be followed
    hint: it can say dir
    hint: https://diesel.rs/guides/configuring-diesel-cli lists what diesel.toml can say
    hint: did you mean with_docs?
    hint: it can be true, false, "only-database-comments", "no-doc-comments" or "database-comments-fallback-to-auto-generated-doc-comment"
    hint: the page Settings of the guide lists what [package.metadata.bowline] can say
    hint: did you mean leave_out?
    hint: did you mean names?
    exit 1
    "#);
}

#[test]
fn what_gets_no_code_is_told() {
    let sql = "CREATE SCHEMA audit;
        CREATE TABLE audit.events (id serial PRIMARY KEY); CREATE TABLE audit.\"Other\" (id serial PRIMARY KEY);
        CREATE TABLE logs (id serial, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE logs_1 PARTITION OF logs DEFAULT;
        CREATE TABLE loose (name text); CREATE TABLE hidden (id serial PRIMARY KEY); CREATE TABLE __own (id serial PRIMARY KEY);
        CREATE VIEW names AS SELECT name FROM loose; CREATE MATERIALIZED VIEW kept AS SELECT name FROM loose;
        CREATE TABLE shown (id serial PRIMARY KEY, every interval NOT NULL, grid int[][]);";
    let diesel_toml =
        "[print_schema]\nfile = \"src/db/schema.rs\"\nfilter = { except_tables = [\"hidden\"] }\n";
    insta::assert_snapshot!(said(sql, &[("diesel.toml", diesel_toml)]), @r#"
    note: loose has no primary key, which diesel needs, so it is left out; name columns that tell its rows apart in Cargo.toml: [package.metadata.bowline.keys] loose = [".."]
    note: __own is left out, since its name begins with __, as the tables do that diesel keeps for itself
    note: kept is a materialized view, for which no code is generated
    note: names is a view, for which no code is generated
    note: logs_1 is a partition of logs, through whose code they are read and written
    note: hidden is left out by the filter in diesel.toml
    note: Other, events of the schema audit are left out, since diesel.toml does not name it; this adds a schema.rs:
          [print_schema.audit]
          file = "src/db/audit_schema.rs"
          schema = "audit"
    note: shown.every is left out of Shown: there is no Rust type for interval, so Shown has no insert: each row needs a value in it
    note: shown.grid is left out of Shown: arrays of several dimensions cannot be read
    wrote   src/db/logs.rs
    wrote   src/db/mod.rs
    wrote   src/db/schema.rs
    wrote   src/db/shown.rs
    4 files, 4 changed
    exit 0
    "#);
}

#[test]
fn the_root_of_a_workspace_is_no_place_for_code() {
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
    insta::assert_snapshot!(project.said(&["generate"], &[]), @r#"
    error: [project]/Cargo.toml is that of a workspace, which has no code of its own
    hint: run this in the folder of one of its members: crates/*, app
    hint: or say in diesel.toml where the code goes: [print_schema] file = "app/src/db/schema.rs"
    exit 1
    "#);
    assert!(!project.has("src"));
    project.write(
        "diesel.toml",
        "[print_schema]\nfile = \"app/src/db/schema.rs\"\n",
    );
    assert!(project.said(&["generate"], &[]).ends_with("exit 0"));
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
    insta::assert_snapshot!(said(&table(129), &[]), @r#"
    error: wide has 129 columns, and diesel has no tables of more than 128
    hint: leave it out in diesel.toml: [print_schema] filter = { except_tables = ["^wide$"] }, or split it in two
    exit 1
    "#);
    assert!(said(&table(128), &[]).ends_with("exit 0"));
}

#[test]
fn no_function_is_made_that_cannot_succeed() {
    let required = "CREATE TABLE bans (id int PRIMARY KEY, room int NOT NULL UNIQUE, during tstzrange NOT NULL);";
    assert_eq!(
        functions(required, "bans"),
        [
            "find",
            "get",
            "find_by_room",
            "list",
            "update",
            "delete",
            "count",
            "exists"
        ]
    );
    let filled = "CREATE TABLE jobs (id serial PRIMARY KEY, every interval NOT NULL DEFAULT '1 day', name text NOT NULL);";
    assert!(functions(filled, "jobs").contains(&"insert".to_owned()));
    let later = "CREATE TABLE ranks (id int PRIMARY KEY DEFERRABLE, place int NOT NULL UNIQUE DEFERRABLE, name text UNIQUE);";
    let upserts: Vec<String> = functions(later, "ranks")
        .into_iter()
        .filter(|name| name.starts_with("upsert"))
        .collect();
    assert_eq!(upserts, ["upsert_by_name"]);
    let ruled = "CREATE TABLE kept (id int PRIMARY KEY, name text UNIQUE);
        CREATE TABLE log (name text);
        CREATE RULE a AS ON INSERT TO kept DO ALSO INSERT INTO log VALUES (new.name);
        CREATE RULE b AS ON DELETE TO kept DO INSTEAD NOTHING;";
    assert_eq!(
        functions(ruled, "kept"),
        [
            "find",
            "get",
            "find_by_name",
            "list",
            "insert_many",
            "update",
            "count",
            "exists"
        ]
    );
    let nothing = "CREATE TABLE carts (id bigserial PRIMARY KEY);";
    assert_eq!(
        functions(nothing, "carts"),
        ["find", "get", "list", "insert", "delete", "count", "exists"]
    );
}

#[test]
fn ids_keep_their_types_through_keys_of_several_columns() {
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
    // Another SQL type is another type in Rust too.
    let narrow = project.read("src/db/narrow.rs");
    assert!(
        narrow.contains("    pub project_id: Option<i32>,\n"),
        "{narrow}"
    );
}

#[test]
fn a_unique_index_without_null_stands_for_a_primary_key() {
    let sql = "CREATE TABLE visits (a int NOT NULL, b int NOT NULL, c int, note text);
        CREATE UNIQUE INDEX ON visits (c); CREATE UNIQUE INDEX ON visits (a) WHERE b > 0; CREATE UNIQUE INDEX ON visits (a, b);";
    assert_eq!(
        functions(sql, "visits")[..6],
        ["find", "get", "find_by_c", "find_by_a", "list", "insert"]
    );
}

#[test]
fn a_predicate_of_an_index_is_one_condition_among_others() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id serial PRIMARY KEY, name text, x int, y int);
         CREATE UNIQUE INDEX ON a (name) WHERE x > 0 OR y > 0;
         CREATE UNIQUE INDEX ON a (x) WHERE name <> 'two  spaces';",
    )]);
    project.run(&["generate"]);
    let text = project.read("src/db/a.rs");
    assert!(
        text.contains(r#".filter(sql::<Bool>("(x > 0 OR y > 0)"))"#),
        "{text}"
    );
    assert!(
        text.contains(r#".filter(sql::<Bool>("name <> 'two  spaces'"))"#),
        "{text}"
    );
}
