-- name: add :affected
-- Adds 1 to a user's balance.
UPDATE users SET balance = balance + 1 WHERE id = :id;

-- name: add_once :exactly(1)
-- Adds 1 to the balance of a user, who has to exist.
UPDATE users SET balance = balance + 1 WHERE id = :id;
