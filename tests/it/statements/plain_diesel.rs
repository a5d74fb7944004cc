//! diesel's own API, on a `Session` and within a transaction.

use bank::schema::{accounts, transfers};
use bank::{Account, AccountId, AccountStatus};
use bowline::{Database, Error, ErrorKind, Session};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::support::{MIGRATIONS, test_database};

fn insert(session: &mut Session, username: &str) -> QueryResult<Account> {
    diesel::insert_into(accounts::table)
        .values(accounts::username.eq(username))
        .returning(Account::as_returning())
        .get_result(session)
}

#[bowline::test]
fn queries_run_as_on_diesels_own_connection(db: Database) -> QueryResult<()> {
    let session = &mut *db.session().expect("the session");
    let (ann, bob) = (insert(session, "ann")?, insert(session, "bob")?);
    let names: Vec<String> = accounts::table
        .select(accounts::username)
        .order(accounts::id)
        .load(session)?;
    assert_eq!(names, ["ann", "bob"]);
    let first: Account = accounts::table
        .select(Account::as_select())
        .filter(accounts::status.eq(AccountStatus::Active))
        .order(accounts::id)
        .first(session)?;
    assert_eq!(first, ann);
    let new = (
        transfers::sender_id.eq(ann.id),
        transfers::receiver_id.eq(bob.id),
        transfers::amount.eq(5),
    );
    assert_eq!(
        diesel::insert_into(transfers::table)
            .values(new)
            .execute(session)?,
        1
    );
    let joined: Vec<(String, i64)> = transfers::table
        .inner_join(accounts::table.on(accounts::id.eq(transfers::receiver_id)))
        .select((accounts::username, transfers::amount))
        .load(session)?;
    assert_eq!(joined, [("bob".to_owned(), 5)]);
    let mut boxed = accounts::table.select(accounts::id).into_boxed();
    boxed = boxed.filter(accounts::username.eq_any(vec!["bob", "cid"]));
    assert_eq!(boxed.load::<AccountId>(session)?, [bob.id]);
    let renamed: String = diesel::update(accounts::table.find(bob.id))
        .set(accounts::username.eq("rob"))
        .returning(accounts::username)
        .get_result(session)?;
    assert_eq!(renamed, "rob");
    assert_eq!(diesel::delete(transfers::table).execute(session)?, 1);
    let missing = accounts::table
        .find(AccountId(0))
        .select(Account::as_select())
        .first(session)
        .optional()?;
    assert_eq!(missing, None);
    let exists: bool =
        diesel::select(diesel::dsl::exists(accounts::table.find(ann.id))).get_result(session)?;
    assert!(exists);
    Ok(())
}

#[bowline::test]
fn sql_by_name_takes_parameters(db: Database) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        number: i32,
        #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::Text>)]
        words: Vec<String>,
    }
    let session = &mut *db.session().expect("the session");
    let lines = diesel::sql_query("SELECT $1 + 1 AS number, ARRAY['a', 'b'] AS words")
        .bind::<diesel::sql_types::Integer, _>(1)
        .load::<Line>(session)?;
    assert_eq!(
        (lines[0].number, lines[0].words.join("")),
        (2, "ab".to_owned())
    );
    Ok(())
}

#[bowline::test]
fn a_queryable_by_name_column_is_checked_by_width(db: Database) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let session = &mut *db.session().expect("the session");
    let narrower = diesel::sql_query("SELECT 1::int4 AS n").load::<Number>(session);
    assert!(matches!(
        narrower,
        Err(DieselError::DeserializationError(_))
    ));
    // Another type of the same width as bigint: diesel reads the bits unchecked.
    let other = diesel::sql_query("SELECT 1::float8 AS n").get_result::<Number>(session)?;
    assert_eq!(other.n as u64, 1f64.to_bits());
    Ok(())
}

#[test]
fn transactions_nest_and_work_on_tx_too() {
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    session
        .transaction(|session| {
            insert(session, "ann")?;
            let inner = session.transaction(|session| {
                insert(session, "bob")?;
                insert(session, "ann")
            });
            assert!(matches!(
                inner,
                Err(DieselError::DatabaseError(
                    DatabaseErrorKind::UniqueViolation,
                    _
                ))
            ));
            Ok::<_, DieselError>(())
        })
        .expect("a commit");
    let rolled_back = session.transaction::<(), _, _>(|session| {
        insert(session, "cid")?;
        Err(DieselError::RollbackTransaction)
    });
    assert!(matches!(rolled_back, Err(DieselError::RollbackTransaction)));
    let count = db.transaction(|tx| Ok::<i64, Error>(accounts::table.count().get_result(tx)?));
    assert_eq!(count.expect("a count"), 1);
}

#[test]
fn diesels_transaction_does_not_ignore_an_error() {
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    let passed_over = session.transaction(|session| {
        insert(session, "ann")?;
        insert(session, "ann").expect_err("a duplicate");
        Ok::<_, DieselError>(())
    });
    assert!(matches!(
        passed_over,
        Err(DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation,
            _
        ))
    ));
}

#[bowline::test]
fn an_error_through_diesel_keeps_its_fields(db: Database) -> bowline::Result<()> {
    let error = db.transaction(|tx| -> bowline::Result<()> {
        insert(tx, "ann")?;
        insert(tx, "ann")?;
        Ok(())
    });
    let error = error.expect_err("a duplicate");
    assert_eq!(
        error.constraint(),
        Some(bank::AccountConstraint::UsernameKey)
    );
    assert!(error.sql().is_some_and(|sql| sql.starts_with("INSERT")));
    Ok(())
}

#[test]
fn a_script_stops_at_its_first_error() {
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    session
        .batch_execute("CREATE TABLE a (x int); INSERT INTO a VALUES (1), (2)")
        .expect("two statements");
    let error = Error::from(
        session
            .batch_execute("INSERT INTO a VALUES (3); SELEC 1")
            .expect_err("a typing error"),
    );
    assert_eq!(error.position(), Some(27));
    let error = Error::from(
        session
            .batch_execute("COPY a FROM STDIN")
            .expect_err("nobody feeds it"),
    );
    assert_eq!(error.kind(), ErrorKind::Query, "{error:?}");
    session
        .batch_execute("VACUUM a")
        .expect("outside of a transaction");
    let count: i64 = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "(SELECT count(*) FROM a)",
    ))
    .get_result(session)
    .expect("a count");
    assert_eq!(count, 2);
}

#[test]
fn the_migration_harness_reverts_and_runs() {
    use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    let migrations = || FileBasedMigrations::from_path(MIGRATIONS).expect("the migrations");
    let reverted = session
        .revert_all_migrations(migrations())
        .expect("each has a down.sql");
    assert_eq!(reverted.len(), 10);
    assert_eq!(
        session
            .run_pending_migrations(migrations())
            .expect("all run again")
            .len(),
        10
    );
    assert!(
        !session
            .has_pending_migration(migrations())
            .expect("an answer")
    );
}

#[derive(Identifiable, AsChangeset, Clone, Copy)]
#[diesel(table_name = accounts)]
struct Renaming<'a> {
    id: AccountId,
    username: &'a str,
}

#[bowline::test]
fn save_changes_gives_the_row_as_it_is_afterwards(db: Database) -> QueryResult<()> {
    let session = &mut *db.session().expect("the session");
    let ann = insert(session, "ann")?;
    let renaming = Renaming {
        id: ann.id,
        username: "anne",
    };
    let anne: Account = renaming.save_changes(session)?;
    // The server computed the display name again.
    assert_eq!((&*anne.username, &*anne.display_name), ("anne", "anne"));
    Ok(())
}

#[derive(AsChangeset)]
#[diesel(table_name = accounts)]
struct Renamed {
    username: Option<String>,
}

#[bowline::test]
fn a_changeset_without_changes_is_no_failure(db: Database) -> QueryResult<()> {
    let session = &mut *db.session().expect("the session");
    let changed = diesel::update(accounts::table)
        .set(Renamed { username: None })
        .execute(session)
        .optional_empty_changeset()?;
    assert_eq!(changed, None);
    Ok(())
}

#[bowline::test]
fn a_query_that_cannot_be_sent_leaves_the_session_whole(db: Database) -> QueryResult<()> {
    let session = &mut *db.session().expect("the session");
    let too_many: Vec<_> = (0..70_000)
        .map(|number| accounts::username.eq(number.to_string()))
        .collect();
    let error = diesel::insert_into(accounts::table)
        .values(too_many)
        .execute(session)
        .expect_err("the protocol counts to 65535");
    assert!(
        matches!(
            error,
            DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _)
        ),
        "{error:?}"
    );
    let error = Error::from(error);
    assert_eq!(
        error.message(),
        "a statement takes at most 65535 parameters, this one has 70000"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("bowline::statement::chunks")),
        "{error:?}"
    );

    for (sql, message) in [
        (" ", "the query is empty"),
        (
            "SELECT '\0'",
            "the SQL holds a NUL byte, which PostgreSQL cannot store",
        ),
    ] {
        let error = diesel::sql_query(sql)
            .execute(session)
            .expect_err("it cannot be sent");
        assert!(matches!(error, DieselError::DatabaseError(..)), "{error:?}");
        assert_eq!(Error::from(error).message(), message);
    }
    assert_eq!(accounts::table.count().get_result::<i64>(session), Ok(0));
    Ok(())
}

#[bowline::test]
fn a_value_of_another_type_names_its_column(db: Database) {
    let session = &mut *db.session().expect("the session");
    let error = diesel::dsl::sql::<diesel::sql_types::SmallInt>("SELECT true AS flag")
        .get_result::<i16>(session)
        .expect_err("a boolean is not a number");
    assert!(
        matches!(error, DieselError::DeserializationError(_)),
        "{error:?}"
    );
    let error = Error::from(error);
    let message = error.message();
    assert!(
        message.contains("\"flag\" has type bool") && message.ends_with("expects int2"),
        "{message}"
    );
}

#[bowline::test]
fn diesels_instrumentation_sees_scripts_too(db: Database) {
    use diesel::connection::{Connection as _, InstrumentationEvent};
    use std::sync::{Arc, Mutex};

    let session = &mut *db.session().expect("the session");
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    session.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let told = match event {
            InstrumentationEvent::StartQuery { query, .. } => format!("start {query}"),
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                format!("finish {query}, failed: {}", error.is_some())
            }
            _ => return,
        };
        seen.lock().expect("no panic").push(told);
    });
    session
        .batch_execute("SELECT 1; SELECT 2")
        .expect("two statements");
    session.batch_execute("SELEC").expect_err("a typing error");
    assert_eq!(
        *events.lock().expect("no panic"),
        [
            "start SELECT 1; SELECT 2",
            "finish SELECT 1; SELECT 2, failed: false",
            "start SELEC",
            "finish SELEC, failed: true"
        ]
    );
}
