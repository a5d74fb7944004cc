//! The pages of query files, on a real server.

use bank::queries::accounts::{self, BrowseOrder, BrowsePage, BrowseRow};
use bank::queries::transfers::{self, OfAccountPosition};
use bank::{Account, AccountStatus};
use bowline::{Database, Page, Result, StatementDsl as _, sql_query};
use testkit::Proxy;

use crate::support::{new_account, server, test_database};

/// Inserts accounts with ties in balance and time, of which some sent nothing, and some at the same
/// time.
fn fill(db: &Database) -> Result<()> {
    db.run((
        sql_query(
            "INSERT INTO accounts (username, balance, status, created_at)
             SELECT 'user' || n, n / 4 % 3, CASE n % 3 WHEN 0 THEN 'frozen' ELSE 'active' END::account_status,
                    '2026-01-01'::timestamptz + n / 5 * interval '1 day'
               FROM generate_series(0, 29) n",
        )
        .affected(),
        sql_query(
            "INSERT INTO transfers (sender_id, receiver_id, amount, created_at)
             SELECT s.id, r.id, 5, '2026-02-01'::timestamptz + length(s.username) * interval '1 h'
               FROM accounts s, accounts r WHERE s.id % 2 = 0 AND r.id = s.id + 1",
        )
        .affected(),
        sql_query("INSERT INTO account_labels (account_id, label) SELECT id, 'home' FROM accounts WHERE id % 3 > 0")
            .affected(),
    ))?;
    Ok(())
}

/// Returns the ids of all pages of this size, whose positions travel as text: forward from the first
/// row, which is the same as backward from the last one.
fn all_pages(
    db: &Database,
    order: BrowseOrder,
    size: u32,
    (status, label): (Option<AccountStatus>, Option<&str>),
) -> Result<Vec<i64>> {
    let mut all: Vec<BrowseRow> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = order.page(after.as_deref(), size).expect("a position");
        let rows = db.run(accounts::browse(status, label, page))?;
        let is_full = rows.len() == size as usize;
        all.extend(rows);
        match all.last() {
            Some(last) if is_full => after = Some(order.position(last)),
            _ => break,
        }
    }
    let mut backward: Vec<BrowseRow> = all.last().cloned().into_iter().collect();
    while let Some(first) = backward.first() {
        let before = order.position(first);
        let page = order.page_before(&before, size).expect("a position");
        let mut rows = db.run(accounts::browse(status, label, page))?;
        if rows.is_empty() {
            break;
        }
        rows.append(&mut backward);
        backward = rows;
    }
    assert_eq!(backward, all, "{order:?}, pages of {size}, backward");
    Ok(all.iter().map(|row| row.id.0).collect())
}

#[bowline::test(database)]
fn pages_of_a_query_lose_and_repeat_no_row(db: Database) -> Result<()> {
    fill(&db)?;
    let of_status = |status: Option<AccountStatus>| match status {
        Some(_) => "a.status = 'active'",
        None => "true",
    };
    let of_label = |label: Option<&str>| match label {
        Some(_) => "EXISTS (SELECT FROM account_labels l WHERE l.account_id = a.id)",
        None => "true",
    };
    let sent = "(SELECT max(t.created_at) FROM transfers t WHERE t.sender_id = a.id)";
    for (order, by) in [
        (BrowseOrder::Richest, "a.balance DESC, a.id".to_owned()),
        (
            BrowseOrder::Newest,
            "a.created_at DESC, a.id DESC".to_owned(),
        ),
        (
            BrowseOrder::Activity,
            format!("{sent} DESC NULLS LAST, a.id"),
        ),
    ] {
        for status in [None, Some(AccountStatus::Active)] {
            for label in [None, Some("home")] {
                let (status_is, label_is) = (of_status(status), of_label(label));
                let expected = db.run(
                    sql_query(format!(
                        "SELECT a.id FROM accounts a WHERE {status_is} AND {label_is} ORDER BY {by}"
                    ))
                    .all::<i64>(),
                )?;
                assert!(expected.len() >= 10);
                for size in [1, 2, 3, 7, 30, 31] {
                    let found = all_pages(&db, order, size, (status, label))?;
                    assert_eq!(
                        found, expected,
                        "{order:?} {status:?} {label:?}, pages of {size}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[bowline::test]
fn a_position_is_that_of_a_row_within_a_row(db: Database) -> Result<()> {
    let (ann, bob) = db.run((
        Account::insert(new_account("ann")),
        Account::insert(new_account("bob")),
    ))?;
    let sent = "INSERT INTO transfers (sender_id, receiver_id, amount) SELECT $1, $2, n FROM generate_series(1, 5) n";
    let sent = sql_query(sent)
        .bind::<diesel::sql_types::BigInt, _>(ann.id.0)
        .bind::<diesel::sql_types::BigInt, _>(bob.id.0);
    db.run(sent.exactly(5))?;
    let amounts = |page, least| -> Result<Vec<i64>> {
        let rows = db.run(transfers::of_account(bob.id, least, page))?;
        Ok(rows.iter().map(|row| row.transfer.amount).collect())
    };
    assert_eq!(amounts(Page::first(2), None)?, [5, 4]);
    let first = db.run(transfers::of_account(ann.id, Some(2), Page::first(2)))?;
    let last = first.last().expect("two rows");
    assert_eq!((last.transfer.amount, &*last.receiver), (4, "bob"));
    assert_eq!(amounts(Page::after(last, 9), Some(2))?, [3, 2]);
    assert_eq!(amounts(Page::after(last, 9), None)?, [3, 2, 1]);
    let text = OfAccountPosition::from(last).to_string();
    let again: OfAccountPosition = text.parse().expect("its own text");
    assert_eq!(amounts(Page::new(Some(again), 1), None)?, [3]);
    Ok(())
}

#[bowline::test]
fn a_position_of_another_order_is_refused(db: Database) -> Result<()> {
    fill_one(&db)?;
    let page = BrowseOrder::Newest.page(None, 1).expect("the first page");
    assert!(matches!(&page, BrowsePage::Newest(page) if page.key().is_none()));
    let rows = db.run(accounts::browse(None, None, page))?;
    let text = BrowseOrder::Newest.position(&rows[0]);
    assert!(BrowseOrder::Newest.page(Some(&text), 1).is_ok());
    for order in [BrowseOrder::Richest, BrowseOrder::Activity] {
        let refused = order.page(Some(&text), 1).expect_err("another order");
        assert_eq!(refused.to_string(), "the position is one of another list");
    }
    let of_list = text.parse::<OfAccountPosition>().expect_err("another list");
    assert_eq!(of_list.to_string(), "the position is one of another list");
    Ok(())
}

fn fill_one(db: &Database) -> Result<()> {
    db.run(Account::insert(new_account("ann"))).map(|_| ())
}

#[test]
fn a_page_of_a_query_is_one_round_trip() {
    let (server, database) = (server(), test_database());
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    fill(&db).expect("accounts");
    proxy.take_round_trips();
    let page = BrowseOrder::Richest.page(None, 5).expect("the first page");
    let rows = db.run(accounts::browse(None, None, page)).expect("a page");
    let text = BrowseOrder::Richest.position(&rows[4]);
    let next = BrowseOrder::Richest
        .page(Some(&text), 5)
        .expect("a position");
    let next = db.run(accounts::browse(None, None, next)).expect("a page");
    assert_eq!((rows.len(), next.len()), (5, 5));
    assert_eq!(proxy.take_round_trips(), 2);
}
