-- name: take :optional
-- Takes the job that is due first and that no other worker has. It is put off by a minute, so that
-- it runs again if the worker fails.
UPDATE jobs SET attempts = attempts + 1, run_at = now() + interval '1 minute'
 WHERE id = (SELECT id FROM jobs WHERE run_at <= now() ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *;

-- name: finish :exactly(1)
-- Removes a job that is done.
DELETE FROM jobs WHERE id = :id;
