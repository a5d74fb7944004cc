//! Random histories of DDL: replay has exactly the catalog that a server has.
//!
//! A history is a list of statements over a few names. Statements that the server refuses are left
//! out, so this code contains none of PostgreSQL's rules. Replay has to follow every statement that
//! the server accepts.

use std::cell::{Cell, RefCell};

use bowline::testing::LocalServer;
use bowline::{Error, Session, sql_query};
use bowline_migrations::Migration;
use diesel::connection::SimpleConnection as _;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use squawk_syntax::SyntaxKind;

use super::super::syntax::without;
use super::super::*;
use super::arms::{arms, count};
use super::migration;
use super::statements::history;
use crate::testing::introspect;

/// The statements of a history that a server accepted, and the server's catalog after them.
#[derive(Clone)]
pub(super) struct Taken {
    pub(super) statements: Vec<String>,
    pub(super) catalog: Catalog,
    /// `server_version_num` without its last four digits.
    pub(super) version: u32,
}

struct Undo(Option<Box<Taken>>, Option<Error>);

impl From<Error> for Undo {
    fn from(error: Error) -> Self {
        Self(None, Some(error))
    }
}

#[derive(bowline::Row)]
struct Numbers {
    #[diesel(sql_type = diesel::sql_types::Text)]
    numbers: String,
}

#[derive(bowline::Row)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    version: i32,
}

/// Returns a statement as one of PL/pgSQL.
pub(super) fn executed(statement: &str) -> String {
    // EXECUTE does not accept SELECT INTO, but it accepts EXPLAIN of one.
    let explain = match statement.starts_with("SELECT") && statement.contains(" INTO ") {
        true => "EXPLAIN ANALYZE ",
        false => "",
    };
    format!("EXECUTE $run${explain}{statement}$run$;")
}

/// Runs the statements in a transaction that is rolled back, and leaves out those that the server
/// refuses. Each is in a block with an exception handler, so a history takes one round trip.
pub(super) fn take(session: &mut Session, statements: &[String]) -> Taken {
    let attempts: String = statements
        .iter()
        .enumerate()
        .map(|(number, statement)| {
            let run = executed(statement);
            format!(
                "BEGIN {run} taken := taken || ' {number}'; EXCEPTION WHEN OTHERS THEN NULL; END;\n"
            )
        })
        .collect();
    let block = format!(
        "DO $all$ DECLARE taken text := ''; BEGIN {attempts} \
         PERFORM set_config('bowline.taken', taken, true); END $all$"
    );
    let undone: Result<(), Undo> = session.savepoint_with_error(|session| {
        session.batch_execute(&block).map_err(Error::from)?;
        let numbers = session
            .run(sql_query("SELECT current_setting('bowline.taken') AS numbers").one::<Numbers>())?
            .numbers;
        let taken = numbers.split_whitespace().map(|number| {
            let number: usize = number.parse().expect("a number");
            statements[number].clone()
        });
        let taken = taken.collect();
        // Temporary objects end with the session, together with the objects that depend on them.
        session.batch_execute("DISCARD TEMP").map_err(Error::from)?;
        let catalog = introspect(session)?;
        let version =
            sql_query("SELECT current_setting('server_version_num')::int4 / 10000 AS version");
        let version = session.run(version.one::<Version>())?.version;
        Err(Undo(
            Some(Box::new(Taken {
                statements: taken,
                catalog,
                version: version.unsigned_abs(),
            })),
            None,
        ))
    });
    match undone {
        Err(Undo(Some(taken), _)) => *taken,
        Err(Undo(None, error)) => panic!("the server does not say what it holds: {error:?}"),
        Ok(()) => unreachable!("the work always ends with Undo"),
    }
}

fn replayed(statements: &[String], off: Option<SyntaxKind>) -> Replayed {
    let text: String = statements.iter().map(|sql| format!("{sql};\n")).collect();
    let mut history = History::default();
    let mut refusals = Vec::new();
    without(off, || history.file(&migration(&text), &mut refusals));
    history.finish(refusals)
}

/// Returns the differences, in a few lines.
fn difference(ours: &Catalog, theirs: &Catalog) -> String {
    let lines = |catalog: &Catalog| format!("{catalog:#?}");
    let (ours, theirs) = (lines(ours), lines(theirs));
    similar::TextDiff::from_lines(&ours, &theirs)
        .unified_diff()
        .context_radius(8)
        .header("replay", "server")
        .to_string()
}

pub(super) fn session_of_its_own(name: &str) -> (LocalServer, Session) {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let database = format!("histories_{name}_{}", std::process::id());
    let mut maintenance = Session::connect(&server.config("postgres")).expect("a connection");
    maintenance
        .batch_execute(&format!("CREATE DATABASE {database}"))
        .expect("a database");
    let session = Session::connect(&server.config(&database)).expect("a connection");
    (server, session)
}

/// Returns a number from an environment variable.
pub(super) fn number(variable: &str, otherwise: u32) -> u32 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|given| given.parse().ok())
        .unwrap_or(otherwise)
}

pub(super) fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        // The contents of a template depend on the statements before it. So a failing history is
        // shortened as text, and its templates are not filled again.
        max_shrink_iters: 0,
        rng_seed: RngSeed::Fixed(number("BOWLINE_SEED", 7).into()),
        ..Config::default()
    })
}

/// Returns the way in which replay differs from the server, if it does.
pub(super) fn disagreement(taken: &Taken) -> Option<String> {
    disagreement_without(taken, None)
}

/// Returns the same with an arm of replay switched off.
pub(super) fn disagreement_without(taken: &Taken, off: Option<SyntaxKind>) -> Option<String> {
    let replayed = replayed(&taken.statements, off);
    if let Some(refusal) = replayed.refusals.first() {
        // Newer servers refuse the statement too.
        let is_newer = taken.version < 17 && refusal.why.ends_with("refuses from 17 on");
        return (!is_newer).then(|| refusal.to_string());
    }
    let comparable = |catalog: Catalog| {
        let mut catalog = catalog.canonical();
        if taken.version < 17 {
            forget_partition_index_comments(&mut catalog);
        }
        if taken.version < 18 {
            forget_inherited_not_null(&mut catalog);
        }
        catalog
    };
    let (ours, theirs) = (
        comparable(replayed.catalog),
        comparable(taken.catalog.clone()),
    );
    (ours != theirs).then(|| difference(&ours, &theirs))
}

/// Removes NOT NULL from inherited columns. Replay follows PostgreSQL 18, where NOT NULL is
/// inherited and dropped like a check; earlier versions do that differently.
fn forget_inherited_not_null(catalog: &mut Catalog) {
    let before = catalog.clone();
    for child in catalog.relations.values_mut() {
        for parent in &child.parents {
            let parent = before.relations.get(parent);
            let columns = parent.map_or(&[][..], |parent| &parent.columns);
            for column in &mut child.columns {
                column.not_null &= !columns.iter().any(|other| other.name == column.name);
            }
        }
    }
}

/// Removes the comments of indexes of partitions. Before PostgreSQL 17, an index of a partition
/// that is created again has the comment of the parent's.
fn forget_partition_index_comments(catalog: &mut Catalog) {
    let relations = catalog.relations.values_mut();
    let partitions = relations.filter(|relation| relation.partition_bound.is_some());
    for index in partitions.flat_map(|partition| &mut partition.indexes) {
        index.comment = None;
    }
}

/// Returns the history without the statements that are not needed to reproduce the difference.
fn shortest(session: &mut Session, mut taken: Taken) -> Taken {
    let mut length = taken.statements.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < taken.statements.len() {
            let mut fewer = taken.statements.clone();
            fewer.drain(at..(at + length).min(fewer.len()));
            let attempt = take(session, &fewer);
            if disagreement(&attempt).is_some() {
                taken = attempt;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    taken
}

#[test]
fn random_histories_are_as_a_server_has_them() {
    let (_server, mut session) = session_of_its_own("random");
    let version = take(&mut session, &[]).version;
    let session = RefCell::new(session);
    let arms = arms();
    let counts = RefCell::new(arms.iter().map(|arm| (*arm, 0)).collect());
    let (written, taken_in_all) = (Cell::new(0), Cell::new(0));
    let failures = RefCell::new(Vec::new());
    let outcome = runner(number("BOWLINE_HISTORIES", 60)).run(&history(version), |history| {
        let statements: Vec<String> = history.into_iter().map(|statement| statement.0).collect();
        written.set(written.get() + statements.len());
        let taken = take(&mut session.borrow_mut(), &statements);
        for statement in &taken.statements {
            count(statement, &arms, &mut counts.borrow_mut());
        }
        taken_in_all.set(taken_in_all.get() + taken.statements.len());
        if disagreement(&taken).is_none() {
            return Ok(());
        }
        let shortest = shortest(&mut session.borrow_mut(), taken);
        let why = disagreement(&shortest).unwrap_or_default();
        let statements = shortest.statements.join(";\n");
        let mut failures = failures.borrow_mut();
        failures.push(format!("{statements};\n{why}"));
        if failures.len() < number("BOWLINE_FAILURES", 1) as usize {
            Ok(())
        } else {
            Err(TestCaseError::fail("enough"))
        }
    });
    for (arm, count) in counts.take() {
        eprintln!("{count:7} {arm:?}");
    }
    eprintln!(
        "{:7} statements taken of {} written",
        taken_in_all.get(),
        written.get()
    );
    let failures = failures.take();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    outcome.expect("nothing else fails");
}

#[test]
fn a_down_migration_undoes_its_up_migration() {
    let migrations = crate::testing::bank();
    for count in 1..=migrations.len() {
        let (done, [.., last]) = (&migrations[..count - 1], &migrations[..count]) else {
            unreachable!("there is one at least");
        };
        let Some(down) = &last.down else {
            continue;
        };
        let up = |migrations: &'_ [Migration]| -> Vec<SqlFile> {
            let ups = migrations.iter().map(|migration| migration.up.clone());
            ups.collect()
        };
        let before = replay(&up(done));
        let mut up_and_down = up(&migrations[..count]);
        up_and_down.push(down.clone());
        let after = replay(&up_and_down);
        assert_eq!(after.refusals, [], "{} can be undone", last.name);
        assert_eq!(
            after.catalog.canonical(),
            before.catalog.canonical(),
            "after {} and its down",
            last.name
        );
    }
}
