-- Indexes with a predicate, and tables of tenants; no list takes the name of another one.
CREATE TYPE state AS ENUM ('open', 'closed');
CREATE TABLE projects (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE issues (
    id bigserial PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects,
    state state NOT NULL,
    points integer NOT NULL,
    due date,
    deleted_at timestamptz
);
CREATE INDEX ON issues (project_id, id) WHERE (deleted_at IS NULL);
CREATE INDEX issues_open_idx ON issues (project_id, points DESC) WHERE state = 'open' AND deleted_at IS NULL;
CREATE INDEX issues_closed_idx ON issues (project_id, points DESC) WHERE state = 'closed' OR points > 7;
CREATE INDEX issues_first_idx ON issues (id) WHERE points = 1;
CREATE INDEX issues_due_idx ON issues (due) WHERE due IS NOT NULL;
CREATE INDEX "issues of {many}" ON issues (project_id) WHERE points = 2;
CREATE UNIQUE INDEX issues_one_idx ON issues (project_id) WHERE points = 3;
