//! `bowline generate --schema-only`: the output of `diesel print-schema`, without a server.

use crate::{Project, bowline};

const BLOG: &str = "
    CREATE TABLE users (id serial PRIMARY KEY, name varchar(20) NOT NULL);
    CREATE TABLE posts (id serial PRIMARY KEY, author_id int NOT NULL REFERENCES users, editor_id int REFERENCES users);
    CREATE TABLE visits (at timestamptz NOT NULL, user_id int NOT NULL REFERENCES users);
";

fn printed(project: &Project, arguments: &[&str]) -> String {
    project.printed(&[&["generate", "--schema-only"], arguments].concat(), &[])
}

#[test]
fn the_schema_is_printed_and_nothing_is_written() {
    let project = Project::new(&[("migrations/1_blog/up.sql", BLOG)]);
    insta::assert_snapshot!(printed(&project, &["--stdout"]), @r#"
    // @generated automatically by Diesel CLI.

    diesel::table! {
        posts (id) {
            id -> Int4,
            author_id -> Int4,
            editor_id -> Nullable<Int4>,
        }
    }

    diesel::table! {
        users (id) {
            id -> Int4,
            #[max_length = 20]
            name -> Varchar,
        }
    }

    diesel::allow_tables_to_appear_in_same_query!(posts, users,);
    note: visits is left out: it has no primary key, which diesel needs; name columns that identify its rows in bowline.toml: [keys] visits = [".."]
    exit 0
    "#);
    assert!(!project.has("src"));
}

#[test]
fn a_folder_of_migrations_is_enough() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let migration = folder.path().join("db/history/1_a");
    std::fs::create_dir_all(&migration).expect("a folder");
    std::fs::write(
        migration.join("up.sql"),
        "CREATE TABLE a (id int PRIMARY KEY);",
    )
    .expect("a file");
    let arguments = [
        "generate",
        "--schema-only",
        "--stdout",
        "--migration-dir",
        "db/history",
    ];
    let output = bowline(folder.path(), &arguments, &[]);
    let schema = String::from_utf8_lossy(&output.stdout);
    assert!(
        schema.contains("    a (id) {\n        id -> Int4,\n"),
        "{schema}"
    );
}

#[test]
fn only_the_schema_is_written_and_checked() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);",
    )]);
    assert!(printed(&project, &["--check"]).ends_with("exit 1"));
    insta::assert_snapshot!(printed(&project, &[]), @r"
    wrote   src/db/schema.rs
    1 file, 1 changed
    exit 0
    ");
    assert!(!project.has("src/db/a.rs"));
    assert!(printed(&project, &["--check"]).ends_with("exit 0"));
}

#[test]
fn several_outputs_are_written_and_printed_by_name() {
    let project = Project::new(&[(
        "migrations/1_two/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);",
    )]);
    project.write(
        "diesel.toml",
        "[print_schema.second]\nfile = \"src/b.rs\"\nfilter = { only_tables = [\"b\"] }\n\
         [print_schema.first]\nfile = \"src/a.rs\"\nfilter = { except_tables = [\"^b\"] }\n",
    );
    insta::assert_snapshot!(printed(&project, &["--stdout"]), @r"
    // @generated automatically by Diesel CLI.

    diesel::table! {
        a (id) {
            id -> Int4,
        }
    }

    diesel::table! {
        b (id) {
            id -> Int4,
        }
    }

    diesel::allow_tables_to_appear_in_same_query!(a, b,);
    // @generated automatically by Diesel CLI.

    diesel::table! {
        a (id) {
            id -> Int4,
        }
    }
    // @generated automatically by Diesel CLI.

    diesel::table! {
        b (id) {
            id -> Int4,
        }
    }
    exit 0
    ");
    printed(&project, &[]);
    let files = ["src/a.rs", "src/b.rs"].map(|file| project.read(file).contains("    b (id) {"));
    assert_eq!(files, [false, true]);
    assert!(!project.has("src/schema.rs"));
}

#[test]
fn keys_and_joinables_can_be_set() {
    let project = Project::new(&[("migrations/1_blog/up.sql", BLOG)]);
    project.write(
        "bowline.toml",
        "keys = { visits = [\"user_id\", \"at\"] }\njoinables = [\"posts.author_id\"]\n",
    );
    let schema = printed(&project, &["--stdout"]);
    assert!(schema.contains("    visits (user_id, at) {"), "{schema}");
    assert!(
        schema.contains(
            "joinable!(posts -> users (author_id));\ndiesel::joinable!(visits -> users (user_id));"
        ),
        "{schema}"
    );
    assert!(!schema.contains("(editor_id)"), "{schema}");
    project.write("bowline.toml", "joinables = [\"posts.autor_id\"]\n");
    insta::assert_snapshot!(printed(&project, &["--stdout"]), @r#"
    error: the table posts has no column autor_id
     --> bowline.toml:1:14
      |
    1 | joinables = ["posts.autor_id"]
      |              ^^^^^^^^^^^^^^^^
      |
    help: did you mean author_id?

    error: no code can be generated: 1 problem
    exit 1
    "#);
}

#[test]
fn one_level_of_domains_is_resolved() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE DOMAIN code AS varchar(8) NOT NULL; CREATE DOMAIN inner_code AS code; CREATE DOMAIN tags AS text[];
         CREATE TABLE a (id int PRIMARY KEY, code code, inner_code inner_code, codes code[], tags tags);",
    )]);
    insta::assert_snapshot!(printed(&project, &["--stdout"]), @r#"
    // @generated automatically by Diesel CLI.

    pub mod sql_types {
        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "code"))]
        pub struct Code;
    }

    diesel::table! {
        use diesel::sql_types::*;
        use super::sql_types::Code;

        a (id) {
            id -> Int4,
            #[max_length = 8]
            code -> Varchar,
            inner_code -> Nullable<Code>,
            codes -> Nullable<Array<Nullable<Code>>>,
            tags -> Nullable<Array<Nullable<Text>>>,
        }
    }
    exit 0
    "#);
}

#[test]
fn types_with_one_name_in_two_schemas_are_numbered() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE SCHEMA other; CREATE TYPE other.mood AS ENUM ('a'); CREATE TYPE mood AS ENUM ('b'); CREATE TYPE _odd AS ENUM ('c');
         CREATE TABLE a (id int PRIMARY KEY, theirs other.mood NOT NULL, ours mood NOT NULL, odd _odd NOT NULL);",
    )]);
    insta::assert_snapshot!(printed(&project, &["--stdout"]), @r#"
    // @generated automatically by Diesel CLI.

    pub mod sql_types {
        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "mood"))]
        pub struct Mood;

        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "mood", schema = "other"))]
        pub struct Mood2;

        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "_odd"))]
        pub struct Odd;
    }

    diesel::table! {
        use diesel::sql_types::*;
        use super::sql_types::Mood2;
        use super::sql_types::Mood;
        use super::sql_types::Odd;

        a (id) {
            id -> Int4,
            theirs -> Mood2,
            ours -> Mood,
            odd -> Odd,
        }
    }
    exit 0
    "#);
}

#[test]
fn a_foreign_key_refers_to_each_partition() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE at (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE at_1 PARTITION OF at FOR VALUES FROM (1) TO (9) PARTITION BY RANGE (id);
         CREATE TABLE at_2 PARTITION OF at_1 DEFAULT;
         CREATE TABLE refers (id int PRIMARY KEY, at_id int REFERENCES at);",
    )]);
    let schema = printed(&project, &["--stdout"]);
    let joins: Vec<&str> = schema
        .lines()
        .filter(|line| line.contains("joinable!"))
        .collect();
    // The foreign keys of pg_constraint, which diesel queries.
    assert_eq!(
        joins,
        [
            "diesel::joinable!(refers -> at (at_id));",
            "diesel::joinable!(refers -> at_1 (at_id));",
            "diesel::joinable!(refers -> at_2 (at_id));",
        ]
    );
}

/// Texts of about the length at which rustfmt breaks a line: lists of derives and of tables, names
/// of types.
#[test]
fn rustfmt_changes_no_line_of_any_length() {
    let (mut types, mut tables) = (String::new(), String::new());
    for length in 1..=63 {
        let name = "t".repeat(length);
        types.push_str(&format!(
            "CREATE SCHEMA s{length}; CREATE TYPE s{length}.{name} AS ENUM (); CREATE TYPE {name}_ AS ENUM ();"
        ));
        let table = format!("a{length}{}", "a".repeat(length % 10));
        tables.push_str(&format!(
            "CREATE TABLE {table} (id int PRIMARY KEY, one s{length}.{name}, two {name}_);"
        ));
    }
    let project = Project::new(&[("migrations/1_a/up.sql", &(types + &tables))]);
    for length in 1..=63 {
        for schema in ["", "schema = \"public\"\n"] {
            project.write(
                "diesel.toml",
                &format!(
                    "[print_schema]\nfile = \"src/schema.rs\"\ncustom_type_derives = [\"Clone\", \"{}\"]\n{schema}\
                     filter = {{ only_tables = [\"^a{length}a*$\", \"^a[{}]\", \"^a{}.$\"] }}\n",
                    "D".repeat(length),
                    length % 10,
                    length / 10,
                ),
            );
            let done = printed(&project, &[]);
            assert!(done.ends_with("exit 0"), "{done}");
            let output = std::process::Command::new("rustfmt")
                .arg("--check")
                .arg(project.path("src/schema.rs"))
                .output()
                .expect("rustfmt is installed: rustup component add rustfmt");
            let difference = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{difference}");
        }
    }
}

#[test]
fn an_own_type_is_not_that_of_postgresql() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TYPE public.date AS ENUM ('soon'); CREATE TYPE \"array\" AS ENUM ('a');
         CREATE TABLE tasks (id int PRIMARY KEY, due public.date, day date, days date[], of \"array\", q int);",
    )]);
    insta::assert_snapshot!(printed(&project, &["--stdout"]), @r#"
    // @generated automatically by Diesel CLI.

    pub mod sql_types {
        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "array"))]
        pub struct PublicArray;

        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "date", schema = "public"))]
        pub struct PublicDate;
    }

    diesel::table! {
        use diesel::sql_types::*;
        use super::sql_types::PublicDate;
        use super::sql_types::PublicArray;

        tasks (id) {
            id -> Int4,
            due -> Nullable<PublicDate>,
            day -> Nullable<Date>,
            days -> Nullable<Array<Nullable<Date>>>,
            of -> Nullable<PublicArray>,
            #[sql_name = "q"]
            q_ -> Nullable<Int4>,
        }
    }
    exit 0
    "#);
}

#[test]
fn a_column_is_nullable_where_a_row_can_have_null() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE plants (id int PRIMARY KEY, name text, family text NOT NULL);
         CREATE TABLE trees (height int) INHERITS (plants);
         ALTER TABLE ONLY plants ALTER name SET NOT NULL;
         CREATE TABLE notes (id int PRIMARY KEY, old text, new text);
         ALTER TABLE notes ADD CONSTRAINT o NOT NULL old NOT VALID, ADD CONSTRAINT n NOT NULL new NOT VALID;
         ALTER TABLE notes VALIDATE CONSTRAINT n;",
    )]);
    insta::assert_snapshot!(printed(&project, &["--stdout"]), @r#"
    // @generated automatically by Diesel CLI.

    diesel::table! {
        notes (id) {
            id -> Int4,
            old -> Nullable<Text>,
            new -> Text,
        }
    }

    diesel::table! {
        plants (id) {
            id -> Int4,
            name -> Nullable<Text>,
            family -> Text,
        }
    }

    diesel::allow_tables_to_appear_in_same_query!(notes, plants,);
    note: trees is left out: it has no primary key, which diesel needs; name columns that identify its rows in bowline.toml: [keys] trees = [".."]
    exit 0
    "#);
}
