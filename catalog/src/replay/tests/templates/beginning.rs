//! Statements with which many histories begin.

/// Statements of which many histories begin with some, so that later statements find objects to
/// change.
pub(in crate::replay::tests) const BEGINNING: [&str; 22] = [
    "CREATE TYPE e0 AS ENUM ('x', 'y')",
    "CREATE TYPE p0 AS (a int, b text)",
    "CREATE DOMAIN o0 AS int CHECK (VALUE > 0)",
    "CREATE SEQUENCE s0",
    "CREATE SCHEMA z1",
    "CREATE FOREIGN DATA WRAPPER w",
    "CREATE SERVER sv FOREIGN DATA WRAPPER w",
    "CREATE EXTENSION citext",
    "CREATE TABLE t0 (id serial PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED, x text DEFAULT 'x')",
    "CREATE TABLE t1 (id int, a int, b int, x int DEFAULT 5, CONSTRAINT k0 CHECK (a > 0))",
    "CREATE TABLE t2 () INHERITS (t1)",
    "CREATE TABLE \"T 3\" (id int NOT NULL, b int NOT NULL, c text) PARTITION BY RANGE (b)",
    "CREATE TABLE t4 PARTITION OF \"T 3\" FOR VALUES FROM (40) TO (50)",
    "CREATE TABLE t0_a OF p0",
    "CREATE INDEX k1 ON t1 (a)",
    "CREATE UNIQUE INDEX k2 ON t0 (a)",
    "CREATE FUNCTION f0() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "CREATE TRIGGER g0 BEFORE UPDATE OF a ON t1 FOR EACH ROW WHEN (new.a > 0) EXECUTE FUNCTION f0()",
    "CREATE POLICY own ON t1 USING (a > 0)",
    "CREATE RULE q0 AS ON DELETE TO t1 DO INSTEAD NOTHING",
    "CREATE VIEW v0 AS SELECT * FROM t0",
    "CREATE MATERIALIZED VIEW v1 AS SELECT id, a FROM t1",
];
