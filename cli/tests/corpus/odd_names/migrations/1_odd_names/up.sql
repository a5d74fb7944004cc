CREATE TABLE "two words" (id bigserial PRIMARY KEY, "first.second" text NOT NULL UNIQUE, "größe" text, "1st" text UNIQUE, "日本" text UNIQUE);
CREATE TABLE "2fa.codes" (id bigserial PRIMARY KEY, "a-b" text, "a b" text, a_b text NOT NULL, UNIQUE ("a b", "a-b"));
CREATE TABLE "日本" ("日本" integer PRIMARY KEY, "日" text);
CREATE TYPE état AS ENUM ('été', 'neuf');
CREATE TABLE naïve (id bigserial PRIMARY KEY, café text NOT NULL UNIQUE, état état NOT NULL);
CREATE TABLE "Élèves" (id bigserial PRIMARY KEY, name text);
CREATE TABLE nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnns (
    id bigserial PRIMARY KEY,
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa text NOT NULL,
    bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb text NOT NULL,
    UNIQUE (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb)
);
CREATE TABLE user_ids (id bigserial PRIMARY KEY, name text);
CREATE TABLE "user-ids" (id bigserial PRIMARY KEY, name text, user_id bigint REFERENCES user_ids);
CREATE INDEX ON "user-ids" (user_id);
CREATE TABLE status (id bigserial PRIMARY KEY, status text NOT NULL);
CREATE TABLE "x""); fn evil() {} //" (id bigserial PRIMARY KEY, "*/" text NOT NULL UNIQUE);
