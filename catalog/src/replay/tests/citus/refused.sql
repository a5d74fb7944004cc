-- Each line is a case of its own. Citus refuses its last statement.
CREATE TABLE a(id int primary key, t int); SELECT create_distributed_table('a','t')
CREATE TABLE a(id int, t int, unique(id)); SELECT create_distributed_table('a','t')
CREATE TABLE a(id int, t int); CREATE UNIQUE INDEX ON a(id); SELECT create_distributed_table('a','t')
CREATE TABLE a(id int, t int); CREATE UNIQUE INDEX ON a(id, (t+1)); SELECT create_distributed_table('a','t')
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); CREATE UNIQUE INDEX ON a(id)
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD UNIQUE (id)
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD COLUMN z int UNIQUE
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a DROP COLUMN t
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ALTER t TYPE bigint
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ALTER t SET DEFAULT 3
CREATE TABLE a(id int, t int not null); SELECT create_distributed_table('a','t'); ALTER TABLE a ALTER t DROP NOT NULL
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD COLUMN x int, ADD CHECK (x>0)
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD COLUMN x serial
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD COLUMN x bigint generated always as identity
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); CREATE TRIGGER x BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()
CREATE TABLE a(id int, t int); SELECT create_reference_table('a'); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER x BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()
CREATE TABLE a(id int, t int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER x BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); SELECT create_distributed_table('a','t')
CREATE TABLE a(id int, t int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER x BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); SELECT create_reference_table('a')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_distributed_table('c','p')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','id')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int); SELECT create_distributed_table('p','id'), create_reference_table('c'); ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p on delete set null); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','p')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p on update cascade); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','p')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','p', colocate_with => 'none')
CREATE TABLE p(id int primary key); CREATE TABLE c(id bigint, p int); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','id', colocate_with => 'p')
CREATE TABLE p(id int, j json); SELECT create_distributed_table('p','j')
CREATE TABLE p(id int, j point); SELECT create_distributed_table('p','j')
CREATE TABLE p(id int, j int generated always as (id+1) stored); SELECT create_distributed_table('p','j')
CREATE TABLE p(id int, j int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); SELECT create_distributed_table('p1','j')
CREATE TABLE p(id int, j int) PARTITION BY LIST (id); SELECT create_reference_table('p')
CREATE TABLE p(id int, j int); CREATE TABLE q() INHERITS (p); SELECT create_distributed_table('p','j')
CREATE TABLE p(id int, j int); CREATE TABLE q() INHERITS (p); SELECT create_distributed_table('q','j')
CREATE VIEW p AS SELECT 1 AS j; SELECT create_distributed_table('p','j')
CREATE TEMP TABLE p(j int); SELECT create_distributed_table('p','j')
CREATE TABLE p(j int); SELECT create_distributed_table('p','k')
CREATE TABLE p(j int); SELECT create_distributed_table('p','j'); SELECT create_distributed_table('p','j')
CREATE TABLE p(j int); SELECT create_reference_table('p'); SELECT create_distributed_table('p','j')
CREATE TABLE p(j int); SELECT create_distributed_table('p','j'); SELECT create_reference_table('p')
CREATE TABLE p(j int); SELECT create_reference_table('p'); SELECT create_reference_table('p')
CREATE TABLE p(j int); SELECT create_distributed_table('p','J')
CREATE TABLE p("J" int); SELECT create_distributed_table('p','"J"')
CREATE TABLE p(j text); SELECT create_distributed_table('p','j'); CREATE TABLE q(j text collate "C"); SELECT create_distributed_table('q','j')
CREATE TABLE p(j text); SELECT create_distributed_table('p','j', shard_count=>4, colocate_with=>'q')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','p'); SELECT undistribute_table('p')
CREATE TABLE p(id int, t int); ALTER TABLE p ENABLE ROW LEVEL SECURITY; CREATE POLICY x ON p USING (id = (SELECT 1)); SELECT create_distributed_table('p','t')
CREATE TABLE a(id int, t int, exclude using btree (id with =)); SELECT create_distributed_table('a','t')
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ALTER id SET STATISTICS 100
CREATE TABLE a(id int NOT NULL, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ALTER id ADD GENERATED ALWAYS AS IDENTITY
CREATE TABLE a(id int, t int, CONSTRAINT q CHECK (id > 0)); SELECT create_distributed_table('a','t'); ALTER TABLE a RENAME CONSTRAINT q TO z
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); CREATE TABLE b() INHERITS (a)
CREATE TABLE p(j int); SELECT create_distributed_table('p', 'j', shard_count => 0)
CREATE TABLE p(j int); SELECT create_distributed_table('p', NULL, shard_count => 4)
CREATE TABLE p(j int); SELECT create_distributed_table('p', NULL, 'range')
CREATE TABLE p(j int); SELECT undistribute_table('p')
CREATE TABLE p(j int); SELECT alter_distributed_table('p', shard_count => 4)
CREATE TABLE p(j int); SELECT create_distributed_table('p', 'j'); SELECT alter_distributed_table('p')
CREATE TABLE p(j int, k int); CREATE TABLE q(j int); SELECT create_distributed_table('p', 'j'), create_distributed_table('q', 'j'); SELECT alter_distributed_table('p', shard_count => 4)
CREATE TABLE p(j int, k int); CREATE TABLE q(j int); SELECT create_distributed_table('p', 'j'), create_distributed_table('q', 'j'); SELECT alter_distributed_table('p', distribution_column => 'k', cascade_to_colocated => true)
SELECT citus_schema_distribute('public')
CREATE SCHEMA s; SELECT citus_schema_undistribute('s')
CREATE TABLE p(j int); CREATE TABLE q(j int); SELECT create_distributed_table('p', 'j', colocate_with => 'q')
CREATE TABLE p(j int); CREATE TABLE q(j int); SELECT create_reference_table('q'); SELECT create_distributed_table('p', 'j', colocate_with => 'q')
CREATE TABLE p(j int PRIMARY KEY); CREATE TABLE q(j int REFERENCES p ON DELETE CASCADE); SELECT create_reference_table('q')
CREATE TABLE p(j int, k int, PRIMARY KEY (j, k), l int, FOREIGN KEY (l, k) REFERENCES p); SELECT create_distributed_table('p', 'j')
CREATE TABLE p(j int PRIMARY KEY); CREATE TABLE q(j int REFERENCES p); SELECT citus_add_local_table_to_metadata('p')
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a', 't'); ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY x ON a USING (id = (SELECT 1))
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a', 't'); ALTER TABLE a ALTER id SET STORAGE PLAIN
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD COLUMN x int CHECK (x>0)
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); CREATE TABLE r(id int primary key); SELECT create_reference_table('r'); ALTER TABLE a ADD COLUMN x int REFERENCES r, ADD COLUMN y int
CREATE TABLE a(id int, t int); SELECT create_reference_table('a'); ALTER TABLE a ADD COLUMN x int CHECK (x>0)
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a DISABLE TRIGGER ALL
CREATE TABLE a(id int, t int); SELECT create_reference_table('a'); ALTER TABLE a ENABLE TRIGGER USER
CREATE TABLE p(t int, id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); SELECT create_distributed_table('p','t'); ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY
