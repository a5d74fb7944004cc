-- Keys whose columns are called like what generated functions call their own.
CREATE TABLE pages (page integer, after integer, new text, changes text, query text, sql text,
    PRIMARY KEY (page, after));
CREATE UNIQUE INDEX ON pages (new);
CREATE UNIQUE INDEX ON pages (changes, query) WHERE sql IS NOT NULL;
CREATE UNIQUE INDEX ON pages (sql) WHERE page > 0 OR after > 0;
CREATE UNIQUE INDEX ON pages (query) WHERE page > 0 -- or not
    AND sql <> 'a  b';
CREATE TABLE changes (changes text PRIMARY KEY, "None" text NOT NULL UNIQUE, "Some" text NOT NULL, "self" text UNIQUE, "Self" text UNIQUE);
CREATE UNIQUE INDEX ON changes ("Some", "None");
CREATE TABLE news (new bigint PRIMARY KEY, page text);
