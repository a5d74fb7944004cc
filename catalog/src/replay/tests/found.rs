//! Histories that random tests have found. Replay once differed from a server on each.

mod functions;
mod inheritance;
mod renames;
mod schemas;
mod settings;

use std::sync::{LazyLock, Mutex, PoisonError};

use bowline::Session;
use bowline::testing::LocalServer;

use super::histories::{disagreement, session_of_its_own, take};
use super::{migration, replay, show};

static SERVER: LazyLock<(LocalServer, Mutex<Session>)> = LazyLock::new(|| {
    let (server, session) = session_of_its_own("found");
    (server, Mutex::new(session))
});

/// Checks that a server accepts every statement, and that replay has the same catalog as the server
/// afterwards.
fn agree(history: &[&str]) {
    let statements: Vec<String> = history.iter().map(|sql| (*sql).to_owned()).collect();
    let mut session = SERVER.1.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = take(&mut session, &statements);
    drop(session);
    assert_eq!(taken.statements, statements, "the server takes all of them");
    if let Some(disagreement) = disagreement(&taken) {
        panic!("{disagreement}");
    }
}

#[test]
fn a_serial_that_loses_another_sequence_stays_serial() {
    agree(&[
        "CREATE TABLE t (id serial, a int)",
        "CREATE SEQUENCE s OWNED BY t.id",
        "ALTER SEQUENCE s OWNED BY t.a",
    ]);
}

#[test]
fn a_serial_column_with_two_sequences_uses_its_own() {
    agree(&[
        "CREATE TABLE t (id serial, a int)",
        "CREATE SEQUENCE s OWNED BY t.id",
        "CREATE TABLE u (LIKE t INCLUDING DEFAULTS)",
        "CREATE TABLE v () INHERITS (t)",
        "DROP SEQUENCE s",
        "CREATE SEQUENCE a OWNED BY t.id",
        "ALTER TABLE t ALTER id SET DEFAULT nextval('a')",
        "ALTER SEQUENCE t_id_seq RENAME TO b",
        "ALTER SEQUENCE a OWNED BY NONE",
    ]);
}

#[test]
fn a_default_keeps_the_sequence_the_path_meant() {
    agree(&[
        "CREATE SCHEMA z",
        "CREATE SEQUENCE z.s",
        "SET search_path TO z, public",
        "CREATE TABLE public.t (a int DEFAULT nextval('s'), b text DEFAULT 'n-' || nextval('s'))",
        "SET search_path TO public",
        "CREATE SEQUENCE s",
        "ALTER SEQUENCE z.s RENAME TO s1",
        "ALTER SEQUENCE z.s1 OWNED BY NONE",
        "DROP SEQUENCE s",
    ]);
}

#[test]
fn a_dropped_sequence_drops_defaults_that_use_it() {
    agree(&[
        "CREATE SEQUENCE s",
        "CREATE TABLE t (a text DEFAULT 'n-' || nextval('s'), b int DEFAULT nextval('s') + 1)",
        "DROP SEQUENCE s CASCADE",
    ]);
}

#[test]
fn drop_if_exists_with_other_argument_types_drops_nothing() {
    agree(&[
        "CREATE FUNCTION f0(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
        "CREATE PROCEDURE p(int) LANGUAGE sql AS 'SELECT 1'",
        "CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int)",
        "CREATE TABLE t (a int DEFAULT f0(1))",
        "DROP FUNCTION IF EXISTS f0() CASCADE",
        "CREATE FUNCTION f0(text) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION IF EXISTS f0() CASCADE",
        "DROP FUNCTION IF EXISTS f0(int, int), f0(bigint) CASCADE",
        "DROP PROCEDURE IF EXISTS p() CASCADE",
        "DROP ROUTINE IF EXISTS f0(), p(text) CASCADE",
        "DROP AGGREGATE IF EXISTS total(text) CASCADE",
    ]);
}

#[test]
fn drop_function_cascade_keeps_callers_of_other_overloads() {
    agree(&[
        "CREATE FUNCTION f0(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f0() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE FUNCTION f0(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE t (a int DEFAULT f0(1), CHECK (f0(a) > 0))",
        "CREATE VIEW v AS SELECT f0(a) AS b FROM t",
        "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f0()",
        "DROP FUNCTION IF EXISTS f0() CASCADE",
        "DROP FUNCTION IF EXISTS f0() CASCADE",
        "DROP FUNCTION IF EXISTS f0(int, int) CASCADE",
    ]);
}

#[test]
fn no_table_is_its_own_ancestor() {
    assert_eq!(
        show(
            "CREATE TABLE a (x int); CREATE TABLE b () INHERITS (a); CREATE TABLE c () INHERITS (b);
             ALTER TABLE a INHERIT c; ALTER TABLE a INHERIT a; ALTER TABLE a DROP COLUMN x;"
        ),
        "refused, line 2: a would inherit from itself, so PostgreSQL refuses this\n\
         refused, line 2: a would inherit from itself, so PostgreSQL refuses this\n\
         a: \nb: \nc: \n"
    );
}

#[test]
fn a_composite_type_can_be_a_model_and_has_comments() {
    agree(&[
        "CREATE TYPE p AS (a int, b text)",
        "COMMENT ON COLUMN p.a IS 'x'",
        "CREATE TABLE t (LIKE p)",
    ]);
}

#[test]
fn a_changed_composite_changes_children_of_its_tables() {
    agree(&[
        "CREATE TYPE p AS (a int, b text, c int)",
        "CREATE TABLE t OF p",
        "CREATE TABLE u () INHERITS (t)",
        "ALTER TYPE p DROP ATTRIBUTE b CASCADE",
        "ALTER TYPE p ADD ATTRIBUTE d int CASCADE, ALTER ATTRIBUTE a TYPE bigint CASCADE",
        "ALTER TYPE p RENAME ATTRIBUTE c TO e CASCADE",
    ]);
}

#[test]
fn like_copies_the_comments_of_indexes_but_not_of_keys() {
    agree(&[
        "CREATE TABLE t (a int PRIMARY KEY, CONSTRAINT k CHECK (a > 0))",
        "COMMENT ON CONSTRAINT t_pkey ON t IS 'key'",
        "COMMENT ON INDEX t_pkey IS 'index'",
        "COMMENT ON CONSTRAINT k ON t IS 'check'",
        "CREATE TABLE u (LIKE t INCLUDING ALL)",
    ]);
}

#[test]
fn an_expression_has_the_collation_of_its_columns() {
    agree(&[
        "CREATE TABLE t (a text COLLATE \"C\", b text)",
        "CREATE INDEX ON t (lower(a), lower(b), (a || b))",
    ]);
}

#[test]
fn a_changed_collation_keeps_that_of_the_index() {
    agree(&[
        "CREATE TABLE t (a text)",
        "CREATE INDEX ON t (a COLLATE \"C\", a)",
        "ALTER TABLE t ALTER a TYPE varchar COLLATE \"C\"",
        "ALTER TABLE t ALTER a TYPE text COLLATE \"POSIX\"",
    ]);
}

#[test]
fn a_view_of_whole_rows_depends_on_no_column() {
    agree(&[
        "CREATE TABLE t (a int, b int)",
        "CREATE VIEW v AS SELECT t AS whole FROM t",
        "ALTER TABLE t DROP COLUMN b",
    ]);
}

#[test]
fn an_index_of_a_partition_belongs_to_one_of_its_parents() {
    agree(&[
        "CREATE TABLE t (a int NOT NULL) PARTITION BY RANGE (a)",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "ALTER TABLE t ADD UNIQUE (a)",
        "ALTER TABLE t ADD PRIMARY KEY (a)",
        "CREATE INDEX ON t (a)",
        "CREATE INDEX ON t (a)",
        "ALTER TABLE t DROP CONSTRAINT t_a_key",
    ]);
}

#[test]
fn a_copied_index_is_named_after_the_old_column_names() {
    agree(&[
        "CREATE TABLE t (a int, b text) PARTITION BY RANGE (a)",
        "CREATE INDEX ON t (a, lower(b))",
        "ALTER TABLE t RENAME a TO c",
        "ALTER INDEX t_a_lower_idx RENAME TO i",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "CREATE TABLE v (LIKE u INCLUDING INDEXES)",
    ]);
}

#[test]
fn a_child_keeps_its_own_not_null() {
    agree(&[
        "CREATE TABLE t (a int NOT NULL, b int NOT NULL)",
        "CREATE TABLE u (LIKE t)",
        "ALTER TABLE u INHERIT t",
        "CREATE TABLE v (a int NOT NULL) INHERITS (t)",
        "CREATE TABLE w () INHERITS (t)",
        "ALTER TABLE t ALTER a DROP NOT NULL, ALTER b DROP NOT NULL",
    ]);
}

#[test]
fn alter_index_renames_a_sequence_too() {
    agree(&["CREATE SEQUENCE s", "ALTER INDEX s RENAME TO i"]);
}

#[test]
fn a_domain_has_the_default_of_its_base_domain() {
    agree(&[
        "CREATE DOMAIN a AS int DEFAULT 3",
        "CREATE DOMAIN b AS a",
        "CREATE DOMAIN c AS varchar(9) DEFAULT 'x'",
        "ALTER DOMAIN c SET DEFAULT NULL",
    ]);
}

#[test]
fn a_default_may_come_from_the_second_parent() {
    agree(&[
        "CREATE TABLE a (x int, y int)",
        "CREATE TABLE b (x int DEFAULT 5, y int)",
        "CREATE TABLE c () INHERITS (a, b)",
    ]);
}

#[test]
fn a_view_of_a_temporary_table_blocks_no_change() {
    agree(&[
        "CREATE VIEW v AS SELECT 1 AS one",
        "CREATE TEMPORARY TABLE t (a int)",
        "CREATE VIEW v AS SELECT a FROM t",
        "DROP TABLE t CASCADE",
    ]);
}

#[test]
fn an_expression_index_follows_its_columns_collation() {
    agree(&[
        "CREATE TABLE t (a text)",
        "CREATE INDEX ON t (lower(a), (a || 'x') COLLATE \"C\")",
        "ALTER TABLE t ALTER a TYPE varchar COLLATE \"C\"",
        "ALTER TABLE t ALTER a TYPE text",
    ]);
}

#[test]
fn a_detached_partition_leaves_its_parents_identity() {
    agree(&[
        "CREATE TABLE t (a int NOT NULL, b int NOT NULL) PARTITION BY RANGE (b)",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "ALTER TABLE t ALTER a ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 5)",
        "ALTER TABLE t DETACH PARTITION u",
    ]);
}

#[test]
fn a_recreated_index_is_recreated_in_partitions() {
    agree(&[
        "CREATE TABLE t (a int, b int) PARTITION BY RANGE (b)",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "CREATE INDEX i ON ONLY t (a)",
        "ALTER TABLE t ALTER a TYPE bigint",
    ]);
}

#[test]
fn like_copies_the_indexes_of_a_materialized_view() {
    agree(&[
        "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a",
        "CREATE UNIQUE INDEX ON v (a)",
        "CREATE TABLE t (LIKE v INCLUDING ALL)",
    ]);
}

#[test]
fn foreign_keys_of_a_parent_are_in_its_partitions() {
    agree(&[
        "CREATE TABLE k (id int PRIMARY KEY)",
        "CREATE TABLE t (a int) PARTITION BY RANGE (a)",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES k, ADD FOREIGN KEY (a) REFERENCES k",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES k DEFERRABLE",
        "ALTER TABLE t DROP CONSTRAINT t_a_fkey1",
    ]);
}

#[test]
fn cascade_drops_a_routine_with_its_callers() {
    agree(&[
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION g(n int) RETURNS int LANGUAGE sql AS 'SELECT n'",
        "CREATE TABLE t (a int DEFAULT f(), b int DEFAULT g(1))",
        "DROP ROUTINE f, g(int) CASCADE",
    ]);
}

#[test]
fn a_schema_named_after_the_current_user_is_refused() {
    assert_eq!(
        show("CREATE SCHEMA AUTHORIZATION CURRENT_USER;"),
        "refused, line 1: the schema is named after the role that runs this, which is not known\n"
    );
}

#[test]
fn a_generated_column_can_get_another_expression() {
    assert_eq!(
        show(
            "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED); ALTER TABLE t ALTER b SET EXPRESSION AS (a + 1);"
        ),
        "t: a int4?, b int4? := a + 1\n"
    );
}

#[test]
fn an_extension_is_dropped_with_its_schema() {
    agree(&[
        "CREATE SCHEMA z1",
        "CREATE EXTENSION citext",
        "CREATE TABLE t (a citext, b int)",
        "ALTER EXTENSION citext SET SCHEMA z1",
        "ALTER SCHEMA z1 RENAME TO z2",
        "DROP SCHEMA z2 CASCADE",
    ]);
}

#[test]
fn a_key_made_of_an_index_is_not_null_in_the_children_too() {
    agree(&[
        "CREATE TABLE t (a int)",
        "CREATE TABLE u () INHERITS (t)",
        "CREATE UNIQUE INDEX i ON t (a)",
        "ALTER TABLE t ADD PRIMARY KEY USING INDEX i",
    ]);
}

#[test]
fn a_childs_identity_follows_the_parents_type() {
    agree(&[
        "CREATE TABLE t (a int NOT NULL)",
        "CREATE TABLE u () INHERITS (t)",
        "ALTER TABLE u ALTER a SET NOT NULL",
        "ALTER TABLE u ALTER a ADD GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE t ALTER a TYPE bigint",
    ]);
}

#[test]
fn a_condition_sees_temporary_tables() {
    agree(&[
        "CREATE TEMPORARY TABLE t (a int)",
        "CREATE TABLE u (a int)",
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_class WHERE relname = 't') THEN ALTER TABLE u ADD b int; END IF; END $$",
    ]);
}

#[test]
fn a_column_is_dropped_once_all_its_parents_dropped_it() {
    agree(&[
        "CREATE TABLE t (a int, b int)",
        "CREATE TABLE u () INHERITS (t)",
        "CREATE TABLE s () INHERITS (u, t)",
        "ALTER TABLE t DROP COLUMN b",
    ]);
}

#[test]
fn a_primary_key_uses_a_partitions_unique_index() {
    agree(&[
        "CREATE TABLE t (a int NOT NULL) PARTITION BY RANGE (a)",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "ALTER TABLE u ADD UNIQUE (a)",
        "ALTER TABLE t ADD PRIMARY KEY (a)",
    ]);
}

#[test]
fn a_default_names_its_sequence_even_if_hidden() {
    agree(&[
        "CREATE TABLE t (a serial)",
        "CREATE TABLE u (b int DEFAULT nextval('t_a_seq'))",
        "CREATE TEMPORARY TABLE t_a_seq (a int)",
    ]);
}

#[test]
fn a_default_is_dropped_with_its_temporary_sequence() {
    agree(&[
        "CREATE TEMPORARY SEQUENCE s",
        "CREATE TABLE t (a int DEFAULT nextval('s'))",
    ]);
}

#[test]
fn an_extensions_function_is_found_by_the_path_only() {
    agree(&[
        "CREATE SCHEMA z",
        "CREATE EXTENSION citext SCHEMA z",
        "CREATE TABLE t (a z.citext)",
        "CREATE VIEW v AS SELECT max(a) FROM t",
        "SET search_path TO public, z",
        "CREATE VIEW w AS SELECT max(a) FROM t",
    ]);
}

#[test]
fn brackets_around_a_collated_index_column_do_not_count() {
    agree(&[
        "CREATE TABLE t (a text, b text)",
        "CREATE INDEX ON t ((a COLLATE \"C\"), ((b)))",
    ]);
}

#[test]
fn a_loop_over_all_tables_includes_diesels_table() {
    let replayed = replay(&[migration(
        "CREATE TABLE a (id int);
         DO $$ DECLARE t text; BEGIN
             FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
                 EXECUTE format('CREATE TABLE %I (of text)', t || '_audit');
             END LOOP;
         END $$;",
    )]);
    assert_eq!(replayed.refusals, []);
    let names = replayed
        .catalog
        .relations
        .keys()
        .map(|name| name.name.as_str());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["__diesel_schema_migrations_audit", "a", "a_audit"]
    );
}

#[test]
fn a_name_with_escapes_is_refused_and_not_misread() {
    let shown = show("CREATE TABLE t (U&\"d\\0061t\" int);");
    assert!(
        shown.contains("names with Unicode escapes are not followed"),
        "{shown}"
    );
}

#[test]
fn a_recreated_check_is_as_valid_as_the_parents() {
    agree(&[
        "CREATE TABLE t (a int, b int) PARTITION BY RANGE (b)",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a < 9) NOT VALID",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "ALTER TABLE t ALTER a TYPE bigint",
    ]);
}
