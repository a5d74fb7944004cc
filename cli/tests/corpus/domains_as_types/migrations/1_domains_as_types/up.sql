CREATE DOMAIN email AS text;
CREATE DOMAIN rank AS integer NOT NULL;
CREATE TABLE people (id bigserial PRIMARY KEY, email email, name text NOT NULL);
CREATE TABLE ranks (id bigserial PRIMARY KEY, rank rank);
