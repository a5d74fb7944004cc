-- name: members :many
-- row: Member
-- The users of an organisation, by their names.
SELECT u AS member, m.role
  FROM memberships m JOIN users u ON u.id = m.user_id
 WHERE m.organisation_id = :organisation
 ORDER BY u.display_name, u.id;

-- name: owners :many
-- row: Member
-- Those who own an organisation, by their names.
SELECT u AS member, m.role
  FROM memberships m JOIN users u ON u.id = m.user_id
 WHERE m.organisation_id = :organisation AND m.role = 'owner'
 ORDER BY u.display_name, u.id;
