-- name: overview :optional
-- An organisation with its projects, and with the newest issues of each project.
SELECT o AS organisation,
       ARRAY(
         SELECT one
           FROM (SELECT p AS project,
                        ARRAY(
                          SELECT issue
                            FROM (SELECT i.id, i.number, i.title, i.status
                                    FROM issues i
                                   WHERE i.project_id = p.id AND i.deleted_at IS NULL
                                   ORDER BY i.number DESC LIMIT :issues) issue
                        ) AS issues
                   FROM projects p WHERE p.organisation_id = o.id ORDER BY p.name) one
       ) AS projects
  FROM organisations o
 WHERE o.id = :organisation;

-- name: members :many
-- The users of an organisation, by their names.
SELECT u AS member, m.role
  FROM memberships m JOIN users u ON u.id = m.user_id
 WHERE m.organisation_id = :organisation
 ORDER BY u.display_name, u.id;
