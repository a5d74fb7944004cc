CREATE EXTENSION vector;
CREATE TYPE stay AS (begins date, ends timestamptz, price numeric);
CREATE TABLE jiffs (id bigserial PRIMARY KEY, day date NOT NULL, hour time NOT NULL, noted timestamp NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), days date[] NOT NULL, open daterange NOT NULL, closed tstzmultirange, stay stay);
CREATE TABLE by_day (day date PRIMARY KEY, at timestamptz NOT NULL UNIQUE, note text NOT NULL);
CREATE INDEX ON by_day (note, at);
CREATE TABLE prices (price numeric PRIMARY KEY, list numeric[] NOT NULL, span numrange);
CREATE TABLE embeddings (id bigserial PRIMARY KEY, dense vector NOT NULL, dense_or_null vector, half halfvec NOT NULL,
    sparse sparsevec, list vector[] NOT NULL);
