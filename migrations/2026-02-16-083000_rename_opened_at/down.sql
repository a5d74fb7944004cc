ALTER TABLE accounts RENAME COLUMN created_at TO opened_at;
