//! `bowline generate`.

mod committed;
mod foreign_keys;
mod relations;
mod schemas;
mod sources;
mod workspace;

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, commit_keys, sql_query};

use crate::Project;

const ACCOUNTS: (&str, &str) = (
    "migrations/1_accounts/up.sql",
    "CREATE TABLE accounts (id serial PRIMARY KEY, name varchar(30) NOT NULL UNIQUE);\n",
);

#[test]
fn files_are_written_once_and_checked_after() {
    let project = Project::new(&[ACCOUNTS]);
    insta::assert_snapshot!(project.printed(&["generate", "--check"], &[]).lines().last().expect("a line"), @"exit 1");
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    wrote   src/db/accounts.rs
    wrote   src/db/mod.rs
    wrote   src/db/schema.rs
    3 files, 3 changed
    exit 0
    ");
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    3 files, 0 changed
    exit 0
    ");
    insta::assert_snapshot!(project.printed(&["generate", "--check"], &[]), @r"
    3 files are up to date
    exit 0
    ");
}

#[test]
fn a_stale_file_is_shown_and_updated() {
    let project = Project::new(&[ACCOUNTS]);
    project.run(&["generate"]);
    let schema = project.read("src/db/schema.rs");
    project.write("src/db/schema.rs", &schema.replace("Varchar", "Text"));
    insta::assert_snapshot!(project.printed(&["generate", "--check"], &[]), @r"
    src/db/schema.rs
    @@ -5,5 +5,5 @@
             id -> Int4,
             #[max_length = 30]
    -        name -> Text,
    +        name -> Varchar,
         }
     }

    error: the generated code does not match the migrations
    hint: run `bowline generate` and commit the result
    exit 1
    ");
    project.run(&["generate"]);
    assert_eq!(project.read("src/db/schema.rs"), schema);
}

#[test]
fn only_generated_files_of_dropped_tables_are_removed() {
    let project = Project::new(&[ACCOUNTS]);
    project.run(&["generate"]);
    project.write("src/db/queries.rs", "// by hand\n");
    project.write(
        "migrations/2_drop/up.sql",
        "DROP TABLE accounts; CREATE TABLE owners (id int PRIMARY KEY);",
    );
    project.run(&["generate"]);
    assert!(
        !project.has("src/db/accounts.rs")
            && project.has("src/db/owners.rs")
            && project.has("src/db/queries.rs")
    );
}

#[test]
fn a_file_that_was_not_generated_is_not_overwritten() {
    let project = Project::new(&[ACCOUNTS, ("src/db/accounts.rs", "// by hand\n")]);
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    error: src/db/accounts.rs was not generated, so it is not overwritten
    hint: move it away, or set `folder` in bowline.toml to another folder
    exit 1
    ");
    assert_eq!(project.read("src/db/accounts.rs"), "// by hand\n");
}

#[test]
fn an_unknown_statement_is_shown_and_nothing_written() {
    let project = Project::new(&[ACCOUNTS, DYNAMIC]);
    insta::assert_snapshot!(project.printed(&["generate", "--offline"], &[]), @r"
    error: whether this runs depends on values that only a server has
     --> migrations/2_more/up.sql:1:13
      |
    1 | DO $$ BEGIN IF current_setting('server_version_num')::int > 1 THEN ALTER TABLE accounts ADD COLUMN more text; END IF; END $$;
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    help: describe its effect in a comment on the line before the statement, as `-- bowline: ALTER TABLE ..;`, or write `-- bowline: ignore` if it changes no table, column, key or type

    error: 1 statement cannot be followed
    exit 1
    ");
    assert!(!project.has("src/db/schema.rs"));
}

/// Returns the variables of this process by which a server is found.
pub(crate) fn with_a_server() -> Vec<(String, String)> {
    ["PATH", "BOWLINE_PG_BIN"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

const DYNAMIC: (&str, &str) = (
    "migrations/2_more/up.sql",
    "DO $$ BEGIN IF current_setting('server_version_num')::int > 1 THEN ALTER TABLE accounts ADD COLUMN more text; END IF; END $$;\n",
);

#[test]
fn a_server_runs_what_replay_cannot_follow() {
    let project = Project::new(&[ACCOUNTS, DYNAMIC]);
    let variables = with_a_server();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let printed = project.printed(&["generate"], &variables);
    assert!(
        printed.starts_with("note: the schema is from PostgreSQL ")
            && printed.contains(", since migrations/2_more/up.sql:1 cannot be followed: ")
            && printed.ends_with("exit 0"),
        "{printed}"
    );
    assert!(
        project
            .read("src/db/schema.rs")
            .contains("more -> Nullable<Text>")
    );
}

#[test]
fn a_named_server_is_used_and_left_clean() {
    let project = Project::new(&[ACCOUNTS, DYNAMIC]);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let printed = project.printed(&["generate", "--database-url", &url], &[]);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let databases = sql_query("SELECT 1 FROM pg_database WHERE datname LIKE 'bowline%'").affected();
    assert_eq!(session.run(databases).expect("an answer"), 0);
    let refused = project.printed(
        &["generate", "--database-url", "postgres://127.0.0.1:1/x"],
        &[],
    );
    assert!(
        refused.contains("hint: no server could run them instead: ")
            && refused.contains("cannot be followed"),
        "{refused}"
    );
}

#[test]
fn sql_that_cannot_be_parsed_is_shown() {
    let project = Project::new(&[("migrations/1_a/up.sql", "CREATE TABEL a (id int);\n")]);
    let printed = project.printed(&["generate", "--offline"], &[]);
    assert!(
        printed.contains("the SQL cannot be parsed") && printed.contains("up.sql:1:"),
        "{printed}"
    );
    assert!(
        printed.ends_with("exit 1") && !project.has("src/db/schema.rs"),
        "{printed}"
    );
}

#[test]
fn two_migrations_with_one_version_are_refused() {
    let project = Project::new(&[ACCOUNTS, ("migrations/1_again/up.sql", "SELECT 1;")]);
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    error: 1_accounts and 1_again have one version, 1
    hint: rename one of them: diesel would run only one
    exit 1
    ");
}

#[test]
fn hostile_names_are_data() {
    let hostile = r#"CREATE TABLE "x""); fn evil() {} //" ("type" int PRIMARY KEY, "a\b" text, "*/" int NOT NULL UNIQUE, "self" text);
        COMMENT ON TABLE "x""); fn evil() {} //" IS E'one\n*/ fn evil() {} /*';"#;
    let project = Project::new(&[("migrations/1_hostile/up.sql", hostile)]);
    let printed = project.printed(&["generate"], &[]);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let file = syn::parse_file(&project.read("src/db/x_fn_evil_.rs")).expect("it is Rust");
    let functions = file
        .items
        .iter()
        .filter(|item| matches!(item, syn::Item::Fn(_)))
        .count();
    assert_eq!(functions, 0, "no function outside of the impl");
    assert!(syn::parse_file(&project.read("src/db/schema.rs")).is_ok());
}

#[test]
fn invalid_settings_are_shown_with_their_line() {
    let project = Project::new(&[ACCOUNTS]);
    let reported = |settings: &str| {
        project.write("diesel.toml", settings);
        project.printed(&["generate"], &[])
    };
    insta::assert_snapshot!(reported("[print_schema]\nfile = \"src/schema.rs\"\nwith_doc = true\n"), @r"
    error: unknown field `with_doc`
     --> diesel.toml:3:1
      |
    3 | with_doc = true
      | ^^^^^^^^

    error: [project]/diesel.toml is not valid
    hint: did you mean with_docs?
    hint: https://diesel.rs/guides/configuring-diesel-cli lists the keys of diesel.toml
    exit 1
    ");
    insta::assert_snapshot!(reported("[print_schema]\nwith_docs = \"all\"\n"), @r#"
    error: diesel.toml: with_docs cannot be "all"
    hint: it can be true, false, "only-database-comments", "no-doc-comments" or "database-comments-fallback-to-auto-generated-doc-comment"
    exit 1
    "#);
    insta::assert_snapshot!(reported("[print_schema]\nfilter = { only_tables = [\"a\"], except_tables = [\"b\"] }\n"), @r"
    error: diesel.toml has both only_tables and except_tables
    hint: remove one of them
    exit 1
    ");
    insta::assert_snapshot!(reported("[print_schema]\nfilter = { only_tables = [\"a(\"] }\n"), @r#"
    error: diesel.toml: "a(" is not a regular expression: regex parse error:
        a(
         ^
           error: unclosed group
    exit 1
    "#);
    insta::assert_snapshot!(reported("[print_schema]\nfile = \n"), @r"
    error: string values must be quoted
     --> diesel.toml:2:1
      |
    2 | file = 
      | ^^^^^^^

    error: [project]/diesel.toml is not valid
    hint: https://diesel.rs/guides/configuring-diesel-cli lists the keys of diesel.toml
    exit 1
    ");
    let cargo_toml = Project::bare(&[("Cargo.toml", "[package]\noops\n")]);
    insta::assert_snapshot!(cargo_toml.printed(&["generate"], &[]), @r"
    error: key with no value
     --> Cargo.toml:2:1
      |
    2 | oops
      | ^^^^

    error: [project]/Cargo.toml is not valid
    hint: `cargo metadata` explains what is wrong with it
    exit 1
    ");
    insta::assert_snapshot!(reported("[print_schema]\npatch_file = \"none.patch\"\n"), @r"
    error: [project]/none.patch cannot be applied: No such file or directory (os error 2)
    hint: create the patch again, from the file that is generated without it
    exit 1
    ");
}

#[test]
fn a_patch_that_does_not_apply_is_an_error() {
    let patch = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n nothing of this\n-is there\n+any more\n";
    let project = Project::new(&[ACCOUNTS, ("schema.patch", patch)]);
    project.write(
        "diesel.toml",
        "[print_schema]\nfile = \"src/db/schema.rs\"\npatch_file = \"schema.patch\"\n",
    );
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    error: [project]/schema.patch cannot be applied: error applying hunk #1
    hint: create the patch again, from the file that is generated without it
    exit 1
    ");
    assert!(!project.has("src/db/schema.rs"));
}

#[test]
fn a_folder_without_a_project_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = crate::bowline(folder.path(), &["generate"], &[]);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        printed.contains("no diesel.toml, Cargo.toml or folder named migrations in ")
            && printed.contains("--migration-dir"),
        "{printed}"
    );
}

/// Keys of several columns, text and uuid ids, enums in arrays, a domain, a partial index,
/// keywords.
const MANY_KINDS: &str = r#"
    CREATE TYPE mood AS ENUM ('good', 'not-so-good');
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
    CREATE TABLE visits (
        country_code text NOT NULL REFERENCES countries,
        at timestamptz NOT NULL DEFAULT now(),
        "type" varchar(10),
        moods mood[] NOT NULL DEFAULT '{}',
        stars positive,
        picture bytea,
        search tsvector,
        PRIMARY KEY (country_code, at)
    );
    CREATE UNIQUE INDEX visits_open ON visits ("type") WHERE stars IS NULL;
    COMMENT ON TABLE visits IS 'Who was where.

A second paragraph.';
"#;

#[test]
fn a_table_of_many_types_gives_readable_code() {
    let project = Project::new(&[("migrations/1_visits/up.sql", MANY_KINDS)]);
    let printed = project.printed(&["generate"], &[]);
    assert!(
        printed.contains(
            "note: visits.search is read and written as text: Rust has no type for tsvector; [types] in bowline.toml names a type of your own"
        ),
        "{printed}"
    );
    insta::assert_snapshot!("schema", project.read("src/db/schema.rs"));
    insta::assert_snapshot!("types", project.read("src/db/types.rs"));
    insta::assert_snapshot!("visits", project.read("src/db/visits.rs"));
    let files = ["schema", "types", "visits", "countries"]
        .map(|file| project.path(&format!("src/db/{file}.rs")));
    let output = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .args(files)
        .output();
    let output = output.expect("rustfmt is installed: rustup component add rustfmt");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_partial_index_keeps_its_whole_condition() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE members (id int PRIMARY KEY, email text NOT NULL, state text NOT NULL, n int NOT NULL);
             CREATE UNIQUE INDEX open_email ON members (email) WHERE state <> 'not  open' -- twice\n OR n > 0;",
        ),
        (
            "migrations/2_b/up.sql",
            "ALTER TABLE members RENAME state TO \"user\"; ALTER TABLE members RENAME n TO \"order\";",
        ),
    ]);
    assert!(
        project
            .printed(&["generate", "--offline"], &[])
            .ends_with("exit 0")
    );
    let members = project.read("src/db/members.rs");
    // A long text is continued on the next line.
    let members = members.replace("\\\n", "");
    let members = members.split_whitespace().collect::<Vec<_>>().join(" ");
    let condition = r#"(\"user\" <> 'not open' OR \"order\" > 0)"#;
    for text in [
        format!("WHERE email = $1 AND {condition}"),
        format!("ON CONFLICT (email) WHERE {condition} DO UPDATE"),
    ] {
        assert!(members.contains(&text), "{text}\n{members}");
    }
}

#[test]
fn a_row_count_is_checked_where_a_trigger_can_change_it() {
    let tables = "CREATE TABLE plain (id serial PRIMARY KEY, name text NOT NULL);
         CREATE TABLE audited (id serial PRIMARY KEY, name text NOT NULL);
         CREATE TABLE filtered (id serial PRIMARY KEY, name text NOT NULL);
         CREATE TABLE parents (id serial PRIMARY KEY, name text NOT NULL);
         CREATE TABLE children () INHERITS (parents);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
         CREATE TRIGGER a AFTER UPDATE ON audited EXECUTE FUNCTION f();
         CREATE TRIGGER b BEFORE INSERT ON filtered FOR EACH ROW EXECUTE FUNCTION f();";
    let project = Project::new(&[("migrations/1_a/up.sql", tables)]);
    project.run(&["generate", "--offline"]);
    for (table, inserts_one, updates_at_most_one) in [
        ("plain", true, true),
        ("audited", true, false),
        ("filtered", false, true),
        ("parents", true, false),
    ] {
        let text = project.read(&format!("src/db/{table}.rs"));
        let has = |fact: &str| text.contains(&format!("{fact}: true"));
        assert_eq!(has("writes_one_row"), inserts_one, "{table}");
        assert_eq!(
            has("writes_at_most_one_row"),
            updates_at_most_one,
            "{table}"
        );
    }
}

#[test]
fn the_table_of_commit_keys_gets_no_code() {
    let project = Project::new(&[ACCOUNTS]);
    project.run(&["generate"]);
    project.write("migrations/2_keys/up.sql", commit_keys::MIGRATION);
    project.write("migrations/2_keys/down.sql", commit_keys::REVERT);
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    wrote   src/db/mod.rs
    3 files, 1 changed
    exit 0
    ");
}
