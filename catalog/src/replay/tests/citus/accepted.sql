-- Each line is a case of its own.
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ALTER t SET NOT NULL
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a RENAME t TO u
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a RENAME TO b
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_distributed_table('p','id')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','p')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_reference_table('p'); SELECT create_distributed_table('c','id')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_reference_table('p')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int); SELECT create_reference_table('p'); ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int); SELECT create_distributed_table('p','id'); ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_reference_table('c')
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p on delete cascade); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','p')
CREATE TABLE p(id int generated always as identity, j int); SELECT create_distributed_table('p','j')
CREATE TABLE p(id bigint generated always as identity, j int); SELECT create_distributed_table('p','j')
CREATE TABLE p(id serial, j int); SELECT create_distributed_table('p','j')
CREATE TABLE p(id int, j int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); SELECT create_distributed_table('p','j'); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); ALTER TABLE p DETACH PARTITION p1
CREATE TABLE p(j int); SELECT create_distributed_table('p', NULL); CREATE TABLE q(j int); SELECT create_distributed_table('q', NULL, colocate_with => 'none'); CREATE TABLE r(j int); SELECT create_distributed_table('r', NULL)
CREATE TABLE p("J" int); SELECT create_distributed_table('p','J')
CREATE TABLE p(j int); SELECT create_distributed_table('p','j', 'append')
CREATE TABLE p(j int); SELECT create_distributed_table('p','j', 'range'); CREATE UNIQUE INDEX ON p(j)
CREATE TABLE p(j int); SELECT create_distributed_table('p','j', colocate_with=>'none'); CREATE TABLE q(j int); SELECT create_distributed_table('q','j')
CREATE SCHEMA s; CREATE TABLE s.a(id int primary key); SELECT citus_schema_distribute('s'); CREATE TABLE s.b(id int references s.a); CREATE TABLE c (id int); ALTER TABLE c SET SCHEMA s
CREATE SCHEMA s; SELECT citus_schema_distribute('s'); CREATE TABLE s.b(id int); SELECT citus_schema_undistribute('s')
CREATE SCHEMA s; SELECT citus_schema_distribute('s'); CREATE TABLE s.b(id int); ALTER TABLE s.b SET SCHEMA public
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT create_distributed_table('p','id'); SELECT create_distributed_table('c','p'); SELECT undistribute_table('p', cascade_via_foreign_keys => true)
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int); SELECT citus_add_local_table_to_metadata('p'); ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p
CREATE TABLE p(id int primary key); CREATE TABLE c(id int, p int references p); SELECT citus_add_local_table_to_metadata('p', cascade_via_foreign_keys=>true)
CREATE TABLE p(id int, q int); SELECT create_distributed_table('p','id'); SELECT alter_distributed_table('p', distribution_column:='q')
CREATE TABLE p(id int, q bigint);CREATE TABLE r(id int, q bigint); SELECT create_distributed_table('p','id'),create_distributed_table('r','id') ; SELECT alter_distributed_table('p', distribution_column:='q')
CREATE TABLE p(id int, q bigint);CREATE TABLE r(id int, q bigint); SELECT create_distributed_table('p','id'),create_distributed_table('r','id') ; SELECT alter_distributed_table('p', shard_count:=4, cascade_to_colocated:=true)
CREATE TABLE p(id int, q bigint);CREATE TABLE r(id int, q bigint); SELECT create_distributed_table('p','id'),create_distributed_table('r','id') ; SELECT alter_distributed_table('p', shard_count:=4, cascade_to_colocated:=false)
CREATE TABLE p(id int, q bigint);CREATE TABLE r(id int, q bigint); SELECT create_distributed_table('p','id'),create_distributed_table('r','id') ; SELECT alter_distributed_table('p', colocate_with:='none')
CREATE TABLE p(id int, q bigint);CREATE TABLE r(id int, q bigint); SELECT create_distributed_table('p','id'),create_distributed_table('r','id') ; SELECT update_distributed_table_colocation('p', 'none')
CREATE TABLE p(id int, t int); ALTER TABLE p ENABLE ROW LEVEL SECURITY; CREATE POLICY x ON p USING (id = 1); SELECT create_distributed_table('p','t')
CREATE TABLE p(id int, t int); CREATE RULE x AS ON DELETE TO p DO INSTEAD NOTHING; SELECT create_distributed_table('p','t')
CREATE TABLE a(id int, t int, exclude using btree (t with =, id with =)); SELECT create_distributed_table('a','t')
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD COLUMN x int, ADD COLUMN y int, ALTER id SET DEFAULT 3
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); DROP TABLE a
CREATE TABLE a(id int, t int); SELECT create_distributed_table('public.a'::regclass,'t'); CREATE TABLE b (LIKE a); CREATE TABLE c AS SELECT * FROM a
CREATE TABLE p(id int primary key); SELECT create_reference_table('p'); CREATE TABLE c (id int references p, t int); ALTER TABLE c DROP CONSTRAINT c_id_fkey
CREATE TABLE p(id int primary key); SELECT create_distributed_table('p','id'); CREATE TABLE c (id int references p, t int)
CREATE TABLE p(j int, k int); SELECT create_distributed_table(colocate_with := 'none', table_name := 'p'::regclass, distribution_column := 'k')
DO $$ BEGIN CREATE TABLE p(j int); PERFORM create_distributed_table('p', 'j'); END $$
DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['p', 'q'] LOOP EXECUTE format('CREATE TABLE %I (j int)', t); PERFORM create_distributed_table(t, 'j', colocate_with => 'none'); END LOOP; END $$
CREATE SCHEMA s; CREATE TABLE s.p(j int); SELECT create_distributed_table('s.p', 'j'); ALTER SCHEMA s RENAME TO z
SET citus.shard_count = 4; CREATE TABLE p(j int); SELECT create_distributed_table('p', 'j'); CREATE TABLE q(j int); SELECT create_distributed_table('q', 'j')
CREATE TABLE p(j int, k int, PRIMARY KEY (j, k), r int, UNIQUE (k, j)); SELECT create_distributed_table('p', 'j'); CREATE UNIQUE INDEX ON p (j, lower(r::text)); CREATE INDEX ON p (r)
CREATE TABLE p(j int) PARTITION BY RANGE (j); SELECT create_distributed_table('p', 'j'); CREATE TABLE q(j int); ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (2)
CREATE TABLE p(j int); SELECT create_distributed_table('p', 'j'); SELECT truncate_local_data_after_distributing_table('p'); SELECT undistribute_table('p')
CREATE TABLE p(j int); SELECT citus_add_local_table_to_metadata('p'); SELECT create_distributed_table('p', 'j')
CREATE TABLE p(j int, k int); CREATE TABLE q(j int, k int); SELECT create_distributed_table('p', 'j'), create_distributed_table('q', 'j', colocate_with => 'none'); SELECT update_distributed_table_colocation('q', colocate_with => 'p')
SET citus.enable_schema_based_sharding TO on; CREATE SCHEMA s; CREATE TABLE s.p(j int)
SET citus.allow_unsafe_constraints TO on; CREATE TABLE p(j int, k int UNIQUE); SELECT create_distributed_table('p', 'j')
CREATE TABLE p(j int PRIMARY KEY, k int REFERENCES p); SELECT create_reference_table('p')
CREATE TABLE p(j int, k int, PRIMARY KEY (j, k), l int, FOREIGN KEY (j, l) REFERENCES p); SELECT create_distributed_table('p', 'j')
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); ALTER TABLE a ADD COLUMN x int CONSTRAINT c CHECK (x>0)
CREATE TABLE a(id int, t int); SELECT create_distributed_table('a','t'); CREATE TABLE r(id int primary key); SELECT create_reference_table('r'); ALTER TABLE a ADD COLUMN x int REFERENCES r
CREATE TABLE p(t int, id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); SELECT create_distributed_table('p','t'); ALTER TABLE p DETACH PARTITION p1
