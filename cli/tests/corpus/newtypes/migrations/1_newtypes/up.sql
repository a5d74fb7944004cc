CREATE SCHEMA app;
CREATE DOMAIN email AS text CHECK (VALUE <> '');
CREATE DOMAIN work_email AS email;
CREATE DOMAIN amount AS bigint;
CREATE DOMAIN app.code AS varchar(12);
CREATE DOMAIN score AS double precision;
CREATE DOMAIN document AS jsonb;
CREATE DOMAIN plain AS text;
CREATE DOMAIN token AS varchar(20);
CREATE DOMAIN flag AS boolean;
CREATE DOMAIN when_due AS timestamptz;
CREATE DOMAIN place AS tsvector;
CREATE TABLE people (email email PRIMARY KEY, other email, work work_email NOT NULL, addresses email[],
    balance amount NOT NULL DEFAULT 0, at when_due NOT NULL);
CREATE UNIQUE INDEX ON people (work);
CREATE INDEX ON people (balance, email);
CREATE TABLE codes (code app.code, number amount, token token, score score NOT NULL, doc document NOT NULL, flag flag,
    place place, whose email REFERENCES people, PRIMARY KEY (code, number));
CREATE INDEX ON codes (whose);
CREATE TABLE texts (id bigserial PRIMARY KEY, body plain NOT NULL UNIQUE, bodies plain[] NOT NULL);
