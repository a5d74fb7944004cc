CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL UNIQUE,
    balance bigint NOT NULL CHECK (balance >= 0)
);

-- The key is the request's own, so that one that is sent twice moves money once.
CREATE TABLE transfers (
    key text PRIMARY KEY,
    sender_id bigint NOT NULL REFERENCES accounts,
    receiver_id bigint NOT NULL REFERENCES accounts,
    amount bigint NOT NULL CHECK (amount > 0)
);
