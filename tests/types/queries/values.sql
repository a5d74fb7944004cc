-- name: add_search :one
INSERT INTO searches (tsvector_value, tsquery_value, hstore_value, ltree_value, lquery_value, cube_value, tsvector_list)
VALUES (:doc, :query, :pairs, :path, :pattern, :cube, :docs)
RETURNING *;

-- name: found :many
SELECT id, tsvector_value AS doc, hstore_value -> 'a' AS a
FROM searches
WHERE tsvector_value @@ :query AND ltree_value <@ :path
ORDER BY doc;

-- name: add_contact :one
INSERT INTO own_types (mood_value, email_value, happy_mood_value, postal_address_value, contact_value, checked_address_value, emails_value, contact_list)
VALUES (:mood, :email, :happy, :address, :contact, :checked, :emails, :contacts)
RETURNING id, contact_value, contact_list, emails_value, checked_address_value;

-- name: overlapping :many
SELECT id, int4range_value * :range AS common, numrange_value
FROM ranges
WHERE int4range_value && :range
ORDER BY id;

-- name: longer :many
SELECT interval_value, interval_value * 2 AS twice
FROM times
WHERE interval_value > :least AND timetz_value = :at
ORDER BY interval_value;

-- name: numbers_of_tags :many
SELECT id, tags, numbers, grid
FROM arrays
WHERE tags && :tags;
