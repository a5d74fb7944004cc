mod arms;
mod found;
mod fuzz;
mod histories;
mod holes;
mod prints;
mod server;
mod statements;
mod templates;
mod temporal;

use std::fmt::Write as _;
use std::path::PathBuf;

use super::*;
use crate::catalog::{Column, ConstraintKind, DataType, Fill, IndexKey, TypeKind};

fn migration(sql: &str) -> Migration {
    Migration {
        version: "1".to_owned(),
        name: "1_test".to_owned(),
        path: PathBuf::from("migrations/1_test"),
        up: SqlFile {
            path: PathBuf::from("migrations/1_test/up.sql"),
            text: sql.to_owned(),
        },
        down: None,
        run_in_transaction: true,
    }
}

/// The catalog in a few words a line.
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
        dimensions,
    } = &column.data_type;
    let modifiers = if modifiers.is_empty() {
        String::new()
    } else {
        format!("{modifiers:?}")
    };
    let fill = match &column.fill {
        Fill::Nothing => String::new(),
        Fill::Default(default) => format!(" = {default}"),
        Fill::Serial { .. } => " serial".to_owned(),
        Fill::Identity { always } => if *always { " identity!" } else { " identity" }.to_owned(),
        Fill::Generated { expression, .. } => format!(" := {expression}"),
    };
    let null = if column.not_null { "" } else { "?" };
    format!(
        "{} {}{modifiers}{}{null}{fill}",
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
fn a_dropped_column_takes_what_rests_on_it() {
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
fn renames_are_followed_by_references_and_expressions_but_not_by_names() {
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
fn types_are_known_under_all_their_spellings() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (a int4, b integer[], c timestamp with time zone, d double precision, e char, f decimal(10,2),
            g float(24), h bit varying(3), i time(3), j pg_catalog.text, k interval);"
    ), @"t: a int4?, b int4[]?, c timestamptz?, d float8?, e bpchar[1]?, f numeric[10, 2]?, g float4?, h varbit[3]?, i time[3]?, j text?, k interval?");
}

#[test]
fn identity_and_generated_columns_are_told_from_defaults() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, n int GENERATED BY DEFAULT AS IDENTITY, a text DEFAULT NULL,
            b text GENERATED ALWAYS AS (a || 'x') STORED, c date DEFAULT now());"
    ), @"t: id int8 identity!, n int4 identity, a text?, b text? := a || 'x', c date? = now()");
}

#[test]
fn what_is_not_followed_is_refused_and_named_and_the_rest_goes_on() {
    insta::assert_snapshot!(show(
        "CREATE TABLE a (id int);\nDO $$ BEGIN EXECUTE format('CREATE TABLE %I ()', 'b' || n); END $$;\nCREATE TABLE c AS SELECT unheard_of(1) AS x;
         SELECT make_partitions();\nALTER TABLE nowhere ADD COLUMN x int;\nCREATE TABLE d (x unheard_of);\nCREATE TABLE e (id int);"
    ), @r"
    refused, line 2: the text that this executes is known only when it runs
    refused, line 3: what unheard_of(int4) gives is not known
    refused, line 4: this calls the function make_partitions, which may change the schema
    refused, line 5: there is no table nowhere
    refused, line 6: the type unheard_of is not known
    a: id int4?
    e: id int4?
    ");
}

#[test]
fn what_rests_on_a_refused_statement_is_not_named_again() {
    insta::assert_snapshot!(show(
        "CREATE TABLE a AS SELECT unheard_of(1) AS x;\nALTER TABLE a ADD COLUMN y int;\nCREATE INDEX i ON a (y);\nALTER TABLE a RENAME TO b;\nDROP TABLE b;"
    ), @"refused, line 1: what unheard_of(int4) gives is not known");
}

#[test]
fn an_author_can_answer_for_a_statement() {
    assert_eq!(
        show("-- bowline: ignore\nDO $$ BEGIN PERFORM 1; END $$;"),
        ""
    );
}

#[test]
fn an_author_can_say_the_effect_of_a_statement() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (a int);
         -- It runs for each of three columns.
         -- bowline: ALTER TABLE t ADD COLUMN b int,
         -- bowline:     ADD COLUMN c int NOT NULL;
         DO $$ BEGIN EXECUTE x; END $$;"
    ), @"t: a int4?, b int4?, c int4");
}

#[test]
fn what_a_block_certainly_does_is_followed() {
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
fn a_trigger_that_a_function_makes_shapes_nothing() {
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
fn a_role_that_a_function_makes_where_it_is_missing_shapes_nothing() {
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
    insta::assert_snapshot!(replayed.refusals[0].render(false), @r"
    error: the text that this executes is known only when it runs
     --> migrations/1_test/up.sql:4:3
      |
    4 |   EXECUTE x;
      |   ^^^^^^^^^^
      |
    help: say its effect in a comment on the line before the statement, as `-- bowline: ALTER TABLE ..;`, or write `-- bowline: ignore` if it changes no table, column, key or type
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
fn an_identity_that_is_dropped_takes_its_own_sequence_and_no_other_that_its_column_owns() {
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
fn what_create_schema_makes_inside_is_refused_and_not_lost() {
    assert_eq!(
        show("CREATE SCHEMA s CREATE TABLE t (id int);"),
        "refused, line 1: replay does not follow what CREATE SCHEMA makes inside\n"
    );
}
