//! What a diesel user writes, on a `Session` and within a transaction.

use bowline::bank::schema::{accounts, transfers};
use bowline::bank::{Account, AccountId, AccountStatus, NewTransfer};
use bowline::{Database, Error, Session};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::repositories::new_account;
use crate::test_database;

fn insert(session: &mut Session, username: &str) -> QueryResult<Account> {
    diesel::insert_into(accounts::table)
        .values(new_account(username))
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
    let new = NewTransfer {
        sender_id: ann.id,
        receiver_id: bob.id,
        amount: 5,
        created_at: None,
        details: None,
        tags: None,
    };
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
fn diesels_own_transaction_does_not_pass_over_an_error_either() {
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
fn an_error_that_came_through_diesel_keeps_its_sqlstate_and_constraint(
    db: Database,
) -> bowline::Result<()> {
    let error = db.transaction(|tx| -> bowline::Result<()> {
        insert(tx, "ann")?;
        insert(tx, "ann")?;
        Ok(())
    });
    let error = error.expect_err("a duplicate");
    assert_eq!(
        error.constraint(),
        Some(bowline::bank::AccountConstraint::UsernameKey)
    );
    assert!(error.sql().is_some_and(|sql| sql.starts_with("INSERT")));
    Ok(())
}

#[test]
fn a_script_of_several_statements_stops_at_the_first_error() {
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
    assert!(matches!(error, Error::Query(_)), "{error:?}");
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
    let migrations = || FileBasedMigrations::from_path(crate::MIGRATIONS).expect("the migrations");
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
    // The server made the name to display anew.
    assert_eq!((&*anne.username, &*anne.display_name), ("anne", "anne"));
    Ok(())
}
