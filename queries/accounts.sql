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

-- name: with_last_transfer :many
-- The accounts, by their names, each with the transfer that it sent last.
SELECT a AS account, last AS last_transfer
  FROM accounts a
  LEFT JOIN LATERAL (
         SELECT * FROM transfers WHERE sender_id = a.id ORDER BY id DESC LIMIT 1
       ) last ON true
 ORDER BY a.username;

-- name: statement :optional
-- An account with its labels, and with what it sent, the newest first.
SELECT a AS account,
       ARRAY(SELECT l FROM account_labels l WHERE l.account_id = a.id ORDER BY l.label) AS labels,
       ARRAY(
         SELECT line
           FROM (SELECT t AS transfer, r.username AS receiver
                   FROM transfers t JOIN accounts r ON r.id = t.receiver_id
                  WHERE t.sender_id = a.id
                  ORDER BY t.id DESC) line
       ) AS lines
  FROM accounts a
 WHERE a.username = :username;

-- name: search :many
-- Accounts with this status and this label, where they are given.
-- optional: status, label
-- order: richest = a.balance DESC, a.id | newest = a.created_at DESC, a.id DESC
SELECT a.id, a.username, a.balance, a.status
  FROM accounts a
 WHERE a.balance >= :least
   AND a.status = :status
   AND EXISTS (SELECT FROM account_labels l WHERE l.account_id = a.id AND l.label = :label)
 ORDER BY :order
 LIMIT :limit;

-- name: browse :page
-- The accounts with this status and this label, where they are given.
-- optional: status, label
-- order: richest = a.balance DESC, a.id | newest = a.created_at DESC, a.id DESC
-- order: activity = last_sent DESC NULLS LAST, a.id
SELECT a.id, a.username, a.balance, a.created_at, recent.last_sent
  FROM accounts a
  LEFT JOIN LATERAL (
         SELECT max(t.created_at) AS last_sent FROM transfers t WHERE t.sender_id = a.id
       ) recent ON true
 WHERE a.status = :status
   AND EXISTS (SELECT FROM account_labels l WHERE l.account_id = a.id AND l.label = :label)
 ORDER BY :order;
