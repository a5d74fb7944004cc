//! Scripts that change databases, on a real server.

mod blocked;

use super::*;
use crate::compare::compare;
use crate::testing::after;

/// Schemas; each of the first three is turned into the others.
const SCHEMAS: [&str; 4] = [
    "",
    "CREATE TYPE mood AS ENUM ('good');
     CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x', mood mood, UNIQUE (name));
     CREATE TABLE posts (id int PRIMARY KEY, author_id int REFERENCES authors, title varchar(20) CHECK (title <> ''));
     CREATE SEQUENCE spare OWNED BY authors.id; CREATE INDEX posts_title ON posts (title); COMMENT ON TABLE posts IS 'what is \\ read';
     CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION f IS 'f';
     CREATE FUNCTION bare(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
     CREATE FUNCTION other(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
     CREATE TRIGGER touched BEFORE UPDATE ON authors FOR EACH ROW WHEN (new.id > 1) EXECUTE FUNCTION touch('a');
     CREATE TRIGGER same BEFORE UPDATE ON authors EXECUTE FUNCTION touch(); ALTER TABLE authors ENABLE ROW LEVEL SECURITY;
     GRANT SELECT, UPDATE (name) ON authors TO pg_monitor; REVOKE ALL ON FUNCTION touch() FROM PUBLIC;
     CREATE POLICY own ON authors USING (id > 1); CREATE RULE quiet AS ON DELETE TO authors DO INSTEAD NOTHING;
     CREATE VIEW seen AS SELECT 1 AS one, 2 AS two; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;",
    "CREATE TYPE mood AS ENUM ('good'); CREATE EXTENSION citext; CREATE SCHEMA \"Other\";
     CREATE DOMAIN small AS int DEFAULT 3 CONSTRAINT low CHECK (VALUE < 10);
     CREATE TYPE pair AS (a int, b text); CREATE TYPE spans AS RANGE (subtype = float8);
     CREATE SEQUENCE steps INCREMENT 5; CREATE SEQUENCE spare;
     CREATE TABLE authors (id int GENERATED ALWAYS AS IDENTITY (START 7) PRIMARY KEY, name citext UNIQUE NULLS NOT DISTINCT, mood mood,
        age small, CONSTRAINT nowhere EXCLUDE USING btree (age WITH =) WHERE (age > 3));
     CREATE TABLE posts (id serial PRIMARY KEY, author_id bigint REFERENCES authors ON DELETE CASCADE DEFERRABLE,
        title text COLLATE \"C\" CHECK (title <> '-'), twice int GENERATED ALWAYS AS (id * 2) STORED);
     CREATE UNIQUE INDEX posts_title ON posts (lower(title) DESC) INCLUDE (id) WHERE author_id IS NOT NULL;
     COMMENT ON COLUMN posts.title IS 'it''s'; COMMENT ON INDEX posts_title IS 'i'; COMMENT ON CONSTRAINT posts_pkey ON posts IS 'k';
     CREATE TABLE \"Other\".\"select\" (\"from\" int PRIMARY KEY);
     CREATE FUNCTION f(a int, b text DEFAULT 'y') RETURNS int LANGUAGE sql STABLE SET search_path = public, \"Other\" AS 'SELECT 2';
     CREATE FUNCTION bare(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION bare IS 'b';
     REVOKE ALL ON FUNCTION bare FROM PUBLIC; GRANT EXECUTE ON FUNCTION bare TO pg_monitor;
     CREATE FUNCTION other(b int) RETURNS text LANGUAGE sql AS 'SELECT 1::text';
     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
     CREATE PROCEDURE p(INOUT a int) LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE FUNCTION atom() RETURNS int RETURN 1;
     CREATE TRIGGER touched AFTER UPDATE ON authors FOR EACH ROW WHEN (new.id > 2) EXECUTE FUNCTION touch('b');
     CREATE TRIGGER same BEFORE UPDATE ON authors EXECUTE FUNCTION touch(); ALTER TABLE authors DISABLE TRIGGER same;
     GRANT SELECT ON authors TO PUBLIC; GRANT ALL ON SEQUENCE steps TO pg_monitor WITH GRANT OPTION;
     GRANT USAGE ON SCHEMA \"Other\" TO pg_monitor; GRANT EXECUTE ON PROCEDURE p TO pg_monitor;
     ALTER TABLE authors FORCE ROW LEVEL SECURITY; CREATE POLICY own ON authors FOR INSERT WITH CHECK (id > 1);
     COMMENT ON POLICY own ON authors IS 'o'; CREATE VIEW seen WITH (security_invoker=true) AS SELECT 3 AS one, 2 AS two;
     CREATE MATERIALIZED VIEW kept AS SELECT 2 AS one;",
    "CREATE TABLE at (id int NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
     CREATE TABLE at_2026 PARTITION OF at FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
];

#[test]
fn a_script_leaves_no_difference() {
    for from in &SCHEMAS[..3] {
        for to in &SCHEMAS[..3] {
            let (actual, expected) = (after(from), after(to));
            let script = alter_script(&expected, &actual, &compare(&expected, &actual));
            let altered = after(&format!("{from}; {script}"));
            let left: Vec<String> = compare(&expected, &altered)
                .iter()
                .map(|difference| difference.sentence("the expected catalog", "the result"))
                .collect();
            let left: Vec<String> = left
                .into_iter()
                .filter(|sentence| !sentence.contains("column order"))
                .collect();
            assert_eq!(left.join("\n"), "", "{from}\nto {to}:\n{script}");
            assert_eq!(script.is_empty(), from == to);
        }
    }
}

#[test]
fn partitions_are_created_and_other_changes_noted() {
    let partitions = SCHEMAS[3];
    let expected = after(&format!(
        "{partitions}; CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE seen (one int) SERVER s;"
    ));
    let script = alter_script(
        &expected,
        &Catalog::default(),
        &compare(&expected, &Catalog::default()),
    );
    // From PostgreSQL 18 on, a partition has the names of its parent's NOT NULL constraints.
    let unnamed = script
        .replace("CONSTRAINT at_id_not_null ", "")
        .replace("CONSTRAINT at_day_not_null ", "");
    insta::assert_snapshot!(unnamed, @"
    -- seen is not created, since the catalog lacks its definition, which its migration has
    CREATE TABLE at (id int4 NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
    CREATE TABLE at_2026 (id int4 NOT NULL, day date NOT NULL);
    ALTER TABLE at_2026 ADD CONSTRAINT at_2026_pkey PRIMARY KEY (id, day);
    ALTER TABLE at ADD CONSTRAINT at_pkey PRIMARY KEY (id, day);
    ALTER TABLE at ATTACH PARTITION at_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    ");
    assert_eq!(compare(&after(partitions), &after(&script)), []);
}

#[test]
fn a_function_in_use_is_not_dropped() {
    let function = |default: &str| {
        format!(
            "CREATE FUNCTION f(a int{default}) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';"
        )
    };
    let users =
        "CREATE TABLE t (id int DEFAULT f(1), CHECK (f(id) > 0)); CREATE INDEX i ON t ((f(id)));
         CREATE VIEW v AS SELECT f(2); CREATE DOMAIN d AS int CHECK (f(VALUE) > 0);
         CREATE FUNCTION g() RETURNS int RETURN f(3); CREATE POLICY p ON t USING (f(id) > 1);
         CREATE RULE r AS ON DELETE TO t WHERE f(old.id) > 1 DO INSTEAD NOTHING;";
    let (expected, actual) = (
        after(&format!("{}{users}", function(""))),
        after(&format!("{}{users}", function(" DEFAULT 7"))),
    );
    insta::assert_snapshot!(alter_script(&expected, &actual, &compare(&expected, &actual)), @"-- the function f(int4) is not replaced, since CREATE OR REPLACE cannot remove the default of an argument; DROP and CREATE can, once the objects that may use it are dropped: column t.id, constraint t_id_check of t, index i of t, policy p of t, rule r of t, relation v, type d, function g()");
}

#[test]
fn an_index_of_a_function_no_longer_immutable_is_noted() {
    let expected = after(
        "CREATE TABLE t (a int); CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
         CREATE INDEX i ON t (f(a)); CREATE INDEX j ON t (a) WHERE f(a) > 0; ALTER FUNCTION f(int) STABLE;",
    );
    let actual = Catalog::default();
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @"
    -- the index i of t is not created, since its function f is no longer IMMUTABLE
    -- the index j of t is not created, since its function f is no longer IMMUTABLE
    SET check_function_bodies = off;
    CREATE TABLE t (a int4);
    CREATE OR REPLACE FUNCTION f(int4) RETURNS int4 LANGUAGE sql STABLE AS $$SELECT 1$$;
    ");
}

/// Pairs of schemas, of which the first is turned into the second.
const PAIRS: [(&str, &str); 47] = [
    // By name, a child precedes its parent. So do a view, a domain and a function.
    (
        "",
        "CREATE TABLE z (id int); CREATE TABLE a (more int) INHERITS (z); CREATE TABLE \"0\" () INHERITS (a);
         CREATE VIEW y AS SELECT id FROM z; CREATE VIEW b AS SELECT id FROM y;
         CREATE DOMAIN w AS int CHECK (VALUE > 0); CREATE DOMAIN c AS w; CREATE TYPE d AS (x c, y z);
         CREATE FUNCTION f(z) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION g() RETURNS c IMMUTABLE LANGUAGE sql AS 'SELECT 1::c'; CREATE TABLE e (id int DEFAULT g(), all_of d);",
    ),
    // The same objects are dropped.
    (
        "CREATE TABLE z (id int); CREATE TABLE a (more int) INHERITS (z); CREATE TABLE \"0\" () INHERITS (a);
         CREATE VIEW y AS SELECT id FROM z; CREATE VIEW b AS SELECT id FROM y; CREATE VIEW zz AS SELECT id FROM y;
         CREATE DOMAIN w AS int CHECK (VALUE > 0); CREATE DOMAIN c AS w; CREATE TYPE d AS (x c, y z);
         CREATE FUNCTION g() RETURNS c IMMUTABLE LANGUAGE sql AS 'SELECT 1::c'; CREATE TABLE e (id int DEFAULT g(), all_of d);",
        "",
    ),
    // A label is renamed, and a default uses it.
    (
        "CREATE TYPE mood AS ENUM ('good', 'bad', 'odd'); CREATE TABLE t (a mood DEFAULT 'bad');",
        "CREATE TYPE mood AS ENUM ('good', 'sad', 'odd'); CREATE TABLE t (a mood DEFAULT 'sad');",
    ),
    (
        "CREATE TYPE pair AS (a int, c text); CREATE TABLE t OF pair; CREATE TABLE heir () INHERITS (t);",
        "CREATE TYPE pair AS (a bigint, b text COLLATE \"C\"); CREATE TABLE t OF pair (b NOT NULL DEFAULT 'x');
         CREATE TABLE heir () INHERITS (t);",
    ),
    (
        "",
        "CREATE SCHEMA app; CREATE FUNCTION app.apart(float8, float8) RETURNS float8 IMMUTABLE LANGUAGE sql AS 'SELECT $1 - $2';
         CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = app.apart);
         CREATE TYPE words AS RANGE (subtype = text, collation = \"C\", subtype_opclass = text_pattern_ops, multirange_type_name = many);
         CREATE TABLE t (a app.span, b words, c many);",
    ),
    (
        "CREATE SCHEMA app; CREATE COLLATION app.german FROM \"C\"; CREATE EXTENSION pg_trgm SCHEMA app; CREATE TABLE t (a text);
         CREATE TABLE u (a text COLLATE \"C\");",
        "CREATE SCHEMA app; CREATE COLLATION app.german FROM \"C\"; CREATE EXTENSION pg_trgm SCHEMA app;
         CREATE TABLE t (a text, b text COLLATE app.german); CREATE INDEX i ON t USING gin (a app.gin_trgm_ops);
         CREATE DOMAIN word AS text COLLATE app.german; CREATE TYPE pair AS (a text COLLATE app.german, b word);
         CREATE TABLE u (a text COLLATE app.german); CREATE INDEX j ON u (a COLLATE \"C\");",
    ),
    (
        "CREATE TABLE t (id int, a int); CREATE VIEW v WITH (security_barrier, check_option = local) AS SELECT id FROM t;",
        "CREATE TABLE t (id int, a int); CREATE VIEW v WITH (security_invoker) AS SELECT id FROM t;",
    ),
    // Columns that views, policies, triggers and defaults use.
    (
        "CREATE TABLE t (id int, a int DEFAULT 1, gone int); CREATE VIEW v AS SELECT a FROM t WHERE gone > 0;
         CREATE VIEW w AS SELECT a FROM v; GRANT SELECT ON w TO pg_monitor; CREATE POLICY p ON t USING (a > 0);
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (new.a > 0) EXECUTE FUNCTION touch();",
        "CREATE TABLE t (id int, a bigint DEFAULT 1); CREATE VIEW v AS SELECT a FROM t WHERE id > 0;
         CREATE VIEW w AS SELECT a FROM v; GRANT SELECT ON w TO pg_monitor; CREATE POLICY p ON t USING (a > 0);
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (new.a > 0) EXECUTE FUNCTION touch();",
    ),
    // Tables that get parents, and triggers of partitions.
    (
        "CREATE TABLE p (id int, a int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE TABLE p2 (id int, a int); CREATE TABLE base (id int); CREATE TABLE child (id int);
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER tr BEFORE UPDATE ON p FOR EACH ROW EXECUTE FUNCTION touch();",
        "CREATE TABLE p (id int PRIMARY KEY, a int) PARTITION BY LIST (id); CREATE TABLE p1 (id int NOT NULL, a int, PRIMARY KEY (id));
         CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); CREATE TABLE base (id int); CREATE TABLE child (id int) INHERITS (base);
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER tr BEFORE UPDATE ON p FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE p2 DISABLE TRIGGER tr;",
    ),
    // New objects with the names of objects that are dropped with others.
    (
        "CREATE TABLE a (id serial); CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY); CREATE TABLE f (id serial, x int);
         CREATE TYPE g AS RANGE (subtype = text, multirange_type_name = many); CREATE TYPE h AS ENUM ('h');
         CREATE SEQUENCE i; CREATE TABLE j (id int); CREATE TABLE k (a int, b int); CREATE INDEX k_a ON k (a);",
        "CREATE TABLE c (id int, CONSTRAINT a_id_seq UNIQUE (id)); CREATE TABLE b_id_seq (id int);
         CREATE TABLE f (x int); CREATE INDEX f_id_seq ON f (x);
         CREATE TYPE d AS RANGE (subtype = text, multirange_type_name = many); CREATE TABLE h (id int);
         CREATE VIEW i AS SELECT 1 AS one; CREATE INDEX j ON f (x); CREATE TYPE k_a AS (a int);",
    ),
    // Identity sequences with the names of other sequences.
    (
        "CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY); CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY);
         CREATE SEQUENCE s; CREATE TABLE c (id serial);",
        "CREATE TABLE d (id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME a_id_seq)); CREATE SEQUENCE b_id_seq;
         CREATE TABLE e (id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s), x int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME c_id_seq));",
    ),
    // NOT NULL constraints, which have names from PostgreSQL 18 on.
    (
        "",
        "CREATE TABLE b (id int NOT NULL); CREATE TABLE a (LIKE b); CREATE TYPE pair AS (c int);
         CREATE TABLE t OF pair (c NOT NULL); CREATE TABLE o (id int CONSTRAINT t_c_not_null CHECK (id > 0));",
    ),
    // Partitions share the identity of their parent from PostgreSQL 17 on.
    (
        "CREATE TABLE p (id int NOT NULL, a int NOT NULL) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);",
        "CREATE TABLE p (id int NOT NULL, a int NOT NULL) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         ALTER TABLE p ALTER id ADD GENERATED ALWAYS AS IDENTITY;",
    ),
    // NOT NULL of children that are created before their parent changes.
    (
        "CREATE TABLE t (id int, a int NOT NULL); CREATE TABLE c () INHERITS (t);",
        "CREATE TABLE t (id int NOT NULL, a int CONSTRAINT n NOT NULL); CREATE TABLE c () INHERITS (t); CREATE TABLE d () INHERITS (t);",
    ),
    // A unique index becomes a constraint.
    (
        "CREATE TABLE t (id int, a int); CREATE UNIQUE INDEX k ON t (a);",
        "CREATE TABLE t (id int, a int, CONSTRAINT k UNIQUE (a) DEFERRABLE);",
    ),
    (
        "CREATE TABLE t (id int, a int, CONSTRAINT k UNIQUE (a));",
        "CREATE TABLE t (id int, a int); CREATE UNIQUE INDEX k ON t (a);",
    ),
    // An extension in another schema.
    (
        "CREATE EXTENSION citext; CREATE TABLE t (a citext);",
        "CREATE SCHEMA app; CREATE EXTENSION citext SCHEMA app; CREATE TABLE t (a app.citext); CREATE TABLE u (a app.citext[]);",
    ),
    // The identity of a child, and privileges on the sequence of an identity.
    (
        "",
        "CREATE TABLE z (a int GENERATED ALWAYS AS IDENTITY);
         CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY) INHERITS (z); GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO pg_monitor;",
    ),
    // An index that partitions do not have, beside one like it that they have.
    (
        "",
        "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE INDEX k ON ONLY p (a); CREATE UNIQUE INDEX ON p (a);",
    ),
    // A sequence whose owner is dropped belongs to another table.
    (
        "CREATE TABLE t (id serial, a int); CREATE TABLE u (id serial);",
        "CREATE TABLE t (id serial, a int); ALTER TABLE t RENAME TO n; CREATE TABLE t (a int); CREATE TABLE u (id serial); ALTER TABLE u RENAME TO v;",
    ),
    (
        "CREATE SCHEMA app; CREATE EXTENSION citext SCHEMA app;",
        "CREATE EXTENSION citext;",
    ),
    (
        "CREATE TABLE t (id int, CONSTRAINT k CHECK (id > 0)); CREATE TYPE span AS RANGE (subtype = float8);",
        "CREATE TABLE t (id int, CONSTRAINT c CHECK (id > 0)); CREATE INDEX k ON t (id);
         CREATE SCHEMA app; CREATE TYPE app.span AS RANGE (subtype = float8);",
    ),
    // A check with the name of an index is dropped, and the index stays.
    (
        "CREATE TABLE t (id int, CONSTRAINT k CHECK (id > 0)); CREATE INDEX k ON t (id);",
        "CREATE TABLE t (id int); CREATE INDEX k ON t (id);",
    ),
    // A child keeps the column that its parent loses.
    (
        "CREATE TABLE t (id int, a int, b int); CREATE TABLE c () INHERITS (t); CREATE TABLE d () INHERITS (t);",
        "CREATE TABLE t (id int); CREATE TABLE c (a bigint) INHERITS (t); CREATE TABLE d () INHERITS (t);",
    ),
    // An identity column of a table with children.
    (
        "CREATE TABLE t (a int); CREATE TABLE c () INHERITS (t);",
        "CREATE TABLE t (a int, id smallint GENERATED ALWAYS AS IDENTITY);",
    ),
    // A foreign key of a table that is dropped, to a key that is dropped.
    (
        "CREATE TABLE t (a int UNIQUE); CREATE TABLE a (a int REFERENCES t (a));",
        "CREATE TABLE t (a int);",
    ),
    (
        "CREATE TABLE p (id int, a int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);",
        "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 (id int, a int); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);",
    ),
    // A primary key over the unique constraint of a partition.
    (
        "",
        "CREATE TABLE p (id int NOT NULL, a int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
         ALTER TABLE p1 ADD UNIQUE (id); ALTER TABLE p ADD PRIMARY KEY (id);",
    ),
    // A new partition overlaps one that is dropped.
    (
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (5);",
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (4) TO (9);",
    ),
    // A child that is dropped has a check of its own, like that of its parent.
    (
        "CREATE TABLE t (a int, CONSTRAINT k CHECK (a > 0)); CREATE TABLE c (LIKE t INCLUDING ALL); ALTER TABLE c INHERIT t;",
        "CREATE TABLE t (b int, CONSTRAINT k CHECK (b > 0));",
    ),
    // The parent of a table that is dropped becomes a partition.
    (
        "CREATE TABLE t (a int); CREATE TABLE c (b int) INHERITS (t);",
        "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE t PARTITION OF p FOR VALUES FROM (1) TO (5);",
    ),
    // A constraint has the name of an index of a table that cannot change, or of such a table.
    (
        "CREATE TABLE t (a int); CREATE TABLE z (a int);",
        "CREATE TABLE t (a int, CONSTRAINT z CHECK (a > 0)); CREATE TABLE y (z int, CONSTRAINT k CHECK (z > 1));",
    ),
    // A grandchild of a table whose default only its child has lost.
    (
        "",
        "CREATE TABLE t (a int); CREATE TABLE c () INHERITS (t); CREATE TABLE d () INHERITS (c); ALTER TABLE ONLY t ALTER a SET DEFAULT 7;",
    ),
    // A new overload of a function that is dropped.
    (
        "CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';",
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'; CREATE TABLE t (a int DEFAULT f(11), CHECK (f(1) > a));",
    ),
    // The identity and the sequence of a typed table.
    (
        "",
        "CREATE TYPE p AS (a int, b int); CREATE TABLE t OF p (a NOT NULL); ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY;
         CREATE SEQUENCE s; ALTER TABLE t ALTER b SET DEFAULT nextval('s'); ALTER SEQUENCE s OWNED BY t.b;",
    ),
    // A partition with a disabled trigger leaves its parent.
    (
        "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE t PARTITION OF p FOR VALUES FROM (1) TO (5);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER g BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER g;",
        "CREATE TABLE t (a int);",
    ),
    // A child's default uses the sequence of its parent, which is dropped.
    (
        "CREATE TABLE t (id serial); CREATE TABLE c (a int) INHERITS (t);",
        "CREATE TABLE t (id int NOT NULL); CREATE TABLE c (a int) INHERITS (t);",
    ),
    // An index of a view has the name of a new index.
    (
        "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW v AS SELECT a FROM t; CREATE INDEX k ON v (a);",
        "CREATE TABLE t (a int, CONSTRAINT k UNIQUE (a));",
    ),
    // The types of a generated column and of an identity.
    (
        "CREATE TABLE t (a int, b bigint GENERATED ALWAYS AS (a * 2) STORED, c bigint GENERATED ALWAYS AS IDENTITY);",
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c int GENERATED ALWAYS AS IDENTITY); ALTER SEQUENCE t_c_seq AS bigint;",
    ),
    // A child gets the new serial column of its parent.
    (
        "CREATE TABLE t (a int); CREATE TABLE c () INHERITS (t);",
        "CREATE TABLE t (a int); CREATE TABLE c () INHERITS (t); ALTER TABLE t ADD id bigserial;",
    ),
    // The default of a former partition uses a sequence that is dropped.
    (
        "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE t PARTITION OF p FOR VALUES FROM (1) TO (5); ALTER TABLE p ADD x serial;",
        "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE t (b int);",
    ),
    // The sequence of a dropped column belongs to a new one.
    ("CREATE TABLE t (a int, y serial);", "CREATE TABLE t (a int, y serial); ALTER TABLE t RENAME y TO id;"),
    // A parent gets a column that its child has with another type.
    (
        "CREATE TABLE t (id int); CREATE TABLE u () INHERITS (t); ALTER TABLE u ADD a bigint GENERATED ALWAYS AS IDENTITY;",
        "CREATE TABLE t (id int, a int); CREATE TABLE u () INHERITS (t);",
    ),
    // A primary key keeps the NULLS NOT DISTINCT of the index that it was made from.
    (
        "CREATE TABLE t (a int, b int);",
        "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX k ON t (a, b) NULLS NOT DISTINCT; ALTER TABLE t ADD PRIMARY KEY USING INDEX k;",
    ),
    // A column owns the sequence of another column, and both are dropped.
    (
        "CREATE TABLE t (id serial, a int, b int); ALTER SEQUENCE t_id_seq OWNED BY t.a;",
        "CREATE TABLE t (b int);",
    ),
    // A dropped table has rows of a table whose column gets another type.
    (
        "CREATE TABLE t (a int); CREATE TABLE u (rows t[]);",
        "CREATE TABLE t (a bigint);",
    ),
    // A NOT NULL constraint has the name of that of a dropped column.
    ("CREATE TABLE t (b int, a int NOT NULL);", "CREATE TABLE t (a int NOT NULL); ALTER TABLE t RENAME a TO b;"),
];

#[test]
fn dependents_are_created_after_their_objects() {
    for (from, to) in PAIRS {
        let (actual, expected) = (after(from), after(to));
        let script = alter_script(&expected, &actual, &compare(&expected, &actual));
        assert!(!script.contains("--"), "nothing is left out:\n{script}");
        let altered = after(&format!("{from}; {script}"));
        let left: Vec<String> = compare(&expected, &altered)
            .iter()
            .map(|difference| difference.sentence("the expected catalog", "the result"))
            .collect();
        assert_eq!(left.join("\n"), "", "{from}\nto {to}:\n{script}");
    }
}

#[test]
fn columns_are_added_in_their_order() {
    let actual = after("CREATE TABLE s (id serial PRIMARY KEY); CREATE TABLE o (a int);");
    let expected = after(
        "CREATE TABLE s (id int); CREATE TABLE o (a int, id int, b int, x bigint); CREATE SEQUENCE s_id_seq OWNED BY o.x;
         CREATE TABLE n (a int DEFAULT nextval('s_id_seq'));",
    );
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    let added = script.lines().filter(|line| line.contains("ADD COLUMN"));
    let added: Vec<_> = added.filter_map(|line| line.split(' ').nth(5)).collect();
    assert_eq!(added, ["id", "b", "x"], "{script}");
}

#[test]
fn a_default_follows_the_identity_that_it_counts_by() {
    let actual = after("CREATE TABLE p (id int NOT NULL, b int NOT NULL);");
    let expected = after(
        "CREATE TABLE p (id int NOT NULL, b int NOT NULL); ALTER TABLE p ALTER b ADD GENERATED ALWAYS AS IDENTITY;
         CREATE TABLE a (id int DEFAULT nextval('p_b_seq'));",
    );
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    let (identity, default) = (script.find("AS IDENTITY"), script.find("DEFAULT nextval"));
    assert!(identity.is_some() && identity < default, "{script}");
}

#[test]
fn tables_of_a_type_that_cannot_change_are_noted() {
    let actual = after(
        "CREATE TYPE pair AS (a int, c text); CREATE TABLE u (a pair); CREATE TABLE t (a int, b text);
         CREATE TYPE row AS (b int);",
    );
    let expected = after(
        "CREATE TYPE pair AS (a int, b text); CREATE TABLE t OF pair; CREATE TYPE row AS (a int, b int); CREATE TABLE v OF row;",
    );
    let script = alter_script(&expected, &actual, &compare(&expected, &actual));
    insta::assert_snapshot!(script, @r#"
    -- the composite type pair should have other attributes, which PostgreSQL cannot change while a column has the type: create a new type, change the columns to it, and drop the old one; its typed tables do not change either: t
    -- type "row": its attribute order should be a, b, but PostgreSQL adds attributes at the end; the columns of its typed tables differ from the expected order in the same way: v
    -- left out, since it may use t: ALTER TABLE t OF pair
    ALTER TYPE "row" ADD ATTRIBUTE a int4 CASCADE;
    CREATE TABLE v OF "row";
    DROP TABLE u;
    "#);
}
