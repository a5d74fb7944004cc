//! Statements whose effect only a server can know are refused. Statements with a certain effect are
//! replayed.

use super::{migration, replay, show};

const F: &str = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE made (a int); RETURN 1; END $$;";

/// Checks that each of these is refused, whatever precedes it.
fn refused(before: &str, statements: &[&str]) {
    for statement in statements {
        let sql = format!("{before}\n{statement}");
        let replayed = replay(&[migration(&sql)]);
        let found = replayed.refusals.first();
        let found = found.unwrap_or_else(|| panic!("this is refused: {statement}"));
        let first = before.matches('\n').count() + 2;
        assert!(found.line() >= first, "{statement}: {found}");
    }
}

/// Checks that each of these is replayed.
fn followed(before: &str, statements: &[&str]) {
    for statement in statements {
        let replayed = replay(&[migration(&format!("{before}\n{statement}"))]);
        let first = replayed.refusals.first();
        assert!(
            first.is_none(),
            "{statement}: {}",
            first.expect("a refusal")
        );
    }
}

#[test]
fn each_way_to_set_a_search_path_is_followed() {
    for set in [
        "SET SCHEMA 'app'",
        "SET \"Search_Path\" TO app",
        "SELECT set_config('Search_Path', 'app', false)",
        "SELECT set_config('search_path', 'app'::text, false)",
        "SELECT set_config('search_path', 'a' || 'pp', false)",
        "DO $$ BEGIN PERFORM set_config('search_path', 'app', false); END $$",
        "DO $$ BEGIN SET search_path = app; END $$",
        "CREATE FUNCTION p() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET search_path = app; END $$; SELECT p()",
        "CREATE FUNCTION p() RETURNS void LANGUAGE sql AS $$ SELECT set_config('search_path', 'app', false) $$; SELECT p()",
        "CREATE PROCEDURE p() LANGUAGE sql AS $$ SET search_path = app $$; CALL p()",
    ] {
        let sql = format!("CREATE SCHEMA app; {set}; CREATE TABLE t (a int);");
        let replayed = replay(&[migration(&sql)]);
        assert!(
            replayed.refusals.is_empty(),
            "{set}: {}",
            replayed.refusals[0]
        );
        let names: Vec<String> = replayed
            .catalog
            .relations
            .keys()
            .map(|name| name.sql())
            .collect();
        assert_eq!(names, ["app.t"], "{set}");
    }
    for reset in [
        "SELECT set_config('search_path', NULL, false)",
        "RESET search_path",
        "RESET ALL",
        "DISCARD ALL",
        "SET search_path TO DEFAULT",
    ] {
        let sql =
            format!("CREATE SCHEMA app; SET search_path TO app; {reset}; CREATE TABLE t (a int);");
        let replayed = replay(&[migration(&sql)]);
        let names: Vec<String> = replayed
            .catalog
            .relations
            .keys()
            .map(|name| name.sql())
            .collect();
        assert_eq!(names, ["t"], "{reset}");
    }
}

#[test]
fn a_search_path_that_is_not_certain_is_refused() {
    refused(
        "CREATE SCHEMA app; CREATE TABLE v (a text);",
        &[
            "SELECT set_config('search_path', a, false) FROM v;",
            "SELECT set_config('search_path', current_user, false);",
            "SELECT CASE WHEN random() > 0.5 THEN set_config('search_path', 'app', false) END;",
            "INSERT INTO v SELECT set_config('search_path', 'app', false);",
            "CREATE TABLE w AS SELECT set_config('search_path', 'app', false) AS a;",
            "SELECT set_config('search_path', 'app', false) AS a INTO w;",
            "DO $$ BEGIN IF set_config('search_path', 'app', false) = 'app' THEN NULL; END IF; END $$;",
            "UPDATE pg_settings SET setting = 'app' WHERE name = 'search_path';",
            "CREATE SCHEMA joe; SET ROLE joe; CREATE TABLE t (a int);",
            "CREATE SCHEMA joe; SET SESSION AUTHORIZATION 'joe'; CREATE TABLE t (a int);",
            "SET ROLE joe; CREATE SCHEMA joe; CREATE TABLE t (a int);",
        ],
    );
    followed(
        "CREATE SCHEMA joe; CREATE TABLE v (a text);",
        &[
            "SET search_path TO public; SET ROLE joe; CREATE TABLE t (a int);",
            "SET ROLE ann; CREATE TABLE t (a int); RESET ROLE;",
            "SELECT set_config('app.user', a, false) FROM v;",
            "INSERT INTO v SELECT set_config('app.user', 'x', false);",
        ],
    );
}

#[test]
fn pg_temp_first_in_the_path_makes_temporary_tables() {
    insta::assert_snapshot!(show(
        "SET search_path = pg_temp, public; CREATE TABLE t (a int); CREATE TABLE public.u (a int); INSERT INTO t VALUES (1);"
    ), @"u: a int4?");
}

#[test]
fn a_function_that_sets_its_own_search_path_is_followed() {
    let function = "CREATE SCHEMA app; CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql SET search_path = app AS \
         $$ BEGIN CREATE TABLE inside (a int); END $$;";
    let replayed = replay(&[migration(&format!(
        "{function} SELECT g(); CREATE TABLE outside (a int);"
    ))]);
    assert!(replayed.refusals.is_empty());
    let names: Vec<String> = replayed
        .catalog
        .relations
        .keys()
        .map(|name| name.sql())
        .collect();
    assert_eq!(names, ["app.inside", "outside"]);
    let altered = "CREATE SCHEMA app; CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS \
         $$ BEGIN CREATE TABLE inside (a int); END $$;";
    let sql = format!("{altered} ALTER FUNCTION g() SET search_path = app; SELECT g();");
    let replayed = replay(&[migration(&sql)]);
    let names: Vec<String> = replayed
        .catalog
        .relations
        .keys()
        .map(|name| name.sql())
        .collect();
    assert_eq!(names, ["app.inside"]);
    refused(
        altered,
        &[
            "ALTER FUNCTION g() SET search_path FROM CURRENT; SELECT g();",
            "ALTER FUNCTION g() SET role = joe; SELECT g();",
        ],
    );
}

#[test]
fn ddl_that_depends_on_data_is_refused() {
    let trigger = "CREATE FUNCTION r() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE made (a int); RETURN NEW; END $$;";
    refused(
        &format!("{F} {trigger} CREATE TABLE t (a int);"),
        &[
            "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION r(); INSERT INTO t VALUES (1);",
            "CREATE TRIGGER r BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION r(); UPDATE t SET a = 2;",
            "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION r(); COPY t FROM '/tmp/x';",
            "CREATE TRIGGER r BEFORE TRUNCATE ON t EXECUTE FUNCTION r(); TRUNCATE t;",
            "CREATE TABLE u (a int DEFAULT f()); INSERT INTO u DEFAULT VALUES;",
            "CREATE TABLE u (a int CHECK (f() > a)); INSERT INTO u VALUES (1);",
            "CREATE DOMAIN d AS int CHECK (f() > VALUE); CREATE TABLE u (a d); INSERT INTO u VALUES (1);",
            "CREATE VIEW v AS SELECT f() AS a; SELECT * FROM v;",
            "CREATE VIEW v AS SELECT f() AS a; CREATE VIEW w AS SELECT * FROM v; SELECT * FROM w;",
            "CREATE VIEW v AS SELECT f() AS a; CREATE TABLE u AS SELECT * FROM v;",
            "CREATE MATERIALIZED VIEW v AS SELECT f() AS a;",
            "INSERT INTO t SELECT f();",
            "INSERT INTO t VALUES (f());",
            "UPDATE t SET a = f();",
            "DELETE FROM t WHERE a = f();",
            "EXPLAIN ANALYZE SELECT f();",
            "EXPLAIN (ANALYZE, TIMING OFF) SELECT f();",
            "EXPLAIN ANALYZE CREATE TABLE u AS SELECT 1 AS a;",
            "DECLARE c CURSOR WITH HOLD FOR SELECT f();",
            "COPY (SELECT f()) TO '/tmp/x';",
            "ALTER TABLE t ADD COLUMN b int DEFAULT f();",
            "CREATE FUNCTION o(int, int) RETURNS int LANGUAGE sql AS 'SELECT f()'; CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = o);",
            "CREATE FUNCTION o(text) RETURNS t LANGUAGE sql AS 'SELECT f(), 1'; CREATE CAST (text AS t) WITH FUNCTION o(text);",
            "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM f(); END $$; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e();",
            "CREATE FUNCTION n() RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES (1)'; CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION r(); SELECT n();",
            "CREATE TABLE u (a int PRIMARY KEY); CREATE TABLE w (a int REFERENCES u ON DELETE CASCADE); CREATE TRIGGER r BEFORE DELETE ON w FOR EACH ROW EXECUTE FUNCTION r(); DELETE FROM u;",
            "UPDATE pg_enum SET enumlabel = 'x';",
            "UPDATE pg_index SET indisready = false, indisvalid = false;",
            "DELETE FROM pg_catalog.pg_constraint WHERE conname = 'x';",
        ],
    );
    followed(
        &format!("{F} {trigger} CREATE TABLE t (a int); CREATE TABLE other (a int);"),
        &[
            "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION r(); INSERT INTO other VALUES (1);",
            "CREATE VIEW v AS SELECT f() AS a; INSERT INTO other VALUES (1);",
            "EXPLAIN SELECT f();",
            "UPDATE pg_index SET indisready = false WHERE indrelid = (SELECT oid FROM pg_class WHERE relname = 't');",
            "SELECT f();",
            "CREATE TABLE u (a int DEFAULT f());",
        ],
    );
}

#[test]
fn a_block_with_certain_caught_errors_is_followed() {
    let block = |body: &str, condition: &str| {
        format!(
            "DO $$ BEGIN CREATE TABLE t (a int); {body} EXCEPTION WHEN {condition} THEN NULL; END $$;"
        )
    };
    for body in [
        "INSERT INTO v VALUES (1);",
        "PERFORM 1 / a FROM v;",
        "UPDATE v SET a = 1;",
        "RAISE unique_violation;",
        "RAISE EXCEPTION 'x' USING ERRCODE = '23505';",
        "ASSERT (SELECT count(*) FROM v) = 1, 'x'; INSERT INTO v VALUES (1);",
        "CREATE UNIQUE INDEX ON v (a);",
        "ALTER TABLE v ADD CHECK (a > 0);",
        "ALTER TABLE v ALTER a SET NOT NULL;",
        "GRANT SELECT ON v TO joe;",
    ] {
        refused(
            "CREATE TABLE v (a int); INSERT INTO v VALUES (1);",
            &[&block(body, "others")],
        );
    }
    for (body, condition) in [
        ("INSERT INTO v VALUES (1);", "duplicate_table"),
        ("CREATE UNIQUE INDEX ON w (a);", "others"),
        ("RAISE NOTICE 'x';", "others"),
        ("ALTER TABLE v ADD CHECK (a > 0);", "duplicate_object"),
    ] {
        let before = "CREATE TABLE v (a int); CREATE TABLE w (a int); INSERT INTO v VALUES (1);";
        followed(before, &[&block(body, condition)]);
    }
    // The changes of the block are rolled back.
    insta::assert_snapshot!(show(&block("RAISE EXCEPTION 'x';", "others")), @"");
    insta::assert_snapshot!(show(&block("RAISE EXCEPTION 'x';", "raise_exception")), @"");
    insta::assert_snapshot!(show(&block("ASSERT false;", "assert_failure")), @"");
}

#[test]
fn a_setting_that_changes_literals_is_noticed() {
    refused(
        "SET TIME ZONE 'Asia/Tokyo';",
        &[
            "CREATE TABLE t (a timestamptz DEFAULT '2020-01-01 00:00');",
            "CREATE VIEW v AS SELECT '2020-01-01'::timestamptz AS a;",
            "CREATE TABLE t (a timestamptz CHECK (a > '2020-01-01'));",
        ],
    );
    refused(
        "CREATE TABLE t (a date);",
        &[
            "SET DateStyle = 'German'; ALTER TABLE t ALTER a SET DEFAULT '01/02/2020';",
            "SELECT set_config('TimeZone', 'UTC', false); ALTER TABLE t ALTER a SET DEFAULT 'today';",
            "SET standard_conforming_strings = off;",
            "SET quote_all_identifiers = on;",
            "SET transform_null_equals TO on;",
            "SET array_nulls = off;",
            "SET default_transaction_read_only = on;",
        ],
    );
    followed(
        "SET standard_conforming_strings = on; SET xmloption = content; SET default_tablespace = '';",
        &[
            "SET TIME ZONE 'UTC'; CREATE TABLE t (a text DEFAULT 'open', b int DEFAULT 5);",
            "SET TIME ZONE 'UTC'; RESET timezone; CREATE TABLE t (a timestamptz DEFAULT '2020-01-01');",
            "SET timezone = 'UTC'; INSERT INTO x VALUES ('2020-01-01');",
        ],
    );
}

#[test]
fn a_scale_may_be_negative() {
    insta::assert_snapshot!(show("CREATE TABLE t (a numeric(5,-2), b numeric(5, 2));"), @"t: a numeric[5, -2]?, b numeric[5, 2]?");
}

#[test]
fn a_partition_with_an_identity_is_not_attached() {
    refused(
        "CREATE TABLE p (id int NOT NULL, a int) PARTITION BY LIST (a);",
        &[
            "CREATE TABLE c (id int GENERATED ALWAYS AS IDENTITY, a int); ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1);",
        ],
    );
}
