//! The functions that read and write many rows at once.

use bank::{
    Account, AccountChanges, AccountId, AccountLabel, AccountLabelChanges, AccountStatus,
    AccountValues, NewAccount, NewAccountLabel, NewTransfer, Transfer,
};
use bowline::testing::{LocalServer, TestDatabase};
use bowline::{Database, ErrorKind, Page, Result};
use testkit::Proxy;

use super::roles::{database, new_ticket, person};
use super::tickets::{
    Entry, EntryId, EntryValues, NewEntry, NewParcel, Parcel, ParcelValues, State, Ticket,
    TicketChanges,
};
use crate::support::{balance, new_account};

fn accounts<const N: usize>(db: &Database, names: [&str; N]) -> Result<[Account; N]> {
    let rows = db.run(Account::insert_many(names.map(new_account).into()))?;
    Ok(rows.try_into().expect("as many as were given"))
}

#[bowline::test]
fn many_are_found_in_the_order_of_their_ids(db: Database) -> Result<()> {
    let [ann, bob, cyd] = accounts(&db, ["ann", "bob", "cyd"])?;
    let missing = AccountId(cyd.id.0 + 1);
    let found = db.run(Account::find_many(&[cyd.id, missing, ann.id, cyd.id]))?;
    assert_eq!(found, [cyd.clone(), ann.clone(), cyd]);
    assert_eq!(db.run(Account::find_many(&[]))?, []);

    let label = |account_id, label: &'static str| NewAccountLabel {
        account_id,
        label: label.into(),
    };
    let labels = vec![
        label(ann.id, "old"),
        label(bob.id, "old"),
        label(bob.id, "new"),
    ];
    let labels = db.run(AccountLabel::insert_many(labels))?;
    let keys = [
        (bob.id, "new".to_owned()),
        (ann.id, "old".to_owned()),
        (ann.id, "new".to_owned()),
    ];
    let found = db.run(AccountLabel::find_many(&keys))?;
    assert_eq!(found, [labels[2].clone(), labels[0].clone()]);
    assert_eq!(db.run(AccountLabel::delete_many(&keys))?, 2);
    assert_eq!(db.run(AccountLabel::count())?, 1);
    Ok(())
}

#[bowline::test]
fn many_are_changed_all_or_none_and_in_their_order(db: Database) -> Result<()> {
    let [ann, bob, cyd] = accounts(&db, ["ann", "bob", "cyd"])?;
    let named = AccountChanges {
        full_name: Some(Some("Bob Lee".into())),
        balance: Some(5),
        ..Default::default()
    };
    let unnamed = AccountChanges {
        full_name: Some(None),
        balance: Some(6),
        ..Default::default()
    };
    let changes = vec![
        (cyd.id, balance(1)),
        (bob.id, named.clone()),
        (ann.id, AccountChanges::default()),
    ];
    let changed = db.run(Account::update_many(changes))?;
    let seen: Vec<_> = changed
        .iter()
        .map(|it| (it.id, it.balance, it.display_name.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (cyd.id, 1, "cyd"),
            (bob.id, 5, "Bob Lee"),
            (ann.id, 100, "ann")
        ]
    );
    let changed = db.run(Account::update_many(vec![
        (ann.id, named),
        (bob.id, unnamed),
    ]))?;
    assert_eq!(
        (changed[0].balance, changed[1].full_name.as_deref()),
        (5, None)
    );

    let missing = AccountId(cyd.id.0 + 1);
    for changes in [
        vec![(ann.id, balance(7)), (missing, balance(7))],
        vec![
            (ann.id, AccountChanges::default()),
            (missing, AccountChanges::default()),
        ],
    ] {
        let error = db
            .run(Account::update_many(changes))
            .expect_err("a row is missing");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.message(), "expected 2 rows, got 1");
    }
    for changes in [balance(7), AccountChanges::default()] {
        let missing = Account::update_many(vec![(missing, changes)]);
        let error = db.run(missing).expect_err("no row");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert_eq!(db.run(Account::get(ann.id))?.balance, 5);
    assert_eq!(db.run(Account::update_many(Vec::new()))?, []);

    let label = |label: &'static str| NewAccountLabel {
        account_id: ann.id,
        label: label.into(),
    };
    db.run(AccountLabel::insert_many(vec![label("new"), label("old")]))?;
    let colour = |name: &'static str, colour: &'static str| {
        let changes = AccountLabelChanges {
            colour: Some(Some(colour.into())),
        };
        ((ann.id, name.to_owned()), changes)
    };
    let changed = db.run(AccountLabel::update_many(vec![
        colour("old", "grey"),
        colour("new", "red"),
    ]))?;
    assert_eq!(changed[0].colour.as_deref(), Some("grey"));
    assert_eq!(changed[1].colour.as_deref(), Some("red"));
    Ok(())
}

#[bowline::test]
fn a_row_that_is_given_twice_is_refused_unsent(db: Database) -> Result<()> {
    let [ann, bob, cyd] = accounts(&db, ["ann", "bob", "cyd"])?;
    let renamed = AccountChanges {
        full_name: Some(None),
        ..Default::default()
    };
    // In one command, and in commands for different columns.
    for again in [balance(8), renamed, AccountChanges::default()] {
        let changes = vec![
            (bob.id, balance(7)),
            (ann.id, balance(7)),
            (cyd.id, balance(7)),
            (ann.id, again),
        ];
        let error = db
            .run((Account::delete(bob.id), Account::update_many(changes)))
            .expect_err("a row twice");
        assert_eq!(error.kind(), ErrorKind::Query);
        assert_eq!(error.sqlstate(), None);
        assert_eq!(
            error.message(),
            "rows 2 and 4 of `Account::update_many` have the same key"
        );
    }
    let frozen = AccountValues {
        status: Some(AccountStatus::Frozen),
        ..new_account("dan")
    };
    for again in [new_account("dan"), frozen] {
        let rows = vec![new_account("dan"), new_account("eve"), again];
        let error = db
            .run(Account::upsert_many_by_username(rows))
            .expect_err("a row twice");
        assert_eq!(error.sqlstate(), None);
        assert_eq!(
            error.message(),
            "rows 1 and 3 of `Account::upsert_many_by_username` have the same username"
        );
    }
    let rows = vec![new_account("dan"), new_account("dan")];
    let inserted = db.run(Account::insert_many_or_ignore_by_username(rows))?;
    assert_eq!(inserted.len(), 1);
    assert_eq!(db.run(Account::get(ann.id))?, ann);
    assert_eq!(db.run(Account::count())?, 4);
    Ok(())
}

#[bowline::test]
fn an_upsert_of_many_keeps_what_is_not_given(db: Database) -> Result<()> {
    let [ann, bob] = accounts(&db, ["ann", "bob"])?;
    let frozen = AccountValues {
        status: Some(AccountStatus::Frozen),
        ..NewAccount {
            username: "bob".into(),
        }
        .into()
    };
    let rows = db.run(Account::upsert_many_by_username(vec![
        new_account("cyd"),
        frozen,
        NewAccount {
            username: "ann".into(),
        }
        .into(),
    ]))?;
    assert_eq!((rows[0].username.as_str(), rows[0].balance), ("cyd", 100));
    assert_eq!(
        (rows[1].id, rows[1].balance, rows[1].status),
        (bob.id, 100, AccountStatus::Frozen)
    );
    assert_eq!(rows[2], ann);

    let new = || NewAccount {
        username: "ann".into(),
    };
    assert_eq!(db.run(Account::insert_or_ignore_by_username(new()))?, None);
    let dan = NewAccount {
        username: "dan".into(),
    };
    let dan = db
        .run(Account::insert_or_ignore_by_username(dan))?
        .expect("a new account");
    assert_eq!(dan.balance, 0);
    let some = vec![
        new(),
        NewAccount {
            username: "eve".into(),
        },
    ];
    let inserted = db.run(Account::insert_many_or_ignore_by_username(some))?;
    assert_eq!(
        inserted
            .iter()
            .map(|it| it.username.as_str())
            .collect::<Vec<_>>(),
        ["eve"]
    );
    assert!(db.run(Account::exists_by_username("eve"))?);
    assert!(db.run(Account::delete_by_username("eve"))?);
    assert!(!db.run(Account::delete_by_username("eve"))?);
    assert!(!db.run(Account::exists_by_username("eve"))?);
    Ok(())
}

#[bowline::test]
fn rows_of_a_foreign_key_are_counted_and_deleted(db: Database) -> Result<()> {
    let [ann, bob] = accounts(&db, ["ann", "bob"])?;
    let new = |amount| NewTransfer {
        sender_id: ann.id,
        receiver_id: bob.id,
        amount,
    };
    db.run(Transfer::insert_many(vec![new(1), new(2)]))?;
    assert_eq!(db.run(Transfer::count_by_sender(ann.id))?, 2);
    assert_eq!(db.run(Transfer::count_by_sender(bob.id))?, 0);
    assert!(db.run(Transfer::exists_by_receiver(bob.id))?);
    assert!(!db.run(Transfer::exists_by_receiver(ann.id))?);
    assert_eq!(db.run(Transfer::delete_by_sender(bob.id))?, 0);
    assert_eq!(db.run(Transfer::delete_by_sender(ann.id))?, 2);
    Ok(())
}

#[test]
fn many_changes_compare_versions_and_many_deletes_mark() {
    let (_test, db) = database();
    let owner = person(&db, "a").id;
    let new = ["T1", "T2"].map(|code| new_ticket(owner, code));
    let tickets = db.run(Ticket::insert_many(new.into())).expect("tickets");
    let title = |title: &'static str| TicketChanges {
        title: Some(title.into()),
        ..Default::default()
    };
    let ids = [tickets[0].id, tickets[1].id];
    let changes = |version| vec![(ids[1], 1, title("x")), (ids[0], version, title("y"))];
    let late = db
        .run(Ticket::update_many(changes(7)))
        .expect_err("another version");
    assert_eq!(late.kind(), ErrorKind::VersionChanged);
    let changed = db.run(Ticket::update_many(changes(1))).expect("changes");
    let seen: Vec<_> = changed
        .iter()
        .map(|it| (it.title.as_str(), it.version))
        .collect();
    assert_eq!(seen, [("x", 2), ("y", 2)]);
    let unchanged = |version| vec![(ids[0], version, TicketChanges::default())];
    let late = db
        .run(Ticket::update_many(unchanged(1)))
        .expect_err("another version");
    assert_eq!(late.kind(), ErrorKind::VersionChanged);
    assert_eq!(
        db.run(Ticket::update_many(unchanged(2)))
            .expect("no change")[0]
            .version,
        2
    );

    assert_eq!(db.run(Ticket::count_by_owner(owner)).expect("a count"), 2);
    assert_eq!(db.run(Ticket::delete_many(&ids[..1])).expect("a delete"), 1);
    assert_eq!(db.run(Ticket::delete_many(&ids)).expect("a delete"), 1);
    assert_eq!(db.run(Ticket::find_many(&ids)).expect("rows"), []);
    assert_eq!(db.run(Ticket::count_by_owner(owner)).expect("a count"), 0);
    assert_eq!(
        db.run(Ticket::list_deleted(Page::first(9)))
            .expect("rows")
            .len(),
        2
    );
}

#[test]
fn an_id_can_be_given_where_the_column_allows_it() {
    let (_test, db) = database();
    let new = || NewEntry {
        state: State::Open,
        name: "a".into(),
        points: 1,
    };
    let given = EntryValues {
        id: Some(EntryId(41)),
        ..new().into()
    };
    let rows = db
        .run(Entry::insert_many(vec![given, new().into()]))
        .expect("entries");
    assert_eq!((rows[0].id, rows[1].id), (EntryId(41), EntryId(1)));
}

#[test]
fn more_rows_than_parameters_take_one_round_trip() {
    let server = LocalServer::start().expect("a server");
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let database = TestDatabase::create(migrations.as_ref()).expect("a database");
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a pool");
    let names: Vec<String> = (0..70_000).map(|number| format!("user{number}")).collect();
    let new = || {
        names
            .iter()
            .map(|name| NewAccount {
                username: name.into(),
            })
            .collect::<Vec<_>>()
    };
    db.run(Account::count()).expect("a connection");
    proxy.take_round_trips();

    let rows = db.run(Account::insert_many(new())).expect("rows");
    assert_eq!(proxy.take_round_trips(), 1);
    assert!(
        rows.iter()
            .zip(&names)
            .all(|(row, name)| row.username == *name)
    );
    let ids: Vec<AccountId> = rows.iter().rev().map(|row| row.id).collect();
    let found = db.run(Account::find_many(&ids)).expect("rows");
    assert_eq!(proxy.take_round_trips(), 1);
    assert!(found.iter().rev().eq(&rows));
    let changes = ids.iter().map(|id| (*id, balance(id.0))).collect();
    let changed = db.run(Account::update_many(changes)).expect("rows");
    assert_eq!(proxy.take_round_trips(), 1);
    assert!(
        changed
            .iter()
            .zip(&ids)
            .all(|(row, id)| row.id == *id && row.balance == id.0)
    );
    let upserted = db
        .run(Account::upsert_many_by_username(new()))
        .expect("rows");
    assert_eq!(proxy.take_round_trips(), 1);
    assert!(upserted.iter().eq(changed.iter().rev()));
    assert_eq!(db.run(Account::delete_many(&ids)).expect("a count"), 70_000);
    assert_eq!(proxy.take_round_trips(), 1);
}

/// Returns rows of a table with arrays, of which each second one has a mark and no hint.
fn parcels(rows: i32, mark: i32) -> Vec<ParcelValues<'static>> {
    let parcels = (0..rows).map(|id| ParcelValues {
        marks: Some(if id % 2 == 0 {
            vec![mark, id]
        } else {
            Vec::new()
        }),
        hint: (id % 2 == 0).then_some(None),
        ..NewParcel {
            tenant: 1,
            id,
            state: State::Open,
        }
        .into()
    });
    parcels.collect()
}

#[test]
fn many_rows_with_arrays_are_written_in_their_order() {
    let (_test, db) = database();
    let inserted = db.run(Parcel::insert_many(parcels(6_000, 1)));
    assert_eq!(inserted.expect("new rows").len(), 6_000);
    let changed = db.run(Parcel::upsert_many(parcels(9_000, 2)));
    let changed = changed.expect("rows");
    let ids = changed.iter().map(|row| row.id);
    assert!(ids.eq(0..9_000));
    assert_eq!(changed[8_998].marks, vec![2, 8_998]);
    assert!(changed[8_999].marks.is_empty());
    assert_eq!(
        (&changed[0].hint, changed[1].hint.as_deref()),
        (&None, Some("none"))
    );
}

#[test]
fn an_upsert_of_many_sets_null() {
    let (_test, db) = database();
    let hinted = |id: usize, hint| ParcelValues {
        hint,
        ..parcels(2, 1)[id].clone()
    };
    let (first, second) = (Some(Some("a".into())), Some(Some("b".into())));
    let new = vec![hinted(0, first), hinted(1, second)];
    db.run(Parcel::insert_many(new)).expect("new rows");
    let rows = vec![hinted(0, Some(None)), hinted(1, Some(Some("c".into())))];
    let rows = db.run(Parcel::upsert_many(rows)).expect("rows");
    let hints: Vec<_> = rows.iter().map(|row| row.hint.as_deref()).collect();
    assert_eq!(hints, [None, Some("c")]);
    // A column that is not given keeps its value.
    let rows = db.run(Parcel::upsert_many(vec![hinted(1, None)]));
    assert_eq!(rows.expect("a row")[0].hint.as_deref(), Some("c"));
}
