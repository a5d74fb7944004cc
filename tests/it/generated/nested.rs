//! Rows within rows: whole rows and arrays of rows among the results, on a real server.

use bank::queries::accounts;
use bank::{Account, AccountStatus, AccountValues, Transfer, TransferValues};
use bowline::{Database, ErrorKind, Result, query, sql_query};
use diesel::connection::SimpleConnection as _;

use crate::support::{new_account, test_database};

/// Inserts two accounts, and two transfers from the first to the second.
fn sent(db: &Database) -> Result<(Account, Account, [Transfer; 2])> {
    let frozen = AccountValues {
        status: Some(AccountStatus::Frozen),
        full_name: Some("Bob B.".into()),
        ..new_account("bob")
    };
    let (ann, bob) = db.run((Account::insert(new_account("ann")), Account::insert(frozen)))?;
    let transfer = |amount| TransferValues {
        sender_id: ann.id,
        receiver_id: bob.id,
        amount,
        created_at: None,
        details: Some(serde_json::json!({"for": [1, null]})),
        tags: Some(vec![Some("home".to_owned()), None]),
    };
    let (first, second) = db.run((Transfer::insert(transfer(1)), Transfer::insert(transfer(2))))?;
    Ok((ann, bob, [first, second]))
}

#[bowline::test]
fn a_row_that_is_missing_is_none(db: Database) -> Result<()> {
    let (ann, bob, [_, last]) = sent(&db)?;
    let rows = db.run(accounts::with_last_transfer())?;
    let found: Vec<_> = rows
        .into_iter()
        .map(|row| (row.account, row.last_transfer))
        .collect();
    assert_eq!(found, [(ann, Some(last)), (bob, None)]);
    Ok(())
}

#[bowline::test]
fn an_array_of_rows_is_a_list(db: Database) -> Result<()> {
    let (ann, bob, [first, second]) = sent(&db)?;
    db.run((
        accounts::label(ann.id, "vip", None),
        accounts::label(ann.id, "new", Some("red")),
    ))?;
    let statement = db.run(accounts::statement("ann"))?.expect("an account");
    assert_eq!(statement.account, ann);
    let labels: Vec<_> = statement
        .labels
        .iter()
        .map(|label| (&*label.label, label.colour.as_deref()))
        .collect();
    assert_eq!(labels, [("new", Some("red")), ("vip", None)]);
    let lines: Vec<_> = statement
        .lines
        .into_iter()
        .map(|line| (line.transfer, line.receiver))
        .collect();
    assert_eq!(
        lines,
        [(second, "bob".to_owned()), (first, "bob".to_owned())]
    );
    let of_bob = db.run(accounts::statement("bob"))?.expect("an account");
    assert_eq!(of_bob.account, bob);
    assert!(of_bob.labels.is_empty() && of_bob.lines.is_empty());
    Ok(())
}

#[bowline::test]
fn rows_in_source_code_have_structs_too(db: Database) -> Result<()> {
    let (ann, bob, transfers) = sent(&db)?;
    let sent = query!(
        "SELECT a AS account, array_agg(t ORDER BY t.id) AS sent,
                array_agg(t ORDER BY t.id) FILTER (WHERE t.id IS NOT NULL) AS only
           FROM accounts a LEFT JOIN transfers t ON t.sender_id = a.id
          GROUP BY a.id ORDER BY a.id"
    );
    let sent = db.run(sent.all())?;
    let [first, second] = transfers;
    let both = vec![first.clone(), second];
    assert_eq!(sent[0].account, ann);
    let with_missing: &Vec<Option<Transfer>> = &sent[0].sent;
    let wrapped: Vec<_> = both.iter().cloned().map(Some).collect();
    assert_eq!(*with_missing, wrapped);
    let only: &Option<Vec<Transfer>> = &sent[0].only;
    assert_eq!(only.as_ref(), Some(&both));
    assert_eq!((&sent[1].account, &sent[1].only), (&bob, &None));
    assert_eq!(sent[1].sent, [None]);
    Ok(())
}

/// A row whose columns are all NULL is `Some`, and a row that an outer join does not find is
/// `None`.
#[bowline::test]
fn a_row_of_nulls_is_no_missing_row(db: Database) -> Result<()> {
    let rows = query!(
        "SELECT n.id, s AS pair
           FROM (VALUES (1), (2)) n (id)
           LEFT JOIN (SELECT 1 AS number, NULL::text AS word, NULL::int AS other) s
             ON s.number = n.id
          ORDER BY n.id"
    );
    let rows = db.run(rows.all())?;
    let pair = rows[0].pair.as_ref().expect("a row");
    assert_eq!((pair.number, &pair.word, pair.other), (1, &None, None));
    assert!(rows[1].pair.is_none());
    let nulls = query!("SELECT s AS pair FROM (SELECT NULL::text AS word) s");
    let word: Option<String> = db.run(nulls.one())?.pair.word;
    assert_eq!(word, None);
    Ok(())
}

#[bowline::test]
fn types_within_rows_are_those_of_columns(db: Database) -> Result<()> {
    let row = query!(
        "SELECT s AS found, ARRAY(SELECT n FROM (VALUES (1.5::float8, '{a,NULL}'::text[]), (NULL, NULL)) n (price, words)) AS list
           FROM (SELECT '6f0e0000-0000-4000-8000-000000000001'::uuid AS id, 'active'::account_status AS status,
                        now() AS at, '{\"a\": 1}'::jsonb AS doc, 'x'::varchar(3) AS short,
                        ARRAY(SELECT d FROM (SELECT true AS yes) d) AS deeper) s"
    );
    let row = db.run(row.one())?;
    assert_eq!(row.found.status, AccountStatus::Active);
    assert_eq!(row.found.id.as_u128() >> 112, 0x6f0e);
    assert_eq!(row.found.doc["a"], 1);
    assert_eq!((&*row.found.short, row.found.deeper[0].yes), ("x", true));
    let prices: Vec<_> = row.list.iter().map(|it| it.price).collect();
    assert_eq!(prices, [Some(1.5), None]);
    let words = vec![Some("a".to_owned()), None];
    assert_eq!(row.list[0].words, Some(words));
    Ok(())
}

#[cfg(feature = "numeric")]
#[bowline::test]
fn a_numeric_within_a_row_is_exact(db: Database) -> Result<()> {
    let row = query!("SELECT s AS found FROM (SELECT 12345678901234567890.10::numeric AS price) s");
    let price = db.run(row.one())?.found.price;
    assert_eq!(price.to_string(), "12345678901234567890.10");
    Ok(())
}

#[bowline::test]
fn rows_that_a_statement_writes_are_returned(db: Database) -> Result<()> {
    let (ann, ..) = sent(&db)?;
    let changed = query!(
        "UPDATE accounts SET balance = balance + 1 WHERE id = $1 RETURNING accounts AS account",
        ann.id
    );
    let changed = db.run(changed.one())?.account;
    assert_eq!(changed.balance, ann.balance + 1);
    assert_eq!(db.run(Account::get(ann.id))?, changed);
    Ok(())
}

/// The statements are prepared before the schema changes, and run again afterwards.
#[test]
fn an_old_release_runs_on_while_columns_come_and_go() {
    let database = test_database();
    let db = database.open().expect("a server");
    sent(&db).expect("rows");
    let session = &mut *db.session().expect("a session");
    let names = || {
        query!(
            "SELECT ARRAY(SELECT n FROM (SELECT id, username FROM accounts ORDER BY id) n) AS names"
        )
        .one()
    };
    let mut run = |change: &str| {
        session.batch_execute(change).expect("DDL");
        // A statement is prepared at its second use.
        for _ in 0..2 {
            let rows = session.run(accounts::with_last_transfer()).expect("rows");
            assert!(rows[0].last_transfer.is_some() && rows[1].last_transfer.is_none());
            let found = session.run(accounts::statement("ann")).expect("a row");
            assert_eq!(found.map(|it| it.lines.len()), Some(2));
            let names = session.run(names()).expect("names").names;
            assert_eq!(&*names[1].username, "bob");
        }
        let prepared = sql_query(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%ROW(%' AND statement NOT LIKE 'SELECT count%'",
        );
        session.run(prepared.one::<i64>()).expect("a number")
    };
    assert_eq!(run(""), 3);
    for change in [
        "ALTER TABLE transfers ADD COLUMN note text NOT NULL DEFAULT 'x'",
        "ALTER TABLE accounts ADD COLUMN note int",
        "ALTER TABLE transfers DROP COLUMN note",
        "ALTER TABLE accounts DROP COLUMN note",
    ] {
        run(change);
    }
    // Only `names` does not use this column.
    session
        .batch_execute("ALTER TABLE accounts DROP COLUMN email")
        .expect("DDL");
    let names = session.run(names()).expect("names").names;
    assert_eq!(names.len(), 2);
    let error = session.run(accounts::with_last_transfer());
    assert_eq!(error.expect_err("no column").kind(), ErrorKind::Query);
}

#[test]
fn a_field_of_another_type_is_an_error() {
    let database = test_database();
    let db = database.open().expect("a server");
    sent(&db).expect("rows");
    let session = &mut *db.session().expect("a session");
    session
        .batch_execute("ALTER TABLE transfers ALTER amount TYPE float8")
        .expect("DDL");
    let error = session.run(accounts::with_last_transfer());
    let error = error.expect_err("another type");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let text = error.to_string();
    assert!(text.contains("amount") && text.contains("float8"), "{text}");
}
