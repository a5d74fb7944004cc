//! Random histories: templates by subject, of which each is drawn as often as the others of its subject.

use proptest::prelude::*;

use super::super::*;
use super::holes::fill;
use super::migration;

/// A subject with how often it comes up, and its statements; `holes.rs` says what fills the braces. Statements
/// between semicolons belong together.
type Subject = (u32, &'static [&'static str]);

const SUBJECTS: [Subject; 17] = [
    (10, &TABLES),
    (12, &COLUMNS),
    (14, &CONSTRAINTS),
    (7, &INDEXES),
    (7, &PARTITIONS),
    (8, &INHERITANCE),
    (5, &IDENTITIES),
    (6, &SEQUENCES),
    (4, &RENAMES),
    (4, &DROPS),
    (5, &ENUMS),
    (6, &DOMAINS),
    (6, &COMPOSITES),
    (8, &VIEWS),
    (4, &SCHEMAS),
    (5, &COMMENTS),
    (4, &BLOCKS),
];

const TABLES: [&str; 23] = [
    "CREATE TABLE {new table} (id serial PRIMARY KEY, {definition}, {definition} NOT NULL, {definition} DEFAULT {default})",
    "CREATE TABLE {new table} ({definition} PRIMARY KEY, {definition} UNIQUE, {definition} CHECK ({condition}))",
    "CREATE TABLE {new table} ({definition}, {definition}, {definition}, UNIQUE ({column}, {column}), CHECK ({condition}))",
    "CREATE TABLE {new table} (id bigint GENERATED ALWAYS AS IDENTITY, {definition} REFERENCES {key} {action}, PRIMARY KEY (id), {definition})",
    "CREATE TABLE {new table} (id int PRIMARY KEY, {definition}, {definition}, CONSTRAINT {name} FOREIGN KEY {foreign key} {action})",
    "CREATE TABLE IF NOT EXISTS {new table} ({definition}, {definition}, CONSTRAINT {name} UNIQUE NULLS NOT DISTINCT ({column}) INCLUDE ({column}))",
    "CREATE TABLE IF NOT EXISTS {free table} ({definition})",
    "CREATE TABLE {new table} ({definition}, a int, CONSTRAINT {name} EXCLUDE USING btree ({column} WITH =) WHERE ({condition}))",
    "CREATE TABLE {new table} (a int, b int, EXCLUDE (a WITH =, b WITH =) INCLUDE (a) DEFERRABLE)",
    "CREATE TABLE {new table} (a int, b int GENERATED ALWAYS AS (a * 2) STORED, {definition}, CHECK (b > 0))",
    "CREATE TABLE {new table} ({definition} CONSTRAINT {not null name} NOT NULL, {definition} CONSTRAINT {name} CHECK ({condition}) NO INHERIT)",
    "CREATE TABLE {new table} (LIKE {model} INCLUDING ALL)",
    "CREATE TABLE {new table} (LIKE {model} INCLUDING DEFAULTS INCLUDING CONSTRAINTS, {definition})",
    "CREATE TABLE {new table} (LIKE {model} INCLUDING INDEXES INCLUDING COMMENTS)",
    "CREATE TABLE {new table} ({definition}, LIKE {model} INCLUDING IDENTITY INCLUDING GENERATED INCLUDING STORAGE)",
    "CREATE TABLE {new table} (LIKE {model} INCLUDING ALL EXCLUDING INDEXES EXCLUDING DEFAULTS, {definition} UNIQUE)",
    "CREATE TABLE {new table} (LIKE {model}, LIKE {model})",
    "CREATE TABLE {new table} AS SELECT * FROM {relation}",
    "CREATE TABLE IF NOT EXISTS {new table} (one, two) AS SELECT {column} AS p, count(*) FROM {relation} GROUP BY 1",
    "CREATE TABLE {new table} AS SELECT * FROM {relation} WITH NO DATA",
    "SELECT * INTO {new table} FROM {relation}",
    "CREATE TEMPORARY TABLE temp (a int) ON COMMIT DROP",
    "CREATE UNLOGGED TABLE {new table} (a int NOT NULL, b text COLLATE \"C\" DEFAULT 'b', UNIQUE (a), UNIQUE (a), PRIMARY KEY (a))",
];

const COLUMNS: [&str; 26] = [
    "ALTER TABLE {table} ADD COLUMN {definition}",
    "ALTER TABLE {only}{table} ADD {definition}",
    "ALTER TABLE {table} ADD COLUMN {definition} DEFAULT {default} NOT NULL",
    "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {definition}, ADD COLUMN {definition} UNIQUE",
    "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} int",
    "ALTER TABLE {table} ADD COLUMN {definition} CHECK ({condition}), ADD CHECK ({condition})",
    "ALTER TABLE {table} ADD COLUMN {definition} REFERENCES {key} {action}",
    "ALTER TABLE {table} ADD COLUMN {new column} serial",
    "ALTER TABLE {table} ADD COLUMN {new column} bigserial PRIMARY KEY",
    "ALTER TABLE {table} ADD COLUMN {new column} int GENERATED ALWAYS AS ({number} + 1) STORED",
    "ALTER TABLE {table} DROP COLUMN {column} {cascade}",
    "ALTER TABLE {only}{table} DROP {column}",
    "ALTER TABLE {table} DROP COLUMN IF EXISTS {new column}, DROP COLUMN {column} {cascade}",
    "ALTER TABLE {table} RENAME COLUMN {column} TO {new column}",
    "ALTER TABLE {table} RENAME {column} TO {new column}",
    "ALTER TABLE {table} ALTER {column} SET NOT NULL",
    "ALTER TABLE {table with bare} ALTER {its} DROP NOT NULL",
    "ALTER TABLE {table} ALTER COLUMN {column and default}",
    "ALTER TABLE {table} ALTER COLUMN {column and default}",
    "ALTER TABLE {table with default} ALTER {its} DROP DEFAULT",
    "ALTER TABLE {table} ALTER {number} TYPE bigint",
    "ALTER TABLE {table} ALTER {number} SET DATA TYPE numeric(9,1) USING {number}::numeric",
    "ALTER TABLE {table} ALTER {text} TYPE varchar(20) COLLATE \"C\"",
    "ALTER TABLE {table} ALTER {column} DROP DEFAULT, ALTER {column} TYPE text USING {column}::text",
    "ALTER TABLE {table with generated} ALTER {its} DROP EXPRESSION",
    "ALTER TABLE {table} ALTER {column} SET STATISTICS 10, ALTER {text} SET STORAGE EXTERNAL",
];

const CONSTRAINTS: [&str; 31] = [
    "ALTER TABLE {table with not null} DROP CONSTRAINT {its}",
    "ALTER TABLE {table with not null} RENAME CONSTRAINT {its} TO {not null name}",
    "ALTER TABLE {table} ADD CONSTRAINT {not null name} NOT NULL {column}",
    "ALTER TABLE {table} ADD PRIMARY KEY ({column})",
    "ALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY ({column}, {column})",
    "ALTER TABLE {table} ADD UNIQUE ({column})",
    "ALTER TABLE {table} ADD UNIQUE ({column}, {column}) INCLUDE ({column})",
    "ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE NULLS NOT DISTINCT ({column}, {column}) DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE {table} ADD CHECK ({condition})",
    "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID",
    "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NO INHERIT",
    "ALTER TABLE {table} ADD FOREIGN KEY {foreign key} {action}",
    "ALTER TABLE {table} ADD FOREIGN KEY {foreign key}, ADD FOREIGN KEY {foreign key} NOT VALID",
    "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY {foreign key} {action}",
    "ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING btree ({column} WITH =) WHERE ({condition})",
    "ALTER TABLE {table} ADD EXCLUDE (({number} + 1) WITH =)",
    "ALTER TABLE {table with unique index} ADD CONSTRAINT {name} UNIQUE USING INDEX {its}",
    "ALTER TABLE {table with unique index} ADD UNIQUE USING INDEX {its} DEFERRABLE",
    "ALTER TABLE {table with unique index} ADD PRIMARY KEY USING INDEX {its}",
    "ALTER TABLE {table with constraint} DROP CONSTRAINT {its} {cascade}",
    "ALTER TABLE {table with key} DROP CONSTRAINT {its} CASCADE",
    "ALTER TABLE {table with check} DROP CONSTRAINT {its}",
    "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}",
    "ALTER TABLE {table with constraint} RENAME CONSTRAINT {its} TO {name}",
    "ALTER TABLE {table with key} RENAME CONSTRAINT {its} TO {name}",
    "ALTER TABLE {table with check} VALIDATE CONSTRAINT {its}",
    "ALTER TABLE {table with foreign} VALIDATE CONSTRAINT {its}",
    "ALTER TABLE {table with foreign} ALTER CONSTRAINT {its} DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE {table with foreign} ALTER CONSTRAINT {its} NOT DEFERRABLE",
    "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}), ADD CONSTRAINT {name} UNIQUE ({column})",
    "ALTER TABLE {table with constraint} DROP CONSTRAINT {its}, ADD CONSTRAINT {its} CHECK ({condition})",
];

const INDEXES: [&str; 16] = [
    "CREATE INDEX ON {table} ({column})",
    "CREATE INDEX ON {table} ({column}, {column})",
    "CREATE UNIQUE INDEX {name} ON {table} ({column})",
    "CREATE UNIQUE INDEX ON {table} ({column}, {column}) NULLS NOT DISTINCT",
    "CREATE UNIQUE INDEX {name} ON {table} ({column}, {column})",
    "CREATE INDEX {name} ON {table} (({number} + 1), {column} DESC NULLS LAST) WHERE {condition}",
    "CREATE INDEX ON {table} (lower({text}), {column} ASC NULLS FIRST)",
    "CREATE UNIQUE INDEX ON {table} ({column}) INCLUDE ({column}) WHERE {condition}",
    "CREATE INDEX IF NOT EXISTS {name} ON {table} USING hash ({column})",
    "CREATE INDEX ON {only}{table} ({text} COLLATE \"C\" text_pattern_ops)",
    "CREATE INDEX ON {materialized} ({column})",
    "ALTER INDEX {plain index} RENAME TO {name}",
    "ALTER INDEX {key index} RENAME TO {name}",
    "ALTER TABLE {index} RENAME TO {name}",
    "DROP INDEX {plain index} {cascade}",
    "DROP INDEX IF EXISTS {name}, {plain index}",
];

const PARTITIONS: [&str; 20] = [
    "CREATE TABLE {new table} (a int NOT NULL, {definition}, {definition}) PARTITION BY RANGE (a)",
    "CREATE TABLE {new table} ({definition}, b int, {definition} DEFAULT {default}) PARTITION BY LIST (b)",
    "CREATE TABLE {new table} ({definition}, x int CHECK (x > 0), PRIMARY KEY (x)) PARTITION BY HASH (x)",
    "CREATE TABLE {new table} PARTITION OF {partitioned} {bound}",
    "CREATE TABLE {new table} PARTITION OF {partitioned} {bound}",
    "CREATE TABLE {new table} PARTITION OF {partitioned} {bound} PARTITION BY LIST ({number})",
    "CREATE TABLE {new table} PARTITION OF {partitioned} (CONSTRAINT {name} CHECK ({condition})) {bound}",
    "CREATE TABLE {new table} (LIKE {partitioned}); ALTER TABLE {its parent} ATTACH PARTITION {made} {bound}",
    "CREATE TABLE {new table} (LIKE {partitioned} INCLUDING ALL); ALTER TABLE {its parent} ATTACH PARTITION {made} {bound}",
    "ALTER TABLE {partitioned alike} ATTACH PARTITION {its} {bound}",
    "ALTER TABLE {parent of partition} DETACH PARTITION {its}",
    "ALTER TABLE {parent of partition} DETACH PARTITION {its}; DROP TABLE {its}",
    "CREATE INDEX ON {partitioned} ({column})",
    "CREATE UNIQUE INDEX ON {partitioned} ({number})",
    "CREATE INDEX {name} ON ONLY {partitioned} ({column})",
    "ALTER TABLE {partitioned} ADD COLUMN {definition}, ADD CHECK ({condition})",
    "ALTER TABLE {partitioned} ADD PRIMARY KEY ({number})",
    "ALTER TABLE {partitioned} ADD FOREIGN KEY {foreign key} {action}",
    "ALTER TABLE {partitioned} DROP COLUMN {column}",
    "ALTER TABLE {parent of partition} ADD CONSTRAINT {name} UNIQUE ({number}); ALTER TABLE {its} ADD UNIQUE ({number})",
];

const INHERITANCE: [&str; 15] = [
    "CREATE TABLE {new table} () INHERITS ({parent})",
    "CREATE TABLE {new table} ({definition}) INHERITS ({parent})",
    "CREATE TABLE {new table} (a int, {definition}, CHECK ({condition})) INHERITS ({parent})",
    "CREATE TABLE {new table} () INHERITS ({parent}, {parent})",
    "ALTER TABLE {child} NO INHERIT {its}",
    "ALTER TABLE {alike} INHERIT {its}",
    "CREATE TABLE {new table} (LIKE {parent} INCLUDING ALL); ALTER TABLE {made} INHERIT {its parent}",
    "ALTER TABLE {ancestor} ADD COLUMN {definition}",
    "ALTER TABLE {ancestor} DROP COLUMN {column}",
    "ALTER TABLE {ancestor} ADD CONSTRAINT {name} CHECK ({condition})",
    "ALTER TABLE {ancestor} ALTER {column} SET NOT NULL",
    "ALTER TABLE {ancestor} ALTER {number} TYPE bigint",
    "ALTER TABLE {ancestor} RENAME COLUMN {column} TO {new column}",
    "ALTER TABLE ONLY {ancestor} ALTER COLUMN {column and default}",
    "DROP TABLE {ancestor} CASCADE",
];

const IDENTITIES: [&str; 11] = [
    "ALTER TABLE {table with loose} ALTER {its} SET NOT NULL; ALTER TABLE {its table} ALTER {its} ADD GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE {table with bare} ALTER {its} ADD GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE {table with bare} ALTER {its} ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 5 INCREMENT BY 2)",
    "ALTER TABLE {table} ADD COLUMN {new column} bigint GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME {name} MINVALUE 3 CACHE 4)",
    "ALTER TABLE {table} ADD COLUMN {new column} smallint GENERATED ALWAYS AS IDENTITY UNIQUE",
    "ALTER TABLE {table with identity} ALTER {its} DROP IDENTITY",
    "ALTER TABLE {table with identity} ALTER {its} SET GENERATED BY DEFAULT",
    "ALTER TABLE {table with identity} ALTER {its} SET GENERATED ALWAYS SET INCREMENT BY 3 SET CYCLE",
    "ALTER TABLE {table with identity} ALTER {its} RESTART WITH 50",
    "ALTER TABLE {table with identity} ALTER {its} TYPE bigint",
    "ALTER TABLE {table} ALTER {column} DROP IDENTITY IF EXISTS",
];

const SEQUENCES: [&str; 19] = [
    "CREATE SEQUENCE {new sequence}",
    "CREATE SEQUENCE {new sequence} AS smallint START 3 MAXVALUE 100 CACHE 2",
    "CREATE SEQUENCE {new sequence} INCREMENT -1 MINVALUE -50 NO MAXVALUE NO CYCLE",
    "CREATE SEQUENCE IF NOT EXISTS {new sequence} OWNED BY {table}.{column}",
    "CREATE SEQUENCE {new sequence}; ALTER TABLE {table} ALTER {number} SET DEFAULT nextval('{made}')",
    "CREATE SEQUENCE {new sequence}; ALTER TABLE {table} ADD COLUMN {new column} text DEFAULT 'n' || nextval('{made}')",
    "ALTER TABLE {table} ALTER {number} SET DEFAULT nextval('{sequence}'::regclass)",
    "ALTER SEQUENCE {free to give} OWNED BY {table}.{column}",
    "ALTER SEQUENCE {free to give} OWNED BY {table}.{column} INCREMENT BY 5 CYCLE",
    "ALTER SEQUENCE {sequence} OWNED BY NONE",
    "ALTER SEQUENCE {sequence} AS int RESTART MINVALUE 1 NO MAXVALUE",
    "ALTER SEQUENCE {sequence} AS bigint START 2 MAXVALUE 5000 NO MINVALUE CACHE 7",
    "ALTER SEQUENCE {sequence} RENAME TO {free sequence}",
    "ALTER SEQUENCE {sequence} SET SCHEMA {schema}",
    "ALTER TABLE {sequence} RENAME TO {free sequence}",
    "ALTER SEQUENCE IF EXISTS {free sequence} INCREMENT 9",
    "DROP SEQUENCE {sequence} {cascade}",
    "DROP SEQUENCE IF EXISTS {free sequence}, {sequence} CASCADE",
    "ALTER TABLE {table with serial} ALTER {its} DROP DEFAULT",
];

const RENAMES: [&str; 8] = [
    "ALTER TABLE {table} RENAME TO {free table}",
    "ALTER TABLE {plain} RENAME TO {free table}",
    "ALTER TABLE {plain} SET SCHEMA {schema}",
    "ALTER TABLE {table} SET SCHEMA {schema}",
    "ALTER TABLE IF EXISTS {free table} RENAME {column} TO {new column}",
    "ALTER INDEX {plain index} RENAME TO {name}",
    "ALTER VIEW {view} SET SCHEMA {schema}",
    "ALTER TABLE {view} RENAME TO {free view}",
];

const DROPS: [&str; 5] = [
    "DROP TABLE {table} {cascade}",
    "DROP TABLE IF EXISTS {free table}, {table} {cascade}",
    "DROP VIEW IF EXISTS {free view} {cascade}",
    "DROP TYPE IF EXISTS {free type} {cascade}",
    "DROP TABLE {plain} CASCADE",
];

const ENUMS: [&str; 13] = [
    "CREATE TYPE {new enum} AS ENUM ('x', 'y', 'it''s')",
    "CREATE TYPE {new enum} AS ENUM (); ALTER TYPE {enum} ADD VALUE {label text}",
    "ALTER TYPE {enum} ADD VALUE {label text} BEFORE {its text}",
    "ALTER TYPE {enum} ADD VALUE {label text} AFTER {its text}",
    "ALTER TYPE {enum} ADD VALUE IF NOT EXISTS {label text}",
    "ALTER TYPE {enum} RENAME VALUE {its text} TO {label text}",
    "ALTER TYPE {enum} RENAME TO {free type}",
    "ALTER TYPE {enum} SET SCHEMA {schema}",
    "ALTER TABLE {table} ADD COLUMN {new column} {enum} NOT NULL DEFAULT {its text}",
    "CREATE TABLE {new table} (a {enum}, b {enum}[], CHECK (a <> {its text}))",
    "DROP TYPE {enum} {cascade}",
    "CREATE TYPE {new range} AS RANGE (subtype = float8)",
    "ALTER TYPE {range} RENAME TO {free type}",
];

const DOMAINS: [&str; 16] = [
    "CREATE DOMAIN {new domain} AS int NOT NULL DEFAULT 3 CHECK (VALUE > 0)",
    "CREATE DOMAIN {new domain} AS {type} CONSTRAINT {name} CHECK (VALUE IS NOT NULL)",
    "CREATE DOMAIN {new domain} text COLLATE \"C\"",
    "ALTER DOMAIN {domain} ADD CONSTRAINT {name} CHECK (VALUE IS NOT NULL) NOT VALID",
    "ALTER DOMAIN {domain} ADD CHECK (VALUE IS NOT NULL)",
    "ALTER DOMAIN {domain} VALIDATE CONSTRAINT {its}",
    "ALTER DOMAIN {domain} RENAME CONSTRAINT {its} TO {name}",
    "ALTER DOMAIN {domain} DROP CONSTRAINT {its} {cascade}",
    "ALTER DOMAIN {domain} SET NOT NULL",
    "ALTER DOMAIN {domain} DROP NOT NULL",
    "ALTER DOMAIN {domain} SET DEFAULT NULL",
    "ALTER DOMAIN {domain} DROP DEFAULT",
    "ALTER DOMAIN {domain} RENAME TO {free type}",
    "ALTER DOMAIN {domain} SET SCHEMA {schema}",
    "DROP DOMAIN {domain} {cascade}",
    "ALTER TABLE {table} ADD COLUMN {new column} {domain}, ADD COLUMN {new column} {domain} DEFAULT NULL",
];

const COMPOSITES: [&str; 15] = [
    "CREATE TYPE {new composite} AS ({definition}, {definition})",
    "CREATE TYPE {new composite} AS ({definition}); CREATE TABLE {new table} OF {made type}",
    "CREATE TABLE {new table} OF {composite}",
    "CREATE TABLE {new table} OF {composite} ({column} WITH OPTIONS NOT NULL, UNIQUE ({column}))",
    "CREATE TYPE {new composite} AS ({definition}, b int); CREATE TABLE {new table} (LIKE {made type}); ALTER TABLE {made} OF {made type}",
    "ALTER TABLE {as composite} OF {its}",
    "ALTER TABLE {typed} NOT OF",
    "ALTER TYPE {composite} ADD ATTRIBUTE {definition} {cascade}",
    "ALTER TYPE {composite} ADD ATTRIBUTE {definition} CASCADE",
    "ALTER TYPE {composite} DROP ATTRIBUTE {its} {cascade}",
    "ALTER TYPE {composite} DROP ATTRIBUTE IF EXISTS {new column}, ALTER ATTRIBUTE {its} TYPE bigint {cascade}",
    "ALTER TYPE {composite} RENAME ATTRIBUTE {its} TO {new column} {cascade}",
    "ALTER TYPE {composite} RENAME TO {free type}",
    "ALTER TYPE {composite} SET SCHEMA {schema}",
    "DROP TYPE {composite} {cascade}",
];

const VIEWS: [&str; 23] = [
    "CREATE VIEW {new view} AS SELECT * FROM {relation}",
    "CREATE VIEW {new view} AS SELECT {column}, {column} AS other FROM {table} WHERE {condition}",
    "CREATE OR REPLACE VIEW {new view} AS SELECT {column}, 'text' AS t, {column}::text AS u FROM {relation} WHERE {condition}",
    "CREATE VIEW {new view} AS SELECT {columns of table} FROM {its source}; CREATE OR REPLACE VIEW {made} AS SELECT {columns}, 1 AS more FROM {its source}",
    "CREATE VIEW {new view} (p, q) AS SELECT {number} + 1, coalesce({column}, {column}) FROM {relation}",
    "CREATE VIEW {new view} AS SELECT one.*, two.{column} AS second FROM {relation} one LEFT JOIN {relation} two ON true",
    "CREATE VIEW {new view} AS SELECT {number} AS n FROM {table} UNION ALL SELECT {number} FROM {table}",
    "CREATE VIEW {new view} AS WITH found AS (SELECT * FROM {table}) SELECT count(*) AS many, max({number}) AS most FROM found",
    "CREATE VIEW {new view} AS SELECT {text} || 'x' AS joined, lower({text}), length({text}) AS long FROM {table}",
    "CREATE VIEW {new view} AS SELECT t AS whole, row_number() OVER () AS place FROM {relation} t",
    "CREATE MATERIALIZED VIEW {new view} AS SELECT {column}, max({column}) FROM {relation} GROUP BY 1",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS {new view} AS SELECT * FROM {relation} WITH NO DATA",
    "ALTER VIEW {view} RENAME TO {free view}",
    "ALTER VIEW {view} RENAME COLUMN {column} TO {new column}",
    "ALTER VIEW {view} SET SCHEMA {schema}",
    "ALTER VIEW {view} ALTER COLUMN {column} SET DEFAULT NULL",
    "ALTER MATERIALIZED VIEW {materialized} RENAME TO {free view}",
    "ALTER MATERIALIZED VIEW {materialized} RENAME COLUMN {column} TO {new column}",
    "ALTER MATERIALIZED VIEW {materialized} SET SCHEMA {schema}",
    "DROP VIEW {view} {cascade}",
    "DROP MATERIALIZED VIEW {materialized} {cascade}",
    "ALTER TABLE {table} DROP COLUMN {column} CASCADE",
    "CREATE TEMP VIEW {new view} AS SELECT 1 AS one",
];

const SCHEMAS: [&str; 10] = [
    "CREATE SCHEMA {new schema}",
    "CREATE SCHEMA IF NOT EXISTS {new schema}",
    "ALTER SCHEMA {own schema} RENAME TO {new schema}",
    "DROP SCHEMA {own schema} {cascade}",
    "DROP SCHEMA IF EXISTS {new schema} CASCADE",
    "SET search_path TO {schema}, public",
    "SET search_path TO public, {schema}",
    "RESET search_path",
    "CREATE TABLE {own schema}.{free table} (id serial PRIMARY KEY, a int UNIQUE)",
    "CREATE SEQUENCE {own schema}.{free sequence}",
];

const COMMENTS: [&str; 14] = [
    "COMMENT ON TABLE {table} IS {words}",
    "COMMENT ON COLUMN {relation}.{column} IS {words}",
    "COMMENT ON COLUMN {table}.{column} IS {words}",
    "COMMENT ON CONSTRAINT {constraint} ON {its table} IS {words}",
    "COMMENT ON CONSTRAINT {check of domain} ON DOMAIN {its domain} IS {words}",
    "COMMENT ON INDEX {index} IS {words}",
    "COMMENT ON SEQUENCE {sequence} IS {words}",
    "COMMENT ON VIEW {view} IS {words}",
    "COMMENT ON MATERIALIZED VIEW {materialized} IS {words}",
    "COMMENT ON TYPE {enum} IS {words}",
    "COMMENT ON TYPE {composite} IS {words}",
    "COMMENT ON DOMAIN {domain} IS {words}",
    "COMMENT ON SCHEMA {own schema} IS {words}",
    "COMMENT ON COLUMN {composite}.{its} IS {words}",
];

const BLOCKS: [&str; 14] = [
    "DO $$ BEGIN ALTER TABLE {table} ADD COLUMN {definition}; EXCEPTION WHEN duplicate_column THEN NULL; END $$",
    "DO $$ BEGIN ALTER TABLE {table} ADD COLUMN {column} int; EXCEPTION WHEN duplicate_column THEN NULL; END $$",
    "DO $$ BEGIN CREATE TYPE {new enum} AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    "DO $$ BEGIN ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}); CREATE TABLE {new table} (a int); ALTER TABLE {table} ADD COLUMN {column} int; EXCEPTION WHEN duplicate_column THEN NULL; END $$",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 't4') THEN CREATE TABLE t4 (a int PRIMARY KEY); ELSE ALTER TABLE {table} ADD {definition}; END IF; END $$",
    "DO $$ BEGIN EXECUTE 'CREATE TABLE {new table} (id serial, a int)'; END $$",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE {new table} ({definition}); END $$; SELECT f(); DROP FUNCTION f()",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION g(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n'; CREATE TABLE {new table} (a int DEFAULT g(1), b int CHECK (g(b) > 0)); DROP FUNCTION g(int) CASCADE",
    "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE {table} ADD COLUMN {definition}; END $$; CALL p(); DROP PROCEDURE p",
    "INSERT INTO {table} DEFAULT VALUES; DELETE FROM {its table}",
    "CREATE VIEW {new view} AS SELECT f() AS f; DROP FUNCTION f CASCADE",
    "CREATE EXTENSION IF NOT EXISTS citext; ALTER TABLE {table} ADD COLUMN {new column} citext",
    "DROP EXTENSION IF EXISTS citext {cascade}",
];

/// One statement.
#[derive(Clone)]
pub(super) struct Statement(pub(super) String);

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{};", self.0)
    }
}

/// What many histories begin with some of, so that later statements find what they change.
const BEGINNING: [&str; 15] = [
    "CREATE TYPE e0 AS ENUM ('x', 'y')",
    "CREATE TYPE p0 AS (a int, b text)",
    "CREATE DOMAIN o0 AS int CHECK (VALUE > 0)",
    "CREATE SEQUENCE s0",
    "CREATE SCHEMA z1",
    "CREATE TABLE t0 (id serial PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED, x text DEFAULT 'x')",
    "CREATE TABLE t1 (id int, a int, b int, x int DEFAULT 5, CONSTRAINT k0 CHECK (a > 0))",
    "CREATE TABLE t2 () INHERITS (t1)",
    "CREATE TABLE \"T 3\" (id int NOT NULL, b int NOT NULL, c text) PARTITION BY RANGE (b)",
    "CREATE TABLE t4 PARTITION OF \"T 3\" FOR VALUES FROM (40) TO (50)",
    "CREATE TABLE t0_a OF p0",
    "CREATE INDEX k1 ON t1 (a)",
    "CREATE UNIQUE INDEX k2 ON t0 (a)",
    "CREATE VIEW v0 AS SELECT * FROM t0",
    "CREATE MATERIALIZED VIEW v1 AS SELECT id, a FROM t1",
];

/// A statement before it is written: its subject, its template, and what fills the holes.
type Choice = (usize, u16, Vec<u8>);

fn choice() -> impl Strategy<Value = Choice> {
    let weighted = SUBJECTS.iter().enumerate();
    let subjects: Vec<_> = weighted
        .map(|(at, (weight, _))| (*weight, Just(at)))
        .collect();
    let subject = prop::strategy::Union::new_weighted(subjects);
    (
        subject,
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 24),
    )
}

/// The statements of a history, each written for what is there after those before it.
fn write(beginning: Vec<&str>, choices: &[Choice]) -> Vec<Statement> {
    let mut replay = Replay::default();
    let mut statements = Vec::new();
    let mut add = |replay: &mut Replay, sql: &str| {
        let before = replay.savepoint();
        let mut refusals = Vec::new();
        replay.file(&migration(&format!("{sql};")).up, &mut refusals);
        if !refusals.is_empty() {
            replay.roll_back(before);
        }
        statements.push(Statement(sql.to_owned()));
    };
    for sql in beginning {
        add(&mut replay, sql);
    }
    for (subject, template, picks) in choices {
        let templates = SUBJECTS[*subject].1;
        let template = templates[usize::from(*template) % templates.len()];
        for sql in split(&fill(template, picks, &replay)) {
            add(&mut replay, sql);
        }
    }
    statements
}

/// Statements between semicolons, but for those within a body.
fn split(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut is_inside) = (0, false);
    for (at, _) in text.char_indices() {
        if text[at..].starts_with("$$") {
            is_inside = !is_inside;
        } else if !is_inside && text[at..].starts_with("; ") {
            found.push(&text[start..at]);
            start = at + 2;
        }
    }
    found.push(&text[start..]);
    found
}

pub(super) fn history() -> impl Strategy<Value = Vec<Statement>> {
    let beginning = prop::sample::subsequence(BEGINNING.to_vec(), 0..=BEGINNING.len());
    (beginning, prop::collection::vec(choice(), 3..30))
        .prop_map(|(beginning, choices)| write(beginning, &choices))
}

/// Statements of every kind, with their holes filled.
pub(super) fn corpus() -> impl Iterator<Item = String> {
    let mut replay = Replay::default();
    for sql in BEGINNING {
        replay.file(&migration(&format!("{sql};")).up, &mut Vec::new());
    }
    let templates = SUBJECTS.iter().flat_map(|(_, templates)| *templates);
    let filled: Vec<String> = templates
        .map(|template| fill(template, &[0, 1, 2, 3, 4, 5], &replay) + ";")
        .collect();
    filled
        .into_iter()
        .chain(BEGINNING.map(|sql| format!("{sql};")))
}
