//! Replay has the catalog that a server has after the same statements.

use bowline::Session;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::compare::{Comparison, EqualTexts, compare_with};
use crate::testing::introspect;

/// Compares replay with a server after these scripts, each in an empty database.
fn assert_equal<'a>(replayed: &Catalog, name: &str, scripts: impl IntoIterator<Item = &'a str>) {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let database = format!("replay_{name}_{}", std::process::id());
    let mut maintenance = Session::connect(&server.config("postgres")).expect("a connection");
    maintenance
        .batch_execute(&format!("CREATE DATABASE {database}"))
        .expect("a database");
    let mut session = Session::connect(&server.config(&database)).expect("a connection");
    for script in scripts {
        session
            .batch_execute(script)
            .expect("PostgreSQL takes the statements");
    }
    let there = introspect(&mut session).expect("the server's catalog");
    let Comparison {
        differences,
        not_compared,
    } = compare_with(
        replayed,
        &there,
        Some(&mut session),
        &mut EqualTexts::default(),
    );
    drop(session);
    maintenance
        .batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)"))
        .expect("its end");
    let words: Vec<String> = differences
        .iter()
        .map(|difference| difference.sentence("replay", "the server"))
        .chain(not_compared)
        .collect();
    assert!(words.is_empty(), "{}", words.join("\n"));
}

/// Applies the statements to an empty database, and compares.
fn check(name: &str, statements: &str) {
    let replayed = replay(&[migration(statements)]);
    let refusals: Vec<_> = replayed.refusals.iter().map(ToString::to_string).collect();
    assert!(
        refusals.is_empty(),
        "all of it is followed:\n{}",
        refusals.join("\n")
    );
    assert_equal(&replayed.catalog, name, [statements]);
}

#[test]
fn the_bank_is_as_a_server_has_it() {
    let migrations = crate::testing::bank();
    // A new label of an enum cannot be used in the transaction that adds it. So each statement runs
    // in a separate transaction here.
    let scripts = migrations
        .iter()
        .map(|migration| migration.up.text.as_str());
    assert_equal(
        &replay(migrations.iter().map(|migration| &migration.up)).catalog,
        "bank",
        scripts,
    );
}

#[test]
fn columns_renamed_to_reserved_words_stay_columns() {
    check(
        "reserved",
        r#"CREATE TABLE members (id int PRIMARY KEY, email text NOT NULL, state text NOT NULL, n int NOT NULL,
            d date, twice int GENERATED ALWAYS AS (n * 2) STORED, CONSTRAINT c CHECK (n > 0 AND state <> current_user),
            CONSTRAINT e EXCLUDE USING btree (n WITH =) WHERE (state <> 'closed'));
        CREATE UNIQUE INDEX open_email ON members (email) WHERE state <> 'closed';
        CREATE INDEX lowered ON members (lower(state), (n + 1)) WHERE d > '2020-01-01';
        ALTER TABLE members RENAME state TO "user"; ALTER TABLE members RENAME n TO "order";
        ALTER TABLE members RENAME d TO "current_date";
        CREATE TABLE p (a int, b int) PARTITION BY RANGE ((a + b), b); ALTER TABLE p RENAME a TO "session_user";
        ALTER TABLE p RENAME b TO "select";
        CREATE TABLE q (a text) PARTITION BY LIST ((a || /* it's */ 'x  y' || "a")); ALTER TABLE q RENAME a TO "user";
        CREATE TABLE back ("user" text, "localtime" int, CHECK ("user" <> user), CHECK (back."user" > ''),
            CHECK (back.localtime > 0)); ALTER TABLE back RENAME "user" TO owner;
        ALTER TABLE back RENAME "localtime" TO "localtimestamp";"#,
    );
}

#[test]
fn default_names_are_postgresqls() {
    check(
        "names",
        r#"CREATE TABLE o (id serial PRIMARY KEY, x int UNIQUE);
        CREATE TABLE t (id bigserial, a int UNIQUE, b int REFERENCES o, c varchar(30) NOT NULL CHECK (c <> ''),
            UNIQUE (a, b), UNIQUE (a), CHECK (a > b), CHECK (b > 0), CHECK (1 > 0), PRIMARY KEY (id, a),
            FOREIGN KEY (a) REFERENCES o (x), FOREIGN KEY (b) REFERENCES o ON DELETE CASCADE DEFERRABLE);
        CREATE INDEX ON t (a, lower(c)); CREATE INDEX ON t ((a + b), a); CREATE INDEX ON t (a, lower(c));
        CREATE INDEX ON t ((a + b), (b + a)); CREATE UNIQUE INDEX ON t (b) WHERE a > 0; CREATE INDEX ON t (c) INCLUDE (a);
        ALTER TABLE t ADD CHECK (b < 9), ADD UNIQUE (c), ADD COLUMN d int UNIQUE CHECK (d > 0) REFERENCES o (x);"#,
    );
}

#[test]
fn long_names_are_cut_and_numbered_like_postgresqls() {
    let table = "a_table_with_a_name_that_is_quite_as_long_as_a_name_may_be_here";
    let column = "a_column_with_a_name_that_is_nearly_as_long_as_a_name_may_be";
    check(
        "long",
        &format!(
            "CREATE TABLE {table} (id int PRIMARY KEY, {column} int UNIQUE CHECK ({column} > 0) REFERENCES {table});
             CREATE INDEX ON {table} ({column}); CREATE INDEX ON {table} ({column}); CREATE INDEX ON {table} (id, {column});"
        ),
    );
}

#[test]
fn renames_drops_and_cascades_end_as_in_postgresql() {
    check(
        "changes",
        "CREATE TABLE o (id int PRIMARY KEY, k int UNIQUE, n text);
        CREATE TABLE t (id int PRIMARY KEY, o_id int REFERENCES o, k int REFERENCES o (k), n int CHECK (n > 0), m int, CHECK (n > m));
        CREATE INDEX i ON t (n) WHERE m > 0; CREATE INDEX j ON t (lower(m::text)); CREATE INDEX l ON t (o_id);
        ALTER TABLE t RENAME COLUMN n TO nn; ALTER TABLE t DROP COLUMN m; ALTER TABLE o RENAME TO owners;
        ALTER TABLE owners DROP COLUMN k CASCADE; ALTER TABLE t RENAME CONSTRAINT t_pkey TO t_key; ALTER INDEX l RENAME TO ll;
        ALTER TABLE t ALTER COLUMN nn TYPE bigint, ALTER COLUMN nn SET NOT NULL, ALTER COLUMN nn SET DEFAULT 3;
        ALTER TABLE owners ALTER COLUMN n SET NOT NULL; ALTER TABLE owners ALTER COLUMN n DROP NOT NULL;
        CREATE TABLE gone (id int PRIMARY KEY, t_id int REFERENCES t); DROP TABLE t CASCADE; ALTER TABLE gone DROP CONSTRAINT gone_pkey;",
    );
}

#[test]
fn types_of_all_kinds_are_as_postgresql_stores_them() {
    check(
        "types",
        r#"CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood ADD VALUE 'happy' AFTER 'sad'; ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';
        CREATE TYPE pair AS (x int, y text); CREATE DOMAIN name30 AS varchar(30) NOT NULL CHECK (value <> '');
        CREATE TABLE t (a int4, b integer[], c timestamp with time zone, d double precision, e char, f decimal(10,2), g float(24),
            h bit varying(3), i time(3), j pg_catalog.text, k interval, l mood[], m pair, n name30, "Q" text, o jsonb NOT NULL DEFAULT '{}',
            p smallint GENERATED BY DEFAULT AS IDENTITY, q text GENERATED ALWAYS AS (a::text) STORED, r text ARRAY, s numrange);"#,
    );
}

#[test]
fn an_array_can_have_postgresqls_internal_name() {
    check(
        "array_names",
        "CREATE SCHEMA other; CREATE TYPE mood AS ENUM ('good'); CREATE TYPE other.spirit AS ENUM ('bad');
         CREATE TYPE _odd AS ENUM ('itself');
         CREATE TABLE t (a _text NULL, b _varchar(20), c _mood, d other._spirit, e pg_catalog._int4, f _odd, g \"_uuid\");
         CREATE VIEW v AS SELECT a::_varchar AS a, b[1] AS b, '{}'::_numeric AS c FROM t;",
    );
}

#[test]
fn the_alias_of_a_scalar_function_in_from_is_its_value() {
    check(
        "function_alias",
        "CREATE TABLE t (doc jsonb, tags text[]); CREATE TYPE pair AS (a int, b text);
         CREATE FUNCTION one() RETURNS TABLE (n int) LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION two() RETURNS pair LANGUAGE sql AS $$SELECT 1, 'x'$$;
         CREATE FUNCTION three(OUT m bigint) LANGUAGE sql AS 'SELECT 1::bigint';
         CREATE VIEW u AS SELECT one(), three() AS c, x.* FROM three() x;
         CREATE VIEW v AS SELECT x->>'data' AS a, y AS b, z AS c, p AS d, x.value AS e
             FROM t, jsonb_array_elements(t.doc) x, unnest(t.tags) y, one() z, two() p;
         CREATE VIEW w AS SELECT array(SELECT (x->>'data')::text FROM jsonb_array_elements(doc->'all') x) AS list FROM t;",
    );
}

#[test]
fn partitions_parents_and_like_add_columns() {
    check(
        "parents",
        "CREATE TABLE p (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE parent (a int NOT NULL, b text DEFAULT 'x'); CREATE TABLE child (c int) INHERITS (parent);
        CREATE TABLE twin (LIKE parent INCLUDING DEFAULTS, d int);",
    );
}

#[test]
fn a_key_made_from_an_index_replaces_it() {
    check(
        "using_index",
        "CREATE TABLE t (id int, k int); CREATE UNIQUE INDEX ti ON t (id); CREATE UNIQUE INDEX tk ON t (k);
        ALTER TABLE t ADD CONSTRAINT t_key PRIMARY KEY USING INDEX ti, ADD UNIQUE USING INDEX tk;",
    );
}

#[test]
fn columns_of_views_have_postgresqls_names_and_types() {
    check("views", VIEWS);
    // Objects that depend on a column or type are dropped with it, and the others stay.
    let dropped = format!(
        "{VIEWS} ALTER TABLE a RENAME COLUMN name TO called; ALTER TABLE b DROP COLUMN n CASCADE;
         DROP TYPE mood CASCADE;"
    );
    check("views_dropped", &dropped);
}

const VIEWS: &str = r#"CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN cents AS bigint;
        CREATE TABLE a (id serial PRIMARY KEY, name varchar(30) NOT NULL, price numeric(10, 2), mood mood, tags text[],
            at timestamptz, day date, doc jsonb, cents cents, small smallint, ok boolean, span interval, f float8);
        CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a, at timestamp, n bigint);
        CREATE VIEW plain AS SELECT * FROM a;
        CREATE VIEW joined AS SELECT a.*, b.n AS bn, b.at AS bat FROM a LEFT JOIN b ON b.a_id = a.id;
        CREATE VIEW using_both AS SELECT * FROM a JOIN (SELECT id, n FROM b) c USING (id);
        CREATE VIEW counts AS SELECT a_id, count(*), sum(n) AS sum, avg(n), max(at), array_agg(id) AS ids, bool_or(n > 1) AS any,
            string_agg(id::text, ',') AS list FROM b GROUP BY a_id;
        CREATE VIEW computed AS SELECT id + 1 AS a, small + small AS b, price * 2 AS c, at - span AS d, day + 1 AS e, day - day AS f,
            at - at AS g, name || '!' AS h, doc -> 'x' ->> 'y' AS i, doc #> '{a,b}' AS j, tags[1] AS k, tags || 'x'::text AS l,
            -f AS m, f / 2 AS n, small * 2.5 AS o, cents + 1 AS p, id::text AS q, 'x' AS r, NULL AS s, 5000000000 AS t, 1.5 AS u,
            at AT TIME ZONE 'utc' AS v, now() AS w, CURRENT_DATE AS x, mood = 'good' AS y, NOT ok AS z FROM a;
        CREATE VIEW titles AS SELECT lower(name), price::int, CASE WHEN ok THEN name END, coalesce(price, 0), extract(year FROM at),
            EXISTS (SELECT 1), ARRAY[1, 2], (SELECT max(n) FROM b), nullif(name, ''), greatest(f, 1), date_trunc('day', at),
            to_char(at, 'YYYY'), length(name), round(price), jsonb_build_object('a', 1), row_number() OVER (ORDER BY id) FROM a;
        CREATE VIEW chosen AS SELECT CASE WHEN ok THEN 1 ELSE 2.5 END AS a, coalesce(small, id) AS b, coalesce(name, 'x') AS c,
            least(at, now()) AS d, CASE WHEN ok THEN mood ELSE 'bad' END AS e FROM a;
        CREATE VIEW all_of_it AS SELECT id, name, price FROM a UNION ALL SELECT id, 'x', n FROM b;
        CREATE VIEW chain AS WITH RECURSIVE c (n, path) AS (SELECT 1, ARRAY[1] UNION ALL SELECT n + 1, path || n FROM c WHERE n < 9)
            SELECT * FROM c;
        CREATE VIEW given (x, y) AS VALUES (1, 'a'), (2, 'b');
        CREATE VIEW of_sets AS SELECT g, u.tag, o.ordinality AS place, e.key, e.value FROM generate_series(1, 3) AS g,
            a, LATERAL unnest(tags) AS u (tag), unnest(tags) WITH ORDINALITY AS o (t), jsonb_each(doc) AS e;
        CREATE FUNCTION twice(n int) RETURNS bigint LANGUAGE sql AS 'SELECT n::bigint * 2';
        CREATE FUNCTION pair(OUT one int, OUT two text) LANGUAGE sql AS 'SELECT 1, ''x''';
        CREATE VIEW own AS SELECT twice(id), p.* FROM a, pair() p;
        CREATE MATERIALIZED VIEW kept AS SELECT mood, count(*) FILTER (WHERE ok) FROM a GROUP BY mood;
        CREATE TABLE made AS SELECT id, name, at::date FROM a; SELECT id * 2 AS twice INTO made_too FROM b;"#;

#[test]
fn a_view_of_system_tables_has_their_columns() {
    check(
        "system",
        "CREATE VIEW a AS SELECT pid, usename, state, query, backend_start, client_addr, now() - query_start AS age FROM pg_stat_activity;
         CREATE VIEW b AS SELECT c.oid, c.relname, n.nspname::text AS schema, c.relname || '.' || n.nspname AS full, c.reltuples::bigint AS size,
             lower(c.relname) AS lower, c.relname::regclass AS class, pg_total_relation_size(c.oid) AS bytes, coalesce(c.relname, 'x') AS named
             FROM pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace;
         CREATE VIEW c AS SELECT table_schema, table_name, column_name::text AS column, is_nullable, character_maximum_length, data_type
             FROM information_schema.columns;
         CREATE VIEW d AS SELECT table_name || '!' AS loud, array_agg(column_name) AS columns, array_agg(column_name::text ORDER BY ordinal_position) AS texts,
             string_agg(column_name, ', ') AS list, max(ordinal_position) AS last, min(data_type) AS first FROM information_schema.columns GROUP BY table_name;
         CREATE VIEW e AS SELECT extname, (SELECT count(*) FROM pg_tables) AS tables FROM pg_extension;
         CREATE VIEW f AS SELECT indexrelid::regclass::text AS index, indkey, pg_get_indexdef(indexrelid) AS definition FROM pg_index;
         CREATE VIEW g AS SELECT schemaname, tablename, attname, n_distinct, null_frac FROM pg_stats;
         CREATE VIEW h AS SELECT * FROM pg_tables; CREATE VIEW i AS SELECT name, setting, unit FROM pg_settings;",
    );
}

#[test]
fn views_of_all_forms_have_postgresqls_columns() {
    check(
        "forms",
        "CREATE TABLE t (id int, at timestamptz, until timestamptz, tags text[], doc jsonb, n numeric, price int, x xml, label varchar(9) COLLATE \"C\");
         CREATE FUNCTION many(VARIADIC list int[]) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
         CREATE FUNCTION rows() RETURNS TABLE (a int, b text) LANGUAGE sql AS $$SELECT 1, 'x'$$;
         CREATE RECURSIVE VIEW a (n, path) AS VALUES (1, ARRAY[1]) UNION ALL SELECT n + 1, path || n FROM a WHERE n < 5;
         CREATE VIEW b AS SELECT at + (until - at) / 2 AS middle, price - n * 2 AS rest, n ^ 2 - id AS power, label || id * 2 AS text FROM t;
         CREATE VIEW c AS SELECT array_agg(label ORDER BY id DESC) AS labels, count(t.*), count(t) AS whole,
             string_agg(DISTINCT label, ', ' ORDER BY label) AS list FROM t;
         CREATE VIEW d AS SELECT r.*, u.tag FROM t, ROWS FROM (rows(), unnest(tags)) AS r (a, b, c), unnest(tags) AS u (tag);
         CREATE VIEW e AS SELECT * FROM ROWS FROM (generate_series(1, 3), rows()) WITH ORDINALITY AS s;
         CREATE VIEW f AS SELECT many(VARIADIC ARRAY[1, 2]), many(1, 2) AS two, format('%s', VARIADIC tags) AS text,
             jsonb_build_object(VARIADIC tags) AS object, concat_ws(',', VARIADIC tags) AS joined FROM t;
         CREATE VIEW g AS SELECT make_interval(days => id), at + make_interval(hours => 1) AS later FROM t;
         CREATE VIEW h AS SELECT xmlelement(name a, id), xmlforest(id, price), xmlserialize(content x AS text) AS s, xmlexists('/a' PASSING x) FROM t;
         CREATE VIEW i AS SELECT q.* FROM t, XMLTABLE('/a' PASSING x COLUMNS one int PATH 'x', place FOR ORDINALITY) AS q;
         CREATE VIEW j AS SELECT to_jsonb(t.*) AS whole, row_to_json(t) AS json, (t.*) IS NULL AS none FROM t;",
    );
}

#[test]
fn a_whole_row_depends_on_the_table_not_on_its_columns() {
    check(
        "whole_row",
        "CREATE TABLE t (id int, gone int, also int); CREATE VIEW v AS SELECT id FROM t GROUP BY id HAVING count(t.*) = 1;
         CREATE VIEW w AS SELECT id, t AS whole FROM t x JOIN t USING (id); ALTER TABLE t DROP COLUMN gone;",
    );
}

#[test]
fn a_block_is_followed_where_its_values_are_certain() {
    check(
        "certain",
        r"CREATE TABLE days (id int, at date NOT NULL) PARTITION BY RANGE (at); CREATE TYPE mood AS ENUM ('good');
        CREATE TABLE tenants (id int PRIMARY KEY, name text); CREATE TABLE a_log (id int UNIQUE, note text); CREATE TABLE b_log (id int, note text);
        CREATE TABLE seeded (id int); INSERT INTO seeded VALUES (1);
        DO $$ DECLARE lo text; BEGIN
            FOR i IN 1..3 LOOP
                lo := lpad(i::text, 2, '0');
                EXECUTE format('CREATE TABLE days_%s PARTITION OF days FOR VALUES FROM (%L) TO (%L)', lo, '2020-' || lo || '-01', '2020-' || lpad((i + 1)::text, 2, '0') || '-01');
            END LOOP;
            FOR i IN REVERSE 5..1 BY 2 LOOP CONTINUE WHEN i = 3; EXECUTE 'CREATE TABLE odd_' || i || ' ()'; END LOOP;
            FOR i IN 1..9 BY 4 LOOP EXECUTE 'CREATE TABLE step_' || i || ' ()'; END LOOP;
            FOR i IN REVERSE 9..2 BY 3 LOOP EXECUTE 'CREATE TABLE back_' || i || ' ()'; END LOOP;
        END $$;
        DO $$ DECLARE t record; c text; list text[] := ARRAY['one', 'two words', 'select']; n int := 0; BEGIN
            FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE '%\_log' ORDER BY tablename LOOP
                EXECUTE format('ALTER TABLE %I ADD COLUMN created_at timestamptz', t.tablename);
                EXECUTE format('CREATE INDEX %I ON %I (created_at)', t.tablename || '_at', t.tablename);
            END LOOP;
            FOREACH c IN ARRAY list LOOP EXECUTE format('ALTER TABLE a_log ADD COLUMN %I int', c); END LOOP;
            WHILE n < 2 LOOP n := n + 1; EXECUTE 'ALTER TABLE b_log ADD COLUMN n' || n || ' int'; END LOOP;
            <<outer>> LOOP LOOP n := n + 1; EXIT outer WHEN n > 5; END LOOP; END LOOP;
            EXECUTE format('ALTER TABLE b_log ADD COLUMN n%s int', n);
        END $$;
        DO $$ DECLARE t record; BEGIN
            FOR t IN SELECT id FROM tenants LOOP EXECUTE 'CREATE TABLE tenant_' || t.id || ' ()'; END LOOP;
            FOR t IN SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON i.indrelid = c.oid
                WHERE n.nspname = 'public' AND i.indisunique AND c.relkind IN ('r', 'p') ORDER BY 2 LOOP
                EXECUTE format('COMMENT ON TABLE %I.%I IS %L', t.nspname, t.relname, 'it''s unique');
            END LOOP;
        END $$;
        DO $$ DECLARE found_one text; howmany bigint; BEGIN
            SELECT id::text INTO found_one FROM tenants WHERE name <> 'x';
            IF found_one IS NULL THEN ALTER TABLE tenants ADD COLUMN none_yet int; END IF;
            SELECT count(*) INTO howmany FROM information_schema.columns WHERE table_name = 'tenants';
            IF howmany = 3 THEN ALTER TABLE tenants ADD COLUMN fourth int; ELSE ALTER TABLE tenants ADD COLUMN wrong int; END IF;
            CASE WHEN EXISTS (SELECT FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'mood' AND e.enumlabel = 'bad')
                THEN ALTER TABLE tenants ADD COLUMN wrong int; ELSE CREATE TYPE worse AS ENUM ('bad'); END CASE;
            IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = 'a_log'::regclass AND conname = 'a_log_check') THEN
                ALTER TABLE a_log ADD CONSTRAINT a_log_check CHECK (id > 0); END IF;
            IF NOT EXISTS (SELECT 1 FROM information_schema.table_constraints WHERE table_name = 'tenants' AND constraint_type = 'PRIMARY KEY')
                OR to_regclass('public.nowhere') IS NOT NULL THEN DROP TABLE tenants; END IF;
            IF (SELECT data_type FROM information_schema.columns WHERE table_name = 'b_log' AND column_name = 'note') = 'text' THEN
                ALTER TABLE b_log ALTER COLUMN note TYPE varchar(20); END IF;
            RETURN; DROP TABLE a_log;
        END $$;
        CREATE FUNCTION add_audit(target text, suffix text DEFAULT '_audit') RETURNS void LANGUAGE plpgsql AS $$ BEGIN
            EXECUTE format('CREATE TABLE %1$I (id bigserial PRIMARY KEY, of_id int); CREATE INDEX ON %1$I (of_id)', target || suffix);
        END $$;
        SELECT add_audit('tenants'); SELECT add_audit('b_log', '_changes');
        DO $$ DECLARE drops text; BEGIN
            SELECT string_agg(format('DROP TABLE %I', tablename), '; ') INTO drops FROM pg_tables WHERE tablename LIKE 'odd%';
            EXECUTE drops;
        END $$;",
    );
}

#[test]
fn only_blocks_that_depend_on_unknown_rows_are_refused() {
    let follow = |sql: &str| replay(&[migration(sql)]).refusals.len();
    let tables = "CREATE TABLE t (id int); CREATE TABLE u (id int);";
    let over = |table: &str| {
        format!(
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM {table} LOOP EXECUTE 'CREATE TABLE t_' || r.id || ' ()'; END LOOP; END $$;"
        )
    };
    let writes = [
        "INSERT INTO t VALUES (1);",
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING id) SELECT * FROM x;",
        "COPY t FROM '/tmp/x';",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING 1'; SELECT f();",
        "DO $$ DECLARE x int; BEGIN INSERT INTO t VALUES (1) RETURNING id INTO x; END $$;",
        "DO $$ BEGIN EXECUTE 'INSERT INTO ' || current_user || ' VALUES (1)'; END $$;",
        "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); RETURN NULL; END $$;
         CREATE TRIGGER g AFTER INSERT ON u EXECUTE FUNCTION g(); INSERT INTO u VALUES (1);",
        "CREATE TABLE heir () INHERITS (t); INSERT INTO heir VALUES (1);",
        "INSERT INTO t VALUES (1); ALTER TABLE t RENAME TO s; ALTER TABLE s RENAME TO t;",
    ];
    assert_eq!(follow(&format!("{tables} {}", over("t"))), 0);
    for write in writes {
        assert_eq!(
            follow(&format!("{tables} {write} {}", over("t"))),
            1,
            "{write}"
        );
    }
    assert_eq!(
        follow(&format!("{tables} INSERT INTO u VALUES (1); {}", over("t"))),
        0
    );
}
