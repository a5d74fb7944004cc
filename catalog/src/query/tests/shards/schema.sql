CREATE TABLE tenants (id bigint primary key, name text);
CREATE TABLE accounts (tenant_id bigint, id bigint, name text, balance bigint, primary key (tenant_id, id));
CREATE TABLE transfers (tenant_id bigint, id bigint, account_id bigint, amount bigint, primary key (tenant_id, id));
CREATE TABLE events (id bigint primary key, account_id bigint);
CREATE TABLE plain (id bigint primary key);
CREATE SEQUENCE x;
SELECT create_reference_table('tenants'), create_distributed_table('accounts', 'tenant_id');
SELECT create_distributed_table('transfers', 'tenant_id'), create_distributed_table('events', 'id', colocate_with => 'none');
