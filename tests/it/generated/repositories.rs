//! The generated functions of the bank, each on a real server.

use bank::{
    Account, AccountChanges, AccountLabel, AccountLabelChanges, AccountLabelValues, AccountStatus,
    AccountValues, Transfer, TransferValues,
};
use bowline::{Database, ErrorKind, Page, Result};

use crate::support::new_account;

fn new_transfer(from: &Account, to: &Account, amount: i64) -> TransferValues {
    TransferValues {
        sender_id: from.id,
        receiver_id: to.id,
        amount,
        created_at: None,
        details: Some(serde_json::json!({"for": "rent"})),
        tags: Some(vec![Some("home".to_owned()), None]),
    }
}

#[bowline::test]
fn an_account_is_found_by_id_and_each_unique_index(db: Database) -> Result<()> {
    let new = AccountValues {
        email: Some("ann@example.com".into()),
        ..new_account("ann")
    };
    let ann = db.run(Account::insert(new))?;
    assert_eq!(
        (ann.status, ann.balance, ann.display_name.as_str()),
        (AccountStatus::Active, 100, "ann")
    );
    assert_eq!(db.run(Account::get(ann.id))?, ann);
    assert_eq!(
        db.run(Account::find_by_username("ann"))?.as_ref(),
        Some(&ann)
    );
    assert_eq!(
        db.run(Account::find_by_email("ann@example.com"))?.as_ref(),
        Some(&ann)
    );
    assert_eq!(db.run(Account::find_by_username("bob"))?, None);
    Ok(())
}

#[bowline::test]
fn a_partial_unique_index_finds_only_what_it_covers(db: Database) -> Result<()> {
    let new = AccountValues {
        email: Some("ann@example.com".into()),
        status: Some(AccountStatus::Closed),
        ..new_account("ann")
    };
    db.run(Account::insert(new))?;
    assert_eq!(db.run(Account::find_by_email("ann@example.com"))?, None);
    Ok(())
}

#[bowline::test]
fn a_missing_row_is_none_to_find_and_an_error_to_get(db: Database) -> Result<()> {
    let ann = db.run(Account::insert(new_account("ann")))?;
    assert!(db.run(Account::delete(ann.id))?);
    assert!(!db.run(Account::delete(ann.id))?);
    assert_eq!(db.run(Account::find(ann.id))?, None);
    let missing = db.run(Account::get(ann.id)).expect_err("no such account");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(!db.run(Account::exists(ann.id))?);
    Ok(())
}

#[bowline::test]
fn changes_leave_set_and_clear_columns(db: Database) -> Result<()> {
    let ann = db.run(Account::insert(AccountValues {
        email: Some("a@example.com".into()),
        ..new_account("ann")
    }))?;
    let named = AccountChanges {
        full_name: Some(Some("Ann Lee".into())),
        ..Default::default()
    };
    let changed = db.run(Account::update(ann.id, named))?;
    assert_eq!(
        (changed.display_name.as_str(), changed.email.as_deref()),
        ("Ann Lee", Some("a@example.com"))
    );
    let cleared = AccountChanges {
        email: Some(None),
        ..Default::default()
    };
    assert_eq!(db.run(Account::update(ann.id, cleared))?.email, None);
    assert_eq!(
        db.run(Account::update(ann.id, AccountChanges::default()))?
            .display_name,
        "Ann Lee"
    );
    db.run(Account::delete(ann.id))?;
    let missing = db.run(Account::update(
        ann.id,
        AccountChanges {
            balance: Some(1),
            ..Default::default()
        },
    ));
    assert!(matches!(&missing, Err(error) if error.kind() == ErrorKind::NotFound));
    Ok(())
}

#[bowline::test]
fn lists_are_ordered_and_go_on_behind_the_last_row(db: Database) -> Result<()> {
    let new = ["a", "b", "c", "d"].map(new_account).into();
    let all = db.run(Account::insert_many(new))?;
    let first = db.run(Account::list(Page::first(3)))?;
    assert_eq!(first, all[..3]);
    assert_eq!(
        db.run(Account::list(Page::after(first[2].id, 3)))?,
        all[3..]
    );
    assert_eq!(db.run(Account::count())?, 4);
    Ok(())
}

#[bowline::test]
fn transfers_are_listed_by_sender_and_by_receiver(db: Database) -> Result<()> {
    let accounts = db.run(Account::insert_many(["ann", "bob"].map(new_account).into()))?;
    let [ann, bob] = accounts.as_slice() else {
        panic!("two accounts")
    };
    let sent = db.run(vec![
        Transfer::insert(new_transfer(ann, bob, 1)),
        Transfer::insert(new_transfer(ann, bob, 2)),
        Transfer::insert(new_transfer(bob, ann, 3)),
    ])?;
    assert_eq!(sent[0].tags, vec![Some("home".to_owned()), None]);
    assert_eq!(
        db.run(Transfer::list_by_sender(ann.id, Page::first(20)))?,
        sent[..2]
    );
    assert_eq!(
        db.run(Transfer::list_by_sender(
            ann.id,
            Page::after(sent[0].id, 20)
        ))?,
        sent[1..2]
    );
    assert_eq!(
        db.run(Transfer::list_by_receiver(ann.id, Page::first(20)))?,
        sent[2..]
    );
    Ok(())
}

#[bowline::test]
fn an_upsert_inserts_first_and_changes_after(db: Database) -> Result<()> {
    let changes = || AccountChanges {
        balance: Some(7),
        ..Default::default()
    };
    let first = db.run(Account::upsert_by_username(new_account("ann"), changes()))?;
    assert_eq!(first.balance, 100);
    let second = db.run(Account::upsert_by_username(new_account("ann"), changes()))?;
    assert_eq!((second.id, second.balance), (first.id, 7));
    let third = db.run(Account::upsert_by_username(
        new_account("ann"),
        AccountChanges::default(),
    ))?;
    assert_eq!(third, second);
    let mail = || AccountValues {
        email: Some("ann@example.com".into()),
        ..new_account("anna")
    };
    let by_email = db.run(Account::upsert_by_email(mail(), changes()))?;
    assert_eq!(
        db.run(Account::upsert_by_email(mail(), changes()))?.id,
        by_email.id
    );
    Ok(())
}

#[bowline::test]
fn a_composite_key_is_used_with_all_its_columns(db: Database) -> Result<()> {
    let ann = db.run(Account::insert(new_account("ann")))?;
    let label = |name: &'static str| AccountLabelValues {
        account_id: ann.id,
        label: name.into(),
        colour: None,
    };
    let labels = db.run(AccountLabel::insert_many(vec![
        label("home"),
        label("old"),
        label("work"),
    ]))?;
    assert_eq!(db.run(AccountLabel::get(ann.id, "old"))?, labels[1]);
    let after = Page::after((ann.id, "home".to_owned()), 9);
    assert_eq!(db.run(AccountLabel::list(after))?, labels[1..]);
    assert_eq!(
        db.run(AccountLabel::list_by_account(ann.id, Page::first(1)))?,
        labels[..1]
    );
    let red = AccountLabelChanges {
        colour: Some(Some("red".into())),
    };
    assert_eq!(
        db.run(AccountLabel::upsert(label("old"), red))?
            .colour
            .as_deref(),
        Some("red")
    );
    assert!(db.run(AccountLabel::delete(ann.id, "old"))?);
    Ok(())
}

#[bowline::test]
fn many_rows_are_inserted_over_several_statements(db: Database) -> Result<()> {
    let names: Vec<_> = (0..12_000).map(|number| format!("user{number}")).collect();
    let rows = db.run(Account::insert_many(
        names.iter().map(|name| new_account(name)).collect(),
    ))?;
    assert_eq!(rows.len(), 12_000);
    assert!(
        rows.iter()
            .zip(&names)
            .all(|(row, name)| row.username == *name)
    );
    assert_eq!(
        db.run(Account::insert_many(Vec::<AccountValues<'_>>::new()))?,
        []
    );
    Ok(())
}

#[test]
fn json_tells_leave_from_null_and_reads_escapes() {
    let changes: AccountChanges<'_> =
        serde_json::from_str(r#"{"email": null, "username": "a\nb"}"#).expect("good JSON");
    assert_eq!((changes.email, changes.full_name), (Some(None), None));
    assert_eq!(changes.username.as_deref(), Some("a\nb"));
    let value = serde_json::json!({"username": "ann", "status": "frozen"});
    let new: AccountValues<'_> = serde_json::from_value(value).expect("good JSON");
    assert_eq!(
        (new.status, new.balance),
        (Some(AccountStatus::Frozen), None)
    );
    let missing = serde_json::from_str::<AccountValues<'_>>("{}")
        .expect_err("a column that the database cannot fill");
    assert!(missing.to_string().contains("username"));
}
