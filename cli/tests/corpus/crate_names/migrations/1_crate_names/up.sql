CREATE TYPE kind AS ENUM ('a');
CREATE TABLE "diesel" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, kind kind);
CREATE TABLE "bowline" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "std" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, kind kind);
CREATE TABLE "core" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "alloc" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "chrono" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "serde" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "serde_json" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "proc_macro" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "str" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "bool" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "char" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "i32" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE "u8" (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
-- A crate that the program uses.
CREATE TABLE libc (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
