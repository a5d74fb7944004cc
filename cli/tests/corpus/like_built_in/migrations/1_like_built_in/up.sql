-- Own types with the names of PostgreSQL's, which an unqualified name means.
CREATE TYPE public.date AS ENUM ('soon', 'late');
CREATE DOMAIN public.text AS pg_catalog.text CHECK (VALUE <> '');
CREATE TYPE public.interval AS ENUM ('weekly', 'daily');
CREATE TYPE public.point AS (x integer, y integer);
CREATE TYPE public.uuid AS ENUM ('a', 'b');
CREATE DOMAIN public.int4 AS bigint;
CREATE TYPE public.json AS (a integer, d public.date);
CREATE TYPE public.int4range AS RANGE (SUBTYPE = pg_catalog.float8, MULTIRANGE_TYPE_NAME = public.int4multirange);
CREATE TYPE public.record AS ENUM ('gold', 'vinyl');
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due public.date NOT NULL DEFAULT 'soon',
    real_due date NOT NULL,
    title public.text NOT NULL,
    real_title text NOT NULL,
    every public.interval,
    real_every interval,
    at public.point,
    real_at point,
    u public.uuid NOT NULL,
    real_u uuid,
    n public.int4,
    real_n int4,
    j public.json,
    js public.json[],
    real_j json,
    r public.int4range,
    rs public.int4multirange,
    real_r int4range,
    disc public.record,
    dues public.date[] NOT NULL,
    real_dues date[]
);
CREATE INDEX ON events (due, id);
CREATE UNIQUE INDEX ON events (title);
CREATE UNIQUE INDEX ON events (u, real_due);
-- Types with names that diesel's table! or Rust's prelude has.
CREATE TYPE "range" AS ENUM ('a');
CREATE TYPE "array" AS ENUM ('a', 'b');
CREATE TYPE "nullable" AS (a integer);
CREATE TYPE "option" AS ENUM ('none', 'some');
CREATE TYPE "vec" AS (a text, o "option");
CREATE TYPE "string" AS ENUM ('a');
CREATE TYPE "result" AS ENUM ('ok', 'err');
CREATE TYPE "self" AS ENUM ('x');
CREATE TYPE "crate" AS (y integer, v "vec");
CREATE DOMAIN "box" AS text;
CREATE TYPE "multirange" AS ENUM ('a');
CREATE TYPE sql_type AS ENUM ('a');
CREATE TYPE boxed_query AS ENUM ('a');
CREATE TYPE "statement" AS ENUM ('a');
CREATE TYPE "ok" AS ENUM ('a');
CREATE TYPE "from" AS ENUM ('a');
CREATE TYPE "t" AS ENUM ('a');
CREATE TYPE "left" AS ENUM ('a');
CREATE TYPE "right" AS ENUM ('a');
CREATE TYPE "join" AS ENUM ('a');
CREATE TYPE "on" AS ENUM ('a');
CREATE TABLE words (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    a "range" NOT NULL, b "array"[] NOT NULL, c "nullable", d "option", e "vec", f "string", g "result",
    h "self", i "crate", j public."box", k "multirange", l sql_type, m boxed_query, n "statement",
    o "ok", p "from", q "t", aa "left", bb "right", cc "join", dd "on",
    name text, names text[], span pg_catalog.int4range, bytes bytea
);
