CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE pairs (a integer, b integer, version smallint NOT NULL DEFAULT 0, at timestamp NOT NULL DEFAULT now(),
    gone timestamp, mood mood, note text, PRIMARY KEY (a, b));
CREATE TABLE attachments (id uuid PRIMARY KEY, name text NOT NULL, bytes bytea NOT NULL, pair_a integer, pair_b integer,
    search tsvector, rev bigint NOT NULL DEFAULT 1, FOREIGN KEY (pair_a, pair_b) REFERENCES pairs);
CREATE INDEX ON attachments (pair_a, pair_b);
CREATE UNIQUE INDEX ON attachments (name);
CREATE TABLE notes (id serial PRIMARY KEY, "odd Name" text NOT NULL, "type" text, "deletedAt" timestamptz, code text NOT NULL);
CREATE UNIQUE INDEX ON notes (code) WHERE "deletedAt" IS NULL;
CREATE UNIQUE INDEX ON notes ("odd Name");
