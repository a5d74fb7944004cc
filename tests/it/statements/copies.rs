//! COPY in and out, typed and as bytes.

use std::time::{Duration, Instant};

use bank::schema::{account_labels, accounts, transfers};
use bank::{Account, AccountId, AccountStatus};
use bowline::{Error, ErrorKind, Outcome, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use testkit::Proxy;

use crate::support::{STUBBORN, server, test_database};

fn names(count: i64) -> impl Iterator<Item = (String, i64, AccountStatus)> {
    (0..count).map(|number| (format!("user{number}"), number, AccountStatus::Frozen))
}

const COLUMNS: (accounts::username, accounts::balance, accounts::status) =
    (accounts::username, accounts::balance, accounts::status);

#[test]
fn typed_rows_are_loaded_and_read_back() {
    let database = test_database();
    let db = database.open().expect("a server");
    assert_eq!(db.copy_in(COLUMNS, names(20_000)).expect("rows"), 20_000);
    let query = accounts::table.order(accounts::balance).select(COLUMNS);
    let rows = db
        .copy_out(query.all::<(String, i64, AccountStatus)>())
        .expect("a COPY");
    assert!(
        rows.map(|row| row.expect("a row"))
            .eq(names(20_000).collect::<Vec<_>>())
    );
}

#[test]
fn a_copy_names_the_row_that_breaks_a_constraint() {
    let database = test_database();
    let db = database.open().expect("a server");
    let rows = names(500).chain([("user7".to_owned(), 1, AccountStatus::Active)]);
    let error = db.copy_in(COLUMNS, rows).expect_err("a duplicate");
    assert_eq!(error.kind(), ErrorKind::Constraint, "{error:?}");
    assert_eq!(
        (error.row(), error.outcome()),
        (Some(501), Outcome::NotCommitted)
    );
    assert!(error.to_string().contains("in row 501"), "{error}");
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
}

#[test]
fn a_source_of_rows_that_panics_leaves_the_session_whole() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let rows = names(200_000).inspect(|row| assert!(row.1 < 150_000, "out of rows"));
    let loading =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| db.copy_in(COLUMNS, rows)));
    assert!(loading.is_err());
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
}

#[test]
fn a_server_that_refused_a_row_is_not_fed_on() {
    let database = test_database();
    let db = database.open().expect("a server");
    let mut made = 0_i64;
    let endless = (0..).map(|number: i64| {
        made = number;
        (format!("user{}", number % 1000), 1, AccountStatus::Active)
    });
    let started = Instant::now();
    let error = db.copy_in(COLUMNS, endless).expect_err("a duplicate");
    assert_eq!(error.sqlstate(), Some(SqlState::UNIQUE_VIOLATION));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_copy_is_part_of_the_transaction_around_it() {
    let database = test_database();
    let db = database.open().expect("a server");
    let undone = db.transaction(|tx| {
        tx.copy_in(COLUMNS, names(10))?;
        assert_eq!(tx.run(Account::count())?, 10);
        Err::<(), _>(Error::from(diesel::result::Error::RollbackTransaction))
    });
    assert!(undone.is_err());
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
    db.transaction(|tx| tx.copy_in(COLUMNS, names(10)))
        .expect("a commit");
    assert_eq!(db.run(Account::count()).expect("a count"), 10);
}

#[test]
fn bytes_go_from_a_reader_and_to_a_writer() {
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    let csv = "ann,5\nbob,7\n";
    let load = "COPY accounts (username, balance) FROM STDIN (FORMAT csv)";
    assert_eq!(
        session
            .copy_in_from(load, csv.as_bytes())
            .expect("two rows"),
        2
    );
    let mut out = Vec::new();
    let read = "COPY (SELECT username, balance FROM accounts ORDER BY 1) TO STDOUT (FORMAT csv)";
    assert_eq!(session.copy_out_to(read, &mut out).expect("two rows"), 2);
    assert_eq!(String::from_utf8(out).expect("text"), csv);
    let error = session
        .copy_in_from(load, "zoe,1\ncid,much\n".as_bytes())
        .expect_err("no number");
    assert_eq!(
        (error.row(), error.sqlstate()),
        (Some(2), Some(SqlState::INVALID_TEXT_REPRESENTATION))
    );
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn a_reader_that_fails_fails_the_copy() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    let reader = std::io::Read::chain("ann,5\n".as_bytes(), Broken);
    let error = session
        .copy_in_from(
            "COPY accounts (username, balance) FROM STDIN (FORMAT csv)",
            reader,
        )
        .expect_err("the disk is gone");
    assert_eq!(error.to_string(), "reading the rows for a COPY failed");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("the disk is gone"));
    assert_eq!(session.run(Account::count()).expect("a count"), 0);
}

#[test]
fn a_statement_that_is_not_a_copy_is_refused_unsent() {
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    let delete = "DELETE FROM accounts";
    assert!(session.copy_in_from(delete, "".as_bytes()).is_err());
    assert!(
        session
            .copy_out_to("COPY accounts FROM STDIN", Vec::new())
            .is_err()
    );
    assert!(
        session
            .copy_in_from("COPY nowhere FROM STDIN", "".as_bytes())
            .is_err()
    );
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
    let with_a_value = accounts::table
        .filter(accounts::balance.gt(5))
        .select(accounts::balance);
    let error = session
        .copy_out(with_a_value.all::<i64>())
        .expect_err("a parameter");
    assert!(error.hint().is_some_and(|hint| hint.contains("stream")));
}

#[test]
fn rows_of_a_copy_may_be_dropped_early() {
    let mut session = bowline::Session::connect(&server().config("postgres")).expect("a server");
    let numbers = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>(
        "generate_series(1, 2000000000)",
    ));
    let started = Instant::now();
    let first: Vec<_> = session
        .copy_out(numbers.all::<i32>())
        .expect("a COPY")
        .take(3)
        .map(|row| row.expect("a row"))
        .collect();
    assert_eq!(first, [1, 2, 3]);
    assert!(started.elapsed() < Duration::from_secs(4));
    session
        .run(sql_query("SELECT 1").affected())
        .expect("an answer");
}

#[test]
fn all_kinds_of_values_survive_both_ways() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.copy_in((accounts::username,), [("ann",), ("bob",)])
        .expect("two accounts");
    let ids: Vec<AccountId> = db
        .run(
            accounts::table
                .order(accounts::id)
                .select(accounts::id)
                .all(),
        )
        .expect("two ids");
    let tags = vec![Some("rent".to_owned()), None];
    let row = (
        ids[0],
        ids[1],
        5_i64,
        serde_json::json!({"a": [1, null]}),
        tags,
    );
    let columns = (
        transfers::sender_id,
        transfers::receiver_id,
        transfers::amount,
        transfers::details,
        transfers::tags,
    );
    assert_eq!(db.copy_in(columns, [row.clone()]).expect("a transfer"), 1);
    type Row = (
        AccountId,
        AccountId,
        i64,
        serde_json::Value,
        Vec<Option<String>>,
    );
    let back: Vec<_> = db
        .copy_out(transfers::table.select(columns).all::<Row>())
        .expect("a COPY")
        .collect::<Result<_, _>>()
        .expect("rows");
    assert_eq!(back, [row]);
    let nulls = accounts::table
        .filter(accounts::full_name.is_null())
        .select(accounts::full_name);
    let nulls = db.copy_out(nulls.all::<Option<String>>()).expect("a COPY");
    assert!(nulls.map(|row| row.expect("a row")).eq([None, None]));
    let none = db.copy_out(
        account_labels::table
            .select(account_labels::account_id)
            .all::<AccountId>(),
    );
    assert_eq!(none.expect("a COPY").count(), 0);
}

#[test]
fn a_copy_takes_only_the_protocols_round_trips() {
    let (database, proxy) = (test_database(), Proxy::start(&server()).expect("a proxy"));
    let db = proxy.config(database.name()).open().expect("a server");
    let columns = (accounts::username, accounts::balance);
    let rows = || names(100).map(|(name, balance, _)| (name, balance));
    proxy.take_round_trips();
    db.copy_in(columns, rows()).expect("rows");
    // The server's request for the data, and its result.
    assert_eq!(proxy.take_round_trips(), 2);
    let read = db.copy_out(accounts::table.select(columns).all::<(String, i64)>());
    assert_eq!(
        (read.expect("a COPY").count(), proxy.take_round_trips()),
        (100, 1)
    );
    db.transaction(|tx| {
        let rows = names(1).map(|(_, balance, _)| ("zoe".to_owned(), balance));
        tx.copy_in(columns, rows)
    })
    .expect("a commit");
    assert_eq!(proxy.take_round_trips(), 3);
}

#[test]
fn a_late_copy_fails_instead_of_ending_early() {
    let mut session = Session::connect(&server().config("postgres")).expect("a server");
    session.batch_execute(STUBBORN).expect("a function");
    session.set_timeout(Duration::from_millis(300));
    for (to, known) in [(1, 0), (20_000, 1)] {
        let rows = format!(
            "CASE WHEN n < {to} THEN n ELSE pg_temp.stubborn() END FROM generate_series(1, {to}) AS n"
        );
        let mut bytes = Vec::new();
        let error = session
            .copy_out_to(&format!("COPY (SELECT {rows}) TO STDOUT"), &mut bytes)
            .expect_err("its last row is missing");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        let rows = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>(&rows));
        let error = match session.copy_out(rows.all::<i32>()) {
            Ok(rows) => rows.last().and_then(Result::err),
            Err(error) => Some(error),
        };
        assert!(
            matches!(&error, Some(error) if error.kind() == ErrorKind::Timeout),
            "{error:?}"
        );
        assert!(bytes.len() >= known && !session.is_broken());
    }
}

#[test]
fn rows_of_a_copy_done_before_a_cancel_are_counted() {
    let mut session = Session::connect(&server().config("postgres")).expect("a server");
    session.batch_execute(STUBBORN).expect("a function");
    session
        .batch_execute(
            "CREATE TEMP TABLE slow (x int);
             CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_temp.stubborn(); RETURN NEW; END $$;
             CREATE TRIGGER wait AFTER INSERT ON slow FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.wait()",
        )
        .expect("a table");
    session.set_timeout(Duration::from_millis(300));
    let rows = session.copy_in_from("COPY slow FROM STDIN", &b"1\n2\n"[..]);
    assert_eq!(rows.expect("a commit"), 2);
}
