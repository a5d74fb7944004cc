mod altered;
mod arms;
mod citus;
mod commuting;
mod exact;
mod fingerprints;
mod found;
mod fuzz;
mod histories;
mod holes;
mod refused;
mod server;
mod statements;
mod templates;
mod temporal;
mod validity;
mod views;

use std::fmt::Write as _;
use std::path::PathBuf;

use super::*;
use crate::{Column, ConstraintKind, DataType, Fill, IndexKey, TypeKind};

fn migration(sql: &str) -> SqlFile {
    SqlFile {
        path: PathBuf::from("migrations/1_test/up.sql"),
        text: sql.to_owned(),
    }
}

/// Returns the catalog as text, with a short line for each fact.
fn show(sql: &str) -> String {
    let replayed = replay(&[migration(sql)]);
    let mut out = String::new();
    for refusal in &replayed.refusals {
        writeln!(out, "refused, line {}: {}", refusal.line(), refusal.why).expect("a string");
    }
    for found in replayed.catalog.types.values() {
        if let TypeKind::Enum { labels } = &found.kind {
            writeln!(out, "enum {}: {}", found.name.name, labels.join(" ")).expect("a string");
        }
    }
    for relation in replayed.catalog.relations.values() {
        let columns: Vec<_> = relation.columns.iter().map(show_column).collect();
        writeln!(out, "{}: {}", relation.name.name, columns.join(", ")).expect("a string");
        for constraint in &relation.constraints {
            writeln!(
                out,
                "  {}: {}",
                constraint.name,
                show_kind(&constraint.kind)
            )
            .expect("a string");
        }
        for index in &relation.indexes {
            let keys: Vec<_> = index
                .keys
                .iter()
                .map(|key| match key {
                    IndexKey::Column { name, .. } => name.clone(),
                    IndexKey::Expression { text, .. } => format!("({text})"),
                })
                .collect();
            let predicate = index
                .predicate
                .as_ref()
                .map(|predicate| format!(" where {predicate}"))
                .unwrap_or_default();
            writeln!(out, "  index {}: {}{predicate}", index.name, keys.join(" "))
                .expect("a string");
        }
    }
    out
}

fn show_column(column: &Column) -> String {
    let DataType {
        name,
        modifiers,
        fields,
        dimensions,
    } = &column.data_type;
    let modifiers = if modifiers.is_empty() {
        String::new()
    } else {
        format!("{modifiers:?}")
    };
    let fields = fields.as_ref();
    let fields = fields.map_or(String::new(), |fields| format!(" {fields}"));
    let fill = match &column.fill {
        Fill::Nothing => String::new(),
        Fill::Default(default) => format!(" = {default}"),
        Fill::Serial { .. } => " serial".to_owned(),
        Fill::Identity { always } => if *always { " identity!" } else { " identity" }.to_owned(),
        Fill::Generated { expression, .. } => format!(" := {expression}"),
    };
    let null = if column.not_null { "" } else { "?" };
    format!(
        "{} {}{fields}{modifiers}{}{null}{fill}",
        column.name,
        name.name,
        "[]".repeat((*dimensions).into())
    )
}

fn show_kind(kind: &ConstraintKind) -> String {
    match kind {
        ConstraintKind::PrimaryKey { columns } => format!("primary key {}", columns.join(" ")),
        ConstraintKind::Unique { columns, .. } => format!("unique {}", columns.join(" ")),
        ConstraintKind::Check { expression, .. } => format!("check {expression}"),
        ConstraintKind::ForeignKey {
            columns,
            references,
            referenced_columns,
            ..
        } => {
            format!(
                "{} -> {} {}",
                columns.join(" "),
                references.name,
                referenced_columns.join(" ")
            )
        }
        ConstraintKind::Exclude { .. } => "exclude".to_owned(),
    }
}

/// Returns the gaps as text, with a line for each.
fn gaps(sql: &str) -> String {
    let replayed = replay(&[migration(sql)]);
    let gaps = replayed.catalog.gaps.iter().map(|gap| format!("{gap}\n"));
    let refusals = replayed.refusals.iter();
    let refusals = refusals.map(|refusal| format!("refused: {}\n", refusal.why));
    gaps.chain(refusals).collect()
}

#[test]
fn a_table_gets_the_names_that_postgresql_gives() {
    insta::assert_snapshot!(show(
        "CREATE TABLE o (id serial PRIMARY KEY);
         CREATE TABLE t (a int UNIQUE CHECK (a > 0), b int REFERENCES o, c varchar(30) NOT NULL DEFAULT 'x',
            UNIQUE (a, b), CHECK (a > b), CHECK (b > 0), FOREIGN KEY (a) REFERENCES o (id));
         CREATE INDEX ON t (a, lower(c)); CREATE INDEX ON t ((a + b), a); CREATE INDEX ON t (a, lower(c));"
    ), @r"
    o: id int4 serial
      o_pkey: primary key id
      index o_pkey: id
    t: a int4?, b int4?, c varchar[30] = 'x'
      t_a_check: check a > 0
      t_check: check a > b
      t_b_check: check b > 0
      t_a_key: unique a
      t_a_b_key: unique a b
      t_b_fkey: b -> o id
      t_a_fkey: a -> o id
      index t_a_key: a
      index t_a_b_key: a b
      index t_a_lower_idx: a (lower(c))
      index t_expr_a_idx: (a + b) a
      index t_a_lower_idx1: a (lower(c))
    ");
}

#[test]
fn a_dropped_column_drops_its_dependents() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (a int, b int UNIQUE, CHECK (a > b), c text);
         CREATE INDEX i ON t (c) WHERE b > 0; CREATE INDEX j ON t (lower(c));
         ALTER TABLE t DROP COLUMN b;"
    ), @"
    t: a int4?, c text?
      index j: (lower(c))
    ");
}

#[test]
fn references_follow_renames_but_names_do_not() {
    insta::assert_snapshot!(show(
        r#"CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (o_id int REFERENCES o, n int CHECK (n > 0));
         ALTER TABLE o RENAME TO owners; ALTER TABLE owners RENAME COLUMN id TO "Key"; ALTER TABLE t RENAME n TO m;"#
    ), @r"
    owners: Key int4
      o_pkey: primary key Key
      index o_pkey: Key
    t: o_id int4?, m int4?
      t_n_check: check m > 0
      t_o_id_fkey: o_id -> owners Key
    ");
}

#[test]
fn a_column_renamed_to_a_reserved_word_gets_quotes() {
    insta::assert_snapshot!(show(
        r#"CREATE TABLE t (email text, state text, n int CHECK (n > 0));
         CREATE UNIQUE INDEX i ON t (email) WHERE state <> 'closed'; CREATE INDEX j ON t (lower(state));
         ALTER TABLE t RENAME state TO "user"; ALTER TABLE t RENAME n TO "order";"#
    ), @r#"
    t: email text?, user text?, order int4?
      t_n_check: check "order" > 0
      index i: email where "user" <> 'closed'
      index j: (lower("user"))
    "#);
}

#[test]
fn enums_change_label_by_label() {
    insta::assert_snapshot!(show(
        "CREATE TYPE e AS ENUM ('a', 'c'); ALTER TYPE e ADD VALUE 'b' BEFORE 'c'; ALTER TYPE e RENAME VALUE 'a' TO 'A';
         ALTER TYPE e ADD VALUE IF NOT EXISTS 'b'; CREATE TABLE t (e e[] NOT NULL); ALTER TYPE e RENAME TO f;"
    ), @r"
    enum f: A b c
    t: e f[]
    ");
}

#[test]
fn a_type_is_found_under_each_of_its_names() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (a int4, b integer[], c timestamp with time zone, d double precision, e char, f decimal(10,2),
            g float(24), h bit varying(3), i time(3), j pg_catalog.text, k interval);"
    ), @"t: a int4?, b int4[]?, c timestamptz?, d float8?, e bpchar[1]?, f numeric[10, 2]?, g float4?, h varbit[3]?, i time[3]?, j text?, k interval?");
}

#[test]
fn identity_and_generated_columns_are_no_defaults() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, n int GENERATED BY DEFAULT AS IDENTITY, a text DEFAULT NULL,
            b text GENERATED ALWAYS AS (a || 'x') STORED, c date DEFAULT now());"
    ), @"t: id int8 identity!, n int4 identity, a text?, b text? := a || 'x', c date? = now()");
}

#[test]
fn replay_continues_after_an_unsupported_statement() {
    insta::assert_snapshot!(show(
        "CREATE TABLE a (id int);\nDO $$ BEGIN EXECUTE format('CREATE TABLE %I ()', 'b' || n); END $$;\nCREATE TABLE c AS SELECT unheard_of(1) AS x;
         SELECT make_partitions();\nALTER TABLE nowhere ADD COLUMN x int;\nCREATE TABLE d (x unheard_of);\nCREATE TABLE e (id int);"
    ), @r"
    refused, line 2: the text that this executes is known only when it runs
    refused, line 3: the result of unheard_of(integer) is not known
    refused, line 4: this calls the function make_partitions, which may change the schema
    refused, line 5: there is no table nowhere
    refused, line 6: the type unheard_of is not known
    a: id int4?
    e: id int4?
    ");
}

#[test]
fn dependents_of_a_refusal_are_not_refused_again() {
    insta::assert_snapshot!(show(
        "CREATE TABLE a AS SELECT unheard_of(1) AS x;\nALTER TABLE a ADD COLUMN y int;\nCREATE INDEX i ON a (y);\nALTER TABLE a RENAME TO b;\nDROP TABLE b;"
    ), @"refused, line 1: the result of unheard_of(integer) is not known");
}

#[test]
fn a_column_of_a_refused_statement_is_not_missed() {
    let added = "CREATE TABLE t (a int);
        DO $$ DECLARE n int; BEGIN SELECT a INTO n FROM t;
            EXECUTE format('ALTER TABLE t ADD COLUMN c int DEFAULT %s', n); END $$;
        ALTER TABLE t ADD CHECK (c > 0); CREATE INDEX ON t ((c + 1));
        ALTER TABLE t ADD CHECK (d > 0);";
    let replayed = replay(&[migration(added)]);
    let refusals = replayed.refusals.iter();
    let lines: Vec<usize> = refusals.map(Refusal::line).collect();
    assert_eq!(lines, [3, 5]);
}

#[test]
fn a_comment_excludes_a_statement_from_replay() {
    assert_eq!(
        show("-- bowline: ignore\nDO $$ BEGIN PERFORM 1; END $$;"),
        ""
    );
}

#[test]
fn a_comment_can_describe_the_effect_of_a_statement() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (a int);
         -- It runs for each of three columns.
         -- bowline: ALTER TABLE t ADD COLUMN b int,
         -- bowline:     ADD COLUMN c int NOT NULL;
         DO $$ BEGIN EXECUTE x; END $$;"
    ), @"t: a int4?, b int4?, c int4");
}

#[test]
fn the_certain_effects_of_a_block_are_followed() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (a int);
         DO $$ BEGIN ALTER TABLE t ADD COLUMN b int; EXECUTE 'ALTER TABLE t ' || 'ADD COLUMN c int'; END $$;
         DO $$ BEGIN CREATE TYPE e AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         DO $$ BEGIN CREATE TYPE e AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns
            WHERE table_name = 't' AND column_name = 'd') THEN ALTER TABLE t ADD d e; END IF; END $$;
         CREATE FUNCTION f(n int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE u (id serial); END $$;
         CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
         SELECT f(3), g();"
    ), @r"
    enum e: x
    t: a int4?, b int4?, c int4?, d e?
    u: id int4 serial
    ");
}

#[test]
fn a_function_that_creates_a_trigger_changes_no_schema() {
    insta::assert_snapshot!(show(
        "CREATE OR REPLACE FUNCTION diesel_manage_updated_at(_tbl regclass) RETURNS VOID AS $$
         BEGIN
             EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %s
                             FOR EACH ROW EXECUTE PROCEDURE diesel_set_updated_at()', _tbl);
         END;
         $$ LANGUAGE plpgsql;
         CREATE TABLE t (a int);
         SELECT diesel_manage_updated_at('t');
         DO $$ BEGIN EXECUTE 'CREATE TRIGGER x ON t; ALTER TABLE t ADD b int' || y; END $$;"
    ), @r"
    refused, line 9: the text that this executes is known only when it runs
    t: a int4?
    ");
}

#[test]
fn a_function_that_creates_a_role_changes_no_schema() {
    insta::assert_snapshot!(show(
        "CREATE FUNCTION make_role(role_name text) RETURNS void LANGUAGE plpgsql AS $$
         BEGIN
             IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
                 EXECUTE format('create role %I', role_name);
             END IF;
         END;
         $$;
         CREATE TABLE t (a int);
         SELECT make_role('app');
         DO $$ BEGIN EXECUTE format('create table %I ()', current_user); END $$;"
    ), @r"
    refused, line 10: the text that this executes is known only when it runs
    t: a int4?
    ");
}

#[test]
fn a_refusal_shows_the_statement_and_a_remedy() {
    let replayed = replay(&[migration(
        "CREATE TABLE a (id int);\n\nDO $$ BEGIN\n  EXECUTE x;\nEND $$;\n",
    )]);
    let refusal = &replayed.refusals[0];
    insta::assert_snapshot!(format!("{refusal}\n{}\n{}", &refusal.source[refusal.span.clone()], refusal.hint), @r"
    migrations/1_test/up.sql:4: the text that this executes is known only when it runs
    EXECUTE x;
    describe its effect in a comment on the line before the statement, as `-- bowline: ALTER TABLE ..;`, or write `-- bowline: ignore` if it changes no table, column, key or type
    ");
}

#[test]
fn sql_that_cannot_be_parsed_is_refused_as_a_whole() {
    let shown = show("CREATE TABLE a (id int);\nCREATE TABEL b (id int);");
    assert!(
        shown.starts_with("refused, line 2: the SQL cannot be parsed"),
        "{shown}"
    );
}

#[test]
fn a_dropped_identity_drops_only_its_own_sequence() {
    let sql = "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY); CREATE SEQUENCE other OWNED BY t.id;
         ALTER TABLE t ALTER id DROP IDENTITY;";
    let catalog = replay(&[migration(sql)]).catalog;
    let left: Vec<_> = catalog
        .sequences
        .keys()
        .map(|name| name.name.as_str())
        .collect();
    assert_eq!(left, ["other"]);
}

#[test]
fn elements_of_create_schema_are_followed() {
    let sql = "CREATE SCHEMA s
            CREATE VIEW v AS SELECT id FROM t
            CREATE INDEX i ON t (id)
            CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t)
            CREATE SEQUENCE q
            GRANT SELECT ON t TO public;
         CREATE TABLE after (id int); CREATE SCHEMA IF NOT EXISTS s;
         CREATE SCHEMA AUTHORIZATION joe CREATE TABLE t (of_joe int); CREATE TABLE last (id int);";
    insta::assert_snapshot!(show(sql), @"
    t: of_joe int4?
    after: id int4?
    last: id int4?
    t: id int4, up int4?
      t_pkey: primary key id
      t_up_fkey: up -> t id
      index t_pkey: id
      index i: id
    v: id int4?
    ");
    let names = replay(&[migration(sql)]).catalog.relations.into_keys();
    let names: Vec<String> = names.map(|name| name.sql()).collect();
    assert_eq!(names, ["joe.t", "after", "last", "s.t", "s.v"]);
}

#[test]
fn jobs_of_extensions_change_no_schema() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (id int); SELECT cron.schedule('n', '* * * * *', 'DELETE FROM t'); SELECT cron.unschedule(1);
         DO $$ BEGIN PERFORM cron.schedule('n', '* * * * *', 'x'); END $$; SELECT postgis_extensions_upgrade();
         SELECT add_retention_policy('t', interval '1 day'); CALL refresh_continuous_aggregate('t', NULL, NULL);
         SELECT schedule('n');"
    ), @"
    refused, line 4: this calls the function schedule, which may change the schema
    t: id int4?
    ");
}

#[test]
fn the_table_of_postgis_is_named() {
    insta::assert_snapshot!(gaps("CREATE EXTENSION postgis; CREATE TABLE t (g geometry);"), @"
    table spatial_ref_sys (1_test/up.sql:1): the extension postgis brings it, so it is left out; diesel print-schema shows it unless diesel.toml has it in except_tables
    ");
    assert_eq!(
        gaps("CREATE EXTENSION postgis; DROP EXTENSION postgis;"),
        ""
    );
}

#[test]
fn a_sequence_with_unknown_numbers_is_followed() {
    insta::assert_snapshot!(gaps(
        "DO $$ BEGIN
            EXECUTE format('CREATE SEQUENCE s START %s', (random() * 1000)::int);
            EXECUTE 'CREATE SEQUENCE q INCREMENT BY ' || (SELECT step FROM pg_settings) || ' START ' || now();
            EXECUTE format('ALTER SEQUENCE s RESTART WITH %s', (SELECT max(id) FROM pg_stat_activity));
         END $$;
         ALTER SEQUENCE s RENAME TO r; DROP SEQUENCE q;
         DO $$ BEGIN EXECUTE format('CREATE SEQUENCE %s', random()); END $$;"
    ), @"
    sequence r (1_test/up.sql:1): some of its numbers are known only when it runs
    refused: the text that this executes is known only when it runs
    ");
}

#[test]
fn a_renamed_function_is_followed_by_its_own_calls() {
    insta::assert_snapshot!(show(
        "CREATE FUNCTION f(OUT x int, INOUT y boolean, VARIADIC z text[]) LANGUAGE plpgsql AS $$ BEGIN END $$;
         CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
         CREATE FUNCTION f(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
         CREATE TABLE t (a int DEFAULT f(19), b text, CHECK (f(1) > a), CHECK (f(b) > public.f(a)));
         CREATE INDEX i ON t (f(b), (f(a) + 1));
         ALTER FUNCTION f(int) RENAME TO \"order\";"
    ), @r#"
    t: a int4? = "order"(19), b text?
      t_a_check: check "order"(1) > a
      t_check: check f(b) > "order"(a)
      index i: (f(b)) ("order"(a) + 1)
    "#);
}

#[test]
fn functions_that_call_each_other_are_examined_once() {
    assert_eq!(
        show(
            "CREATE FUNCTION fact(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN n * fact(n - 1); END $$;
             CREATE FUNCTION even(n int) RETURNS bool LANGUAGE sql AS 'SELECT odd(n - 1)';
             CREATE FUNCTION odd(n int) RETURNS bool LANGUAGE sql AS 'SELECT even(n - 1)';
             CREATE TABLE t (a int DEFAULT fact(3), CHECK (even(a)));
             INSERT INTO t VALUES (1); SELECT fact(2), odd(3) FROM t;"
        ),
        "t: a int4? = fact(3)\n  t_a_check: check even(a)\n"
    );
}
