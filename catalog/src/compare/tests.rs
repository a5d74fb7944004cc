//! Differences as sentences, and histories without differences.

use bowline::Session;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::replay::replay;
use crate::testing::{after as introspected, bank, introspect, replayed};

fn words(left: &Catalog, right: &Catalog) -> String {
    let found = compare(left, right);
    let words: Vec<String> = found
        .iter()
        .map(|difference| difference.sentence("the migrations", "the database"))
        .collect();
    words.join("\n")
}

#[test]
fn the_banks_migrations_replay_as_a_server_runs_them() {
    let migrations = bank();
    let replayed = replay(migrations.iter().map(|migration| &migration.up));
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    for migration in &migrations {
        session
            .batch_execute(&migration.up.text)
            .expect("PostgreSQL takes the migration");
    }
    let there = introspect(&mut session).expect("a catalog");
    assert_eq!(words(&replayed.catalog, &there), "");
}

const BEFORE: &str = "
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN small AS int CHECK (VALUE < 10);
    CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL DEFAULT 'x', mood mood, age small, UNIQUE (name));
    CREATE TABLE posts (id serial PRIMARY KEY, author_id int REFERENCES authors, title varchar(20) CHECK (title <> ''), at timestamptz DEFAULT now());
    CREATE INDEX posts_at ON posts (at);
    CREATE TABLE gone (id int);
    COMMENT ON TABLE posts IS 'what is read';
";

const AFTER: &str = "
    CREATE TYPE mood AS ENUM ('good', 'so-so', 'bad');
    CREATE DOMAIN small AS bigint CHECK (VALUE < 11);
    CREATE TABLE authors (id int PRIMARY KEY, mood mood, name text, age small);
    CREATE TABLE posts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author_id int REFERENCES authors ON DELETE CASCADE,
        title text CHECK (title <> '-'), at timestamptz DEFAULT CURRENT_TIMESTAMP, body text);
    CREATE INDEX posts_at ON posts (at DESC) WHERE at IS NOT NULL;
    CREATE TABLE \"New\" (id int);
    COMMENT ON TABLE posts IS 'what is written';
";

#[test]
fn each_difference_is_a_sentence() {
    insta::assert_snapshot!(words(&replayed(BEFORE), &introspected(AFTER)), @r#"
    type mood differs in its labels: 'good', 'bad' in the migrations, 'good', 'so-so', 'bad' in the database
    type small differs in its base type: int4 in the migrations, int8 in the database
    check small_check of the domain small differs in its definition: CHECK (VALUE < 10) in the migrations, CHECK (VALUE < 11) in the database
    column authors.name differs in its nullability: NOT NULL in the migrations, NULL in the database
    column authors.name differs in its default: 'x' in the migrations, none in the database
    relation authors differs in its column order: id, name, mood, age in the migrations, id, mood, name, age in the database
    constraint authors_name_key of authors is in the migrations, but not in the database
    index authors_name_key of authors is in the migrations, but not in the database
    relation gone is in the migrations, but not in the database
    relation posts differs in its comment: 'what is read' in the migrations, 'what is written' in the database
    column posts.at differs in its default: now() in the migrations, CURRENT_TIMESTAMP in the database
    column posts.id differs in its default: the next value of its own sequence posts_id_seq in the migrations, GENERATED ALWAYS AS IDENTITY in the database
    column posts.title differs in its type: varchar(20) in the migrations, text in the database
    column posts.body is in the database, but not in the migrations
    constraint posts_author_id_fkey of posts differs in its definition: FOREIGN KEY (author_id) REFERENCES authors (id) in the migrations, FOREIGN KEY (author_id) REFERENCES authors (id) ON DELETE CASCADE in the database
    constraint posts_title_check of posts differs in its definition: CHECK (title <> '') in the migrations, CHECK (title <> '-'::text) in the database
    index posts_at of posts differs in its definition: CREATE INDEX posts_at ON posts USING btree (at) in the migrations, CREATE INDEX posts_at ON posts USING btree (at DESC) WHERE at IS NOT NULL in the database
    relation "New" is in the database, but not in the migrations
    "#);
}

#[test]
fn a_history_replays_as_a_server_runs_it() {
    for statements in [BEFORE, AFTER] {
        assert_eq!(words(&replayed(statements), &introspected(statements)), "");
    }
}

#[test]
fn another_spelling_is_no_difference() {
    let one =
        "CREATE TABLE a (n numeric(10), s text DEFAULT NULL, m int[][], CHECK (n IN (1, 2)));";
    let other =
        "CREATE TABLE a (n decimal(10, 0), s text, m int[], CHECK ((n = 1 OR false) OR n = 2));";
    insta::assert_snapshot!(words(&introspected(one), &introspected(other)), @r"constraint a_n_check of a differs in its definition: CHECK (n = ANY (ARRAY[(1)::numeric, (2)::numeric])) in the migrations, CHECK ((n = (1)::numeric) OR false OR (n = (2)::numeric)) in the database");
    assert_eq!(words(&replayed(one), &introspected(one)), "");
}

#[test]
fn objects_that_replay_cannot_follow_are_no_difference() {
    let replayed = replayed(
        "CREATE TABLE t (id int); CREATE VIEW v AS SELECT unheard_of(id) AS x FROM t;
         DO $$ BEGIN EXECUTE format('CREATE SEQUENCE s START %s', random()); END $$;
         -- bowline: ignore
         CREATE INDEX i ON t (id);",
    );
    let there = introspected(
        "CREATE TABLE t (id int); CREATE VIEW v AS SELECT abs(id) AS x FROM t; CREATE SEQUENCE s START 7;
         CREATE INDEX i ON t (id); CREATE VIEW w AS SELECT 1 AS one;",
    );
    assert_eq!(
        words(&replayed, &there),
        "relation w is in the database, but not in the migrations"
    );
}

/// Returns the differences between the replay of some statements and a server's catalog after
/// others. The server parses the texts that differ.
fn judged_words(ours: &str, theirs: &str) -> String {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let mut maintenance = Session::connect(&server.config("postgres")).expect("a connection");
    let name = format!(
        "judged_{}_{:?}",
        std::process::id(),
        std::thread::current().id()
    );
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_lowercase();
    maintenance
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .expect("a database");
    let mut session = Session::connect(&server.config(&name)).expect("a connection");
    session.batch_execute(theirs).expect("PostgreSQL takes it");
    let there = introspect(&mut session).expect("a catalog");
    let comparison = compare_with(
        &replayed(ours),
        &there,
        Some(&mut session),
        &mut EqualTexts::default(),
    );
    let again = introspect(&mut session).expect("a catalog");
    assert_eq!(again, there, "the comparison leaves nothing behind");
    drop(session);
    maintenance
        .batch_execute(&format!("DROP DATABASE {name}"))
        .expect("it can be dropped");
    let differences = comparison.differences.iter();
    let words = differences.map(|difference| difference.sentence("the migrations", "the database"));
    let open = comparison.not_compared.iter();
    let open = open.map(|what| format!("not compared: {what}"));
    words.chain(open).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_expression_rewritten_by_postgresql_is_no_difference() {
    let sql = r#"
        CREATE TYPE mood AS ENUM ('good', 'it''s bad');
        CREATE DOMAIN day AS date DEFAULT '1 Jan 2024' CHECK (VALUE > '2 Jan 1999' AND extract(year FROM VALUE) < 3000);
        CREATE TABLE a (id int PRIMARY KEY, j jsonb DEFAULT '{"xx":0,"a":1,"a":2}', t text[] DEFAULT '{"a","b c"}',
            f double precision DEFAULT '1.0', g real DEFAULT '0.10', h float8 DEFAULT '1e3', d date DEFAULT '1 Jan 2024',
            r int4range DEFAULT '[1,5]', m money DEFAULT '1', p point DEFAULT '0,0', n numeric(10, 2) DEFAULT 1.5, i interval DEFAULT '90 min',
            z timestamptz DEFAULT '2024-01-01 00:00+02', u uuid DEFAULT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', b bigint DEFAULT 0,
            v varchar(3) DEFAULT 'x', e mood DEFAULT 'it''s bad', es mood[] DEFAULT ARRAY['good']::mood[], bits bit(3) DEFAULT B'101',
            lo text GENERATED ALWAYS AS (lower(v) || E'\n') STORED, tags text[] DEFAULT ARRAY[]::text[], net inet DEFAULT '10.0.0.1/8',
            CHECK (d > '3 Feb 2001' OR f NOT BETWEEN '1' AND 2), CHECK (v IN ('x', 'y') AND v NOT LIKE 'z%'));
        CREATE TABLE b (a int DEFAULT -1, c timestamptz DEFAULT CURRENT_TIMESTAMP(3), t timestamp DEFAULT (now() AT TIME ZONE 'utc'),
            ch char(3) DEFAULT 'x', vb varbit DEFAULT B'1', ints int[] DEFAULT '{1, 2}', n name DEFAULT 'x', d date, name text,
            sum int GENERATED ALWAYS AS (a * 2 + 1) STORED,
            CHECK (a BETWEEN SYMMETRIC 2 AND 1), CHECK (name ~* '^a' OR name SIMILAR TO 'b%'), CHECK (a IS NOT DISTINCT FROM 1),
            CHECK (name = ANY ('{a,b}')), CHECK (NOT (a IS NULL OR name IS NULL)), CHECK ((a, name) <> (1, 'x')),
            CHECK (CASE a WHEN 1 THEN true ELSE name ILIKE 'x' END), CHECK (extract(dow FROM d) IN (1, 2) AND d + interval '1 day' > d),
            CHECK (coalesce(a, 0) > -5 AND lower(name) COLLATE "C" = name), CHECK (a::numeric(10, 2) > 1 AND a % 2 = 1 AND @ a > 0));
        CREATE INDEX i ON a ((j ->> 'xx'), lower(v)) WHERE d > '1 Mar 2020' AND e <> 'good';
        CREATE TABLE m (at date NOT NULL, n int) PARTITION BY RANGE (at);
        CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('1 Jan 2024') TO ('2024-2-1');
        CREATE TABLE m2 PARTITION OF m1x FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
    "#;
    let sql = sql.replace(
        "CREATE TABLE m2 PARTITION OF m1x FOR VALUES FROM (MINVALUE) TO (MAXVALUE);",
        "",
    );
    assert_eq!(judged_words(&sql, &sql), "");
}

#[test]
fn the_moment_of_a_default_is_not_compared() {
    let sql = "CREATE TABLE a (id int, at timestamp DEFAULT 'now', day date DEFAULT 'Yesterday',
        noon timestamptz DEFAULT 'tomorrow 12:00', name text DEFAULT 'now', fixed date DEFAULT '2024-01-01')";
    let words = judged_words(sql, &sql.replace("'2024-01-01'", "'2024-01-02'"));
    let open = words
        .lines()
        .filter(|line| line.starts_with("not compared: "));
    assert_eq!(
        open.collect::<Vec<_>>(),
        [
            "not compared: default of column a.at",
            "not compared: default of column a.day",
            "not compared: default of column a.noon"
        ]
    );
    assert_eq!(words.lines().count(), 4, "{words}");
    assert!(
        words.starts_with("column a.fixed differs in its default"),
        "{words}"
    );
}

#[test]
fn code_rewritten_by_postgresql_is_no_difference() {
    let sql = r#"
        CREATE SCHEMA app;
        CREATE TABLE t (id int PRIMARY KEY, a int, "user" text, at timestamptz DEFAULT now());
        CREATE TABLE app.t (id int PRIMARY KEY, of int REFERENCES t);
        CREATE FUNCTION f(n int DEFAULT 1 + 1, OUT m text) LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
        CREATE FUNCTION g(day date DEFAULT '1 Jan 2024') RETURNS int LANGUAGE sql STABLE RETURN extract(day FROM day)::int + 1;
        CREATE FUNCTION h() RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC SELECT * FROM t WHERE a > 1; SELECT * FROM t; END;
        CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE VIEW v AS SELECT *, count(*) OVER (PARTITION BY a) FROM t x WHERE a IN (1, 2) ORDER BY id LIMIT 5;
        CREATE VIEW w (one, "Two") WITH (security_barrier) AS SELECT t.id, u."user" FROM t JOIN v u USING (id) WHERE NOT EXISTS (SELECT FROM app.t WHERE of = t.id);
        CREATE OR REPLACE VIEW checked AS SELECT id, a FROM t WHERE a > 0 WITH LOCAL CHECK OPTION;
        CREATE RECURSIVE VIEW r (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5;
        CREATE MATERIALIZED VIEW s AS SELECT max(at), "user" FROM t GROUP BY 2;
        SET search_path = app, public;
        CREATE VIEW of_app AS SELECT id FROM t;
        SET search_path = public;
        ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON t FOR UPDATE USING ("user" = current_user AND a IN (SELECT of FROM app.t)) WITH CHECK (a > 0);
        CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (new.a IS DISTINCT FROM old.a AND new.a NOT IN (1, 2)) EXECUTE FUNCTION tr('x', 2);
    "#;
    assert_eq!(judged_words(sql, sql), "");
}

#[test]
fn triggers_policies_and_rules_are_compared() {
    let before = r#"
        CREATE TABLE t (id int PRIMARY KEY, a int, b text);
        CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION gone() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RETURN NEW; END $$;
        CREATE VIEW v AS SELECT id, a FROM t WHERE a > 1;
        CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
        ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON t USING (a > 1);
        CREATE POLICY gone ON t FOR SELECT USING (true);
        CREATE TRIGGER one BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tr();
        CREATE TRIGGER two BEFORE INSERT ON t FOR EACH ROW WHEN (new.a > 1) EXECUTE FUNCTION tr();
        CREATE TRIGGER gone BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tr();
        CREATE RULE nothing AS ON DELETE TO t DO INSTEAD NOTHING;
        GRANT SELECT, UPDATE (a) ON t TO pg_monitor; REVOKE ALL ON FUNCTION tr() FROM PUBLIC;
    "#;
    let after = r#"
        CREATE TABLE t (id int PRIMARY KEY, a int, b text);
        CREATE FUNCTION f(int) RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT 2 $$;
        CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RETURN OLD; END $$;
        CREATE FUNCTION extra(a text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE VIEW v AS SELECT id, a FROM t WHERE a > 2;
        CREATE MATERIALIZED VIEW m AS SELECT a FROM t WHERE a > 1;
        ALTER TABLE t FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON t AS RESTRICTIVE USING (a > 2);
        CREATE POLICY extra ON t USING (true);
        CREATE TRIGGER one BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tr();
        ALTER TABLE t DISABLE TRIGGER one;
        CREATE TRIGGER two BEFORE INSERT OR UPDATE ON t FOR EACH ROW WHEN (new.a > 2) EXECUTE FUNCTION tr();
        CREATE TRIGGER extra AFTER INSERT ON t EXECUTE FUNCTION tr();
        GRANT SELECT ON t TO PUBLIC, pg_monitor; GRANT ALL ON t TO CURRENT_USER;
    "#;
    // Before PostgreSQL 18, a server writes each column with its table.
    let words = judged_words(before, after);
    let bare = words.replace(" t.", " ").replace("(t.", "(");
    insta::assert_snapshot!(bare, @"
    relation m differs in its query: SELECT a FROM t in the migrations, SELECT a FROM t WHERE (a > 1) in the database
    relation t differs in its privileges: SELECT to pg_monitor, UPDATE (a) to pg_monitor in the migrations, SELECT to pg_monitor, SELECT to PUBLIC in the database
    relation t differs in its row level security: on in the migrations, off in the database
    relation t differs in its forced row level security: off in the migrations, on in the database
    trigger gone of t is in the migrations, but not in the database
    trigger one of t differs in its state: enabled in the migrations, disabled in the database
    trigger two of t differs in its definition: CREATE TRIGGER two BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tr() in the migrations, CREATE TRIGGER two BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tr() in the database
    trigger two of t differs in its condition: new.a > 1 in the migrations, (new.a > 2) in the database
    trigger extra of t is in the database, but not in the migrations
    policy gone of t is in the migrations, but not in the database
    policy own of t differs in its definition: CREATE POLICY own ON t FOR ALL TO PUBLIC in the migrations, CREATE POLICY own ON t AS RESTRICTIVE FOR ALL TO PUBLIC in the database
    policy own of t differs in its USING expression: a > 1 in the migrations, (a > 2) in the database
    policy extra of t is in the database, but not in the migrations
    rule nothing of t is in the migrations, but not in the database
    relation v differs in its query: SELECT id, a FROM t WHERE a > 1 in the migrations, SELECT id, a FROM t WHERE (a > 2) in the database
    function f(int4) differs in its definition: function (int4) RETURNS int4 LANGUAGE sql in the migrations, function (int4) RETURNS int4 LANGUAGE sql SECURITY DEFINER in the database
    function f(int4) differs in its body: ' SELECT 1 ' (line 1) in the migrations, ' SELECT 2 ' (line 1) in the database
    function gone() is in the migrations, but not in the database
    function tr() differs in its privileges: EXECUTE not to PUBLIC in the migrations, none in the database
    function tr() differs in its body: '            RETURN NEW; END ' (line 2) in the migrations, '            RETURN OLD; END ' (line 2) in the database
    function extra(text) is in the database, but not in the migrations
    ");
}

#[test]
fn details_of_types_and_triggers_are_compared() {
    let before = r#"
        CREATE TABLE t (i interval day to second(3), j interval);
        CREATE TYPE pair AS (a text COLLATE "C", b interval year);
        CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
        CREATE TYPE words AS RANGE (subtype = text, collation = "C", subtype_opclass = text_pattern_ops);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
        CREATE TRIGGER touched BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER TABLE p2 DISABLE TRIGGER touched;
    "#;
    let after = r#"
        CREATE TABLE t (i interval day to minute, j interval(3));
        CREATE TYPE pair AS (a text, b interval month);
        CREATE TYPE span AS RANGE (subtype = float8);
        CREATE TYPE words AS RANGE (subtype = text, collation = "POSIX");
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
        CREATE TRIGGER touched BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER TABLE p1 DISABLE TRIGGER touched; ALTER TABLE p2 ENABLE ALWAYS TRIGGER touched;
    "#;
    assert_eq!(judged_words(before, before), "");
    assert_eq!(judged_words(after, after), "");
    insta::assert_snapshot!(judged_words(before, after), @r#"
    type pair differs in its attributes: a text COLLATE "C", b interval year in the migrations, a text, b interval month in the database
    type span differs in its options: SUBTYPE_DIFF = float8mi in the migrations, none in the database
    type words differs in its options: SUBTYPE_OPCLASS = text_pattern_ops, COLLATION = "C" in the migrations, COLLATION = "POSIX" in the database
    trigger touched of p1 differs in its state: as in the parent in the migrations, disabled in the database
    trigger touched of p2 differs in its state: disabled in the migrations, enabled always in the database
    column t.i differs in its type: interval day to second(3) in the migrations, interval day to minute in the database
    column t.j differs in its type: interval in the migrations, interval(3) in the database
    "#);
}

#[test]
fn collations_and_operator_classes_include_their_schemas() {
    let sql = r#"
        CREATE SCHEMA app; CREATE SCHEMA other; CREATE EXTENSION pg_trgm SCHEMA other;
        CREATE COLLATION app.german FROM "C"; CREATE COLLATION plain FROM "C";
        CREATE DOMAIN word AS text COLLATE app.german; CREATE TYPE pair AS (a text COLLATE app.german);
        CREATE TABLE t (a text COLLATE app.german, b text COLLATE plain, c text COLLATE pg_catalog."C");
        CREATE INDEX i ON t USING gin (c other.gin_trgm_ops); CREATE INDEX j ON t (c COLLATE app.german);
        SET search_path TO app, other; ALTER TABLE public.t ADD COLUMN d text COLLATE german;
        CREATE INDEX k ON public.t USING gin (d gin_trgm_ops); SET search_path TO public;
    "#;
    assert_eq!(judged_words(sql, sql), "");
    let moved = format!(
        "{sql} ALTER COLLATION app.german SET SCHEMA other; ALTER SCHEMA other RENAME TO more;"
    );
    assert_eq!(judged_words(&moved, &moved), "");
    let words = judged_words(&moved, sql);
    for word in [
        "column t.a differs in its collation: more.german",
        "more.gin_trgm_ops",
    ] {
        assert!(words.contains(word), "{word}: {words}");
    }
}

#[test]
fn defaults_do_not_depend_on_the_session_that_reads_them() {
    let sql = "
        CREATE TABLE t (a timestamptz DEFAULT '2024-01-01 00:00', b date DEFAULT '3/2/2024', c interval DEFAULT '-1 2:03:04',
            d timestamptz DEFAULT '2024-01-01 00:00+02', CHECK (a > '2023-06-01 00:00'));";
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let settings = "SET TimeZone TO 'Asia/Kolkata'; SET DateStyle TO 'SQL, DMY'; SET IntervalStyle TO 'sql_standard'";
    let other = "SET TimeZone TO 'America/New_York'; SET DateStyle TO 'ISO, MDY'; SET IntervalStyle TO 'iso_8601'";
    session
        .batch_execute(&format!("{settings}; {sql}"))
        .expect("PostgreSQL takes it");
    let one = introspect(&mut session).expect("a catalog");
    // The session that ran the migration judges the comparison.
    let judge = |session: &mut Session, there: &Catalog| {
        let comparison = compare_with(
            &replayed(sql),
            there,
            Some(session),
            &mut EqualTexts::default(),
        );
        comparison.differences.len() + comparison.not_compared.len()
    };
    assert_eq!(judge(&mut session, &one), 0);
    session.batch_execute(other).expect("settings");
    let two = introspect(&mut session).expect("a catalog");
    assert_eq!(words(&one, &two), "");
    // In a session with other settings a date without a zone means another moment.
    assert_eq!(judge(&mut session, &two), 4);
}

#[test]
fn default_privileges_hide_only_what_they_may_change() {
    let sql = "
        CREATE SCHEMA app; CREATE TABLE before (id int); CREATE TABLE app.before (id int);
        ALTER DEFAULT PRIVILEGES FOR ROLE CURRENT_USER GRANT SELECT ON TABLES TO pg_monitor;
        ALTER DEFAULT PRIVILEGES FOR ROLE pg_database_owner IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor;
        CREATE TABLE after (id int); CREATE TABLE app.after (id int); CREATE SEQUENCE app.s;";
    let there = format!(
        "{sql} GRANT UPDATE ON before, app.before, after, app.after TO PUBLIC; GRANT USAGE ON SEQUENCE app.s TO PUBLIC;"
    );
    insta::assert_snapshot!(judged_words(sql, &there), @"
    sequence app.s differs in its privileges: none in the migrations, USAGE to PUBLIC in the database
    relation app.before differs in its privileges: none in the migrations, UPDATE to PUBLIC in the database
    relation after differs in its privileges: SELECT to pg_monitor in the migrations, SELECT to pg_monitor, UPDATE to PUBLIC in the database
    relation before differs in its privileges: none in the migrations, UPDATE to PUBLIC in the database
    not compared: privileges on app.after (up.sql:5): whether the role of an ALTER DEFAULT PRIVILEGES creates it is not known
    ");
}
