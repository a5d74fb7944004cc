//! Statements that a server describes as the checker does, or refuses with the same SQLSTATE.

use super::comparison::{Verdict, judge};
use super::server::Server;
use crate::query::Checker;
use crate::testing::replayed;

const SCHEMA: &str = "
    CREATE TYPE pair AS (x int, y text);
    CREATE TABLE t (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b text, j json,
        twice int GENERATED ALWAYS AS (a * 2) STORED, p pair
    );
    CREATE TABLE u (id int, c text);
    CREATE TABLE d (id int, doc jsonb);
    CREATE VIEW one AS SELECT 1 AS first;
    CREATE VIEW v AS SELECT id, a, b, twice FROM t;
    CREATE VIEW vv AS SELECT id, a + 1 AS more, b FROM v;
    CREATE VIEW vlock AS SELECT id, a FROM t FOR UPDATE;
    CREATE VIEW vagg AS SELECT count(*) AS n FROM t;
    CREATE VIEW vset AS SELECT id, generate_series(1, a) AS g FROM t;
    CREATE VIEW vexpr AS SELECT a + 1 AS more FROM t;
    CREATE VIEW vw AS SELECT id, a FROM t WINDOW w AS (ORDER BY a);
    CREATE VIEW vunion AS SELECT id FROM t UNION SELECT id FROM u;
    CREATE VIEW vdist AS SELECT DISTINCT a FROM t;
    CREATE VIEW vleft AS SELECT t.id, u.c FROM t LEFT JOIN u ON u.id = t.id;
    CREATE VIEW vsub AS SELECT * FROM (SELECT a, count(*) AS n FROM t GROUP BY a) s;
    CREATE VIEW vfun AS SELECT count(*) AS n FROM generate_series(1, 2) g;
    CREATE VIEW vlim AS SELECT id, a FROM t LIMIT 3;
    CREATE MATERIALIZED VIEW mv AS SELECT id, a FROM t;
    CREATE VIEW vmat AS SELECT id FROM mv;
    CREATE SEQUENCE s;
    CREATE PROCEDURE work(a int, INOUT b text) LANGUAGE plpgsql AS $$ BEGIN b := NULL; END $$;
";

/// A statement in each line.
const STATEMENTS: &str = include_str!("sqlstates.sql");

#[test]
fn a_server_describes_and_refuses_as_the_checker() {
    let mut server = Server::start("codes");
    server.create(SCHEMA);
    let catalog = replayed(SCHEMA);
    let checker = Checker::new(&catalog).for_version(Some(server.version));
    let check = |sql: &str, nullable: &[bool]| checker.check_with(sql, nullable);
    let mut wrong = Vec::new();
    let mut refused = 0;
    for sql in STATEMENTS.lines() {
        match judge(&catalog, &check, &mut server, sql) {
            Ok(query) => match server.plan(sql, query.parameters.len()) {
                // An error of a value arises when the query runs.
                Err(refusal) if !refusal.code.starts_with("22") => {
                    let message = refusal.message;
                    wrong.push(format!("{sql}\n  accepted, not planned: {message}"));
                }
                _ => {}
            },
            Err(Verdict::Accepted { .. }) => {}
            Err(Verdict::Error) => refused += 1,
            Err(Verdict::Refused(fault)) => wrong.push(format!("{sql}\n  not inferred: {fault}")),
            Err(Verdict::Wrong(failure)) => wrong.push(format!("{sql}\n  {}", failure.words)),
        }
    }
    assert!(refused > 100, "{refused} are refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
