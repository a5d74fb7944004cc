ALTER TABLE transfers
    ADD COLUMN details jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
