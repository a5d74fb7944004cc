CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN positive AS integer NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%x%');
CREATE DOMAIN paint AS colour;
CREATE DOMAIN work_email AS email;
CREATE DOMAIN tags AS text[];
CREATE DOMAIN state AS text NOT NULL DEFAULT 'new';
CREATE DOMAIN code AS bigint DEFAULT 7;
CREATE TABLE items (
    id bigserial PRIMARY KEY,
    amount positive,
    stated state,
    code code,
    coded code NOT NULL,
    mail email NOT NULL UNIQUE,
    mails email[],
    paint paint NOT NULL,
    paints paint[],
    work work_email,
    tags tags,
    more tags NOT NULL DEFAULT '{}'
);
CREATE TABLE needs (id serial PRIMARY KEY, work work_email NOT NULL);
CREATE TABLE parts (id code PRIMARY KEY, item_id bigint REFERENCES items, name email);
CREATE INDEX ON parts (item_id);
CREATE DOMAIN ref AS bigint;
CREATE TABLE refs (id serial PRIMARY KEY, item ref NOT NULL REFERENCES items);
CREATE INDEX ON refs (item);
