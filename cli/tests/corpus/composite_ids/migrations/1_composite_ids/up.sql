CREATE TABLE tenants (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE docs (tenant_id integer NOT NULL REFERENCES tenants, id bigint NOT NULL, title text NOT NULL, parent_id bigint, PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, parent_id) REFERENCES docs (tenant_id, id));
CREATE TABLE doc_lines (tenant_id integer, doc_id bigint, line integer, PRIMARY KEY (tenant_id, doc_id, line), FOREIGN KEY (tenant_id, doc_id) REFERENCES docs);
CREATE TABLE projects (id bigserial PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenants, UNIQUE (tenant_id, id));
CREATE TABLE tasks (id bigserial PRIMARY KEY, tenant_id integer NOT NULL, project_id bigint NOT NULL, parent_id bigint REFERENCES tasks, FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id));
CREATE INDEX ON tasks (tenant_id, project_id);
CREATE INDEX ON tasks (parent_id);
-- A key of another type than what it refers to.
CREATE TABLE narrow (id serial PRIMARY KEY, project_id integer NOT NULL REFERENCES projects, name varchar(5) NOT NULL UNIQUE);
CREATE INDEX ON narrow (project_id);
CREATE TABLE words (word text PRIMARY KEY);
CREATE TABLE uses (id serial PRIMARY KEY, word varchar(9) NOT NULL REFERENCES words, tag char(3) REFERENCES words);
CREATE INDEX ON uses (word);
CREATE INDEX ON uses (tag);
CREATE TABLE one_to_one (project_id bigint PRIMARY KEY REFERENCES projects, note text);
CREATE TABLE of_one (id serial PRIMARY KEY, of_one bigint NOT NULL REFERENCES one_to_one);
CREATE INDEX ON of_one (of_one);
