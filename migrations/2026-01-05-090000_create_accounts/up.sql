CREATE TYPE account_status AS ENUM ('active', 'frozen');

CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL UNIQUE,
    status account_status NOT NULL DEFAULT 'active',
    balance bigint NOT NULL DEFAULT 0 CHECK (balance >= 0),
    opened_at timestamptz NOT NULL DEFAULT now()
);
