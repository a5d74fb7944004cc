-- name: all_numbers :many
SELECT * FROM numbers ORDER BY id;

-- name: all_texts :many
SELECT * FROM texts ORDER BY id;

-- name: all_times :many
SELECT * FROM times ORDER BY id;

-- name: all_addresses :many
SELECT * FROM addresses ORDER BY id;

-- name: all_ranges :many
SELECT * FROM ranges ORDER BY id;

-- name: all_multiranges :many
SELECT * FROM multiranges ORDER BY id;

-- name: all_bits_and_shapes :many
SELECT * FROM bits_and_shapes ORDER BY id;

-- name: all_searches :many
SELECT * FROM searches ORDER BY id;

-- name: all_systems :many
SELECT * FROM systems ORDER BY id;

-- name: all_own_types :many
SELECT * FROM own_types ORDER BY id;

-- name: all_documents :many
SELECT * FROM documents ORDER BY id;
