//! The functions of the bank's query files, each on a real server.

use std::cmp::Reverse;

use bank::queries::accounts::SearchOrder;
use bank::queries::{accounts, transfers};
use bank::{
    Account, AccountId, AccountLabel, AccountStatus, AccountValues, Transfer, TransferValues,
};
use bowline::{Database, ErrorKind, Page, Result, Statement as _, StatementDsl as _, sql_query};
use chrono::DateTime;

use crate::support::new_account;

fn sent(from: &Account, to: &Account, amount: i64) -> TransferValues {
    TransferValues {
        sender_id: from.id,
        receiver_id: to.id,
        amount,
        created_at: None,
        details: None,
        tags: Some(vec![Some("home".to_owned()), None]),
    }
}

fn two_accounts(db: &Database) -> Result<(Account, Account)> {
    db.run((
        Account::insert(new_account("ann")),
        Account::insert(new_account("bob")),
    ))
}

#[bowline::test]
fn rows_have_the_columns_of_the_query(db: Database) -> Result<()> {
    let (ann, bob) = two_accounts(&db)?;
    let (first, second) = db.run((
        Transfer::insert(sent(&ann, &bob, 1)),
        Transfer::insert(sent(&ann, &bob, 2)),
    ))?;
    let received = db.run(transfers::received_since(bob.id, DateTime::UNIX_EPOCH, 10))?;
    let ids: Vec<_> = received.iter().map(|row| row.id).collect();
    assert_eq!(ids, [second.id, first.id]);
    assert_eq!(
        (
            &*received[0].sender_name,
            received[0].amount,
            &received[0].tags
        ),
        ("ann", 2, &second.tags)
    );
    let one = db.run(transfers::received_since(bob.id, first.created_at, 1))?;
    assert_eq!(one, received[..1]);
    Ok(())
}

#[bowline::test]
fn an_array_is_a_slice_and_an_outer_join_an_option(db: Database) -> Result<()> {
    let (ann, bob) = two_accounts(&db)?;
    db.run(Transfer::insert(sent(&ann, &bob, 7)))?;
    let totals = db.run(transfers::totals(&[ann.id, bob.id]))?;
    let shown: Vec<_> = totals
        .iter()
        .map(|row| (&*row.username, row.transfers, row.amount))
        .collect();
    assert_eq!(shown, [("ann", 1, Some(7)), ("bob", 0, None)]);
    assert!(db.run(transfers::totals(&[]))?.is_empty());
    Ok(())
}

#[bowline::test]
fn a_query_of_all_columns_returns_the_tables_row(db: Database) -> Result<()> {
    let frozen = AccountValues {
        status: Some(AccountStatus::Frozen),
        ..new_account("eve")
    };
    let ((ann, _), eve) = (two_accounts(&db)?, db.run(Account::insert(frozen))?);
    let (less, too_much, is_frozen) = db.run((
        accounts::withdraw(30, ann.id),
        accounts::withdraw(71, ann.id),
        accounts::withdraw(1, eve.id),
    ))?;
    assert_eq!(less, Some(db.run(Account::get(ann.id))?));
    assert_eq!(less.map(|account| account.balance), Some(70));
    assert_eq!((too_much, is_frozen), (None, None));
    Ok(())
}

#[bowline::test]
fn a_nullable_parameter_is_sent_as_null(db: Database) -> Result<()> {
    let (ann, _) = two_accounts(&db)?;
    db.run((
        accounts::label(ann.id, "vip", None),
        accounts::label(ann.id, "new", Some("red")),
    ))?;
    let colour = |label| {
        db.run(AccountLabel::get(ann.id, label))
            .map(|label| label.colour)
    };
    assert_eq!(
        (colour("vip")?, colour("new")?.as_deref()),
        (None, Some("red"))
    );
    Ok(())
}

#[bowline::test]
fn another_number_of_rows_commits_nothing(db: Database) -> Result<()> {
    let (ann, _) = two_accounts(&db)?;
    let wrong = db.run((
        accounts::withdraw(30, ann.id),
        accounts::relabel("blue", ann.id, "vip"),
    ));
    assert_eq!(
        wrong.expect_err("no such label").kind(),
        ErrorKind::NotFound
    );
    assert_eq!(db.run(Account::get(ann.id))?.balance, 100);
    db.run(accounts::label(ann.id, "vip", None))?;
    db.run(accounts::relabel("blue", ann.id, "vip"))?;
    assert_eq!(db.run(accounts::remove_labels(ann.id))?, 1);
    assert_eq!(db.run(accounts::remove_labels(ann.id))?, 0);
    Ok(())
}

#[bowline::test]
fn a_violated_constraint_and_the_function_are_named(db: Database) -> Result<()> {
    let (ann, _) = two_accounts(&db)?;
    db.run(accounts::label(ann.id, "vip", None))?;
    let again = db
        .run(accounts::label(ann.id, "vip", None))
        .expect_err("a duplicate");
    assert_eq!(again.constraint(), Some(bank::AccountLabelConstraint::Pkey));
    Ok(())
}

#[bowline::test]
fn rows_of_query_files_are_locked_and_mapped(db: Database) -> Result<()> {
    let (ann, _) = two_accounts(&db)?;
    let names = accounts::with_status(AccountStatus::Active)
        .for_update()
        .map(|accounts: Vec<Account>| accounts.len());
    assert_eq!(db.run(names)?, 2);
    assert_eq!(db.run(accounts::richest())?.id, ann.id);
    Ok(())
}

/// The accounts of this many labels, balances and states: every combination.
fn mixed_accounts(db: &Database) -> Result<()> {
    db.run(
        sql_query(
            "INSERT INTO accounts (username, balance, status, created_at)
             SELECT 'user' || n, n / 4 % 3, CASE n % 2 WHEN 0 THEN 'active' ELSE 'frozen' END::account_status,
                    '2026-01-01'::timestamptz + n / 2 * interval '1 day'
               FROM generate_series(0, 23) n",
        )
        .affected(),
    )?;
    let labels = "INSERT INTO account_labels (account_id, label)
                  SELECT id, 'home' FROM accounts WHERE username IN ('user1', 'user4', 'user7', 'user10')";
    db.run(sql_query(labels).affected())?;
    Ok(())
}

#[bowline::test]
fn a_condition_without_a_value_is_left_out(db: Database) -> Result<()> {
    mixed_accounts(&db)?;
    let labelled: Vec<AccountId> = db
        .run(sql_query("SELECT account_id FROM account_labels").all::<(i64,)>())?
        .into_iter()
        .map(|(id,)| AccountId(id))
        .collect();
    let mut all = db.run(Account::list(Page::first(100)))?;
    for order in [SearchOrder::Richest, SearchOrder::Newest] {
        match order {
            SearchOrder::Richest => all.sort_by_key(|it| (Reverse(it.balance), it.id)),
            SearchOrder::Newest => all.sort_by_key(|it| Reverse((it.created_at, it.id))),
        }
        for status in [None, Some(AccountStatus::Frozen)] {
            for label in [None, Some("home"), Some("work")] {
                let expected: Vec<AccountId> = all
                    .iter()
                    .filter(|it| it.balance >= 1)
                    .filter(|it| status.is_none_or(|status| it.status == status))
                    .filter(|account| {
                        label.is_none_or(|it| it == "home" && labelled.contains(&account.id))
                    })
                    .map(|it| it.id)
                    .collect();
                // The second run is that of a prepared statement.
                for _ in 0..2 {
                    let found = db.run(accounts::search(1, status, label, 100, order))?;
                    let found: Vec<AccountId> = found.iter().map(|row| row.id).collect();
                    assert_eq!(found, expected, "{order:?} {status:?} {label:?}");
                }
            }
        }
    }
    let prepared =
        "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%WHERE a.balance >= %'";
    let prepared = db.run(sql_query(prepared).all::<(String,)>())?;
    assert_eq!(prepared.len(), 8);
    assert!(prepared.iter().all(|(text,)| !text.contains("NULL")));
    let shortest = "SELECT a.id, a.username, a.balance, a.status FROM accounts a WHERE a.balance >= $1 ORDER BY a.balance DESC, a.id LIMIT $2";
    assert!(
        prepared.iter().any(|(text,)| text == shortest),
        "{prepared:?}"
    );
    Ok(())
}

#[test]
fn an_order_is_read_from_its_name() {
    let read = |text: &str| serde_json::from_str::<SearchOrder>(text).ok();
    assert_eq!(read("\"newest\""), Some(SearchOrder::Newest));
    assert_eq!(read("\"balance DESC\""), None);
}
