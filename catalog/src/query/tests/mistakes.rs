//! Typical mistakes. PostgreSQL refuses each with the same SQLSTATE, and the message has the
//! position and a hint.

use bowline_migrations::SqlFile;

use super::server::Server;
use crate::query::Checker;
use crate::replay;

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
    "SELECT usrname FROM accounts",
    "SELECT accounts.usrname FROM accounts",
    "SELECT * FROM acounts",
    "SELECT a.id FROM accounts",
    "SELECT id FROM accounts, transfers",
    "SELECT lowr(username) FROM accounts",
    "SELECT lower(id) FROM accounts",
    "SELECT username + 1 FROM accounts",
    "SELECT * FROM accounts WHERE status = 'closed'",
    "SELECT * FROM accounts WHERE id = 'seven'",
    "SELECT * FROM accounts WHERE username",
    "SELECT * FROM accounts WHERE count(*) > 1",
    "SELECT username, count(*) FROM accounts GROUP BY status",
    "SELECT username, count(*) FROM accounts",
    "SELECT sum(count(*)) FROM accounts",
    "SELECT row_number() FROM accounts",
    "SELECT id FROM accounts WHERE row_number() OVER () = 1",
    "SELECT id FROM accounts ORDER BY 2",
    "SELECT id FROM accounts ORDER BY document",
    "SELECT DISTINCT document FROM accounts",
    "SELECT id FROM accounts UNION SELECT id, amount FROM transfers",
    "SELECT id FROM accounts UNION SELECT created_at FROM accounts",
    "SELECT CASE WHEN true THEN 1 ELSE created_at END FROM accounts",
    "SELECT id FROM accounts WHERE id IN (SELECT id, amount FROM transfers)",
    "SELECT (SELECT id, amount FROM transfers)",
    "SELECT id::statu FROM accounts",
    "SELECT created_at::bigint FROM accounts",
    "SELECT tags[1].title FROM accounts",
    "SELECT jsonb_build_object('a', $1)",
    "SELECT id FROM accounts WHERE $1 IS NULL OR id = $1",
    "SELECT id FROM accounts WHERE id = $1 AND username = $1",
    "SELECT id FROM accounts JOIN transfers USING (sender_id)",
    "INSERT INTO accounts (username, usrname) VALUES ('a', 'b')",
    "INSERT INTO accounts (username, balance) VALUES ('a')",
    "INSERT INTO accounts (username) VALUES ('a', 1)",
    "INSERT INTO accounts (id, username) VALUES (1, 'a')",
    "SELECT id FROM accounts FOR UPDATE OF transfers",
    "UPDATE accounts SET balance = 'much'",
    "UPDATE accounts SET doubled = 1",
    "WITH x AS (DELETE FROM transfers) SELECT * FROM x",
];

#[test]
fn a_mistake_has_postgresqls_message() {
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: SCHEMA.to_owned(),
    };
    let replayed = replay::replay([&file]);
    let checker = Checker::new(&replayed.catalog);
    let mut server = Server::start("mistakes");
    server.create(SCHEMA);
    let mut shown = String::new();
    for sql in MISTAKES {
        let fault = checker.check(sql).expect_err(sql);
        let refusal = server.describe(sql).expect_err(sql);
        assert_eq!(fault.code, Some(refusal.code.as_str()), "{sql}: {fault}");
        let before = " ".repeat(fault.span.start);
        let under = "^".repeat(fault.span.len().max(1));
        let hint = fault.hint.unwrap_or_default();
        shown.push_str(&format!(
            "{sql}\n{before}{under}\n{}\n{hint}\n\n",
            fault.message
        ));
    }
    insta::assert_snapshot!(shown);
}
