CREATE TABLE visits (user_id integer NOT NULL, at timestamptz NOT NULL, note text, UNIQUE (user_id, at));
CREATE TABLE codes (code text NOT NULL, meaning text);
CREATE UNIQUE INDEX codes_code ON codes (code);
CREATE TABLE uses (id serial PRIMARY KEY, code text NOT NULL REFERENCES codes (code));
CREATE INDEX ON uses (code);
CREATE TABLE loose (code text UNIQUE, partial integer NOT NULL);
CREATE UNIQUE INDEX ON loose (partial) WHERE partial > 0;
CREATE TABLE chosen (a integer NOT NULL, b integer NOT NULL, c text, UNIQUE (a), UNIQUE (b));
CREATE TABLE told (a integer, b text);
