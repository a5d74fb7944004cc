CREATE SCHEMA audit;
CREATE SCHEMA "Odd Schema";
CREATE TYPE state AS ENUM ('open', 'closed');
CREATE TYPE audit.state AS ENUM ('seen', 'unseen');
CREATE TYPE audit.point AS (x integer, y integer);
CREATE TABLE audit (id bigserial PRIMARY KEY, note text);
CREATE TABLE events (id bigserial PRIMARY KEY, state state NOT NULL, other audit.state);
CREATE TABLE audit.events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), of bigint NOT NULL REFERENCES events,
    state audit.state NOT NULL DEFAULT 'unseen', before state, line varchar(20) NOT NULL UNIQUE);
CREATE INDEX ON audit.events (of);
CREATE TABLE audit.marks (event_id uuid REFERENCES audit.events, number integer, at audit.point, PRIMARY KEY (event_id, number));
CREATE TABLE readings (id bigserial PRIMARY KEY, event_id bigint NOT NULL REFERENCES events, audit_id uuid REFERENCES audit.events);
CREATE INDEX ON readings (audit_id);
CREATE VIEW audit.unseen AS SELECT e.id AS audit_id, e.of, r.id AS reading_id FROM audit.events e
    LEFT JOIN readings r ON r.audit_id = e.id WHERE e.state = 'unseen';
CREATE TABLE audit.loose (line text);
CREATE TABLE "Odd Schema"."Some Rows" (id serial PRIMARY KEY, event bigint REFERENCES events);
CREATE TABLE audit_schema (id integer PRIMARY KEY, a integer);
CREATE TABLE audit.schema (id integer PRIMARY KEY, b integer);
