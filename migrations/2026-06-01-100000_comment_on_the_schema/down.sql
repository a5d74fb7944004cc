COMMENT ON TABLE account_labels IS NULL;

COMMENT ON COLUMN transfers.details IS NULL;
COMMENT ON COLUMN transfers.amount IS NULL;
COMMENT ON TABLE transfers IS NULL;

COMMENT ON TYPE account_status IS NULL;
COMMENT ON COLUMN accounts.display_name IS NULL;
COMMENT ON COLUMN accounts.email IS NULL;
COMMENT ON COLUMN accounts.balance IS NULL;
COMMENT ON COLUMN accounts.username IS NULL;
COMMENT ON TABLE accounts IS NULL;
