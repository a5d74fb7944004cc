-- name: open :one
-- Opens an issue with the next number of its project.
WITH project AS (
       UPDATE projects SET last_number = last_number + 1 WHERE id = :project RETURNING id, last_number
     )
INSERT INTO issues (project_id, number, author_id, title, body)
SELECT id, last_number, :author, :title, :body FROM project
RETURNING id, number, version;

-- name: next_number :one
-- Takes the next number of a project.
UPDATE projects SET last_number = last_number + 1 WHERE id = :project RETURNING last_number;

-- name: board :page
-- The issues of a project, each with its author and its labels.
-- optional: status, label, author
-- order: newest = i.updated_at DESC, i.id DESC | oldest = i.created_at, i.id | due = i.due_on, i.id
SELECT i.id, i.number, i.title, i.status, i.tags, i.due_on, i.created_at, i.updated_at, u AS author,
       ARRAY(
         SELECT l FROM issue_labels il JOIN labels l ON l.id = il.label_id
          WHERE il.issue_id = i.id ORDER BY l.name
       ) AS labels
  FROM issues i JOIN users u ON u.id = i.author_id
 WHERE i.project_id = :project
   AND i.deleted_at IS NULL
   AND i.status = :status
   AND i.author_id = :author
   AND EXISTS (
         SELECT FROM issue_labels il JOIN labels l ON l.id = il.label_id
          WHERE il.issue_id = i.id AND l.name = :label
       )
 ORDER BY :order;

-- name: search :many
-- The issues of a project with these words, the best first.
SELECT i.id, i.number, i.title, ts_rank(i.words, query) AS rank
  FROM issues i, websearch_to_tsquery('simple', :words) query
 WHERE i.project_id = :project AND i.words @@ query AND i.deleted_at IS NULL
 ORDER BY rank DESC, i.id
 LIMIT :limit;

-- name: count_by_status :many
-- The number of issues of a project in each status that one has.
SELECT status, count(*) AS issues
  FROM issues
 WHERE project_id = :project AND deleted_at IS NULL
 GROUP BY status
 ORDER BY status;

-- name: set_status :affected
-- Sets the status of several issues.
UPDATE issues SET status = :status, version = version + 1, updated_at = now()
 WHERE id = ANY(:issues) AND status <> :status AND deleted_at IS NULL;

-- name: label :affected
-- Gives an issue labels of its project, by their names. Those that it has stay.
INSERT INTO issue_labels (issue_id, label_id)
SELECT i.id, l.id
  FROM issues i JOIN labels l ON l.project_id = i.project_id
 WHERE i.id = :issue AND l.name = ANY(:names)
ON CONFLICT DO NOTHING;

-- name: replies :many
-- The comments below a comment, however deep, the oldest first.
WITH RECURSIVE below AS (
       SELECT c.id, c.parent_id, c.body, 1 AS depth FROM comments c WHERE c.parent_id = :comment
       UNION ALL
       SELECT c.id, c.parent_id, c.body, below.depth + 1
         FROM comments c JOIN below ON c.parent_id = below.id
     )
SELECT id, parent_id, body, depth FROM below ORDER BY id;
