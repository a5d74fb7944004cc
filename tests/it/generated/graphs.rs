//! Graphs of the sample, and their SQL.

use bank::queries::accounts::with_status;
use bank::{Account, AccountLabel, AccountStatus, NewTransfer, Transfer};
use bowline::{Database, Graph, Page, Result, Statement as _, StatementDsl as _, sql_query};

use super::roles::database;
use super::tickets::{Bin, BinId, Check, CheckId, audit};

#[derive(Debug, PartialEq, Graph)]
struct Balance {
    account: Account,
    #[graph(first = 1, by = amount)]
    transfers_by_receiver: Vec<Received>,
    account_labels: Vec<AccountLabel>,
}

#[derive(Debug, PartialEq, Graph)]
struct Received {
    transfer: Transfer,
    sender: Account,
}

/// Ann has sent 5, 3 and 4 to Bob.
fn transfers(db: &Database) -> Result<(Account, Account)> {
    let names = "INSERT INTO accounts (username, balance) VALUES ('ann', 100), ('bob', 50)";
    db.run(sql_query(names).exactly(2))?;
    let (ann, bob) = db.run((
        Account::find_by_username("ann"),
        Account::find_by_username("bob"),
    ))?;
    let (ann, bob) = (ann.expect("ann"), bob.expect("bob"));
    let new = [5, 3, 4].map(|amount| NewTransfer {
        sender_id: ann.id,
        receiver_id: bob.id,
        amount,
    });
    db.run(new.map(Transfer::insert).into_iter().collect::<Vec<_>>())?;
    Ok((ann, bob))
}

#[bowline::test]
fn a_query_of_a_file_loads_graphs(db: Database) -> Result<()> {
    let (ann, bob) = transfers(&db)?;
    let rows = db.run(with_status(AccountStatus::Active).load::<Balance>())?;
    let found: Vec<_> = rows
        .iter()
        .map(|row| (&row.account, row.transfers_by_receiver.len()))
        .collect();
    assert_eq!(found, [(&ann, 0), (&bob, 1)]);
    let received = &rows[1].transfers_by_receiver[0];
    assert_eq!((received.transfer.amount, &received.sender), (3, &ann));
    let frozen = with_status(AccountStatus::Frozen).load::<Balance>();
    assert_eq!(db.run(frozen)?, []);
    Ok(())
}

#[bowline::test]
fn a_query_and_its_graph_are_told_apart(db: Database) -> Result<()> {
    let (ann, bob) = transfers(&db)?;
    // The same constant of SQL, without a graph and with two.
    for _ in 0..3 {
        let all = db.run((
            Account::list(Page::first(9)),
            Account::list(Page::first(9)).load::<Balance>(),
            Account::list(Page::after(ann.id, 9)).load::<Balance>(),
            Transfer::list(Page::first(1)).load::<Received>(),
            Account::get(bob.id).load::<Balance>().map(|it| it.account),
        ))?;
        assert_eq!((all.0.len(), all.1.len(), all.2.len()), (2, 2, 1));
        assert_eq!((&all.3[0].sender, &all.4), (&ann, &bob));
    }
    let missing = Account::get(bank::AccountId(-1)).load::<Balance>();
    let error = db.run(missing).expect_err("no row");
    assert_eq!(error.kind(), bowline::ErrorKind::NotFound);
    Ok(())
}

#[bowline::test]
fn rows_of_a_graph_arrive_as_a_stream(db: Database) -> Result<()> {
    let (ann, bob) = transfers(&db)?;
    let mut session = db.session()?;
    let rows = session.stream(Account::list(Page::first(9)).load::<Balance>())?;
    let names: Result<Vec<_>> = rows.map(|row| row.map(|row| row.account)).collect();
    assert_eq!(names?, [ann, bob]);
    Ok(())
}

/// The two foreign keys lead to tables of one name.
#[derive(Debug, PartialEq, Graph)]
struct CheckPage {
    check: Check,
    public_bin_by_bin: Bin,
    audit_bin_by_bin: audit::Bin,
}

/// Two tables of one name refer to it.
#[derive(Debug, PartialEq, Graph)]
struct BinPage {
    of: Bin,
    public_checks_by_bin: Vec<Check>,
    audit_checks_by_bin: Vec<audit::Check>,
}

#[test]
fn tables_of_two_schemas_are_told_apart() {
    let (_test, db) = database();
    let rows = "WITH a AS (INSERT INTO bins VALUES (1)), b AS (INSERT INTO audit.bins VALUES (1)),
        c AS (INSERT INTO checks VALUES (2, 1)) INSERT INTO audit.checks VALUES (3, 1), (4, 1)";
    db.run(sql_query(rows).exactly(2)).expect("rows");
    let (check, of) = (
        Check::get(CheckId(2)).load::<CheckPage>(),
        Bin::get(BinId(1)).load::<BinPage>(),
    );
    let (check, of) = db.run((check, of)).expect("graphs");
    assert_eq!(
        (check.public_bin_by_bin.id.0, check.audit_bin_by_bin.id.0),
        (1, 1)
    );
    assert_eq!(of.public_checks_by_bin, [check.check]);
    let audit: Vec<i32> = of.audit_checks_by_bin.iter().map(|it| it.id.0).collect();
    assert_eq!(audit, [3, 4]);
}
