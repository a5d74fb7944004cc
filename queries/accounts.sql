-- name: withdraw :optional
-- Takes an amount from an account, if its balance allows it, and returns the account.
UPDATE accounts SET balance = balance - :amount
 WHERE id = :id AND balance >= :amount AND status = 'active'
RETURNING *;

-- name: label :exactly(1)
-- Gives a label to an account.
-- nullable: colour
INSERT INTO account_labels (account_id, label, colour) VALUES (:account, :label, :colour);

-- name: relabel :exactly(1)
-- Gives a label of an account another colour.
UPDATE account_labels SET colour = :colour WHERE account_id = :account AND label = :label;

-- name: remove_labels :affected
-- Removes all labels of an account.
DELETE FROM account_labels WHERE account_id = :account;

-- name: with_status :many
-- The accounts with this status, by their names.
SELECT * FROM accounts WHERE status = :status ORDER BY username;

-- name: richest :one
-- The account with the highest balance; of several, the oldest.
SELECT * FROM accounts ORDER BY balance DESC, id LIMIT 1;
