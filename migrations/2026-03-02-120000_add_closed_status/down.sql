-- PostgreSQL cannot drop a value from an enum, so the type is built anew; closed accounts become frozen.
ALTER TYPE account_status RENAME TO account_status_with_closed;
CREATE TYPE account_status AS ENUM ('active', 'frozen');
ALTER TABLE accounts ALTER COLUMN status DROP DEFAULT;
ALTER TABLE accounts ALTER COLUMN status TYPE account_status
    USING (CASE status::text WHEN 'closed' THEN 'frozen' ELSE status::text END)::account_status;
ALTER TABLE accounts ALTER COLUMN status SET DEFAULT 'active';
DROP TYPE account_status_with_closed;
