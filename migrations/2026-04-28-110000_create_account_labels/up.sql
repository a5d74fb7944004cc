-- Deferred, so that an import may write the labels before their accounts.
CREATE TABLE account_labels (
    account_id bigint NOT NULL,
    label text NOT NULL,
    colour text,
    PRIMARY KEY (account_id, label),
    FOREIGN KEY (account_id) REFERENCES accounts ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
