CREATE TABLE cities (id serial PRIMARY KEY, name text NOT NULL UNIQUE, people bigint);
CREATE TABLE capitals (state char(2) NOT NULL) INHERITS (cities);
CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL, what text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE events_new PARTITION OF events DEFAULT;
-- Children that let a column be NULL: reading the parent gives NULL too.
CREATE TABLE plants (id serial PRIMARY KEY, name text, family text);
CREATE TABLE trees (height integer) INHERITS (plants);
ALTER TABLE ONLY plants ALTER name SET NOT NULL;
