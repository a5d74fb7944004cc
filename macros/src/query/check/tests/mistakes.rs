//! Typical mistakes, as snapshots.

use super::answer;

#[test]
fn mistakes_are_underlined() {
    let mistakes = [
        (r#""SELECT id, usernme FROM accounts""#, 0),
        (r#""SELECT id FROM acounts""#, 0),
        ("\"SELECT id\n    FROM accounts\n   WHERE balnce > $1\"", 1),
        (r##"r#"SELECT "Id" FROM accounts"#"##, 0),
        (r#""SELECT 'it\'s', id + username FROM accounts""#, 0),
        (r#""SELECT id FROM accounts WHERE balance > 'much'""#, 0),
        (r#""SELECT status, count(*) FROM accounts""#, 0),
        (r#""INSERT INTO accounts (usernam) VALUES ($1)""#, 1),
        (r#""SELECT id FROM accounts WHERE status = 'activ'""#, 0),
        (
            r#""SELECT id FROM accounts WHERE id = $1 AND username = $2""#,
            1,
        ),
        (r#""SELECT id FROM accounts WHERE id = $1""#, 2),
        (r#""SELECT id, balance + 1 FROM accounts""#, 0),
        (r#""SELECT a.id, b.id FROM accounts a, accounts b""#, 0),
        (
            r#""SELECT pg_notify('a', username) AS sent FROM accounts""#,
            0,
        ),
        (r#""SELECT id FROM accounts; SELECT 1""#, 0),
        (r#""SELEC id FROM accounts""#, 0),
        (r#""""#, 0),
    ];
    let shown: Vec<String> = mistakes
        .iter()
        .map(|(literal, arguments)| answer(literal, *arguments))
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"), @r##"
    column "usernme" does not exist (42703)
      --> src/main.rs:12:32
       |
    12 | SELECT id, usernme FROM accounts
       |            ^^^^^^^
     = help: did you mean accounts.username?

    relation "acounts" does not exist (42P01)
      --> src/main.rs:12:36
       |
    12 | SELECT id FROM acounts
       |                ^^^^^^^
     = help: did you mean accounts?

    column "balnce" does not exist (42703)
      --> src/main.rs:14:10
       |
    14 |    WHERE balnce > $1
       |          ^^^^^^
     = help: did you mean accounts.balance?

    column "Id" does not exist (42703)
      --> src/main.rs:12:30
       |
    12 | SELECT "Id" FROM accounts
       |        ^^^^
     = help: did you mean accounts.id?

    syntax error: missing comma
      --> src/main.rs:12:34
       |
    12 | SELECT 'it's', id + username FROM accounts
       |             ^

    invalid input syntax for type bigint: "much" (22P02)
      --> src/main.rs:12:61
       |
    12 | SELECT id FROM accounts WHERE balance > 'much'
       |                                         ^^^^^^

    column "accounts.status" must appear in the GROUP BY clause or be used in an aggregate function (42803)
      --> src/main.rs:12:28
       |
    12 | SELECT status, count(*) FROM accounts
       |        ^^^^^^
     = help: add it to GROUP BY, or use min(), max() or another aggregate

    column "usernam" of relation "accounts" does not exist (42703)
      --> src/main.rs:12:43
       |
    12 | INSERT INTO accounts (usernam) VALUES ($1)
       |                       ^^^^^^^
     = help: check the spelling, and whether a migration creates it

    invalid input value for enum account_status: "activ" (22P02)
      --> src/main.rs:12:60
       |
    12 | SELECT id FROM accounts WHERE status = 'activ'
       |                                        ^^^^^^^
     = help: its labels are active, frozen, closed

    the query has 2 parameters, and 1 argument is given
      --> src/main.rs:12:74
       |
    12 | SELECT id FROM accounts WHERE id = $1 AND username = $2
       |                                                      ^^

    the query has 1 parameter, and 2 arguments are given

    column 2 has no name
     = help: name it in the SQL with AS

    two columns have the name id
     = help: give one of them another name with AS

    column sent has type void, for which there is no Rust type
      --> src/main.rs:12:56
       |
    12 | SELECT pg_notify('a', username) AS sent FROM accounts
       |                                    ^^^^
     = help: the function returns nothing: cast the call, as pg_notify('a', 'b')::text AS sent, which is an empty text

    cannot insert multiple commands into a prepared statement (42601)
      --> src/main.rs:12:46
       |
    12 | SELECT id FROM accounts; SELECT 1
       |                          ^^^^^^^^
     = help: write each statement by itself

    syntax error: expected command, found a name
      --> src/main.rs:12:21
       |
    12 | SELEC id FROM accounts
       | ^

    there is no statement (42601)
    "##);
}

#[test]
fn more_mistakes_are_underlined() {
    let mistakes = [
        ("SELECT a.id FROM accounts", 0),
        ("SELECT id FROM accounts JOIN transfers ON true", 0),
        ("SELECT id FROM accounts WHERE username = 1", 0),
        ("SELECT id FROM accounts WHERE sum(balance) > 1", 0),
        ("SELECT id FROM accounts WHERE balance", 0),
        ("SELECT lowr(username) AS name FROM accounts", 0),
        ("SELECT count(id, balance) AS n FROM accounts", 0),
        ("SELECT id FROM accounts LIMIT 'many'", 0),
        ("SELECT id FROM accounts ORDER BY 3", 0),
        ("SELECT DISTINCT id FROM accounts ORDER BY balance", 0),
        (
            "SELECT id FROM accounts UNION SELECT username FROM accounts",
            0,
        ),
        ("SELECT (SELECT id, balance FROM accounts) AS a", 0),
        ("SELECT id FROM accounts a WHERE accounts.id = 1", 0),
        ("SELECT username::bigint2 AS n FROM accounts", 0),
        ("SELECT created_at::bigint AS n FROM accounts", 0),
        ("SELECT CASE WHEN true THEN 1 ELSE now() END AS n", 0),
        ("INSERT INTO accounts (username) VALUES ('a', 1)", 0),
        ("INSERT INTO accounts (id, username) VALUES (1, 'a')", 0),
        (
            "INSERT INTO accounts (username) VALUES ('a') ON CONFLICT (balance) DO NOTHING",
            0,
        ),
        ("UPDATE accounts SET display_name = 'a'", 0),
        ("UPDATE accounts SET balance = 'much'", 0),
        ("DELETE FROM transfers WHERE account_id = 1", 0),
        ("SELECT id FROM accounts WHERE id = $1 OR username = $1", 1),
        ("SELECT ROW(1, 2) AS pair", 0),
    ];
    let shown: Vec<String> = mistakes
        .iter()
        .map(|(sql, arguments)| answer(&format!("{sql:?}"), *arguments))
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"), @r#"
    missing FROM-clause entry for table "a" (42P01)
      --> src/main.rs:12:28
       |
    12 | SELECT a.id FROM accounts
       |        ^^^^
     = help: check the alias, and whether FROM has the table

    column reference "id" is ambiguous (42702)
      --> src/main.rs:12:28
       |
    12 | SELECT id FROM accounts JOIN transfers ON true
       |        ^^
     = help: write the table before it

    operator does not exist: text = integer (42883)
      --> src/main.rs:12:51
       |
    12 | SELECT id FROM accounts WHERE username = 1
       |                               ^^^^^^^^^^^^
     = help: no operator takes operands of these types: cast one of them

    aggregate functions are not allowed in WHERE (42803)
      --> src/main.rs:12:51
       |
    12 | SELECT id FROM accounts WHERE sum(balance) > 1
       |                               ^^^^^^^^^^^^

    argument of WHERE must be type boolean, not type bigint (42804)
      --> src/main.rs:12:51
       |
    12 | SELECT id FROM accounts WHERE balance
       |                               ^^^^^^^

    function lowr(text) does not exist (42883)
      --> src/main.rs:12:28
       |
    12 | SELECT lowr(username) AS name FROM accounts
       |        ^^^^^^^^^^^^^^
     = help: did you mean lower?

    function count(bigint, bigint) does not exist (42883)
      --> src/main.rs:12:28
       |
    12 | SELECT count(id, balance) AS n FROM accounts
       |        ^^^^^^^^^^^^^^^^^^
     = help: no function of this name takes such arguments: check the spelling, or cast them

    invalid input syntax for type bigint: "many" (22P02)
      --> src/main.rs:12:51
       |
    12 | SELECT id FROM accounts LIMIT 'many'
       |                               ^^^^^^

    ORDER BY position 3 is not in select list (42P10)
      --> src/main.rs:12:54
       |
    12 | SELECT id FROM accounts ORDER BY 3
       |                                  ^

    for SELECT DISTINCT, ORDER BY expressions must appear in select list (42P10)
      --> src/main.rs:12:63
       |
    12 | SELECT DISTINCT id FROM accounts ORDER BY balance
       |                                           ^^^^^^^

    UNION types bigint and text cannot be matched (42804)
      --> src/main.rs:12:58
       |
    12 | SELECT id FROM accounts UNION SELECT username FROM accounts
       |                                      ^^^^^^^^

    subquery must return only one column (42601)
      --> src/main.rs:12:28
       |
    12 | SELECT (SELECT id, balance FROM accounts) AS a
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    invalid reference to FROM-clause entry for table "accounts" (42P01)
      --> src/main.rs:12:53
       |
    12 | SELECT id FROM accounts a WHERE accounts.id = 1
       |                                 ^^^^^^^^^^^
     = help: write its alias: a

    type "bigint2" does not exist (42704)
      --> src/main.rs:12:38
       |
    12 | SELECT username::bigint2 AS n FROM accounts
       |                  ^^^^^^^
     = help: create the type, or the extension that has it, in a migration

    cannot cast type timestamp with time zone to bigint (42846)
      --> src/main.rs:12:28
       |
    12 | SELECT created_at::bigint AS n FROM accounts
       |        ^^^^^^^^^^

    CASE types timestamp with time zone and integer cannot be matched (42804)
      --> src/main.rs:12:48
       |
    12 | SELECT CASE WHEN true THEN 1 ELSE now() END AS n
       |                            ^

    INSERT has more expressions than target columns (42601)
      --> src/main.rs:12:66
       |
    12 | INSERT INTO accounts (username) VALUES ('a', 1)
       |                                              ^

    cannot insert a non-DEFAULT value into column "id" (428C9)
      --> src/main.rs:12:65
       |
    12 | INSERT INTO accounts (id, username) VALUES (1, 'a')
       |                                             ^
     = help: it is an identity column defined as GENERATED ALWAYS: leave it out

    there is no unique or exclusion constraint matching the ON CONFLICT specification (42P10)
      --> src/main.rs:12:78
       |
    12 | INSERT INTO accounts (username) VALUES ('a') ON CONFLICT (balance) DO NOTHING
       |                                                          ^^^^^^^^^
     = help: create a unique index on these columns

    column "display_name" can only be updated to DEFAULT (428C9)
      --> src/main.rs:12:56
       |
    12 | UPDATE accounts SET display_name = 'a'
       |                                    ^^^
     = help: it is a generated column: leave it out

    invalid input syntax for type bigint: "much" (22P02)
      --> src/main.rs:12:51
       |
    12 | UPDATE accounts SET balance = 'much'
       |                               ^^^^^^

    column "account_id" does not exist (42703)
      --> src/main.rs:12:49
       |
    12 | DELETE FROM transfers WHERE account_id = 1
       |                             ^^^^^^^^^^
     = help: check the spelling, and whether a table in FROM has it

    operator does not exist: text = bigint (42883)
      --> src/main.rs:12:62
       |
    12 | SELECT id FROM accounts WHERE id = $1 OR username = $1
       |                                          ^^^^^^^^^^^^^
     = help: no operator takes operands of these types: cast one of them

    column pair has type record, for which there is no Rust type
      --> src/main.rs:12:41
       |
    12 | SELECT ROW(1, 2) AS pair
       |                     ^^^^
     = help: the fields of pair cannot be named where it is sent: write the row of a table, or of a subquery, such as ARRAY(SELECT t FROM transfers t)
    "#);
}
