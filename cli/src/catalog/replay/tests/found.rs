//! Histories that random ones found: each was once followed otherwise than a server does.

use std::sync::{LazyLock, Mutex, PoisonError};

use bowline::Session;
use bowline::testing::LocalServer;

use super::histories::{difference, replayed, session_of_its_own, take};

static SERVER: LazyLock<(LocalServer, Mutex<Session>)> = LazyLock::new(|| {
    let (server, session) = session_of_its_own("found");
    (server, Mutex::new(session))
});

/// Every statement is one that a server takes, and replay says what the server then holds.
fn agree(history: &[&str]) {
    let statements: Vec<String> = history.iter().map(|sql| (*sql).to_owned()).collect();
    let mut session = SERVER.1.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = take(&mut session, &statements);
    drop(session);
    assert_eq!(taken.statements, statements, "the server takes all of them");
    let (ours, refusals) = replayed(&statements, None);
    let refused: String = refusals
        .iter()
        .map(|refusal| refusal.render(false))
        .collect();
    assert_eq!(refused, "");
    let (ours, theirs) = (ours.canonical(), taken.catalog.canonical());
    assert!(ours == theirs, "{}", difference(&ours, &theirs));
}

#[test]
fn a_serial_column_that_gives_away_another_sequence_stays_serial() {
    agree(&[
        "CREATE TABLE t (id serial, a int)",
        "CREATE SEQUENCE s OWNED BY t.id",
        "ALTER SEQUENCE s OWNED BY t.a",
    ]);
}

#[test]
fn a_serial_column_that_owns_two_sequences_takes_from_its_own() {
    agree(&[
        "CREATE TABLE t (id serial, a int)",
        "CREATE SEQUENCE s OWNED BY t.id",
        "CREATE TABLE u (LIKE t INCLUDING DEFAULTS)",
        "CREATE TABLE v () INHERITS (t)",
        "DROP SEQUENCE s",
        "CREATE SEQUENCE a OWNED BY t.id",
        "ALTER TABLE t ALTER id SET DEFAULT nextval('a')",
        "ALTER SEQUENCE t_id_seq RENAME TO b",
        "ALTER SEQUENCE a OWNED BY NONE",
    ]);
}

#[test]
fn a_default_keeps_the_sequence_that_the_search_path_meant() {
    agree(&[
        "CREATE SCHEMA z",
        "CREATE SEQUENCE z.s",
        "SET search_path TO z, public",
        "CREATE TABLE public.t (a int DEFAULT nextval('s'), b text DEFAULT 'n-' || nextval('s'))",
        "SET search_path TO public",
        "CREATE SEQUENCE s",
        "ALTER SEQUENCE z.s RENAME TO s1",
        "ALTER SEQUENCE z.s1 OWNED BY NONE",
        "DROP SEQUENCE s",
    ]);
}

#[test]
fn a_sequence_in_an_expression_takes_the_default_along() {
    agree(&[
        "CREATE SEQUENCE s",
        "CREATE TABLE t (a text DEFAULT 'n-' || nextval('s'), b int DEFAULT nextval('s') + 1)",
        "DROP SEQUENCE s CASCADE",
    ]);
}
