CREATE SCHEMA audit;
CREATE TYPE state AS ENUM ('open', 'closed');
CREATE TYPE audit.state AS ENUM ('unseen', 'seen');
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    full_name text,
    password_hash text NOT NULL
);
CREATE TABLE tickets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id bigint NOT NULL REFERENCES people,
    code text NOT NULL,
    title text NOT NULL,
    body text,
    state state NOT NULL DEFAULT 'open',
    version integer NOT NULL DEFAULT 1,
    changed timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX tickets_code_key ON tickets (code) WHERE deleted_at IS NULL;
CREATE INDEX ON tickets (owner_id);
COMMENT ON COLUMN tickets.version IS 'bowline: version';
COMMENT ON COLUMN tickets.changed IS E'When it was changed.\nbowline: updated_at';
CREATE TABLE audit.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id bigint NOT NULL REFERENCES tickets,
    state audit.state NOT NULL DEFAULT 'unseen',
    was state
);
CREATE INDEX ON audit.events (ticket_id);
CREATE TABLE log (at timestamptz NOT NULL DEFAULT now(), line text NOT NULL);
CREATE VIEW workloads AS
    SELECT p.id AS person_id, p.email, count(t.id) AS tickets, max(t.changed) AS last
    FROM people p LEFT JOIN tickets t ON t.owner_id = p.id
    GROUP BY p.id, p.email;
CREATE MATERIALIZED VIEW by_state AS SELECT state, count(*) AS tickets FROM tickets GROUP BY state;
CREATE UNIQUE INDEX ON by_state (state);
CREATE VIEW audit.unseen AS SELECT id AS event_id, ticket_id FROM audit.events WHERE state = 'unseen';
CREATE FUNCTION noted(bigint) RETURNS bigint LANGUAGE sql
    AS 'INSERT INTO log (line) VALUES (''read'') RETURNING $1';
CREATE VIEW sightings AS SELECT id AS person_id, noted(id) AS noted FROM people;
CREATE VIEW sighted AS SELECT person_id FROM sightings WHERE noted > 0;
