COMMENT ON TABLE accounts IS 'A person who can hold money.';
COMMENT ON COLUMN accounts.username IS 'What the person types to sign in.';
COMMENT ON COLUMN accounts.balance IS 'In cents; never below zero.';
COMMENT ON COLUMN accounts.email IS 'Belongs to one open account at most.';
COMMENT ON COLUMN accounts.display_name IS 'The full name where there is one, else the username.';
COMMENT ON TYPE account_status IS 'What an account may do.';

COMMENT ON TABLE transfers IS 'Money that went from one account to another.';
COMMENT ON COLUMN transfers.amount IS 'In cents; above zero.';
COMMENT ON COLUMN transfers.details IS 'What the sender''s application wants to keep with the transfer.';

COMMENT ON TABLE account_labels IS 'A word that a person puts on an account to find it again.';
