//! Objects that no statement changes, and what stays with them.

use super::*;

#[test]
fn objects_that_a_blocked_object_uses_are_not_dropped() {
    let actual = after(
        "CREATE TYPE e AS ENUM ('x'); CREATE DOMAIN d AS e; CREATE TABLE u (a int); CREATE FUNCTION f(u) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
         CREATE TABLE p (a int, CHECK (f(NULL) > a)) PARTITION BY LIST (a); CREATE TABLE g (a int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s));
         CREATE INDEX k ON p (a); CREATE TABLE t (a int);",
    );
    let expected = after(
        "CREATE DOMAIN d AS int DEFAULT 5; CREATE TABLE p (a int); CREATE SEQUENCE s; CREATE TABLE g (a int) PARTITION BY LIST (a);
         CREATE TABLE k (a int); CREATE TABLE t (a int, CONSTRAINT k CHECK (a > 0)); CREATE FUNCTION h(r p) RETURNS int LANGUAGE sql AS 'SELECT 1';",
    );
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- g should be another kind of relation, and no statement converts it without losing its rows: create a new one and copy the rows
    -- p should be another kind of relation, and no statement converts it without losing its rows: create a new one and copy the rows
    -- the domain d should have another base type or collation, which PostgreSQL cannot change: create a new domain
    -- type e is not dropped, since d may use it
    -- sequence s is not changed, since g is not changed
    -- relation u is not dropped, since p may use it
    -- function f(u) is not dropped, since p may use it
    -- left out, since it may use k: CREATE TABLE k (a int4)
    -- left out, since it may use p: CREATE OR REPLACE FUNCTION h(r p) RETURNS int4 LANGUAGE sql AS $$SELECT 1$$
    SET check_function_bodies = off;
    ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0);
    ");
}

#[test]
fn the_sequence_of_a_table_that_stays_is_not_dropped() {
    let actual = after(
        "CREATE TABLE t (id serial PRIMARY KEY);
         CREATE TABLE p (id int REFERENCES t) PARTITION BY LIST (id);",
    );
    let expected = after("CREATE TABLE p (id int)");
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- p should be another kind of relation, and no statement converts it without losing its rows: create a new one and copy the rows
    -- sequence t_id_seq is not dropped, since p may use it
    -- relation t is not dropped, since p may use it
    ");
}

#[test]
fn the_extension_of_a_table_that_stays_is_not_dropped() {
    let actual = after(
        "CREATE SCHEMA app; CREATE EXTENSION citext SCHEMA app;
         CREATE TABLE p (a app.citext) PARTITION BY LIST (a);",
    );
    let expected = after("CREATE TABLE p (a text)");
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- p should be another kind of relation, and no statement converts it without losing its rows: create a new one and copy the rows
    -- schema app is not dropped, since p may use it
    -- extension citext is not dropped, since p may use it
    ");
}

#[test]
fn users_of_what_is_left_out_are_left_out() {
    let actual = after(
        "CREATE SCHEMA app; CREATE TYPE app.pair AS (a int); CREATE TABLE p OF app.pair PARTITION BY LIST (a);",
    );
    let expected = after(
        "CREATE TABLE p (a text); CREATE VIEW v AS SELECT a FROM p; CREATE VIEW w AS SELECT a FROM v; COMMENT ON VIEW w IS 'w';",
    );
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    // Before PostgreSQL 18, a server writes each column with its table.
    let bare = script.replace("p.a ", "a ").replace("v.a ", "a ");
    insta::assert_snapshot!(bare, @"
    -- p should be another kind of relation, and no statement converts it without losing its rows: create a new one and copy the rows
    -- schema app is not dropped, since p may use it
    -- type app.pair is not dropped, since p may use it
    -- left out, since it may use p: CREATE OR REPLACE VIEW v (a) AS SELECT a    FROM p
    -- left out, since it may use v: CREATE OR REPLACE VIEW w (a) AS SELECT a    FROM v
    -- left out, since it may use w: COMMENT ON VIEW w IS 'w'
    ");
}

#[test]
fn a_column_that_should_be_generated_blocks_its_table() {
    let actual = after(
        "CREATE TABLE t (id serial PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED);
         CREATE TABLE u (a int); CREATE TABLE gone (id int NOT NULL);",
    );
    let expected = after(
        "CREATE TABLE t (a int NOT NULL, id int GENERATED ALWAYS AS (a + 2) STORED, c text);
         CREATE TABLE u (a int, c text); CREATE VIEW v AS SELECT id FROM t;",
    );
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    // Before PostgreSQL 18, a server writes each column with its table.
    let bare = script.replace("t.id  ", "id  ");
    insta::assert_snapshot!(bare, @"
    -- t.id should be GENERATED ALWAYS AS ((a + 2)) STORED: drop the column, add it again, and compare again; nothing else of t is changed before
    -- sequence t_id_seq is not dropped, since t may use it
    -- left out, since it may use t: CREATE OR REPLACE VIEW v (id) AS SELECT id    FROM t
    ALTER TABLE u ADD COLUMN c text;
    DROP TABLE gone;
    ");
}

#[test]
fn the_identity_sequence_of_a_foreign_table_is_noted() {
    let expected = after(
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (a int) SERVER s;
         ALTER TABLE f ADD COLUMN id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME numbers);
         COMMENT ON SEQUENCE numbers IS 'n'; GRANT SELECT ON SEQUENCE numbers TO pg_monitor;",
    );
    let actual = Catalog::default();
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- sequence numbers is not created, since f is not created
    -- f is not created, since the catalog lacks its definition, which its migration has
    ");
}

#[test]
fn the_state_of_a_trigger_that_is_left_out_is_left_out() {
    let expected = after(
        "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
         CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER x;
         ALTER TABLE t ADD CONSTRAINT y CHECK (g(a) > 0); COMMENT ON CONSTRAINT y ON t IS 'y';
         CREATE INDEX z ON t (g(a)); COMMENT ON INDEX z IS 'z';
         CREATE AGGREGATE f(int) (SFUNC = int4pl, STYPE = int, FINALFUNC = int4um, INITCOND = 7);
         CREATE AGGREGATE g(text) (SFUNC = textcat, STYPE = text);",
    );
    let actual = Catalog::default();
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- the aggregate f(int4) is not created, since the catalog lacks a part of its definition, which its migration has
    -- the aggregate g(text) is not created, since the catalog lacks a part of its definition, which its migration has
    -- left out, since it may use f: CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()
    -- left out, since it may use g: ALTER TABLE t ADD CONSTRAINT y CHECK (g(a) > 0)
    -- left out, since it may use g: CREATE INDEX z ON t USING btree ((g(a)))
    -- left out, since it may use t.x: ALTER TABLE t DISABLE TRIGGER x
    -- left out, since it may use t.y: COMMENT ON CONSTRAINT y ON t IS 'y'
    -- left out, since it may use z: COMMENT ON INDEX z IS 'z'
    SET check_function_bodies = off;
    CREATE TABLE t (a int4);
    CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE OR REPLACE FUNCTION g(int4) RETURNS int4 LANGUAGE sql IMMUTABLE AS $$SELECT 1$$;
    ");
}

#[test]
fn an_inherited_triggers_state_is_left_out_with_it() {
    let expected = after(
        "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE c PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (a);
         CREATE TABLE d PARTITION OF c FOR VALUES IN (1);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE AGGREGATE f(int) (SFUNC = int4pl, STYPE = int, FINALFUNC = int4um);
         CREATE TRIGGER x BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE d DISABLE TRIGGER x;
         CREATE TRIGGER y BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION g(); ALTER TABLE d DISABLE TRIGGER y;",
    );
    let actual = Catalog::default();
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- the aggregate f(int4) is not created, since the catalog lacks a part of its definition, which its migration has
    -- left out, since it may use f: CREATE TRIGGER x BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f()
    -- left out, since it may use p.x: ALTER TABLE d DISABLE TRIGGER x
    SET check_function_bodies = off;
    CREATE TABLE p (a int4) PARTITION BY LIST (a);
    CREATE TABLE c (a int4) PARTITION BY LIST (a);
    CREATE TABLE d (a int4);
    CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE OR REPLACE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1);
    ALTER TABLE c ATTACH PARTITION d FOR VALUES IN (1);
    CREATE TRIGGER y BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION g();
    ALTER TABLE d DISABLE TRIGGER y;
    ");
}

#[test]
fn the_multirange_of_a_type_that_stays_takes_its_name() {
    let actual = after("CREATE TYPE r AS RANGE (subtype = text, multirange_type_name = many);");
    let expected = after(
        "CREATE TYPE r AS RANGE (subtype = float8); CREATE TYPE q AS RANGE (subtype = text, multirange_type_name = many);",
    );
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- the range type r should have another definition, which PostgreSQL cannot change: create a new type
    -- left out, since it may use many: CREATE TYPE q AS RANGE (SUBTYPE = text, MULTIRANGE_TYPE_NAME = many)
    ");
}

#[test]
fn a_change_left_out_in_part_changes_nothing() {
    let actual = after(
        "CREATE TYPE p AS (a int, b text); CREATE TABLE t OF p; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
         ALTER TABLE t ALTER a SET DEFAULT f(), ADD CHECK (a > 0); CREATE TABLE u (a p);",
    );
    let expected = after("CREATE TYPE p AS (a text, b text); CREATE TABLE t OF p;");
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- t is not changed, since the change of a column may use t.a
    -- the composite type p should have other attributes, which PostgreSQL cannot change while a column has the type: create a new type, change the columns to it, and drop the old one; its typed tables do not change either: t
    -- function f() is not dropped, since t may use it
    DROP TABLE u;
    ");
}

#[test]
fn a_trigger_named_as_a_constraint_is_noted() {
    let expected = after(
        "CREATE TABLE t (a int, CONSTRAINT k CHECK (a > 0));
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE CONSTRAINT TRIGGER x AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TRIGGER x ON t RENAME TO k;",
    );
    let actual = Catalog::default();
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- trigger k of t is not created, since a constraint of t has the same name
    SET check_function_bodies = off;
    CREATE TABLE t (a int4);
    CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0);
    ");
}

#[test]
fn a_partitions_exclusion_comes_with_the_parents() {
    // Servers accept it from PostgreSQL 17 on.
    let expected = crate::testing::replayed(
        "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
         ALTER TABLE p ADD CONSTRAINT k EXCLUDE USING btree (a WITH =) WHERE (a > 0);",
    );
    let actual = Catalog::default();
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    CREATE TABLE p (a int4) PARTITION BY RANGE (a);
    CREATE TABLE p1 (a int4);
    ALTER TABLE p ADD CONSTRAINT k EXCLUDE USING btree (a WITH =) WHERE (a > 0);
    ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (1) TO (2);
    ");
}
