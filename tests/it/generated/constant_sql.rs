//! The SQL of generated functions: constants, completed with the columns that a call has values
//! for.

use bank::{
    Account, AccountChanges, AccountId, AccountStatus, AccountValues, Transfer, TransferValues,
};
use bowline::{Database, ErrorKind, Outcome, Page, Result, Session, StatementDsl as _, sql_query};
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;

use crate::support::{balance, new_account, test_database};

#[bowline::test]
fn rows_of_different_shapes_are_stored_in_the_given_order(db: Database) -> Result<()> {
    let new = |number: usize| AccountValues {
        balance: (number.is_multiple_of(2)).then_some(7),
        status: number.is_multiple_of(3).then_some(AccountStatus::Frozen),
        ..new_account(["a", "b", "c", "d", "e", "f", "g"][number])
    };
    let stored = db.run(Account::insert_many((0..7).map(new).collect()))?;
    for (number, account) in stored.iter().enumerate() {
        assert_eq!(account.username, new(number).username);
        assert_eq!(
            account.balance,
            if number.is_multiple_of(2) { 7 } else { 0 }
        );
        let status = new(number).status.unwrap_or(AccountStatus::Active);
        assert_eq!(account.status, status);
    }
    assert_eq!(
        db.run(Account::insert_many(Vec::<AccountValues<'_>>::new()))?,
        []
    );
    Ok(())
}

#[bowline::test]
fn rows_with_array_columns_are_inserted_in_one_round_trip(db: Database) -> Result<()> {
    let accounts = db.run(Account::insert_many(["ann", "bob"].map(new_account).into()))?;
    let new = |amount: i64| TransferValues {
        sender_id: accounts[0].id,
        receiver_id: accounts[1].id,
        amount,
        created_at: None,
        details: None,
        tags: (amount > 1).then(|| vec![Some(amount.to_string()), None]),
    };
    let stored = db.run(Transfer::insert_many(vec![new(1), new(2), new(3)]))?;
    let amounts: Vec<_> = stored.iter().map(|transfer| transfer.amount).collect();
    assert_eq!(amounts, [1, 2, 3]);
    assert_eq!(stored[0].tags, Vec::<Option<String>>::new());
    assert_eq!(stored[2].tags, [Some("3".to_owned()), None]);
    Ok(())
}

/// The role needs the privilege to write each column that a statement names.
#[test]
fn only_the_columns_that_are_given_are_named() -> Result<()> {
    let database = test_database();
    let db = database.open().expect("a server");
    let script = "CREATE ROLE columns_clerk; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO columns_clerk; \
         GRANT INSERT (username), UPDATE (balance), SELECT ON accounts TO columns_clerk";
    db.session()?.batch_execute(script)?;
    let done = db.transaction(|tx| -> Result<()> {
        tx.run(sql_query("SET LOCAL ROLE columns_clerk").affected())?;
        let named = AccountValues {
            balance: None,
            ..new_account("ann")
        };
        let ann = tx.run(Account::insert(named))?;
        tx.run(Account::update(ann.id, balance(5)))?;
        Ok(())
    });
    db.session()?
        .batch_execute("DROP OWNED BY columns_clerk; DROP ROLE columns_clerk")?;
    done
}

#[test]
fn a_lone_update_of_a_missing_row_is_not_committed() -> Result<()> {
    let database = test_database();
    let db = database.open().expect("a server");
    let missing = db
        .run(Account::update(AccountId(0), balance(1)))
        .expect_err("there is no such account");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.outcome(), Outcome::NotCommitted);
    Ok(())
}

/// pg_prepared_statements has the SQL as it was sent.
#[test]
fn a_single_write_is_prepared_at_its_second_use() -> Result<()> {
    let database = test_database();
    let session = &mut Session::connect(&database.config())?;
    let ann = session.run(Account::insert(new_account("ann")))?;
    session.run(Account::insert(new_account("bob")))?;
    for cents in 0..2 {
        session.run(Account::update(ann.id, balance(cents)))?;
        session.run(Account::find(ann.id))?;
    }
    // In a tuple, the server checks that each statement finds its row.
    for cents in 0..2 {
        session.run((
            Account::update(ann.id, balance(cents)),
            Account::delete(AccountId(0)),
        ))?;
    }
    let list = "SELECT statement FROM pg_prepared_statements ORDER BY prepare_time";
    let statements = session.run(sql_query(list).all::<String>())?;
    let count = |begin: &str| {
        let all = statements.iter();
        all.filter(|statement| statement.starts_with(begin)).count()
    };
    for begin in ["INSERT INTO", "UPDATE accounts", "SELECT id", "DELETE FROM"] {
        assert_eq!(count(begin), 1, "{begin}: {statements:#?}");
    }
    assert_eq!(count("WITH s AS (\nUPDATE accounts"), 1, "{statements:#?}");
    Ok(())
}

#[test]
fn a_missing_row_in_a_tuple_undoes_the_others() -> Result<()> {
    let database = test_database();
    let db = database.open().expect("a server");
    let ann = db.run(Account::insert(new_account("ann")))?;
    let missing = db
        .run((
            Account::update(ann.id, balance(1)),
            Account::update(AccountId(0), balance(1)),
        ))
        .expect_err("there is no such account");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.outcome(), Outcome::NotCommitted);
    assert_eq!(db.run(Account::get(ann.id))?, ann);
    Ok(())
}

#[bowline::test]
fn a_generated_list_is_streamed_and_read_by_a_cursor(db: Database) -> Result<()> {
    let all = db.run(Account::insert_many(
        ["a", "b", "c"].map(new_account).into(),
    ))?;
    let session = &mut *db.session()?;
    let streamed = session
        .stream(Account::list(Page::first(10)))?
        .collect::<Result<Vec<_>>>()?;
    assert_eq!(streamed, all);
    session.transaction(|tx| -> Result<()> {
        let mut cursor = tx.cursor(Account::list(Page::first(10)))?;
        assert_eq!(cursor.fetch(2)?, all[..2]);
        assert_eq!(cursor.fetch_all()?, all[2..]);
        Ok(())
    })
}

#[bowline::test]
fn a_query_holds_its_values(db: Database) -> Result<()> {
    let query = {
        let name = String::from("ann");
        db.run(Account::insert(new_account("ann")))?;
        Account::find_by_username(&name)
    };
    assert!(db.run(query)?.is_some());
    Ok(())
}

#[test]
fn functions_refuse_a_column_whose_type_has_changed() -> Result<()> {
    let database = test_database();
    for cached in [100, 0] {
        let db = database.config().statement_cache(cached).open()?;
        let name = format!("ann{cached}");
        let ann = db.run(Account::insert(new_account(&name)))?;
        db.run(Account::list(Page::first(1)))?;
        let alter = |sql: &str| {
            let mut session = Session::connect(&database.config())?;
            session.batch_execute(sql).map_err(bowline::Error::from)
        };
        alter(
            "ALTER TABLE accounts DROP CONSTRAINT IF EXISTS accounts_balance_check,
                ALTER balance DROP DEFAULT, ALTER balance TYPE float8 USING 1.5",
        )?;
        let read = [
            db.run(Account::get(ann.id)).map(drop),
            db.run(Account::find(ann.id)).map(drop),
            db.run(Account::list(Page::first(1))).map(drop),
            db.run(Account::update(ann.id, AccountChanges::default()))
                .map(drop),
        ];
        for error in read.map(|read| read.expect_err("a float is no bigint")) {
            assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
            let text = error.to_string();
            assert!(
                text.contains("balance") && text.contains("float8"),
                "{text}"
            );
        }
        alter("ALTER TABLE accounts ALTER balance TYPE bigint, ALTER balance SET DEFAULT 0")?;
    }
    Ok(())
}
