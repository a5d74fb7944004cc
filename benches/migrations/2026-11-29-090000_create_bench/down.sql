DROP TABLE pgbench_history, pgbench_accounts, pgbench_tellers, pgbench_branches, items, comments, posts, users;
