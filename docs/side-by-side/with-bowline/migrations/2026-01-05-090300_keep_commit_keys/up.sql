CREATE TABLE __bowline_commit_keys (
    key uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    fenced boolean NOT NULL DEFAULT false
);
CREATE INDEX __bowline_commit_keys_at ON __bowline_commit_keys USING brin (at);
COMMENT ON TABLE __bowline_commit_keys IS 'A row for each transaction that was committed with a key.';
COMMENT ON COLUMN __bowline_commit_keys.fenced IS 'Keeps an attempt that was given up from committing late.';
