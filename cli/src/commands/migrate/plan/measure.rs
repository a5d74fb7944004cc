//! Measures statements on a throwaway server: their locks, replaced files, and scans.
//!
//! All three are read in the statement's own transaction, before and after it. PostgreSQL counts a
//! scan of an empty table, and replaces the file of an empty table, as it does for a large one. A
//! statement that cannot run in a transaction is read from outside: another session keeps an old
//! snapshot, for which a concurrent build of an index waits while it holds its locks.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use bowline::{Session, StatementDsl as _, sql_query};
use diesel::sql_types::{Array, BigInt, Integer, Oid, Text};

use super::effect::{Effect, Lock, qualified};
use super::{Planned, PlannedStatement, Sent, statements};
use crate::error::{CliError, failed};
use crate::migrations::Migration;
use crate::throwaway::Throwaway;

/// A table, as a session sees it in its transaction.
#[derive(Debug, Clone, bowline::Row)]
struct Seen {
    #[diesel(sql_type = Oid)]
    oid: u32,
    #[diesel(sql_type = Text)]
    name: String,
    /// Its file, and 0 for what has none.
    #[diesel(sql_type = Oid)]
    file: u32,
    /// The number of scans in this transaction.
    #[diesel(sql_type = BigInt)]
    scans: i64,
    /// The locks of the session, by their names in `pg_locks`.
    #[diesel(sql_type = Array<Text>)]
    locks: Vec<String>,
    /// The validated foreign keys that refer to it.
    #[diesel(sql_type = Array<Oid>)]
    referring: Vec<u32>,
}

/// The tables, views and materialized views that migrations made, with the locks of a session.
const SEEN: &str = "\
    SELECT c.oid,
           CASE WHEN n.nspname = 'public' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END
               || pg_catalog.quote_ident(c.relname) AS name,
           c.relfilenode AS file, coalesce(s.seq_scan, 0) AS scans,
           ARRAY(SELECT l.mode::pg_catalog.text FROM pg_catalog.pg_locks l
                 WHERE l.relation = c.oid AND l.pid = $1 AND l.granted) AS locks,
           ARRAY(SELECT k.oid FROM pg_catalog.pg_constraint k
                 WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.convalidated) AS referring
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_stat_xact_all_tables s ON s.relid = c.oid
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND c.relname NOT IN ('__diesel_schema_migrations', '__bowline_migrations', '_sqlx_migrations')";

type Tables = BTreeMap<u32, Seen>;

/// Runs the pending migrations, and measures each of their statements. Tables that they create are
/// left out.
pub(super) fn all(
    throwaway: &mut Throwaway,
    pending: &[&Migration],
    mut progress: impl FnMut(&str),
) -> Result<Vec<Planned>, CliError> {
    let known = known(throwaway)?;
    let mut planned = Vec::new();
    for migration in pending {
        progress(&migration.name);
        let statements = statements(migration)?;
        let measured = one(throwaway, migration, &statements, &known)?;
        planned.push(Planned::new(migration, measured));
    }
    Ok(planned)
}

/// Runs a migration, and measures each of its statements. Tables that it creates are left out.
pub(in crate::commands) fn alone(
    throwaway: &mut Throwaway,
    migration: &Migration,
) -> Result<Vec<PlannedStatement>, CliError> {
    let known = known(throwaway)?;
    one(throwaway, migration, &statements(migration)?, &known)
}

/// Returns the tables that are there.
fn known(throwaway: &mut Throwaway) -> Result<Vec<u32>, CliError> {
    Ok(tables(throwaway.session()?)?.into_keys().collect())
}

fn one(
    throwaway: &mut Throwaway,
    migration: &Migration,
    statements: &[Sent],
    known: &[u32],
) -> Result<Vec<PlannedStatement>, CliError> {
    throwaway.prepare_for(migration)?;
    let mut left_out = Vec::new();
    for sent in statements {
        left_out.push(throwaway.leaves_out(&sent.sql)?);
    }
    if let ([sent @ Sent { batches: None, .. }], [false]) = (statements, left_out.as_slice())
        && !migration.run_in_transaction
    {
        let (measured, effects) = outside(throwaway, migration, &sent.sql, known)?;
        return Ok(vec![PlannedStatement {
            measured,
            ..PlannedStatement::new(sent, effects)
        }]);
    }
    let session = throwaway.session()?;
    let name = &migration.name;
    // Several statements of a file run in one transaction in any case, unless the file says where
    // each begins and ends.
    let is_one =
        migration.run_in_transaction || !statements.iter().any(|sent| control(&sent.sql).is_some());
    let mut is_open = is_one;
    if is_one {
        simple(session, "BEGIN", name)?;
    }
    let mut planned = Vec::new();
    for (sent, is_left_out) in statements.iter().zip(left_out) {
        let sql = &sent.sql;
        if is_left_out {
            planned.push(PlannedStatement {
                measured: false,
                ..PlannedStatement::new(sent, Vec::new())
            });
            continue;
        }
        let control = control(sql).filter(|_| !is_one);
        let is_alone = !is_open && control.is_none();
        if is_alone {
            simple(session, "BEGIN", name)?;
        }
        let before = tables(session)?;
        simple(session, sql, name)?;
        let after = tables(session)?;
        planned.push(PlannedStatement::new(
            sent,
            effects(sql, &before, &after, known),
        ));
        if is_alone {
            simple(session, "COMMIT", name)?;
        }
        is_open = control.unwrap_or(is_open);
    }
    // Settings of the file end with it.
    let end = if is_open { "COMMIT; " } else { "" };
    let clean = format!("{end}RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL");
    simple(session, &clean, name)?;
    Ok(planned)
}

/// Returns whether a transaction is open after a statement that begins or ends one; `None` for
/// other statements.
fn control(sql: &str) -> Option<bool> {
    let first = bowline_sql::first_word(sql)?;
    if first.is_one_of(&["begin", "start"]) {
        return Some(true);
    }
    first
        .is_one_of(&["commit", "end", "abort"])
        .then_some(false)
}

/// Returns the tables that the session sees, with its locks.
fn tables(session: &mut Session) -> Result<Tables, CliError> {
    let pid = session.backend_pid();
    tables_of(session, pid)
}

fn tables_of(session: &mut Session, pid: i32) -> Result<Tables, CliError> {
    let query = sql_query(SEEN).bind::<Integer, _>(pid).all::<Seen>();
    let seen = session.run(query)?.into_iter();
    Ok(seen.map(|seen| (seen.oid, seen)).collect())
}

/// Returns the effects of a statement on tables that were there before the plan.
fn effects(sql: &str, before: &Tables, after: &Tables, known: &[u32]) -> Vec<Effect> {
    let mut effects = Vec::new();
    let empties = bowline_sql::first_word(sql).is_some_and(|word| word.is_word("truncate"));
    let scanned = |was: &Seen, is: &Seen| is.scans > was.scans;
    // A foreign key is validated by a join, which does not read the other side for an empty table.
    let validates = before.iter().any(|(oid, was)| {
        let is = after.get(oid);
        known.contains(oid) && is.is_some_and(|is| scanned(was, is))
    });
    let is_joined = |was: &Seen, is: &Seen| {
        let mut referring = is.referring.iter();
        validates && referring.any(|key| !was.referring.contains(key))
    };
    for (oid, was) in before.iter().filter(|(oid, _)| known.contains(oid)) {
        let is = after.get(oid);
        let earlier = strongest(&was.locks);
        // A table that the statement drops is locked against everybody.
        let lock = is.map_or(Some(Lock::AccessExclusive), |is| strongest(&is.locks));
        let is_replaced = is.is_some_and(|is| is.file != was.file);
        let (rewrites, empties) = (is_replaced && !empties, is_replaced && empties);
        let scans = is.is_some_and(|is| scanned(was, is) || is_joined(was, is));
        let is_stronger = lock > earlier;
        if let Some(lock) = lock.filter(|_| is_stronger || is_replaced || scans) {
            effects.push(Effect {
                relation: was.name.clone(),
                lock,
                is_held: !is_stronger,
                blocks: lock.blocks(),
                rewrites,
                empties,
                scans,
                rows: None,
                bytes: None,
                sessions: None,
            });
        }
    }
    effects.sort_by(|a, b| {
        b.lock
            .cmp(&a.lock)
            .then_with(|| a.relation.cmp(&b.relation))
    });
    effects
}

fn strongest(locks: &[String]) -> Option<Lock> {
    locks.iter().filter_map(|mode| Lock::of(mode)).max()
}

fn simple(session: &mut Session, sql: &str, name: &str) -> Result<(), CliError> {
    session
        .simple_query(sql, |_| ControlFlow::Continue(()))
        .map_err(|error| failed(&format!("run {name}"), &error).hint(bowline_sql::one_line(sql)))
}

/// The time to wait for a statement to wait.
const LIMIT: Duration = Duration::from_secs(10);

/// Runs the only statement of a migration without a transaction, and measures it while it waits for
/// a session with an old snapshot. Returns whether it waited, and its effects.
fn outside(
    throwaway: &mut Throwaway,
    migration: &Migration,
    sql: &str,
    known: &[u32],
) -> Result<(bool, Vec<Effect>), CliError> {
    let mut old = throwaway.another_session()?;
    let mut reader = throwaway.another_session()?;
    let before = tables(throwaway.session()?)?;
    simple(
        &mut old,
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        &migration.name,
    )?;
    for table in before.values() {
        // A view may fail when it is read; then its tables are read by themselves.
        let read = format!(
            "SAVEPOINT s; SELECT FROM {} LIMIT 0; RELEASE s",
            qualified(&table.name)
        );
        if old
            .simple_query(&read, |_| ControlFlow::Continue(()))
            .is_err()
        {
            simple(&mut old, "ROLLBACK TO s", &migration.name)?;
        }
    }
    let session = throwaway.session()?;
    let pid = session.backend_pid();
    thread::scope(|scope| {
        let running = scope.spawn(|| simple(session, sql, &migration.name));
        let waiting = while_waiting(&mut reader, pid, || running.is_finished());
        // Until this, the statement waits.
        simple(&mut old, "ROLLBACK", &migration.name)?;
        running
            .join()
            .unwrap_or_else(|_| Err(CliError::failed("the measurement panicked")))?;
        Ok(match waiting? {
            Some(after) => (true, effects(sql, &before, &after, known)),
            None => (false, Vec::new()),
        })
    })
}

/// Returns the tables with the locks of a session, once that session waits; `None` if it ends
/// first.
fn while_waiting(
    reader: &mut Session,
    pid: i32,
    is_finished: impl Fn() -> bool,
) -> Result<Option<Tables>, CliError> {
    let deadline = Instant::now() + LIMIT;
    while !is_finished() && Instant::now() < deadline {
        if is_waiting(reader, pid)? {
            return tables_of(reader, pid).map(Some);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(None)
}

/// Returns whether a session waits for another one.
fn is_waiting(session: &mut Session, pid: i32) -> Result<bool, CliError> {
    let query = "SELECT 1 FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted";
    let waits = session.run(sql_query(query).bind::<Integer, _>(pid).affected())?;
    Ok(waits > 0)
}
