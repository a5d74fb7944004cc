ALTER TABLE accounts RENAME COLUMN opened_at TO created_at;
