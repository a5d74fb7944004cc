ALTER TABLE accounts ADD COLUMN full_name text;
ALTER TABLE accounts
    ADD COLUMN display_name text NOT NULL GENERATED ALWAYS AS (coalesce(full_name, username)) STORED;
