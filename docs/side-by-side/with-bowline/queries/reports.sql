-- name: received :many
-- What an account received, the largest first.
SELECT transfers.key, transfers.amount, sender.username AS sender
  FROM transfers JOIN accounts sender ON sender.id = transfers.sender_id
 WHERE transfers.receiver_id = :account
 ORDER BY transfers.amount DESC, transfers.key
 LIMIT :limit;

-- name: totals :many
-- Each account with the sum of what it received.
SELECT accounts.username, coalesce(sum(transfers.amount), 0)::bigint AS received
  FROM accounts LEFT JOIN transfers ON transfers.receiver_id = accounts.id
 GROUP BY accounts.id
 ORDER BY received DESC, accounts.username;

-- name: largest :optional
-- An account with its largest transfer, if it sent any.
SELECT accounts.id, accounts.balance, largest.amount
  FROM accounts LEFT JOIN LATERAL (
           SELECT amount FROM transfers WHERE sender_id = accounts.id ORDER BY amount DESC LIMIT 1
       ) largest ON true
 WHERE accounts.username = :username;

-- name: withdraw :optional
-- Takes money from an account that has enough.
UPDATE accounts SET balance = balance - :amount
 WHERE id = :account AND balance >= :amount
RETURNING balance;

-- name: forget_small :many
-- Deletes small transfers, and counts those of each sender.
WITH forgotten AS (
    DELETE FROM transfers WHERE amount < :least AND sender_id = ANY(:senders) RETURNING sender_id
)
SELECT sender_id, count(*) AS forgotten FROM forgotten GROUP BY sender_id ORDER BY sender_id;
