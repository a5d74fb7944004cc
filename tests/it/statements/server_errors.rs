//! Errors of the server: the code, and every field of the message.

use bank::AccountConstraint;
use bowline::error::ServerError;
use bowline::sqlstate::SqlStateClass;
use bowline::{Database, ErrorKind, Result, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;

use crate::support::server;

#[derive(bowline::Row)]
struct Code {
    #[diesel(sql_type = Text)]
    code: String,
}

/// Returns the server's error for a statement that fails.
fn refused(db: &Database, statement: &str) -> ServerError {
    let error = db
        .run(sql_query(statement).affected())
        .expect_err("a failure");
    error.server().expect("an answer of the server's").clone()
}

#[test]
fn every_condition_name_has_the_servers_code() {
    let mut session = bowline::Session::connect(&server().config("postgres")).expect("a server");
    session
        .batch_execute(
            "CREATE FUNCTION pg_temp.code(condition text) RETURNS text LANGUAGE plpgsql AS $$
             BEGIN
                 RAISE EXCEPTION USING ERRCODE = condition;
             EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
                 RETURN SQLSTATE;
             END $$",
        )
        .expect("a function");
    let mut unknown = Vec::new();
    for code in SqlState::all() {
        let condition = code.condition().expect("a name");
        let asked = sql_query("SELECT pg_temp.code($1) AS code").bind::<Text, _>(condition);
        let answer = session.run(asked.one::<Code>()).expect("a code").code;
        let answer = SqlState::new(&answer).expect("a code");
        // The server uses the first of several codes that share a name.
        if answer == SqlState::UNDEFINED_OBJECT && code != SqlState::UNDEFINED_OBJECT {
            unknown.push(code);
        } else {
            assert_eq!(answer.condition(), Some(condition), "{code} is {answer}");
        }
    }
    // A code that is no error has no name in PL/pgSQL, and later versions have more codes.
    unknown.retain(|code| {
        ![
            SqlStateClass::SUCCESSFUL_COMPLETION,
            SqlStateClass::WARNING,
            SqlStateClass::NO_DATA,
        ]
        .contains(&code.class())
    });
    let later = [
        (SqlState::INVALID_ARGUMENT_FOR_XQUERY, 180_000),
        (SqlState::TRANSACTION_TIMEOUT, 170_000),
        (SqlState::FILE_NAME_TOO_LONG, 180_000),
    ];
    unknown.retain(|code| {
        let since = later.iter().find(|(later, _)| later == code);
        since.is_none_or(|(_, since)| session.server_version() >= *since)
    });
    assert_eq!(unknown, []);
}

#[bowline::test]
fn a_code_that_raise_made_up_is_kept_as_it_came(db: Database) -> Result<()> {
    let error = refused(&db, "DO $$ BEGIN RAISE SQLSTATE 'ZY123'; END $$");
    assert_eq!(error.sqlstate.code(), "ZY123");
    assert_eq!(error.sqlstate.condition(), None);
    assert_eq!(error.sqlstate.class().code(), "ZY");
    Ok(())
}

#[bowline::test]
fn a_violated_constraint_is_named_in_full(db: Database) -> Result<()> {
    let insert = "INSERT INTO accounts (username) VALUES ('ann')";
    db.run(sql_query(insert).exactly(1))?;
    let error = refused(&db, insert);
    assert_eq!(
        (error.schema.as_deref(), error.table.as_deref()),
        (Some("public"), Some("accounts"))
    );
    assert_eq!(error.constraint.as_deref(), Some("accounts_username_key"));
    assert_eq!(
        error.detail.as_deref(),
        Some("Key (username)=(ann) already exists.")
    );
    assert_eq!(error.severity, "ERROR");
    Ok(())
}

#[bowline::test]
fn a_missing_value_names_its_column(db: Database) -> Result<()> {
    let error = refused(&db, "INSERT INTO accounts (username) VALUES (NULL)");
    assert_eq!(error.sqlstate, SqlState::NOT_NULL_VIOLATION);
    assert_eq!(error.column.as_deref(), Some("username"));
    Ok(())
}

#[bowline::test]
fn a_value_that_its_domain_refuses_names_the_data_type(db: Database) -> Result<()> {
    let mut session = db.session()?;
    session.batch_execute("CREATE DOMAIN even AS int CONSTRAINT is_even CHECK (VALUE % 2 = 0)")?;
    drop(session);
    let error = refused(&db, "SELECT 3::even");
    assert_eq!(error.data_type.as_deref(), Some("even"));
    assert_eq!(error.constraint.as_deref(), Some("is_even"));
    Ok(())
}

#[bowline::test]
fn a_misspelt_name_has_a_position_and_a_hint(db: Database) -> Result<()> {
    let error = refused(&db, "SELECT usrname FROM accounts");
    assert_eq!(error.position, Some(8));
    let hint = error.hint.as_deref();
    assert!(hint.is_some_and(|hint| hint.contains("accounts.username")));
    Ok(())
}

#[bowline::test]
fn an_error_in_a_function_has_its_inner_query(db: Database) -> Result<()> {
    let error = refused(&db, "DO $$ BEGIN PERFORM nothing FROM nowhere; END $$");
    assert_eq!(error.position, None);
    let query = error.internal_query.as_deref();
    assert_eq!(query, Some("SELECT nothing FROM nowhere"));
    assert_eq!(error.internal_position, Some(21));
    let context = error.context.as_deref();
    assert!(context.is_some_and(|context| context.contains("line 1 at PERFORM")));
    Ok(())
}

#[bowline::test]
fn an_error_has_its_place_in_the_servers_source(db: Database) -> Result<()> {
    let error = refused(&db, "SELECT 1/0");
    assert_eq!(error.source_file.as_deref(), Some("int.c"));
    assert_eq!(error.source_function.as_deref(), Some("int4div"));
    assert!(error.source_line.is_some_and(|line| line > 0));
    Ok(())
}

#[test]
fn an_error_that_ends_the_session_is_fatal() {
    let mut session = bowline::Session::connect(&server().config("postgres")).expect("a server");
    let error = session
        .run(sql_query("SELECT pg_terminate_backend(pg_backend_pid())").affected())
        .expect_err("the end");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let server = error.server().expect("the server's last words");
    assert_eq!(
        (server.severity.as_str(), server.sqlstate),
        ("FATAL", SqlState::ADMIN_SHUTDOWN)
    );
}

#[test]
fn missing_tables_and_misspelt_columns_have_hints() {
    let db = server().config("postgres").open().expect("a server");
    let hint = |text| {
        let error = db.run(sql_query(text).affected()).expect_err("a failure");
        error.hint().map(str::to_owned).unwrap_or_default()
    };
    assert!(hint("SELECT FROM shops").contains("`bowline migrate status`"));
    assert!(hint("SELECT relnam FROM pg_class").contains("relname"));
}

#[bowline::test]
fn a_constraint_of_a_shard_is_that_of_its_table(db: Database) -> Result<()> {
    // As Citus names the shards of `accounts`, and what belongs to them.
    let mut session = db.session()?;
    session.batch_execute(
        "CREATE TABLE accounts_102010 (LIKE accounts INCLUDING ALL);
         ALTER INDEX accounts_102010_username_key RENAME TO accounts_username_key_102010;
         CREATE TABLE accounts_10 (username text CONSTRAINT accounts_username_key_10 UNIQUE);",
    )?;
    drop(session);
    let violated = |table: &str, values: &str| -> Result<Option<AccountConstraint>> {
        let insert = format!("INSERT INTO {table} (username) VALUES {values}");
        let error = db
            .run(sql_query(insert).affected())
            .expect_err("it is refused");
        Ok(error.constraint::<AccountConstraint>())
    };
    let twice = "('ann'), ('ann')";
    let key = Some(AccountConstraint::UsernameKey);
    assert_eq!(violated("accounts", twice)?, key);
    assert_eq!(violated("accounts_102010", twice)?, key);
    // Another table, whose name happens to end so.
    assert_eq!(violated("accounts_10", twice)?, None);
    Ok(())
}

bowline::constraints! {
    /// The constraints of a table whose names Citus shortens for its shards.
    pub enum LongConstraint
        on "public"."a23456789012345678901234567890123456789012345678901234567890123"
    {
        UsernameKey = "accounts_tenant_id_and_a_very_long_list_of_columns_username_key",
        Other = "accounts_tenant_id_and_a_very_long_list_of_columns_username_kex",
    }
}

#[bowline::test]
fn a_shortened_name_of_a_shard_is_known(db: Database) -> Result<()> {
    // As Citus 13.2 names the shard 102990 of this table, and its key.
    db.session()?.batch_execute(
        "CREATE TABLE a2345678901234567890123456789012345678901234567_788eea27_102990 (username text
         CONSTRAINT accounts_tenant_id_and_a_very_long_list_of_colu_a1109f2c_102990 UNIQUE);",
    )?;
    let table = "a2345678901234567890123456789012345678901234567_788eea27_102990";
    let insert = format!("INSERT INTO {table} VALUES ('ann'), ('ann')");
    let error = db
        .run(sql_query(insert).affected())
        .expect_err("it is refused");
    assert_eq!(
        error.constraint::<LongConstraint>(),
        Some(LongConstraint::UsernameKey)
    );
    assert_eq!(error.constraint::<AccountConstraint>(), None);
    Ok(())
}
