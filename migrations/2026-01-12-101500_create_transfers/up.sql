CREATE TABLE transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_id bigint NOT NULL REFERENCES accounts,
    receiver_id bigint NOT NULL REFERENCES accounts,
    amount bigint NOT NULL CHECK (amount > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT transfers_distinct_accounts CHECK (sender_id <> receiver_id)
);

CREATE INDEX transfers_sender_id_idx ON transfers (sender_id, id);
CREATE INDEX transfers_receiver_id_idx ON transfers (receiver_id, id);
