-- Rows that diesel's own inserts and updates take, and rows with a column that only generated SQL can cast.
CREATE TABLE posts (id bigserial PRIMARY KEY, title text NOT NULL, body text, score integer NOT NULL DEFAULT 0,
    note text DEFAULT 'none', tags text[] NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE documents (id bigserial PRIMARY KEY, title text NOT NULL, words tsvector NOT NULL);
