CREATE TYPE place AS (x int, y int);
CREATE TABLE bookings (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, room integer NOT NULL UNIQUE,
    during tstzrange NOT NULL, length interval NOT NULL, mac macaddr NOT NULL, note text);
CREATE TABLE optional (id serial PRIMARY KEY, every interval, at place, name text NOT NULL);
CREATE TABLE filled (id serial PRIMARY KEY, every interval NOT NULL DEFAULT '1 day', name text NOT NULL,
    search tsvector GENERATED ALWAYS AS (to_tsvector('english', name)) STORED NOT NULL);
CREATE TABLE grids (id serial PRIMARY KEY, cells integer[][], name text NOT NULL);
CREATE TABLE by_range (during int4range PRIMARY KEY, name text NOT NULL);
CREATE TABLE by_both (during int4range, room integer, name text UNIQUE, PRIMARY KEY (during, room));
CREATE TABLE only_ranges (during int4range PRIMARY KEY);
CREATE TABLE nowhere ();
CREATE TABLE helped (id serial PRIMARY KEY, name text NOT NULL, every interval NOT NULL);
CREATE FUNCTION give_every() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.every := '1 day'; RETURN new; END $$;
CREATE TRIGGER give_every BEFORE INSERT ON helped FOR EACH ROW EXECUTE FUNCTION give_every();
