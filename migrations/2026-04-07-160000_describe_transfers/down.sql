ALTER TABLE transfers
    DROP COLUMN tags,
    DROP COLUMN details;
