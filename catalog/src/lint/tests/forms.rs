//! Each safe form ends at the schema of its statement, on a server too.

use std::time::Duration;

use bowline::Session;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::testing::introspect;

/// Tables in use, with what hangs on their columns.
const BASE: &str = "
    CREATE SCHEMA app;
    CREATE DOMAIN email AS text;
    CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
    CREATE DOMAIN part AS percent;
    CREATE DOMAIN given AS text NOT NULL;
    CREATE TABLE users (id bigint PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'nobody',
        age integer CHECK (age >= 0), mail email, tags varchar(10)[], boss bigint,
        code text, CONSTRAINT users_code_key UNIQUE (code));
    COMMENT ON COLUMN users.name IS 'The name.';
    CREATE INDEX users_name ON users (name, age);
    CREATE INDEX users_young ON users (id) WHERE age < 18;
    CREATE TABLE notes (id bigint, user_id integer NOT NULL DEFAULT 0 REFERENCES users,
        text text, reader bigint);
    GRANT SELECT, UPDATE (text) ON notes TO PUBLIC;
    CREATE TABLE app.\"Odd.Name\" (id bigint, a text);
    CREATE TABLE app.events (id bigint, at date, kind text) PARTITION BY RANGE (at);
    CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE app.events_2 PARTITION OF app.events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')
        PARTITION BY LIST (kind);
    CREATE TABLE app.events_2a PARTITION OF app.events_2 DEFAULT;
    CREATE VIEW ages AS SELECT age FROM users;
    INSERT INTO users (id, code) VALUES (1, 'a'), (2, 'b');
    INSERT INTO notes VALUES (1, 1, 'x');
    INSERT INTO app.events VALUES (1, '2026-05-05', 'a'), (2, '2027-05-05', 'b');";

/// Statements with a safe form.
const WITH_FORM: &[&str] = &[
    // Several clauses of a new column.
    "ALTER TABLE notes ADD COLUMN number bigserial PRIMARY KEY;",
    "ALTER TABLE app.\"Odd.Name\" ADD COLUMN \"N\" smallserial;",
    "ALTER TABLE notes ADD token uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE;",
    "ALTER TABLE notes ADD COLUMN token float DEFAULT random() CHECK (token >= 0) CHECK (token < 2);",
    "ALTER TABLE notes ADD COLUMN a int DEFAULT 1 NOT NULL CONSTRAINT few CHECK (a < 5) UNIQUE DEFERRABLE INITIALLY DEFERRED;",
    "ALTER TABLE notes ADD COLUMN a bigint DEFAULT 1 REFERENCES users ON DELETE CASCADE DEFERRABLE;",
    "ALTER TABLE notes ADD COLUMN a bigint REFERENCES users CHECK (a > 0);",
    "ALTER TABLE notes ADD COLUMN IF NOT EXISTS a text COLLATE \"C\" DEFAULT 'x' || clock_timestamp() NOT NULL;",
    // Constraints, of which the second is not the first.
    "ALTER TABLE notes ADD CHECK (text <> ''), ADD CHECK (id > 0), ADD UNIQUE (text), ADD UNIQUE (id, text);",
    "ALTER TABLE notes ADD COLUMN b int, ADD CONSTRAINT b_is_small CHECK (b < 9), ADD FOREIGN KEY (b) REFERENCES users;",
    "ALTER TABLE notes ADD PRIMARY KEY (id) INCLUDE (text);",
    "ALTER TABLE users ADD FOREIGN KEY (boss) REFERENCES users NOT DEFERRABLE;",
    "ALTER TABLE notes ADD UNIQUE NULLS NOT DISTINCT (id);",
    "ALTER TABLE app.events ALTER COLUMN kind SET NOT NULL;",
    // Types, with what hangs on the column.
    "ALTER TABLE users ALTER COLUMN name TYPE varchar(10);",
    "ALTER TABLE users ALTER COLUMN name TYPE text COLLATE \"C\" USING upper(users.name);",
    "ALTER TABLE users ALTER COLUMN code TYPE integer USING length(code) + id::integer;",
    "ALTER TABLE notes ALTER COLUMN user_id SET DATA TYPE bigint;",
    "ALTER TABLE notes ALTER COLUMN reader TYPE numeric(10, 2);",
    // Names.
    "ALTER TABLE users RENAME COLUMN name TO called;",
    "ALTER TABLE notes RENAME COLUMN user_id TO author;",
    "ALTER TABLE notes RENAME COLUMN reader TO \"Reader\";",
    "ALTER TABLE notes RENAME TO remarks;",
    "ALTER TABLE app.\"Odd.Name\" RENAME TO \"Odder.Name\";",
    // Indexes.
    "CREATE INDEX ON app.events (kind);",
    "CREATE UNIQUE INDEX by_day ON app.events (at DESC, kind) WHERE id > 0;",
    "CREATE INDEX ON app.\"Odd.Name\" USING hash (a);",
    "DROP INDEX users_name;",
];

/// Statements that have a finding and no safe form in steps, with a word of the advice.
const WITHOUT_FORM: &[(&str, &str)] = &[
    ("ALTER TABLE notes ADD COLUMN a percent;", "CHECK"),
    ("ALTER TABLE notes ADD COLUMN a part DEFAULT 7;", "CHECK"),
    ("ALTER TABLE notes ADD COLUMN a given DEFAULT 'x';", "CHECK"),
    (
        "ALTER TABLE notes ADD COLUMN a int GENERATED ALWAYS AS (id) STORED CHECK (a > 0);",
        "trigger",
    ),
    (
        "ALTER TABLE notes ALTER COLUMN user_id TYPE percent;",
        "no safe form",
    ),
    // A foreign key of another table, and elements of arrays.
    (
        "ALTER TABLE users ALTER COLUMN id TYPE integer;",
        "no safe form",
    ),
    (
        "ALTER TABLE users RENAME COLUMN id TO number;",
        "no safe form",
    ),
    (
        "ALTER TABLE app.events ADD PRIMARY KEY (id, at, kind);",
        "partition",
    ),
    (
        "ALTER TABLE app.events ADD FOREIGN KEY (id) REFERENCES users;",
        "partition",
    ),
];

/// Statements that write and read no row.
const FREE: &[&str] = &[
    "ALTER TABLE users ALTER COLUMN mail TYPE text;",
    "ALTER TABLE notes ALTER COLUMN text TYPE email;",
    "ALTER TABLE users ALTER COLUMN tags TYPE varchar[];",
    "ALTER TABLE users ALTER COLUMN name TYPE varchar(30);",
    "ALTER TABLE notes ADD COLUMN a email DEFAULT 'x' NOT NULL;",
    "ALTER TABLE notes ADD COLUMN a percent[] DEFAULT '{}';",
];

fn findings(statement: &str, postgres: Option<u32>) -> Vec<Finding> {
    let base = migration(1, BASE, true);
    let mut linted = linted(&base, &[migration(2, statement, true)], postgres);
    assert_eq!(linted.refusals, [], "{statement}");
    let of_others = [
        Rule::ForeignKeyWithoutIndex,
        Rule::RedundantIndex,
        Rule::PreferBigintOverInt,
        Rule::PreferBigintOverSmallint,
    ];
    linted
        .findings
        .retain(|finding| !finding.rule.is_opt_in() && !of_others.contains(&finding.rule));
    linted.findings
}

#[test]
fn unsafe_statements_have_a_form_or_advice() {
    for statement in WITH_FORM {
        for postgres in [None, Some(18)] {
            let found = findings(statement, postgres);
            assert!(!found.is_empty(), "{statement}");
            for finding in found {
                let (rule, help) = (finding.rule, &finding.help);
                assert!(!finding.steps.is_empty(), "{statement} {rule}: {help}");
            }
        }
    }
    for (statement, advice) in WITHOUT_FORM {
        let found = findings(statement, None);
        assert!(!found.is_empty(), "{statement}");
        for finding in found {
            let (rule, help, steps) = (finding.rule, &finding.help, &finding.steps);
            assert!(steps.is_empty(), "{statement} {rule}: {steps:?}");
            assert!(help.contains(advice), "{statement} {rule}: {help}");
        }
    }
    for statement in FREE {
        let found = findings(statement, None);
        assert!(found.is_empty(), "{statement}: {found:?}");
    }
}

#[test]
fn no_step_of_a_form_is_unsafe_itself() {
    let allowed = [
        Rule::BanDropColumn,
        Rule::BanDropNotNull,
        Rule::RenamingTable,
        Rule::RenamingColumn,
        Rule::ForeignKeyWithoutIndex,
        Rule::RedundantIndex,
    ];
    for statement in WITH_FORM {
        for finding in findings(statement, None) {
            let steps = examples_of(&finding);
            let base = migration(1, BASE, true);
            let mut found = linted(&base, &steps, None).findings;
            found.retain(|found| !found.rule.is_opt_in() && !allowed.contains(&found.rule));
            assert!(found.is_empty(), "{statement}: {found:?}");
        }
    }
}

fn examples_of(finding: &Finding) -> Vec<Example> {
    let steps = finding.steps.iter().enumerate();
    steps
        .map(|(number, step)| migration(number + 2, &step.sql, step.in_transaction))
        .collect()
}

#[test]
fn a_server_ends_at_the_same_schema_by_each_form() {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let database = format!("forms_{}", std::process::id());
    session
        .batch_execute(&format!("CREATE DATABASE {database}"))
        .expect("a database");
    let mut forms = Session::connect(&server.config(&database)).expect("a connection");
    for statement in WITH_FORM {
        let found = findings(statement, None);
        // A form is that of one action, so the others are part of no form.
        let is_one = found.iter().all(|finding| finding.steps == found[0].steps);
        let steps: Vec<String> = match is_one {
            true => found[0].steps.iter().map(|step| step.sql.clone()).collect(),
            false => continue,
        };
        let expected = ends(&mut forms, [*statement]);
        let actual = ends(&mut forms, steps.iter().map(String::as_str));
        let (expected, actual) = (sorted(expected), sorted(actual));
        let differences: Vec<String> = compare(&expected, &actual)
            .iter()
            .map(|difference| difference.sentence("the statement", "the safe form"))
            .collect();
        assert!(differences.is_empty(), "{statement}: {differences:#?}");
    }
    drop(forms);
    session
        .batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)"))
        .expect("its end");
}

/// A new column is the last one.
fn sorted(mut catalog: Catalog) -> Catalog {
    for relation in catalog.relations.values_mut() {
        relation.columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    catalog
}

/// Returns the catalog of a server after the base and these scripts.
fn ends<'a>(session: &mut Session, scripts: impl IntoIterator<Item = &'a str>) -> Catalog {
    session
        .batch_execute("DROP SCHEMA IF EXISTS app, public CASCADE; CREATE SCHEMA public")
        .expect("an empty database");
    session.batch_execute(BASE).expect("the base");
    for script in scripts {
        // CONCURRENTLY has to stand alone.
        for statement in bowline_sql::statements(script) {
            session
                .batch_execute(statement.text())
                .unwrap_or_else(|error| panic!("{}: {error}", statement.text()));
        }
    }
    introspect(session).expect("the catalog")
}

const DOMAINS: &str = "CREATE DOMAIN email AS text;
    CREATE DOMAIN percent AS integer CHECK (VALUE >= 0);
    CREATE DOMAIN part AS percent;
    CREATE DOMAIN given AS text NOT NULL;";

/// Types of columns, which are changed into each other.
const TYPES: &[&str] = &[
    "text",
    "varchar",
    "varchar(5)",
    "varchar(9)",
    "char(5)",
    "char(9)",
    "name",
    "email",
    "percent",
    "part",
    "given",
    "smallint",
    "integer",
    "bigint",
    "oid",
    "numeric",
    "numeric(8)",
    "numeric(9)",
    "numeric(8, 2)",
    "numeric(9, 2)",
    "real",
    "double precision",
    "date",
    "timestamp",
    "timestamp(3)",
    "timestamp(6)",
    "timestamptz",
    "timestamptz(0)",
    "time",
    "time(2)",
    "timetz",
    "timetz(6)",
    "interval",
    "interval(3)",
    "interval day",
    "bit(3)",
    "varbit(3)",
    "varbit(5)",
    "varbit",
    "inet",
    "cidr",
    "json",
    "jsonb",
    "xml",
    "bytea",
    "text[]",
    "varchar[]",
    "varchar(5)[]",
    "varchar(9)[]",
    "email[]",
    "percent[]",
    "integer[]",
    "bigint[]",
];

#[derive(Debug, bowline::Row)]
struct Change {
    #[diesel(sql_type = diesel::sql_types::Text)]
    old: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    new: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    is_written: bool,
}

#[test]
fn the_types_that_keep_their_rows_are_a_servers() {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    // Two thousand tables are made by one statement.
    session.set_timeout(Duration::from_secs(300));
    let types: Vec<String> = TYPES.iter().map(|name| format!("'{name}'")).collect();
    let changes = crate::testing::rolled_back(&mut session, |session| {
        session.batch_execute(DOMAINS)?;
        session.batch_execute(
            "SET LOCAL timezone TO 'Europe/Rome';
             CREATE FUNCTION is_written(old text, new text) RETURNS boolean LANGUAGE plpgsql AS $$
             DECLARE before oid;
             BEGIN
                 EXECUTE 'CREATE TABLE changed (a ' || old || ')';
                 before := pg_relation_filenode('changed');
                 EXECUTE 'ALTER TABLE changed ALTER a TYPE ' || new;
                 before := NULLIF(before, pg_relation_filenode('changed'));
                 EXECUTE 'DROP TABLE changed';
                 RETURN before IS NOT NULL;
             EXCEPTION WHEN datatype_mismatch OR cannot_coerce THEN RETURN NULL;
             END $$",
        )?;
        let list = types.join(", ");
        session.run(
            bowline::sql_query(format!(
                "SELECT old, new, is_written FROM unnest(ARRAY[{list}]) AS old,
                 unnest(ARRAY[{list}]) AS new, is_written(old, new) WHERE is_written IS NOT NULL ORDER BY old"
            ))
            .all::<Change>(),
        )
    });
    let changes = changes.expect("the changes");
    assert!(changes.len() > 400, "{}", changes.len());
    let mut wrong = Vec::new();
    for of_one in changes.chunk_by(|one, other| one.old == other.old) {
        let (mut tables, mut alters) = (DOMAINS.to_owned(), String::new());
        for (number, Change { old, new, .. }) in of_one.iter().enumerate() {
            tables.push_str(&format!("CREATE TABLE t{number} (a {old});"));
            alters.push_str(&format!("ALTER TABLE t{number} ALTER a TYPE {new};\n"));
        }
        let second = [migration(2, &alters, true)];
        let found = linted(&migration(1, &tables, true), &second, None).findings;
        for (number, change) in of_one.iter().enumerate() {
            let is_found = found.iter().any(|finding| {
                let is_of_it = finding.line(&alters) == number + 1;
                is_of_it && finding.rule == Rule::ChangingColumnType
            });
            if is_found != change.is_written {
                wrong.push(format!("{change:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
