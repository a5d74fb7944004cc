//! Typical mistakes in a query file: each is underlined in the file, with PostgreSQL's code.

use crate::Project;

const SCHEMA: &str = "
    CREATE TYPE status AS ENUM ('open', 'frozen');
    CREATE TABLE accounts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        username text NOT NULL UNIQUE,
        balance numeric NOT NULL DEFAULT 0,
        doubled numeric GENERATED ALWAYS AS (balance * 2) STORED,
        status status NOT NULL DEFAULT 'open',
        tags text[] NOT NULL DEFAULT '{}',
        document json,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE transfers (
        id bigserial PRIMARY KEY,
        sender_id bigint NOT NULL REFERENCES accounts,
        amount numeric NOT NULL
    );
";

const MISTAKES: [&str; 40] = [
    "SELECT usrname FROM accounts WHERE id = :id",
    "SELECT a.usrname\n  FROM accounts a\n WHERE a.id = :id",
    "SELECT * FROM acounts",
    "SELECT a.id FROM accounts",
    "SELECT id FROM accounts, transfers WHERE amount > :least",
    "SELECT lowr(username) FROM accounts",
    "SELECT lower(:id::bigint) FROM accounts",
    "SELECT username + :more::int FROM accounts",
    "SELECT * FROM accounts WHERE status = 'closed'",
    "SELECT * FROM accounts WHERE id = :id AND status = 'opn' -- a typo",
    "SELECT * FROM accounts WHERE username",
    "SELECT * FROM accounts WHERE count(*) > :least",
    "SELECT username, count(*) FROM accounts GROUP BY status",
    "SELECT status, max(balance), username FROM accounts GROUP BY status",
    "SELECT sum(count(*)) FROM accounts",
    "SELECT row_number() FROM accounts",
    "SELECT id FROM accounts WHERE row_number() OVER () = :place",
    "SELECT id FROM accounts ORDER BY 2",
    "SELECT id FROM accounts ORDER BY document",
    "SELECT DISTINCT document FROM accounts",
    "SELECT id FROM accounts UNION SELECT id, amount FROM transfers",
    "SELECT id FROM accounts UNION SELECT created_at FROM accounts",
    "SELECT CASE WHEN :is_known THEN 1 ELSE created_at END FROM accounts",
    "SELECT id FROM accounts WHERE id IN (SELECT id, amount FROM transfers)",
    "SELECT (SELECT id, amount FROM transfers) AS pair",
    "SELECT :status::statu",
    "SELECT created_at::bigint FROM accounts",
    "SELECT tags[1].title FROM accounts",
    "SELECT jsonb_build_object('a', :value)",
    "SELECT id FROM accounts WHERE :id IS NULL OR id = :id",
    "SELECT id FROM accounts WHERE id = :key AND username = :key",
    "SELECT id FROM accounts JOIN transfers USING (sender_id)",
    "INSERT INTO accounts (username, usrname) VALUES (:a, :b)",
    "INSERT INTO accounts (username, balance) VALUES (:a)",
    "INSERT INTO accounts (username) VALUES (:a, 1)",
    "INSERT INTO accounts (id, username) VALUES (:id, :a)",
    "SELECT id FROM accounts FOR UPDATE OF transfers",
    "UPDATE accounts SET balance = 'much' WHERE id = :id",
    "UPDATE accounts SET doubled = :doubled",
    "WITH gone AS (DELETE FROM transfers) SELECT * FROM gone",
];

#[test]
fn typical_mistakes_are_underlined_in_the_file() {
    let mut file = String::new();
    for (number, sql) in (1..).zip(MISTAKES) {
        file.push_str(&format!("-- name: q{number} :many\n{sql}\n;\n\n"));
    }
    let project = Project::bare(&[
        ("migrations/0001_accounts.sql", SCHEMA),
        ("queries/all.sql", &file),
    ]);
    let printed = project.printed(&["queries"], &[]);
    assert_eq!(printed.matches("\nerror[").count(), MISTAKES.len());
    let errors = printed.find("error[").unwrap_or_default();
    insta::assert_snapshot!(&printed[errors..]);
}
