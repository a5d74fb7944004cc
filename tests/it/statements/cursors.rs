//! Cursors.

use bowline::{Database, Error, StatementDsl as _, sql_query};
use diesel::sql_types::Integer;
use testkit::Proxy;

use crate::support::server;

#[derive(bowline::Row, Debug, PartialEq)]
struct Number {
    #[diesel(sql_type = Integer)]
    n: i32,
}

fn database() -> Database {
    server().config("postgres").open().expect("a server")
}

fn numbers(to: i32) -> impl bowline::statement::RowStatement<Row = Number> {
    sql_query("SELECT n FROM generate_series(1, $1) AS n")
        .bind::<Integer, _>(to)
        .all::<Number>()
}

fn plain(numbers: Vec<Number>) -> Vec<i32> {
    numbers.into_iter().map(|number| number.n).collect()
}

#[test]
fn one_row_some_rows_and_all_rows_are_fetched_in_turn() {
    database()
        .transaction(|tx| {
            let mut cursor = tx.cursor(numbers(10))?;
            assert_eq!(cursor.next_row()?.map(|row| row.n), Some(1));
            assert_eq!(plain(cursor.fetch(3)?), [2, 3, 4]);
            cursor.session().run(sql_query("SELECT 1").affected())?;
            assert_eq!(plain(cursor.fetch_all()?), [5, 6, 7, 8, 9, 10]);
            assert_eq!(cursor.next_row()?, None);
            Ok::<_, Error>(())
        })
        .expect("a commit");
}

#[test]
fn a_scroll_cursor_moves_to_any_row() {
    database()
        .transaction(|tx| {
            let mut cursor = tx.scroll_cursor(numbers(10))?;
            assert_eq!(cursor.fetch(5)?.len(), 5);
            assert_eq!(plain(cursor.fetch_backward(2)?), [4, 3]);
            assert_eq!(cursor.fetch_from_end(1)?.map(|row| row.n), Some(10));
            assert_eq!(cursor.fetch_absolute(2)?.map(|row| row.n), Some(2));
            assert_eq!(cursor.fetch_absolute(99)?, None);
            Ok::<_, Error>(())
        })
        .expect("a commit");
}

#[test]
fn two_cursors_may_follow_each_other_and_each_is_closed() {
    database()
        .transaction(|tx| {
            for _ in 0..2 {
                assert_eq!(tx.cursor(numbers(2))?.fetch_all()?.len(), 2);
            }
            drop(tx.cursor(numbers(2))?);
            let open = tx.run(
                sql_query("SELECT name FROM pg_cursors WHERE name LIKE 'bowline%'").affected(),
            )?;
            assert_eq!(open, 0);
            Ok::<_, Error>(())
        })
        .expect("a commit");
}

#[test]
fn a_cursor_in_a_failed_savepoint_does_no_harm() {
    database()
        .transaction(|tx| {
            let failed = tx.savepoint(|tx| {
                let mut cursor = tx.cursor(sql_query("SELECT 1 / 0 AS n").all::<Number>())?;
                cursor.fetch(1)
            });
            assert!(failed.is_err());
            tx.run(sql_query("SELECT 1").affected())
        })
        .expect("a commit");
}

#[test]
fn a_cursor_outside_of_a_transaction_is_refused() {
    let db = database();
    let mut session = db.session().expect("a session");
    let error = session
        .cursor(numbers(1))
        .map(drop)
        .expect_err("no transaction");
    assert!(error.hint().is_some_and(|hint| hint.contains("stream")));
}

#[test]
fn a_cursor_takes_one_round_trip_for_each_read() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config("postgres").open().expect("a server");
    proxy.take_round_trips();
    db.transaction(|tx| {
        let mut cursor = tx.cursor(numbers(10))?;
        cursor.fetch(5)?;
        cursor.fetch(5)?;
        drop(cursor);
        Ok::<_, Error>(())
    })
    .expect("a commit");
    // Two reads and the commit.
    assert_eq!(proxy.take_round_trips(), 3);
}

#[test]
fn as_many_rows_as_can_be_asked_for_are_fetched() {
    database()
        .transaction(|tx| {
            assert_eq!(tx.cursor(numbers(10))?.fetch(u32::MAX)?.len(), 10);
            Ok::<_, Error>(())
        })
        .expect("a commit");
}
