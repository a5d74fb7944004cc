-- A closed account gives its address free.
CREATE UNIQUE INDEX accounts_open_email_key ON accounts (email) WHERE status <> 'closed';
