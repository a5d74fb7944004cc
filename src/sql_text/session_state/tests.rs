use super::*;

#[track_caller]
fn leaves(sql: &str) -> bool {
    let (one, all) = (leaves_state(sql), script_leaves_state(sql));
    assert_eq!(one, all, "alone and in a script: {sql}");
    one
}

#[test]
fn state_that_outlives_its_transaction_is_found() {
    for sql in [
        "SET search_path TO x",
        "set session authorization ann",
        "SET ROLE ann",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET local.x = 'a'",
        "SET Transaction . x TO 'a'",
        "SET LOCAL search_path TO pg_temp, public",
        "SET LOCAL SCHEMA 'PG_TEMP'",
        "SELECT set_config('search_path', 'pg_temp, public', true)",
        "SELECT * FROM crosstab2('SELECT set_config(''a'', ''b'', false), 1, 2')",
        "LISTEN jobs",
        "CREATE TEMP TABLE t ()",
        "create temporary view v as select 1",
        "CREATE OR REPLACE TEMP VIEW v AS SELECT 1",
        "CREATE LOCAL TEMPORARY SEQUENCE s",
        "CREATE TABLE pg_temp.t ()",
        "CREATE FUNCTION \"pg_temp\".f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT pg_catalog.set_config('a.b', 'c', false)",
        "SELECT pg_try_advisory_lock(1)",
        "SELECT * INTO TEMP t FROM s",
        "SELECT * INTO LOCAL TEMPORARY TABLE t FROM s",
        "DO $$ BEGIN END $$",
        "CALL p()",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "DISCARD TEMP",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "DECLARE c CURSOR FOR SELECT set_config('a', 'b', false)",
        "/* why */ LOAD 'x'",
        "UPDATE pg_settings SET setting = 'weak' WHERE name = 'role'",
        "WITH x AS (UPDATE pg_catalog.pg_settings SET setting = 'x' RETURNING 1) SELECT 1",
        "SELECT query_to_xml('SELECT set_config(''role'', ''weak'', false)', true, true, '')",
        "SELECT setseed(0.5)",
    ] {
        assert!(leaves(sql), "{sql}");
    }
}

#[test]
fn comments_semicolons_and_escapes_hide_no_statement() {
    for sql in [
        ";SET ROLE weak",
        "; /* x */ ;SET ROLE weak",
        "SET /* local */ ROLE weak",
        "SET /* TRANSACTION */ search_path = x",
        "SET -- LOCAL\n ROLE weak",
        "/* my local */ SET ROLE ann",
        "-- in transaction\nSET ROLE ann",
        "SELECT U&\"set\\005fconfig\"('role', 'weak', false)",
        "SELECT U&\"set!005fconfig\" UESCAPE '!' ('role', 'weak', false)",
        "SELECT \"set_config\" /* ( */ ('role', 'weak', false)",
        "SELECT SET_CONFIG('role', 'weak', false)",
        "(SELECT set_config('role', 'weak', false))",
        "SELECT 1 WHERE 'a' = ANY (ARRAY[set_config('role', 'weak', false)])",
        "COPY (SELECT set_config('role', 'weak', false)) TO '/dev/null'",
        "EXPLAIN ANALYZE SELECT set_config('role', 'weak', false)",
        "EXPLAIN (ANALYZE, COSTS off) SELECT set_config('role', 'weak', false)",
        "EXPLAIN (ANALYZE) (SELECT set_config('role', 'weak', false))",
        "EXPLAIN ANALYZE (SELECT set_config('role', 'weak', false))",
        "EXPLAIN ANALYZE EXECUTE p",
        "EXPLAIN ANALYZE VERBOSE CREATE TEMP TABLE t AS SELECT 1",
        "CREATE TABLE t AS SELECT set_config('role', 'weak', false)",
        "INSERT INTO t SELECT set_config('role', 'weak', false)",
        "SOMETHING new",
        "'what'",
    ] {
        assert!(leaves(sql), "{sql}");
    }
}

#[test]
fn state_that_ends_with_its_transaction_is_not_found() {
    for sql in [
        "",
        "-- nothing;",
        "SET LOCAL search_path TO x",
        "SET LOCAL local.x = 'a'",
        "SET /* x */ LOCAL search_path TO x",
        "SET TRANSACTION READ ONLY",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "UPDATE accounts SET balance = 0",
        "INSERT INTO accounts (id, set_config) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET id = 1",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT pg_advisory_unlock(1)",
        "CREATE TABLE t ()",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)",
        "DECLARE c CURSOR FOR SELECT 1",
        "DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1",
        "SELECT templates.id, temp FROM templates WHERE temp > 3",
        "SELECT name, setting FROM pg_settings",
        "SELECT 'set_config(''role'', ''weak'', false)' -- set_config('a', 'b', false)",
        "BEGIN",
        "ROLLBACK TO s",
        "PREPARE TRANSACTION 'x'",
        "RESET ROLE",
        "COPY t FROM STDIN",
        "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM t WHERE a = f(1)",
        "TABLE t",
        "ANALYZE t",
    ] {
        assert!(!leaves(sql), "{sql}");
    }
}

#[test]
fn a_setting_of_the_transaction_is_recognized() {
    for local in [
        "SELECT set_config('app.x', $1, true)",
        "SELECT pg_catalog.set_config('app.x', f(1, $1), TRUE)",
        "SELECT set_config('app.x', 'a,b)', 'true'), set_config('app.y', $2, 't'::bool)",
        "SELECT set_config(is_local => true, setting_name => 'a', new_value => 'b')",
        "SELECT set_config('a', ARRAY['x', 'y']::text, true)",
    ] {
        assert!(!leaves(local), "{local}");
    }
    for lasting in [
        "SELECT set_config('app.x', $1, $2)",
        "SELECT set_config('app.x', 'true', false)",
        "SELECT set_config('a', 'b', not true)",
        "SELECT set_config('a', 'b', true), set_config('a', 'b', false)",
        "SELECT set_config('a', set_config('b', 'c', false), true)",
        "SELECT set_config(new_value => 'true', setting_name => 'a', is_local := false)",
        "SELECT set_config('a', 'b', true AND false)",
    ] {
        assert!(leaves(lasting), "{lasting}");
    }
}

#[test]
fn a_script_is_judged_by_each_of_its_statements() {
    assert!(script_leaves_state("BEGIN; SET ROLE ann; COMMIT"));
    assert!(script_leaves_state(
        "SELECT 1; SELECT set_config('a', 'b', false)"
    ));
    assert!(script_leaves_state(
        "SELECT ';' ; /* ; */ DO $$ BEGIN END $$"
    ));
    assert!(!script_leaves_state("CREATE TABLE t (); DROP TABLE t"));
    assert!(!script_leaves_state(
        "SELECT 'SET ROLE ann; SET ROLE bob' -- ; SET ROLE ann"
    ));
    assert!(!script_leaves_state(
        "BEGIN; SET LOCAL ROLE ann; UPDATE t SET x = 1; COMMIT"
    ));
}

#[test]
fn state_that_discard_all_keeps_is_found() {
    for sql in [
        "SET app.tenant = '1'",
        "set local app.tenant to 1",
        "SET SESSION app . tenant = 1",
        "SET \"app\".\"tenant\" = 1",
        "SET LOCAL/* a */app.tenant = 1",
        "SELECT pg_catalog.set_config($1, $2, true)",
        "DO $$ BEGIN PERFORM SET_CONFIG('a.b', 'c', false); END $$",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql SET a.b = 'c' AS ''",
        "SELECT setseed(0.5)",
        "LOAD 'auto_explain'",
        "SELECT dblink_connect_u('a', 'b')",
        "SELECT pg_replication_origin_session_setup('a')",
    ] {
        assert!(outlasts_discard(sql), "{sql}");
    }
    for sql in [
        "SET search_path TO a, b",
        "SET LOCAL work_mem = '1MB'",
        "SET ROLE ann",
        "UPDATE t SET a = b.c FROM b",
        "UPDATE \"t\" SET \"a\" = $1",
        "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = excluded.a",
        "SELECT pg_advisory_lock(1)",
        "CREATE TEMP TABLE t ()",
        "SELECT payload, settings, dataset FROM loads",
        "SET",
        "SET \"",
    ] {
        assert!(!outlasts_discard(sql), "{sql}");
    }
}
