//! Fields of errors: kinds, constraints, outcomes, indexes of statements.

use bank::{
    Account, AccountChanges, AccountConstraint, AccountLabel, AccountLabelConstraint,
    AccountLabelValues, TransferConstraint,
};
use bowline::error::StatementIndex;
use bowline::{
    Database, ErrorKind, Outcome, Result, SqlState, StatementDsl as _, TransactionOptions,
    sql_query,
};

use crate::support::{new_account, test_database};

#[bowline::test]
fn a_duplicate_username_is_a_value_of_the_tables_enum(db: Database) -> Result<()> {
    db.run(Account::insert(new_account("ann")))?;
    let error = db
        .run(Account::insert(new_account("ann")))
        .expect_err("a duplicate");
    assert_eq!(
        error.constraint::<AccountConstraint>(),
        Some(AccountConstraint::UsernameKey)
    );
    assert_eq!(error.constraint::<TransferConstraint>(), None);
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (Some(SqlState::UNIQUE_VIOLATION), Outcome::NotCommitted)
    );
    assert_eq!(error.kind(), ErrorKind::Constraint);
    insta::assert_snapshot!(error, @r#"duplicate key value violates unique constraint "accounts_username_key" (SQLSTATE 23505)"#);
    Ok(())
}

#[test]
fn debug_is_one_line_with_the_hint() {
    let config = bowline::Config::from_url("postgres://ann:secret@127.0.0.1:1/a").expect("a URL");
    let error = config.open().expect_err("no server is there");
    let shown = format!("{error:?}");
    assert_eq!(shown.lines().count(), 1, "{shown}");
    assert!(shown.contains("; hint: "), "{shown}");
}

#[bowline::test]
fn alternate_debug_shows_every_fact(db: Database) -> Result<()> {
    db.run(Account::insert(new_account("ann")))?;
    let error = db
        .run((
            Account::insert(new_account("bob")),
            Account::insert(new_account("ann")),
        ))
        .expect_err("a duplicate");
    let shown = format!("{error:#?}");
    for fact in [
        "kind: Constraint",
        "outcome: NotCommitted",
        "23505",
        "accounts_username_key",
        "INSERT INTO accounts",
        "index: 1",
        "total: 2",
    ] {
        assert!(shown.contains(fact), "{fact} is not in {shown}");
    }
    Ok(())
}

#[bowline::test]
fn a_check_that_does_not_hold_is_named(db: Database) -> Result<()> {
    let ann = db.run(Account::insert(new_account("ann")))?;
    let overdrawn = AccountChanges {
        balance: Some(-1),
        ..Default::default()
    };
    let error = db
        .run(Account::update(ann.id, overdrawn))
        .expect_err("a negative balance");
    assert_eq!(
        error.constraint::<AccountConstraint>(),
        Some(AccountConstraint::BalanceCheck)
    );
    Ok(())
}

#[test]
fn a_failed_statement_undoes_its_tuple_and_is_named() {
    let database = test_database();
    let db = database.open().expect("a server");
    let rows = db
        .run(Account::insert_many(["ann", "bob"].map(new_account).into()))
        .expect("two accounts");
    let (ann, bob) = (rows[0].id, rows[1].id);
    assert!(db.run(Account::delete(ann)).expect("a deletion"));
    let changes = |balance| AccountChanges {
        balance: Some(balance),
        ..Default::default()
    };
    let error = db
        .run((
            Account::update(ann, changes(90)),
            Account::update(bob, changes(110)),
        ))
        .expect_err("ann is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        (error.statement_index(), error.outcome()),
        (
            Some(StatementIndex { index: 0, total: 2 }),
            Outcome::NotCommitted
        )
    );
    let error = db
        .run((
            Account::update(bob, changes(110)),
            Account::update(ann, changes(90)),
        ))
        .expect_err("ann is gone");
    assert_eq!(
        error.statement_index(),
        Some(StatementIndex { index: 1, total: 2 })
    );
    assert_eq!(db.run(Account::get(bob)).expect("bob").balance, 100);
}

#[test]
fn a_deferred_constraint_at_commit_has_its_name() {
    let database = test_database();
    let db = database.open().expect("a server");
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    db.run(Account::delete(ann.id)).expect("a deletion");
    let label = || AccountLabelValues {
        account_id: ann.id,
        label: "home".into(),
        colour: None,
    };
    let attempts = [
        db.run(AccountLabel::insert(label()))
            .expect_err("no such account"),
        db.with_options(TransactionOptions::serializable())
            .run(AccountLabel::insert(label()))
            .expect_err("no such account"),
        db.transaction(|tx| tx.run(AccountLabel::insert(label())))
            .expect_err("no such account"),
    ];
    for error in attempts {
        assert_eq!(
            error.constraint(),
            Some(AccountLabelConstraint::AccountIdFkey)
        );
        assert_eq!(error.outcome(), Outcome::NotCommitted);
    }
    assert_eq!(db.run(AccountLabel::count()).expect("a count"), 0);
}

#[bowline::test]
fn a_query_that_can_never_work_says_where(db: Database) -> Result<()> {
    let error = db
        .run(sql_query("SELECT nothing FROM nowhere").affected())
        .expect_err("no such table");
    assert_eq!(error.kind(), ErrorKind::Query);
    assert_eq!(
        (error.sqlstate(), error.position()),
        (Some(SqlState::UNDEFINED_TABLE), Some(21))
    );
    assert_eq!(error.sql(), Some("SELECT nothing FROM nowhere"));
    Ok(())
}

#[bowline::test]
fn a_row_count_error_has_the_callers_sql_and_position(db: Database) -> Result<()> {
    let error = db
        .run(sql_query("SELECT nothing FROM nowhere").exactly(1))
        .expect_err("no such table");
    assert!(
        error
            .sql()
            .is_some_and(|sql| sql.starts_with("SELECT nothing")),
        "{error:?}"
    );
    let error = db
        .run(sql_query("UPDATE nowhere SET x = 1").exactly(1))
        .expect_err("no such table");
    assert_eq!(
        (error.sql(), error.position()),
        (Some("UPDATE nowhere SET x = 1"), Some(8))
    );
    Ok(())
}

#[bowline::test]
fn an_answer_that_does_not_fit_says_which_statement(db: Database) -> Result<()> {
    #[derive(bowline::Row, Debug)]
    struct Wrong {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        #[expect(dead_code, reason = "never read: the load fails")]
        absent: i32,
    }
    let error = db
        .run((
            Account::count(),
            sql_query("SELECT 1::int AS present").all::<Wrong>(),
        ))
        .expect_err("no such column");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.statement_index(),
        Some(StatementIndex { index: 1, total: 2 })
    );
    Ok(())
}

#[bowline::test]
fn copy_from_the_client_is_refused_with_a_pointer(db: Database) -> Result<()> {
    let error = db
        .run(sql_query("COPY accounts FROM STDIN").affected())
        .expect_err("a refusal");
    assert!(error.hint().is_some_and(|hint| hint.contains("copy_in")));
    assert_eq!(db.run(Account::count())?, 0);
    Ok(())
}

#[test]
fn an_unreachable_host_fails_in_time_without_password() {
    let config = bowline::Config::from_url("postgres://ann:s3cretmarker@127.0.0.1:1/bank")
        .expect("a good URL");
    let started = std::time::Instant::now();
    let error = config.open().expect_err("nobody listens there");
    assert!(started.elapsed() < std::time::Duration::from_secs(7));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint().is_some());
    assert!(!format!("{error} {error:?}").contains("s3cretmarker"));
}
