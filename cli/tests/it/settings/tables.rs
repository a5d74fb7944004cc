//! Settings of single tables and columns, and the examples of the guide.

use std::fs;
use std::path::Path;

use super::generate;
use crate::Project;

/// Each block of the guide's page is accepted alone, and together the blocks have all settings.
#[test]
fn each_example_of_the_guide_is_accepted() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/settings.md");
    let page = fs::read_to_string(page).expect("the page");
    let blocks = page
        .split("\n```toml")
        .skip(1)
        .map(|block| block.split_once('\n').expect("a block").1)
        .map(|block| block.split("```").next().expect("its end"));
    let mut all = String::new();
    for block in blocks {
        let project = Project::new(&[
            (
                "migrations/1_a/up.sql",
                "CREATE SCHEMA audit;
                 CREATE TYPE audit.state AS ENUM ('seen');
                 CREATE TYPE blood AS ENUM ('0+', '0-');
                 CREATE DOMAIN email AS text;
                 CREATE TABLE userdata (id serial PRIMARY KEY, state audit.state, blood blood);
                 CREATE TABLE accounts (id serial PRIMARY KEY, email text, password_hash text, picture bytea);
                 CREATE TABLE posts (id serial PRIMARY KEY, author_id int REFERENCES accounts, editor_id int REFERENCES accounts);
                 CREATE TABLE visits (user_id int NOT NULL, at timestamptz NOT NULL);
                 CREATE TABLE orders (id serial PRIMARY KEY, version int NOT NULL DEFAULT 1, deleted_at timestamptz,
                    updated_at timestamptz NOT NULL DEFAULT now());
                 CREATE VIEW balances AS SELECT id AS account_id, NULL::int AS total FROM accounts;",
            ),
            ("bowline.toml", block),
        ]);
        let printed = generate(&project);
        assert!(printed.ends_with("exit 0"), "{block}\n{printed}");
        all.push_str(block);
    }
    for setting in [
        "row",
        "database",
        "newtypes",
        "attributes",
        "key",
        "writable",
        "qualified",
        "leave_out",
        "derives",
        "new_derives",
        "changes_derives",
        "id_derives",
        "enum_derives",
        "rename_all",
        "version",
        "deleted_at",
        "updated_at",
        "type",
        "rename",
        "skip_serializing",
        "skip_deserializing",
        "leave_out_of_lists",
        "not_null",
        "deny_unknown_fields",
        "new_body",
        "changes_body",
    ] {
        assert!(all.contains(&format!("{setting} = ")), "{setting}");
    }
}

#[test]
fn wrong_settings_of_tables_are_shown_with_their_line() {
    let sql = "CREATE TABLE orders (id serial PRIMARY KEY, version int, updated_at timestamptz,
            deleted_at timestamptz NOT NULL, name text NOT NULL, body text);
        CREATE VIEW names AS SELECT name FROM orders;
        COMMENT ON COLUMN orders.body IS 'bowline: verson';";
    let project = Project::new(&[("migrations/1_a/up.sql", sql)]);
    let refused = |settings: &str| {
        project.write("bowline.toml", settings);
        let printed = generate(&project);
        assert!(printed.ends_with("exit 1"), "{settings}\n{printed}");
        printed
    };
    insta::assert_snapshot!(refused("[tables.order]\n[tables.orders]\nversion = \"version\"\nupdated_at = \"updated\"\ndeleted_at = \"deleted_at\"\nderives = [\"a b\"]\n[tables.orders.columns]\nnam = {}\nbody = { type = \"A<\", not_null = true }\n[tables.names]\nversion = \"name\"\n"), @r#"
    the comment of orders.body gives it the unknown role "verson"

    error: there is no table or view order
     --> bowline.toml:1:9
      |
    1 | [tables.order]
      |         ^^^^^
      |
    help: did you mean orders?

    error: the table orders has no column updated
     --> bowline.toml:4:14
      |
    4 | updated_at = "updated"
      |              ^^^^^^^^^
      |
    help: did you mean updated_at?

    error: "A<" is not a type in Rust
     --> bowline.toml:9:17
      |
    9 | body = { type = "A<", not_null = true }
      |                 ^^^^

    error: orders is no view: in a table, the migrations say which columns are NOT NULL
     --> bowline.toml:9:23
      |
    9 | body = { type = "A<", not_null = true }
      |                       ^^^^^^^^

    error: the table orders has no column nam
     --> bowline.toml:8:1
      |
    8 | nam = {}
      | ^^^
      |
    help: did you mean name?

    error: "a b" is not the path of a derive macro
     --> bowline.toml:6:12
      |
    6 | derives = ["a b"]
      |            ^^^^^

    error: names.name cannot be the column `version`: only a table has one
      --> bowline.toml:11:11
       |
    11 | version = "name"
       |           ^^^^^^

    error: orders.version cannot be the column `version`: it can be NULL
     --> bowline.toml:3:11
      |
    3 | version = "version"
      |           ^^^^^^^^^

    error: orders.deleted_at cannot be the column `deleted_at`: it is NOT NULL, and NULL is for rows that exist
     --> bowline.toml:5:14
      |
    5 | deleted_at = "deleted_at"
      |              ^^^^^^^^^^^^

    error: no code can be generated: 10 problems
    hint: did you mean version?
    exit 1
    "#);
    insta::assert_snapshot!(refused("[tables.orders]\nversoin = \"version\"\n"), @r#"
    error: unknown field `versoin`
     --> bowline.toml:2:1
      |
    2 | versoin = "version"
      | ^^^^^^^

    error: [project]/bowline.toml is not valid
    hint: did you mean version?
    hint: the guide's page on settings lists the keys of bowline.toml
    exit 1
    "#);
    insta::assert_snapshot!(refused("[tables.orders]\nrename_all = \"camelcase\"\n"), @r#"
    error: unknown variant `camelcase`
     --> bowline.toml:2:14
      |
    2 | rename_all = "camelcase"
      |              ^^^^^^^^^^^

    error: [project]/bowline.toml is not valid
    hint: did you mean camelCase?
    hint: the guide's page on settings lists the keys of bowline.toml
    exit 1
    "#);
    project.write(
        "migrations/1_a/up.sql",
        "CREATE TABLE orders (id serial PRIMARY KEY, name text NOT NULL);",
    );
    insta::assert_snapshot!(refused("[tables.orders]\nleave_out = [\"find_by_nam\"]\n[tables.orders.columns]\nid.leave_out_of_lists = true\nname.skip_deserializing = true\n"), @r#"
    error: no function Order::find_by_nam is generated
     --> bowline.toml:2:14
      |
    2 | leave_out = ["find_by_nam"]
      |              ^^^^^^^^^^^^^
      |
    help: did you mean find_many?

    error: orders.id is a part of the key, by which lists are ordered
     --> bowline.toml:4:4
      |
    4 | id.leave_out_of_lists = true
      |    ^^^^^^^^^^^^^^^^^^

    error: orders.name needs a value in each new row, since it is NOT NULL and has no default
     --> bowline.toml:5:6
      |
    5 | name.skip_deserializing = true
      |      ^^^^^^^^^^^^^^^^^^

    error: no code can be generated: 3 problems
    exit 1
    "#);
}

/// Tables of one name in two schemas.
#[test]
fn a_name_without_a_schema_is_one_of_public() {
    let migration = "CREATE TABLE accounts (id int PRIMARY KEY, n int, xs text[]);
         CREATE SCHEMA audit;
         CREATE TABLE audit.accounts (id int PRIMARY KEY, q int, xs text[]);
         CREATE TABLE audit.events (id int PRIMARY KEY, q int);
         CREATE VIEW b AS SELECT id AS account_id FROM accounts;
         CREATE VIEW audit.b AS SELECT id AS event_id FROM audit.events;";
    let outputs = "[print_schema]\nfile = \"src/schema.rs\"\n
         [print_schema.audit]\nfile = \"src/audit.rs\"\nschema = \"audit\"\n";
    let project = |settings: &str| {
        Project::new(&[
            ("migrations/1_a/up.sql", migration),
            ("diesel.toml", outputs),
            ("bowline.toml", settings),
        ])
    };
    let both = project(
        "not_null_elements = [\"accounts.xs\"]\n[keys]\nb = [\"account_id\"]\n
         [tables.accounts.columns]\nn = { rename = \"nn\" }\n
         [tables.\"audit.accounts\".columns]\nq = { rename = \"qq\" }\n",
    );
    let printed = generate(&both);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let (public, audit) = (
        both.read("src/db/accounts.rs"),
        both.read("src/db/audit_accounts.rs"),
    );
    assert!(public.contains("rename = \"nn\"") && public.contains("Vec<String>"));
    assert!(audit.contains("rename = \"qq\"") && audit.contains("Vec<Option<String>>"));
    let views = [both.read("src/db/b.rs"), both.read("src/db/audit_b.rs")];
    assert!(views[0].contains("find(") && !views[1].contains("find("));

    let printed = generate(&project(
        "[keys]\nevents = [\"id\"]\n[names]\nevents = \"Happening\"\n",
    ));
    insta::assert_snapshot!(printed, @r#"
    error: there is no table or enum events in the schema public
     --> bowline.toml:4:1
      |
    4 | events = "Happening"
      | ^^^^^^
      |
    help: name its schema: "audit.events"

    error: there is no table events in the schema public
     --> bowline.toml:2:11
      |
    2 | events = ["id"]
      |           ^^^^
      |
    help: name its schema: "audit.events"

    error: no code can be generated: 2 problems
    exit 1
    "#);
}

#[test]
fn a_view_that_cannot_be_written_is_refused() {
    for (query, reason) in [
        ("SELECT DISTINCT id FROM a", "its query has DISTINCT"),
        (
            "SELECT a.id FROM a JOIN b ON b.id = a.id",
            "its query does not read exactly one table",
        ),
        ("SELECT max(id) AS id FROM a", "its query has aggregate"),
        (
            "SELECT id FROM a UNION SELECT id FROM b",
            "its query is not a single SELECT",
        ),
        ("SELECT id FROM a LIMIT 5", "its query has LIMIT"),
    ] {
        let project = Project::new(&[
            (
                "migrations/1_a/up.sql",
                &format!(
                    "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
                     CREATE VIEW v AS {query};"
                ),
            ),
            (
                "bowline.toml",
                "[tables.v]\nkey = [\"id\"]\nwritable = true\n",
            ),
        ]);
        let printed = generate(&project);
        assert!(printed.contains(reason), "{query}\n{printed}");
        assert!(printed.ends_with("exit 1"), "{query}\n{printed}");
    }
    let table = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int PRIMARY KEY);",
        ),
        ("bowline.toml", "[tables.a]\nwritable = true\n"),
    ]);
    let printed = generate(&table);
    assert!(printed.contains("a is no view"), "{printed}");
}

/// A view takes the statements that PostgreSQL takes for it.
#[test]
fn a_writable_view_has_the_functions_that_can_succeed() {
    let up = "CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note text);
        CREATE VIEW whole AS SELECT id, name, upper(note) AS loud FROM a;
        CREATE VIEW nameless AS SELECT id, note FROM whole_notes;";
    let up = up.replace(
        "CREATE VIEW nameless",
        "CREATE VIEW whole_notes AS SELECT id, name, note FROM a; CREATE VIEW nameless",
    );
    let settings = "[tables.whole]\nkey = [\"id\"]\nwritable = true\n\
        [tables.nameless]\nkey = [\"id\"]\nwritable = true\n";
    let project = Project::new(&[("migrations/1_a/up.sql", &up), ("bowline.toml", settings)]);
    let printed = generate(&project);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let functions = |file: &str| -> Vec<String> {
        let code = project.read(&format!("src/db/{file}.rs"));
        let functions = code.split("pub fn ").skip(1);
        functions
            .map(|rest| rest.split(['(', '<']).next().expect("a name").to_owned())
            .collect()
    };
    let of_whole = functions("whole");
    for function in ["insert", "insert_many", "update", "delete"] {
        assert!(of_whole.iter().any(|it| it == function), "{of_whole:?}");
    }
    let code = project.read("src/db/whole.rs");
    let new = code.split("pub struct NewWhole").nth(1).expect("it");
    let new = new.split('}').next().expect("its end");
    assert!(
        new.contains("name:") && !new.contains("loud:") && !new.contains("id:"),
        "{new}"
    );
    // Its table needs a name.
    let of_nameless = functions("nameless");
    assert!(
        !of_nameless.iter().any(|it| it == "insert"),
        "{of_nameless:?}"
    );
    assert!(
        of_nameless.iter().any(|it| it == "update"),
        "{of_nameless:?}"
    );
}

#[test]
fn a_qualified_table_is_named_with_its_schema() {
    let up = "CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);";
    let project = Project::new(&[
        ("migrations/1_a/up.sql", up),
        ("bowline.toml", "[tables.countries]\nqualified = true\n"),
    ]);
    let printed = generate(&project);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let code = project.read("src/db/countries.rs");
    for keyword in ["FROM ", "INTO ", "UPDATE "] {
        let named = code.matches(&format!("{keyword}countries")).count();
        assert_eq!(named, 0, "{code}");
        assert!(
            code.contains(&format!("{keyword}public.countries")),
            "{code}"
        );
    }
    assert!(
        code.contains("on \"public\".\"countries\" only {"),
        "{code}"
    );
}

#[test]
fn the_columns_of_a_body_are_given_by_its_function() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL,
                owner int NOT NULL, note text, rank int NOT NULL DEFAULT 1, secret text,
                version int NOT NULL DEFAULT 1);",
        ),
        (
            "bowline.toml",
            "[tables.orders]\nversion = \"version\"\nnew_body = [\"id\", \"code\", \"cod\", \"code\", \"version\"]\n\
             changes_body = [\"id\", \"version\", \"secret\"]\ncolumns.secret = { skip_deserializing = true }\n",
        ),
    ]);
    insta::assert_snapshot!(generate(&project), @r#"
    error: the table orders has no column cod
     --> bowline.toml:3:27
      |
    3 | new_body = ["id", "code", "cod", "code", "version"]
      |                           ^^^^^
      |
    help: did you mean code?

    error: orders.id is not given by an insert
     --> bowline.toml:3:13
      |
    3 | new_body = ["id", "code", "cod", "code", "version"]
      |             ^^^^

    error: orders.code is named twice
     --> bowline.toml:3:19
      |
    3 | new_body = ["id", "code", "cod", "code", "version"]
      |                   ^^^^^^

    error: orders.version is not given by an insert
     --> bowline.toml:3:42
      |
    3 | new_body = ["id", "code", "cod", "code", "version"]
      |                                          ^^^^^^^^^

    error: orders.id is not given by an update
     --> bowline.toml:4:17
      |
    4 | changes_body = ["id", "version", "secret"]
      |                 ^^^^

    error: orders.secret is not read from JSON: it has skip_deserializing
     --> bowline.toml:4:34
      |
    4 | changes_body = ["id", "version", "secret"]
      |                                  ^^^^^^^^

    error: no code can be generated: 6 problems
    exit 1
    "#);
    let settings = "deny_unknown_fields = true\n[tables.orders]\nversion = \"version\"\n\
        new_body = [\"code\", \"note\", \"rank\"]\nchanges_body = [\"version\", \"note\", \"rank\"]\n";
    project.write("bowline.toml", settings);
    let printed = generate(&project);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let text = project.read("src/db/orders.rs");
    let from = text.find("/// What a client may send for").expect("a body");
    let to = text
        .find("bowline::__generated::row_key!")
        .expect("the key");
    insta::assert_snapshot!(&text[from..to], @r#"
    /// What a client may send for a new [`Order`], and nothing else. `with` adds the columns that it needs beside them.
    #[derive(Debug, Clone, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct NewOrderBody {
        pub code: String,
        pub note: Option<String>,
        #[serde(default, deserialize_with = "bowline::__generated::not_null")]
        pub rank: Option<i32>,
    }

    /// The columns that each new [`Order`] needs beside [`NewOrderBody`].
    #[derive(Debug, Clone, PartialEq)]
    pub struct NewOrderRest {
        pub owner: i32,
    }

    bowline::__generated::body! {
        NewOrderBody with NewOrderRest makes OrderValues<'static> {
            code = sent, owner = rest, note = optional, rank = optional, secret = none,
        }
    }

    /// What a client may send to change an [`Order`], and nothing else. An absent field is left as it is.
    #[derive(Debug, Clone, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct OrderChangesBody {
        /// The version that the client has read, for `update`.
        pub version: i32,
        #[serde(default, deserialize_with = "bowline::__generated::nullable")]
        pub note: Option<Option<String>>,
        #[serde(default, deserialize_with = "bowline::__generated::not_null")]
        pub rank: Option<i32>,
    }

    bowline::__generated::body! {
        OrderChangesBody makes OrderChanges<'static> {
            code = none, owner = none, note = nullable, rank = optional, secret = none,
        }
    }
    "#);
}
