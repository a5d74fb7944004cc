ALTER TABLE accounts DROP COLUMN display_name;
ALTER TABLE accounts DROP COLUMN full_name;
