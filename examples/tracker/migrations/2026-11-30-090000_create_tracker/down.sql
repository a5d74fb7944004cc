DROP MATERIALIZED VIEW commenters;
DROP VIEW open_issues;
DROP SCHEMA audit CASCADE;
DROP TABLE jobs, attachments, comments, issue_labels, labels, issues, projects, memberships, users, organisations;
DROP TYPE issue_status;
DROP EXTENSION citext;
