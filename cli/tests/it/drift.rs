//! `bowline drift`, on a server.

use bowline::Session;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use crate::Project;

#[test]
fn drift_of_tables_is_reverted() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x', at timestamptz DEFAULT now());",
        ),
        (
            "migrations/2_b/up.sql",
            "CREATE INDEX a_name ON a (lower(name)) WHERE name <> '';",
        ),
    ]);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    assert!(
        project
            .printed(&["migrate", "run"], &variables)
            .ends_with("exit 0")
    );
    insta::assert_snapshot!(project.printed(&["drift"], &variables), @"
    the migrations and the database are the same
    note: [the list of what is never compared] are not compared
    exit 0
    ");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute(
            "ALTER TABLE a ALTER name DROP NOT NULL; ALTER TABLE a ADD COLUMN hack int; DROP INDEX a_name;
             CREATE TABLE \"left\nover\" (id int);",
        )
        .expect("by hand");
    project.write("migrations/3_c/up.sql", "CREATE TABLE later (id int);");
    insta::assert_snapshot!(project.printed(&["drift", "--json"], &variables), @r#"
    [
      {
        "subject": "column a.name",
        "kind": "differs",
        "aspect": "nullability",
        "left": "NOT NULL",
        "right": "NULL",
        "words": "column a.name differs in its nullability: NOT NULL in the migrations, NULL in the database"
      },
      {
        "subject": "column a.hack",
        "kind": "only_right",
        "aspect": null,
        "left": null,
        "right": null,
        "words": "column a.hack is in the database, but not in the migrations"
      },
      {
        "subject": "index a_name of a",
        "kind": "only_left",
        "aspect": null,
        "left": null,
        "right": null,
        "words": "index a_name of a is in the migrations, but not in the database"
      },
      {
        "subject": "relation \"left\nover\"",
        "kind": "only_right",
        "aspect": null,
        "left": null,
        "right": null,
        "words": "relation \"left\nover\" is in the database, but not in the migrations"
      }
    ]
    note: 1 migration pending: `bowline migrate run`
    error: 4 differences between the migrations and the database
    exit 1
    "#);
    insta::assert_snapshot!(project.printed(&["drift"], &variables), @r#"
    column a.name differs in its nullability: NOT NULL in the migrations, NULL in the database
    column a.hack is in the database, but not in the migrations
    index a_name of a is in the migrations, but not in the database
    relation "left over" is in the database, but not in the migrations
    note: 1 migration pending: `bowline migrate run`
    error: 4 differences between the migrations and the database
    exit 1
    "#);
    let output = project.run_with(&["drift", "--sql"], &variables);
    let script = String::from_utf8(output.stdout).expect("text");
    insta::assert_snapshot!(script, @r#"
    -- column a.name differs in its nullability: NOT NULL in the migrations, NULL in the database
    -- column a.hack is in the database, but not in the migrations
    -- index a_name of a is in the migrations, but not in the database
    -- relation "left over" is in the database, but not in the migrations

    ALTER TABLE a ALTER COLUMN name SET NOT NULL;
    ALTER TABLE a DROP COLUMN hack;
    CREATE INDEX a_name ON a USING btree ((lower(name))) WHERE name <> '';
    DROP TABLE "left
    over";
    "#);
    session
        .batch_execute(&script)
        .expect("PostgreSQL accepts the script");
    assert!(
        project
            .printed(&["drift", "--sql"], &variables)
            .ends_with("exit 0")
    );
}

#[test]
fn drift_of_attached_objects_is_reverted() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY, tags jsonb NOT NULL DEFAULT '{\"xx\": 0, \"a\": 1}');
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*) EXECUTE FUNCTION touch();
         ALTER TABLE a ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON a USING (id IN (SELECT 1));
         CREATE VIEW seen AS SELECT id, tags ->> 'a' AS a FROM a WHERE id > 1;",
    )]);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    assert!(
        project
            .printed(&["migrate", "run"], &variables)
            .ends_with("exit 0")
    );
    let same = project.printed(&["drift"], &variables);
    assert!(same.ends_with("exit 0"), "{same}");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute(
            "DROP TRIGGER touched ON a; DROP POLICY own ON a; ALTER TABLE a DISABLE ROW LEVEL SECURITY;
             CREATE OR REPLACE VIEW seen AS SELECT id, tags ->> 'a' AS a FROM a WHERE id > 2;
             CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;",
        )
        .expect("by hand");
    // Up to 17, PostgreSQL names the table of each column.
    let found = project.printed(&["drift"], &variables);
    let found = found.replace("a.id", "id").replace("a.tags", "tags");
    insta::assert_snapshot!(found, @"
    relation a differs in its row level security: on in the migrations, off in the database
    trigger touched of a is in the migrations, but not in the database
    policy own of a is in the migrations, but not in the database
    relation seen differs in its query: SELECT id, tags ->> 'a' AS a FROM a WHERE id > 1 in the migrations, SELECT id, (tags ->> 'a'::text) AS a FROM a WHERE (id > 2) in the database
    function touch() differs in its body: ' BEGIN RETURN NEW; END ' (line 1) in the migrations, ' BEGIN RETURN OLD; END ' (line 1) in the database
    error: 5 differences between the migrations and the database
    exit 1
    ");
    let undo = project.printed(&["drift", "--sql"], &variables);
    let script: String = undo
        .lines()
        .take_while(|line| !line.starts_with("error"))
        .map(|line| format!("{line}\n"))
        .collect();
    session
        .batch_execute(&script)
        .expect("PostgreSQL accepts the script");
    let after = project.printed(&["drift"], &variables);
    assert!(after.ends_with("exit 0"), "{after}");
}

#[test]
fn drift_of_rules_indexes_and_views_is_reverted() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE \"To\" (id int PRIMARY KEY, a int);
         CREATE INDEX broken ON \"To\" (a);
         CREATE VIEW seen AS SELECT id FROM \"To\";
         GRANT SELECT ON seen TO PUBLIC;
         CREATE RULE kept AS ON UPDATE TO seen DO INSTEAD UPDATE \"To\" SET id = new.id WHERE id = old.id;
         CREATE RULE \"to\" AS ON DELETE TO seen DO INSTEAD NOTHING;
         CREATE MATERIALIZED VIEW counted AS SELECT a, count(*) FROM \"To\" GROUP BY a;
         CREATE UNIQUE INDEX counted_a ON counted (a);
         COMMENT ON MATERIALIZED VIEW counted IS 'how many';",
    )]);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    let ran = project.printed(&["migrate", "run"], &variables);
    assert!(ran.ends_with("exit 0"), "{ran}");
    let same = project.printed(&["drift"], &variables);
    assert!(
        same.ends_with("exit 0") && !same.contains("not compared: "),
        "{same}"
    );
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
             CREATE OR REPLACE VIEW seen AS SELECT id, a FROM \"To\";
             CREATE OR REPLACE RULE \"to\" AS ON DELETE TO seen DO INSTEAD DELETE FROM \"To\" WHERE id = old.id;
             DROP MATERIALIZED VIEW counted;
             CREATE MATERIALIZED VIEW counted AS SELECT a, count(*) FROM \"To\" WHERE a > 1 GROUP BY a;
             CREATE UNIQUE INDEX counted_a ON counted (a);
             COMMENT ON MATERIALIZED VIEW counted IS 'how many';",
        )
        .expect("by hand");
    let reported = project.printed(&["drift"], &variables);
    for what in [
        "index broken of \"To\" differs in its validity: valid in the migrations, invalid in the database",
        "column seen.a is in the database",
        "rule \"to\" of seen differs in its definition:",
        "relation counted differs in its query:",
    ] {
        assert!(reported.contains(what), "{what}: {reported}");
    }
    let script = project.run_with(&["drift", "--sql"], &variables);
    let script = String::from_utf8_lossy(&script.stdout);
    session
        .batch_execute(&script)
        .expect("PostgreSQL accepts the script");
    let after = project.printed(&["drift"], &variables);
    assert!(after.ends_with("exit 0"), "{after}");
}

#[test]
fn missing_and_unknown_migrations_are_reported() {
    let project = Project::new(&[("migrations/1_a/up.sql", "CREATE TABLE a (id int);")]);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    insta::assert_snapshot!(project.printed(&["drift", "--database-url", &url], &[]), @r"
    note: 1 migration pending: `bowline migrate run`
    the migrations and the database are the same
    note: [the list of what is never compared] are not compared
    exit 0
    ");
    project.printed(&["migrate", "run", "--database-url", &url], &[]);
    std::fs::rename(
        project.path("migrations/1_a"),
        project.path("migrations/2_a"),
    )
    .expect("another name");
    insta::assert_snapshot!(project.printed(&["drift", "--database-url", &url], &[]), @r"
    relation a is in the database, but not in the migrations
    note: 1 has run but is not in the folder, so its changes are reported as drift
    note: 1 migration pending: `bowline migrate run`
    error: 1 difference between the migrations and the database
    exit 1
    ");
}
