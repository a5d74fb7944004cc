CREATE TYPE stay AS (begins date, ends timestamptz);
CREATE TABLE times (id bigserial PRIMARY KEY, day date NOT NULL, hour time NOT NULL, noted timestamp NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), days date[] NOT NULL, open daterange NOT NULL, closed tstzmultirange, stay stay);
CREATE TABLE by_day (day date PRIMARY KEY, note text NOT NULL);
