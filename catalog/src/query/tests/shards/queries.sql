-- What Citus 13.2 made of each query: one task, more, none of its own, or an error.
one     | SELECT * FROM accounts WHERE tenant_id = 1
more    | SELECT * FROM accounts WHERE id = 1
more    | SELECT * FROM accounts WHERE tenant_id IN (1,2)
one     | SELECT * FROM accounts a JOIN transfers t ON a.tenant_id = t.tenant_id AND a.id = t.account_id WHERE a.tenant_id = 1
more    | SELECT * FROM accounts a JOIN transfers t ON a.tenant_id = t.tenant_id AND a.id = t.account_id
refused | SELECT * FROM accounts a JOIN transfers t ON a.id = t.account_id
refused | SELECT * FROM accounts a JOIN transfers t ON a.id = t.account_id WHERE a.tenant_id = 1
one     | SELECT * FROM accounts a JOIN transfers t ON a.id = t.account_id WHERE a.tenant_id = 1 AND t.tenant_id = 1
refused | SELECT * FROM accounts a JOIN transfers t ON a.id = t.account_id WHERE a.tenant_id = 1 AND t.tenant_id = 7
refused | SELECT * FROM accounts a, transfers t
refused | SELECT * FROM accounts a JOIN events e ON a.tenant_id = e.id
refused | SELECT * FROM accounts a JOIN events e ON a.id = e.account_id WHERE a.tenant_id = 1
one     | SELECT * FROM accounts a LEFT JOIN transfers t ON a.tenant_id = t.tenant_id WHERE a.tenant_id = 1
refused | SELECT * FROM accounts a LEFT JOIN transfers t ON a.id = t.account_id
more    | SELECT * FROM accounts a LEFT JOIN transfers t ON a.tenant_id = t.tenant_id AND a.id = t.account_id
more    | SELECT * FROM accounts a JOIN tenants t ON t.id = a.tenant_id
one     | SELECT * FROM accounts a JOIN tenants t ON t.id = a.tenant_id WHERE t.id = 1
one     | SELECT * FROM tenants
none    | SELECT * FROM plain
more    | SELECT * FROM accounts a JOIN plain p ON p.id = a.id
one     | SELECT * FROM tenants a JOIN plain p ON p.id = a.id
more    | SELECT * FROM accounts a WHERE EXISTS (SELECT FROM transfers t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id)
refused | SELECT * FROM accounts a WHERE EXISTS (SELECT FROM transfers t WHERE t.account_id = a.id)
one     | SELECT * FROM accounts a WHERE tenant_id = 1 AND EXISTS (SELECT FROM transfers t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id)
refused | SELECT * FROM accounts a WHERE tenant_id = 1 AND EXISTS (SELECT FROM transfers t WHERE t.account_id = a.id)
refused | SELECT a.id, (SELECT count(*) FROM transfers t WHERE t.account_id = a.id) FROM accounts a
more    | SELECT a.id, (SELECT count(*) FROM transfers t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id) FROM accounts a
more    | SELECT a.id, (SELECT count(*) FROM transfers t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id) FROM accounts a WHERE tenant_id = 1
one     | SELECT a.id, (SELECT count(*) FROM transfers t WHERE t.account_id = a.id AND t.tenant_id = 1) FROM accounts a WHERE tenant_id = 1
refused | SELECT a.id, (SELECT count(*) FROM transfers t WHERE t.account_id = a.id) FROM accounts a WHERE tenant_id = 1
more    | SELECT a.id, (SELECT count(*) FROM transfers) FROM accounts a
more    | SELECT a.id, (SELECT count(*) FROM transfers) FROM accounts a WHERE tenant_id = 1
more    | SELECT * FROM accounts WHERE id IN (SELECT account_id FROM transfers)
more    | SELECT * FROM accounts WHERE tenant_id IN (SELECT tenant_id FROM transfers WHERE amount > 3)
more    | SELECT * FROM accounts WHERE balance > (SELECT avg(amount) FROM transfers)
refused | SELECT * FROM accounts a WHERE balance > (SELECT avg(amount) FROM transfers t WHERE t.account_id = a.id)
more    | SELECT * FROM accounts a WHERE balance > (SELECT avg(amount) FROM transfers t WHERE t.tenant_id = a.tenant_id)
refused | SELECT * FROM accounts a WHERE balance > (SELECT sum(e.account_id) FROM events e WHERE e.account_id = a.id)
refused | SELECT * FROM accounts a JOIN LATERAL (SELECT * FROM transfers t WHERE t.account_id = a.id LIMIT 3) x ON true
more    | SELECT * FROM accounts a JOIN LATERAL (SELECT * FROM transfers t WHERE t.tenant_id = a.tenant_id AND t.account_id = a.id LIMIT 3) x ON true
more    | SELECT * FROM (SELECT tenant_id, count(*) FROM accounts GROUP BY 1) x JOIN transfers t ON t.tenant_id = x.tenant_id
more    | SELECT * FROM (SELECT id, count(*) FROM accounts GROUP BY 1) x JOIN transfers t ON t.account_id = x.id
more    | WITH x AS (SELECT id FROM accounts) SELECT * FROM x JOIN transfers t ON t.account_id = x.id
refused | WITH RECURSIVE r AS (SELECT id FROM accounts WHERE id = 1 UNION ALL SELECT a.id FROM accounts a JOIN r ON a.balance = r.id) SELECT * FROM r
one     | WITH RECURSIVE r AS (SELECT id FROM accounts WHERE tenant_id = 1 UNION ALL SELECT a.id FROM accounts a JOIN r ON a.balance = r.id WHERE tenant_id = 1) SELECT * FROM r
refused | SELECT tenant_id, name, count(*) FROM accounts GROUP BY GROUPING SETS ((tenant_id), (name))
one     | SELECT tenant_id, name, count(*) FROM accounts WHERE tenant_id = 1 GROUP BY ROLLUP (tenant_id, name)
refused | SELECT * FROM accounts FOR UPDATE
refused | SELECT * FROM accounts WHERE id = 1 FOR UPDATE
one     | SELECT * FROM accounts WHERE tenant_id = 1 FOR UPDATE
one     | SELECT * FROM tenants FOR UPDATE
more    | SELECT count(DISTINCT name) FROM accounts
more    | SELECT rank() OVER (ORDER BY balance) FROM accounts
more    | SELECT id FROM accounts UNION SELECT id FROM transfers
more    | SELECT id FROM accounts INTERSECT SELECT id FROM transfers
one     | SELECT id FROM accounts WHERE tenant_id = 1 UNION SELECT id FROM transfers WHERE tenant_id = 1
refused | SELECT * FROM accounts a FULL JOIN transfers t ON a.id = t.account_id
more    | SELECT * FROM accounts TABLESAMPLE BERNOULLI (10)
one     | UPDATE accounts SET balance = 1 WHERE tenant_id = 1 AND id = 2
more    | UPDATE accounts SET balance = 1 WHERE id = 2
refused | UPDATE accounts SET tenant_id = 2 WHERE tenant_id = 1 AND id = 2
one     | UPDATE accounts SET tenant_id = 1 WHERE tenant_id = 1 AND id = 2
one     | UPDATE accounts SET tenant_id = tenant_id WHERE tenant_id = 1 AND id = 2
refused | UPDATE accounts a SET balance = t.amount FROM transfers t WHERE t.account_id = a.id
more    | UPDATE accounts a SET balance = t.amount FROM transfers t WHERE t.account_id = a.id AND t.tenant_id = a.tenant_id
one     | UPDATE accounts a SET balance = t.amount FROM transfers t WHERE t.account_id = a.id AND t.tenant_id = a.tenant_id AND a.tenant_id = 1
more    | UPDATE accounts SET balance = (SELECT sum(amount) FROM transfers t WHERE t.tenant_id = accounts.tenant_id)
refused | UPDATE accounts SET balance = random() * 10
more    | UPDATE accounts SET balance = (SELECT sum(amount) FROM transfers)
more    | DELETE FROM accounts
more    | DELETE FROM accounts WHERE id = 3
one     | DELETE FROM accounts WHERE tenant_id = 3
refused | DELETE FROM accounts a USING transfers t WHERE t.account_id = a.id
one     | DELETE FROM tenants WHERE id = 1
one     | UPDATE tenants SET name = 'x'
refused | UPDATE tenants SET name = 'x' FROM accounts a WHERE a.tenant_id = tenants.id
more    | UPDATE tenants SET name = (SELECT max(name) FROM accounts)
one     | INSERT INTO accounts VALUES (1, 2, 'x', 3)
more    | INSERT INTO accounts (tenant_id, id) VALUES (1, 2), (2, 3)
refused | INSERT INTO accounts (id, name) VALUES (2, 'x')
more    | INSERT INTO transfers (tenant_id, id) SELECT tenant_id, id FROM accounts
more    | INSERT INTO transfers (tenant_id, id) SELECT id, tenant_id FROM accounts
refused | INSERT INTO accounts (tenant_id, id) VALUES (1, 2) ON CONFLICT (tenant_id, id) DO UPDATE SET tenant_id = 3
one     | INSERT INTO accounts (tenant_id, id) VALUES (1, 2) ON CONFLICT (tenant_id, id) DO UPDATE SET balance = 3
refused | INSERT INTO accounts (tenant_id, id) VALUES (1, (SELECT max(id) FROM transfers))
one     | INSERT INTO tenants VALUES (1, 'x')
one     | WITH gone AS (DELETE FROM accounts WHERE tenant_id = 1 RETURNING *) SELECT count(*) FROM gone
more    | WITH gone AS (DELETE FROM accounts RETURNING *) INSERT INTO transfers (tenant_id, id) SELECT tenant_id, id FROM gone
more    | SELECT DISTINCT ON (name) * FROM accounts
more    | SELECT * FROM accounts ORDER BY id LIMIT 10 OFFSET 5
more    | SELECT array_agg(id ORDER BY id) FROM accounts
more    | SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY balance) FROM accounts
more    | MERGE INTO accounts a USING transfers t ON a.tenant_id = t.tenant_id AND a.id = t.account_id WHEN MATCHED THEN UPDATE SET balance = 3
refused | MERGE INTO accounts a USING transfers t ON a.id = t.account_id WHEN MATCHED THEN UPDATE SET balance = 3
one     | SELECT * FROM accounts a WHERE tenant_id = 1 AND EXISTS (SELECT FROM events e WHERE e.id = 1)
refused | SELECT * FROM accounts a WHERE NOT EXISTS (SELECT FROM transfers t WHERE t.account_id = a.id)
more    | SELECT * FROM accounts a WHERE a.id NOT IN (SELECT account_id FROM transfers)
more    | SELECT * FROM accounts a WHERE a.tenant_id = ANY (ARRAY[1,2]::bigint[])
one     | SELECT * FROM accounts a, transfers t WHERE a.tenant_id = t.tenant_id AND t.tenant_id = 1
more    | SELECT * FROM accounts WHERE tenant_id = 1 OR tenant_id = 2
refused | UPDATE accounts SET balance = random() * 10 WHERE tenant_id = 1 AND id = 2
refused | UPDATE accounts SET balance = nextval('x') WHERE tenant_id = 1
one     | UPDATE accounts SET name = now() WHERE tenant_id = 1
refused | UPDATE accounts SET name = 'x' WHERE tenant_id = 1 AND balance > random()
refused | DELETE FROM accounts WHERE tenant_id = 1 AND balance > random()
refused | UPDATE tenants SET name = random()
one     | INSERT INTO accounts (tenant_id, id, balance) VALUES (1, 2, random())
one     | INSERT INTO tenants (id, name) VALUES (1, random())
refused | INSERT INTO tenants (id, name) VALUES (1, (SELECT max(name) FROM tenants))
refused | INSERT INTO accounts (tenant_id, id) VALUES (1, (SELECT 1))
refused | INSERT INTO accounts DEFAULT VALUES
refused | INSERT INTO accounts (tenant_id, id) VALUES (NULL, 1)
one     | WITH gone AS (DELETE FROM accounts WHERE tenant_id = 1 RETURNING *) SELECT * FROM gone FOR UPDATE
refused | SELECT * FROM tenants t WHERE EXISTS (SELECT FROM accounts a WHERE a.tenant_id = t.id)
refused | SELECT t.id, (SELECT count(*) FROM accounts a WHERE a.tenant_id = t.id) FROM tenants t
refused | SELECT t.id, (SELECT count(*) FROM accounts a WHERE a.id = t.id) FROM tenants t
more    | SELECT * FROM tenants t LEFT JOIN accounts a ON a.tenant_id = t.id
one     | SELECT * FROM tenants t LEFT JOIN accounts a ON a.tenant_id = t.id WHERE t.id = 1
refused | SELECT * FROM tenants t JOIN LATERAL (SELECT * FROM accounts a WHERE a.tenant_id = t.id LIMIT 2) x ON true
refused | SELECT * FROM accounts a LEFT JOIN tenants t ON a.tenant_id = t.id LEFT JOIN transfers f ON f.tenant_id = t.id
refused | SELECT * FROM accounts a JOIN tenants t ON a.tenant_id = t.id JOIN transfers f ON f.tenant_id = t.id
refused | SELECT * FROM accounts a LEFT JOIN events e ON e.id = a.tenant_id
refused | SELECT * FROM plain p WHERE EXISTS (SELECT FROM accounts a WHERE a.id = p.id)
refused | SELECT p.id, (SELECT count(*) FROM accounts a WHERE a.id = p.id) FROM plain p
more    | UPDATE plain SET id = 1 FROM accounts a WHERE a.id = plain.id
more    | UPDATE accounts a SET balance = 1 FROM plain p WHERE a.id = p.id
refused | DELETE FROM accounts a USING events e WHERE e.id = a.tenant_id
more    | UPDATE accounts SET balance = 1 WHERE id IN (SELECT account_id FROM transfers)
refused | DELETE FROM accounts WHERE EXISTS (SELECT FROM transfers t WHERE t.account_id = accounts.id)
one     | DELETE FROM accounts WHERE tenant_id = 1 AND EXISTS (SELECT FROM transfers t WHERE t.account_id = accounts.id AND t.tenant_id = 1)
one     | SELECT * FROM accounts a WHERE a.tenant_id = 1 AND a.id IN (SELECT account_id FROM transfers WHERE tenant_id = 1)
one     | WITH x AS (SELECT * FROM accounts WHERE tenant_id = 1) SELECT * FROM x
one     | WITH x AS (SELECT * FROM accounts) SELECT * FROM x WHERE tenant_id = 1
one     | SELECT * FROM (SELECT * FROM accounts) x WHERE tenant_id = 1
more    | INSERT INTO accounts (tenant_id, id) SELECT 1, 2
more    | INSERT INTO accounts (id, name) SELECT id, name FROM accounts
more    | SELECT a.id FROM accounts a JOIN transfers t USING (tenant_id)
more    | SELECT a.id FROM accounts a NATURAL JOIN transfers t
one     | SELECT * FROM accounts WHERE tenant_id = 1 + 1
more    | SELECT * FROM accounts WHERE tenant_id = (SELECT 1)
one     | SELECT * FROM accounts WHERE tenant_id = 1 AND tenant_id = 2
more    | SELECT * FROM accounts WHERE tenant_id IS NULL
one     | SELECT 1 FROM accounts a, accounts b WHERE a.tenant_id = 1 AND b.tenant_id = 1
refused | SELECT 1 FROM events a, accounts b WHERE a.id = 1 AND b.tenant_id = 1
one     | SELECT * FROM accounts WHERE tenant_id = 1 UNION ALL SELECT * FROM accounts WHERE tenant_id = 2
