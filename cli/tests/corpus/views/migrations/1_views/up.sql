CREATE TYPE state AS ENUM ('open', 'closed');
CREATE DOMAIN email AS text CHECK (value LIKE 'x%');
CREATE TABLE owners (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, email email);
CREATE TABLE tickets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner_id bigint NOT NULL REFERENCES owners,
    state state NOT NULL DEFAULT 'open', title varchar(40) NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    search tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED, tags text[]);
COMMENT ON TABLE tickets IS 'What is to be done.';
CREATE VIEW open_tickets AS SELECT * FROM tickets WHERE state = 'open';
COMMENT ON VIEW open_tickets IS 'What is still to be done.';
CREATE VIEW owner_totals AS
    SELECT o.id AS owner_id, o.name, o.email, count(t.id) AS tickets, max(t.at) AS last, t2.state
    FROM owners o LEFT JOIN tickets t ON t.owner_id = o.id LEFT JOIN tickets t2 ON t2.id = t.id
    GROUP BY o.id, o.name, o.email, t2.state;
CREATE VIEW view_of_view AS SELECT owner_id, tickets, name || '!' AS loud FROM owner_totals WHERE tickets > 0;
CREATE VIEW ticket AS SELECT id, title FROM tickets;
CREATE VIEW "Odd View" AS SELECT 1 AS "select", 'a'::text AS "With Space", id AS "order" FROM owners;
CREATE MATERIALIZED VIEW by_state AS SELECT state, count(*) AS tickets, max(id) AS newest FROM tickets GROUP BY state;
CREATE UNIQUE INDEX by_state_state ON by_state (state);
CREATE MATERIALIZED VIEW names AS SELECT id, name FROM owners;
CREATE MATERIALIZED VIEW searches AS SELECT id AS ticket_id, search FROM tickets;
CREATE UNIQUE INDEX ON searches (ticket_id);
CREATE TABLE log (at timestamptz NOT NULL DEFAULT now(), state state, line text NOT NULL, raw int4range);
CREATE TABLE uniquely (code text UNIQUE, note text);
CREATE TABLE measured (device integer NOT NULL, at date NOT NULL, value double precision) PARTITION BY RANGE (at);
CREATE TABLE measured_2026 PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW briefs AS SELECT id, owner_id, title AS heading, upper(title) AS loud FROM open_tickets;
CREATE VIEW everybody AS SELECT name FROM owners UNION SELECT code FROM uniquely;
CREATE FUNCTION add_owner() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO owners (name) VALUES (coalesce(NEW.name, ''nobody'')); RETURN NEW; END';
CREATE TRIGGER add INSTEAD OF INSERT ON everybody FOR EACH ROW EXECUTE FUNCTION add_owner();
