//! Views whose columns are inferred, and views whose columns stay unknown.

use super::*;

#[test]
fn a_view_that_is_not_inferred_is_a_gap() {
    // Statements about such a view are valid. A statement that needs its columns is refused, and
    // others are replayed.
    insta::assert_snapshot!(gaps(
        "CREATE TABLE t (id int PRIMARY KEY);
         CREATE VIEW near AS SELECT unheard_of(id) AS x FROM t;
         CREATE VIEW nearer AS SELECT x FROM near;
         CREATE MATERIALIZED VIEW stored AS SELECT unheard_of(id) AS x FROM t;
         CREATE UNIQUE INDEX stored_x ON stored (x);
         COMMENT ON VIEW near IS 'n'; COMMENT ON COLUMN near.x IS 'x'; GRANT SELECT ON near TO public;
         ALTER VIEW nearer RENAME TO far; ALTER TABLE far RENAME x TO y; ALTER INDEX stored_x RENAME TO stored_y;
         DROP INDEX stored_y; DROP MATERIALIZED VIEW stored;
         CREATE TABLE of_it AS SELECT x FROM near; CREATE TABLE last (id int);"
    ), @"
    view near (1_test/up.sql:2): the result of unheard_of(integer) is not known
    view far (1_test/up.sql:3): it reads the view near (1_test/up.sql:2): the result of unheard_of(integer) is not known
    refused: there is no table near: this needs the view near (1_test/up.sql:2): the result of unheard_of(integer) is not known
    ");
    assert_eq!(
        gaps("CREATE VIEW v AS SELECT unheard_of(1) AS x; DROP VIEW v; CREATE TABLE v (id int);"),
        ""
    );
    assert_eq!(
        gaps(
            "CREATE VIEW v AS SELECT unheard_of(1) AS x; CREATE OR REPLACE VIEW v AS SELECT 1 AS x;"
        ),
        ""
    );
}

#[test]
fn a_view_that_postgresql_refuses_is_refused() {
    insta::assert_snapshot!(gaps(
        "CREATE TABLE t (id int);
         CREATE VIEW a AS SELECT nothing FROM t;
         CREATE VIEW b AS SELECT id, id FROM t;
         CREATE VIEW c AS SELECT id FROM missing;"
    ), @"
    refused: there is no column nothing in what this reads
    refused: two columns are named id, so PostgreSQL refuses this
    refused: there is no table missing
    ");
}

#[test]
fn an_ignored_statement_still_defines_its_name() {
    assert_eq!(
        show("CREATE TABLE t (id int);
             -- bowline: ignore
             CREATE VIEW v AS SELECT unheard_of(id) FROM t;
             COMMENT ON VIEW v IS 'v'; CREATE OR REPLACE VIEW v AS SELECT unheard_of(id) FROM t; DROP VIEW v;
             -- bowline: ignore
             CREATE TABLE part PARTITION OF nothing DEFAULT;
             ALTER TABLE part ADD COLUMN a int; CREATE INDEX part_a ON part (a); DROP INDEX part_a; DROP TABLE part;
             -- bowline: ignore
             CREATE TYPE unknown_kind;
             COMMENT ON TYPE unknown_kind IS 'k'; DROP TYPE unknown_kind;
             -- bowline: ignore
             CREATE INDEX i ON t (id);
             ALTER INDEX i RENAME TO j; DROP INDEX j;"),
        "t: id int4?\n"
    );
}

#[test]
fn empty_arrays_have_the_type_of_their_cast() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (id int, tags text[], ids uuid[], n int[]);
         CREATE VIEW v AS SELECT coalesce(array_agg(id), ARRAY[]::int[]) AS a, CAST(ARRAY[] AS uuid[]) AS b,
            (ARRAY[])::text[] AS c, ARRAY[ARRAY[]]::date[] AS d, ARRAY[]::varchar(3)[] AS e FROM t;
         CREATE VIEW w AS SELECT tags || '{x}' AS a, '{x}' || tags AS b, tags || NULL AS c, n || 1 AS d, ids || '{}' AS e,
            ARRAY[1] || '{2}' AS f, tags || 'x'::text AS g,
            n || n AS h, ids || ARRAY[]::uuid[] AS i, n || 2::bigint AS j, 1.5 || n AS k, n || ARRAY[1.5] AS l FROM t;"
    ), @"
    t: id int4?, tags text[]?, ids uuid[]?, n int4[]?
    v: a int4[]?, b uuid[]?, c text[]?, d date[]?, e varchar[3][]?
    w: a text[]?, b text[]?, c text[]?, d int4[]?, e uuid[]?, f int4[]?, g text[]?, h int4[]?, i uuid[]?, j int8[]?, k numeric[]?, l numeric[]?
    ");
}

#[test]
fn old_types_of_the_server_are_known() {
    insta::assert_snapshot!(show(
        "CREATE TABLE t (a \"char\", b pg_catalog.\"char\", c \"char\"[], d oidvector, e int2vector, f regconfig, g refcursor,
            h char, i pg_catalog.char, j \"text\", k aclitem[]);"
    ), @"
    t: a char?, b char?, c char[]?, d oidvector?, e int2vector?, f regconfig?, g refcursor?, h bpchar[1]?, i char?, j text?, k aclitem[]?
    ");
}

#[test]
fn loops_over_constant_sets_are_followed() {
    insta::assert_snapshot!(show(
        "CREATE TYPE c AS ENUM ('red');
         DO $$ DECLARE c text; BEGIN
            FOR c IN SELECT unnest(ARRAY['green', 'blue']) LOOP EXECUTE format('ALTER TYPE c ADD VALUE %L', c); END LOOP;
         END $$;
         DO $$ DECLARE r record; BEGIN
            FOR r IN SELECT generate_series(2, 6, 2) AS n, 'x' AS t LOOP EXECUTE format('CREATE TABLE a%s (%I int)', r.n, r.t); END LOOP;
            FOR r IN SELECT unnest(string_to_array('p,q', ',')) AS n, unnest('{r,\"s t\"}'::text[]) AS m LOOP
                EXECUTE format('CREATE TABLE %I (%I int)', r.n, r.m); END LOOP;
            FOR r IN SELECT * FROM regexp_split_to_table('u, v', ', *') WITH ORDINALITY AS x(t, n) LOOP
                EXECUTE format('CREATE TABLE %I (n%s int)', r.t, r.n); END LOOP;
            FOR r IN SELECT t FROM (VALUES ('w')) x(t), generate_series(1, 2) LOOP
                EXECUTE format('CREATE TABLE IF NOT EXISTS %I ()', r.t); END LOOP;
            FOR r IN SELECT jsonb_array_elements_text('[\"j\"]') AS t LOOP EXECUTE format('CREATE TABLE %I ()', r.t); END LOOP;
         END $$;"
    ), @"
    enum c: red green blue
    a2: x int4?
    a4: x int4?
    a6: x int4?
    j: 
    p: r int4?
    q: s t int4?
    u: n1 int4?
    v: n2 int4?
    w:
    ");
}

#[test]
fn an_aggregate_returns_its_state_or_final_value() {
    insta::assert_snapshot!(show(
        "CREATE FUNCTION joined(text, text) RETURNS text LANGUAGE sql AS $$ SELECT $1 || $2 $$;
         CREATE FUNCTION counted(text) RETURNS bigint LANGUAGE sql AS $$ SELECT length($1)::bigint $$;
         CREATE TABLE a (id int PRIMARY KEY, n text, d date);
         CREATE AGGREGATE together(text) (SFUNC = joined, STYPE = text);
         CREATE AGGREGATE size(text) (SFUNC = joined, STYPE = text, FINALFUNC = counted);
         CREATE AGGREGATE firsts(anyelement) (SFUNC = array_append, STYPE = anyarray, INITCOND = '{}');
         CREATE AGGREGATE old_form (BASETYPE = text, SFUNC = joined, STYPE = text);
         CREATE AGGREGATE steps(integer) (SFUNC = int4_avg_accum, STYPE = _int8, FINALFUNC = int8_avg, INITCOND = '{0,0}');
         CREATE VIEW v AS SELECT together(n) AS a, size(n) AS b, firsts(d) AS c, old_form(n) AS d, steps(id) AS e FROM a;
         DROP VIEW v; DROP AGGREGATE together(text);"
    ), @"
    a: id int4, n text?, d date?
      a_pkey: primary key id
      index a_pkey: id
    ");
    insta::assert_snapshot!(show(
        "CREATE TABLE a (id int, n text, d date); CREATE FUNCTION joined(text, text) RETURNS text LANGUAGE sql AS 'SELECT 1';
         CREATE AGGREGATE firsts(anyelement) (SFUNC = array_append, STYPE = anyarray, INITCOND = '{}');
         CREATE AGGREGATE together(text) (SFUNC = joined, STYPE = text);
         CREATE AGGREGATE steps(integer) (SFUNC = int4_avg_accum, STYPE = _int8, FINALFUNC = int8_avg, INITCOND = '{0,0}');
         CREATE VIEW v AS SELECT firsts(d) AS c, together(n) AS x, steps(id) AS e FROM a;"
    ), @"
    a: id int4?, n text?, d date?
    v: c date[]?, x text?, e numeric?
    ");
}
