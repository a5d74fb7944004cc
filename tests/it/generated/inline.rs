//! `query!` and `query_as!` on the bank, on a real server.

use bank::{Account, AccountId, AccountStatus, Transfer, TransferValues};
use bowline::{Database, ErrorKind, Result, query, query_as};

use crate::support::new_account;

#[bowline::test]
fn rows_have_a_field_for_each_column(db: Database) -> Result<()> {
    let (ann, _) = db.run((
        Account::insert(new_account("ann")),
        Account::insert(new_account("bob")),
    ))?;
    let least = 0;
    let rich = db.run(
        query!(
            "SELECT id, username, balance, full_name FROM accounts
              WHERE balance >= $1 ORDER BY username",
            least
        )
        .all(),
    )?;
    assert_eq!(rich.len(), 2);
    let id: AccountId = rich[0].id;
    let full_name: &Option<String> = &rich[0].full_name;
    assert_eq!((id, &*rich[0].username), (ann.id, "ann"));
    assert_eq!(full_name, &ann.full_name);
    assert!(format!("{:?}", rich[0]).starts_with("Row { id: "));
    Ok(())
}

#[bowline::test]
fn the_caller_says_how_many_rows_there_are(db: Database) -> Result<()> {
    let ann = db.run(Account::insert(new_account("ann")))?;
    let name = String::from("ann");
    let found = db.run(query!("SELECT id FROM accounts WHERE username = $1", &name).optional())?;
    assert_eq!(found.map(|row| row.id), Some(ann.id));
    let none = db.run(query!("SELECT id FROM accounts WHERE username = $1", "eve").optional())?;
    assert!(none.is_none());
    let count = db.run(query!("SELECT count(*) AS accounts FROM accounts").one())?;
    assert_eq!(count.accounts, 1);
    let error = db
        .run(query!("SELECT id FROM accounts WHERE username = $1", "eve").one())
        .expect_err("there is no such row");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}

#[bowline::test]
fn enums_and_arrays_are_those_of_generated_code(db: Database) -> Result<()> {
    let ann = db.run(Account::insert(new_account("ann")))?;
    let ids = vec![ann.id];
    let found = db.run(
        query!(
            "SELECT status FROM accounts WHERE status = $1 AND id = ANY($2)",
            AccountStatus::Active,
            &ids
        )
        .all(),
    )?;
    assert_eq!(found[0].status, AccountStatus::Active);
    Ok(())
}

#[bowline::test]
fn a_statement_without_rows_counts_them(db: Database) -> Result<()> {
    let ann = db.run(Account::insert(new_account("ann")))?;
    let colour: Option<&str> = None;
    let label = || {
        query!(
            "INSERT INTO account_labels (account_id, label, colour) VALUES ($1, $2, $3)",
            ann.id,
            "vip",
            colour as Option<_>
        )
    };
    db.run(label().exactly(1))?;
    let removed = query!("DELETE FROM account_labels WHERE account_id = $1", ann.id);
    assert_eq!(db.run(removed.affected())?, 1);
    let missing = query!("DELETE FROM account_labels WHERE account_id = $1", ann.id);
    assert!(db.run(missing.exactly(1)).is_err());
    Ok(())
}

#[derive(Debug, PartialEq)]
struct Sum {
    username: String,
    received: i64,
    latest: i64,
}

#[bowline::test]
fn rows_are_read_into_a_struct(db: Database) -> Result<()> {
    let (ann, bob) = db.run((
        Account::insert(new_account("ann")),
        Account::insert(new_account("bob")),
    ))?;
    db.run(Transfer::insert(TransferValues {
        sender_id: ann.id,
        receiver_id: bob.id,
        amount: 7,
        created_at: None,
        details: None,
        tags: None,
    }))?;
    let sums = query_as!(
        Sum,
        r#"SELECT username, sum(amount)::bigint AS "received!", max(amount) AS latest
             FROM accounts JOIN transfers ON receiver_id = accounts.id
            GROUP BY accounts.id"#
    );
    let expected = Sum {
        username: "bob".to_owned(),
        received: 7,
        latest: 7,
    };
    assert_eq!(db.run(sums.all())?, [expected]);
    let again = query_as!(Account, "SELECT * FROM accounts WHERE username = $1", "bob");
    let none = query_as!(Account, "SELECT * FROM accounts WHERE username = $1", "eve");
    assert_eq!(db.run((again.one(), none.optional()))?, (bob, None));
    Ok(())
}

#[bowline::test]
fn a_null_that_the_alias_excludes_is_an_error(db: Database) -> Result<()> {
    let wrong = query!(r#"SELECT NULL::text AS "name!""#);
    let error = db.run(wrong.one()).expect_err("it is NULL");
    assert_eq!(error.kind(), ErrorKind::Decode);
    let kept = db.run(query!(r#"SELECT 1 AS "one?: i32""#).one())?;
    assert_eq!(kept.one, Some(1));
    let joined = db.run(query!(concat!("SELECT ", 1, " AS one, ", "'a' AS \"text\"")).one())?;
    assert_eq!((joined.one, &*joined.text), (1, "a"));
    Ok(())
}

#[bowline::test]
fn rows_are_streamed_and_fetched_by_a_cursor(db: Database) -> Result<()> {
    db.run((
        Account::insert(new_account("ann")),
        Account::insert(new_account("bob")),
    ))?;
    let names = || query!("SELECT username FROM accounts ORDER BY username FOR UPDATE").all();
    let sums = || {
        query_as!(
            Sum,
            r#"SELECT username, balance AS received, 0::bigint AS "latest: _"
                 FROM accounts ORDER BY username"#
        )
        .all()
    };
    db.transaction(|tx| {
        let streamed: Vec<String> = tx
            .stream(names())?
            .map(|row| row.map(|row| row.username))
            .collect::<Result<_>>()?;
        assert_eq!(streamed, ["ann", "bob"]);
        let structs: Vec<Sum> = tx.stream(sums())?.collect::<Result<_>>()?;
        assert_eq!(structs[1].username, "bob");
        let mut cursor = tx.cursor(sums())?;
        let first = cursor.fetch(1)?;
        assert_eq!((first.len(), &*first[0].username), (1, "ann"));
        Ok(())
    })
}
