-- name: received_since :many
-- What an account received, the newest first.
SELECT transfers.*, sender.username AS sender_name
  FROM transfers JOIN accounts sender ON sender.id = transfers.sender_id
 WHERE receiver_id = :account AND transfers.created_at >= :since
 ORDER BY transfers.created_at DESC, transfers.id DESC
 LIMIT :limit;

-- name: totals :many
-- What each of the accounts sent, the highest total first.
SELECT accounts.username, count(transfers.id) AS transfers, sum(transfers.amount)::bigint AS amount
  FROM accounts LEFT JOIN transfers ON transfers.sender_id = accounts.id
 WHERE accounts.id = ANY(:accounts)
 GROUP BY accounts.id
 ORDER BY amount DESC NULLS LAST, accounts.id;

-- name: of_account :page
-- What an account sent or received, the newest first.
-- optional: least
SELECT t AS transfer, r.username AS receiver
  FROM transfers t JOIN accounts r ON r.id = t.receiver_id
 WHERE (t.sender_id = :account OR t.receiver_id = :account) AND t.amount >= :least
 ORDER BY t.created_at DESC, t.id DESC;
