CREATE TABLE entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    cents bigint NOT NULL
);

CREATE INDEX entries_account_idx ON entries (account, id);
