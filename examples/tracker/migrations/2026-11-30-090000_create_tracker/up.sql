CREATE EXTENSION citext;

CREATE TABLE organisations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email citext NOT NULL UNIQUE,
    display_name text NOT NULL,
    password_hash text,
    is_admin boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE memberships (
    organisation_id bigint NOT NULL REFERENCES organisations,
    user_id bigint NOT NULL REFERENCES users,
    role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'owner')),
    PRIMARY KEY (organisation_id, user_id)
);
CREATE INDEX memberships_user_id_idx ON memberships (user_id, organisation_id);

CREATE TABLE projects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    name text NOT NULL,
    last_number integer NOT NULL DEFAULT 0,
    UNIQUE (organisation_id, name)
);

CREATE TYPE issue_status AS ENUM ('open', 'in_progress', 'done');

CREATE TABLE issues (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects,
    number integer NOT NULL,
    author_id bigint NOT NULL REFERENCES users,
    title text NOT NULL CHECK (title <> ''),
    body text NOT NULL DEFAULT '',
    status issue_status NOT NULL DEFAULT 'open',
    tags text[] NOT NULL DEFAULT '{}' CHECK (array_position(tags, NULL) IS NULL),
    estimate numeric(6, 2) CHECK (estimate >= 0),
    remind_before interval,
    due_on date,
    words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || body)) STORED,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    UNIQUE (project_id, number)
);
CREATE INDEX issues_board_idx ON issues (project_id, status, updated_at DESC, id DESC);
CREATE INDEX issues_author_id_idx ON issues (author_id, id);
CREATE INDEX issues_words_idx ON issues USING gin (words);

CREATE TABLE labels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES projects,
    name text NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE issue_labels (
    issue_id bigint NOT NULL REFERENCES issues,
    label_id bigint NOT NULL REFERENCES labels,
    PRIMARY KEY (issue_id, label_id)
);
CREATE INDEX issue_labels_label_id_idx ON issue_labels (label_id, issue_id);

CREATE TABLE comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES issues,
    author_id bigint NOT NULL REFERENCES users,
    parent_id bigint REFERENCES comments,
    body text NOT NULL CHECK (body <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX comments_issue_id_idx ON comments (issue_id, id);
CREATE INDEX comments_parent_id_idx ON comments (parent_id, id);

CREATE TABLE attachments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    issue_id bigint NOT NULL REFERENCES issues,
    name text NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attachments_issue_id_idx ON attachments (issue_id, id);

CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    run_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0
);
CREATE INDEX jobs_run_at_idx ON jobs (run_at, id);

CREATE SCHEMA audit;

CREATE TABLE audit.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint REFERENCES public.users,
    action text NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT now()
);

CREATE VIEW open_issues AS
    SELECT project_id, count(*) AS issues
      FROM issues
     WHERE deleted_at IS NULL AND status <> 'done'
     GROUP BY project_id;

CREATE MATERIALIZED VIEW commenters AS
    SELECT author_id, count(*) AS comments FROM comments GROUP BY author_id;
CREATE UNIQUE INDEX commenters_author_id_key ON commenters (author_id);
