//! State of a session, and how it is reset.

use bowline::{Session, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;

use crate::support::server;

fn session() -> Session {
    Session::connect(&server().config("postgres")).expect("a server")
}

#[test]
fn a_session_that_was_reset_carries_nothing_over() {
    let mut session = session();
    session
        .run(sql_query("SET search_path TO nowhere").affected())
        .expect("a setting");
    session
        .batch_execute(
            "CREATE TEMP TABLE mine (x int); LISTEN jobs; SELECT pg_advisory_lock(4711);
             CREATE ROLE left_behind; SET ROLE left_behind; SET default_transaction_read_only = on",
        )
        .expect("all of it");
    assert!(session.is_touched());
    session.reset().expect("a clean session");
    assert!(!session.is_touched());
    let left = "SELECT 1 WHERE current_setting('search_path') LIKE '%nowhere%' OR to_regclass('pg_temp.mine') IS NOT NULL
                OR EXISTS (SELECT FROM pg_listening_channels()) OR current_user <> session_user
                OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
                OR current_setting('default_transaction_read_only') = 'on'
                OR current_setting('TimeZone') <> 'UTC'";
    assert_eq!(session.run(sql_query(left).affected()).expect("a look"), 0);
    session
        .batch_execute("DROP ROLE left_behind")
        .expect("the role");
}

#[test]
fn only_lasting_effects_mark_a_session() {
    let mut session = session();
    session
        .run((
            sql_query("SELECT 1").affected(),
            sql_query("SELECT pg_advisory_xact_lock(4712)").affected(),
        ))
        .expect("answers");
    session
        .batch_execute("BEGIN; COMMIT")
        .expect("a transaction");
    assert!(!session.is_touched());
    session
        .run(sql_query("SELECT set_config('bowline.x', 'y', false)").affected())
        .expect("a setting");
    assert!(session.is_touched());
}

#[test]
fn statements_are_prepared_again_after_a_reset() {
    use diesel::prelude::*;
    let mut session = session();
    let query = || diesel::select(1.into_sql::<diesel::sql_types::Integer>());
    for _ in 0..3 {
        assert_eq!(session.run(query().one::<i32>()).expect("a row"), 1);
        session.reset().expect("a clean session");
    }
}

#[test]
fn a_copy_that_sets_something_touches_the_session_too() {
    let mut session = session();
    let copy = "COPY (SELECT set_config('bowline.x', 'y', false)) TO STDOUT";
    assert_eq!(session.copy_out_to(copy, Vec::new()).expect("a row"), 1);
    assert!(session.is_touched());
}
