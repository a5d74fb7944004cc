-- The tables of the statements in refused.rs.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE SCHEMA other;
CREATE TABLE other.taken (a int);
CREATE TABLE taken (a int);
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, age int DEFAULT 1, status text DEFAULT 'sad',
    twice int GENERATED ALWAYS AS (age * 2) STORED, born date, n int, u int, watched int, guarded int, plain int);
CREATE VIEW adults AS SELECT id, name FROM people WHERE n > 17;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER changed BEFORE UPDATE OF watched ON people FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER conditional BEFORE UPDATE ON people FOR EACH ROW WHEN (old.u IS DISTINCT FROM new.u)
    EXECUTE FUNCTION touch();
CREATE POLICY own ON people USING (guarded > 0);
CREATE TABLE events (id int NOT NULL, at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE parent (a int, b text NOT NULL);
CREATE TABLE child (c int) INHERITS (parent);
CREATE TABLE alike (id int NOT NULL, at date NOT NULL, kind text);
CREATE TABLE larger (id int NOT NULL, at date NOT NULL, kind text, more int);
CREATE TABLE smaller (id int NOT NULL, at date NOT NULL);
CREATE TABLE nullable (id int, at date NOT NULL, kind text);
CREATE TABLE retyped (id bigint NOT NULL, at date NOT NULL, kind text);
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, other bigint UNIQUE, word varchar(9) UNIQUE, d numeric UNIQUE);
CREATE FUNCTION given(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION columns(a int) RETURNS TABLE (x int, y text) LANGUAGE sql AS 'SELECT 1, NULL::text';
