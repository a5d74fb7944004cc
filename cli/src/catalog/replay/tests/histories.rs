//! Random histories of DDL: replay says what a server says, in full.
//!
//! A history is a list of statements over a few names. The server takes what is valid, and the rest is left out; so
//! nothing here knows PostgreSQL's rules. Every statement that a server takes has to be followed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use bowline::testing::LocalServer;
use bowline::{Error, Session, StatementDsl as _, sql};
use diesel::connection::SimpleConnection as _;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use super::super::*;
use super::migration;
use super::statements::history;
use crate::catalog::introspect::introspect;

/// A history as a server took it, and what it then held.
pub(super) struct Taken {
    pub(super) statements: Vec<String>,
    catalog: Catalog,
    /// `server_version_num` without its last four digits.
    version: u32,
}

struct Undo(Option<Box<Taken>>, Option<Error>);

impl From<Error> for Undo {
    fn from(error: Error) -> Self {
        Self(None, Some(error))
    }
}

#[derive(diesel::QueryableByName)]
struct Numbers {
    #[diesel(sql_type = diesel::sql_types::Text)]
    numbers: String,
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    version: i32,
}

/// Runs the statements in a transaction that is rolled back, and leaves out what the server refuses: one block with a
/// handler around each, so that a history is one round trip.
pub(super) fn take(session: &mut Session, statements: &[String]) -> Taken {
    let attempts: String = statements
        .iter()
        .enumerate()
        .map(|(number, statement)| {
            format!(
                "BEGIN EXECUTE $run${statement}$run$; taken := taken || ' {number}'; \
                 EXCEPTION WHEN OTHERS THEN NULL; END;\n"
            )
        })
        .collect();
    let block = format!(
        "DO $all$ DECLARE taken text := ''; BEGIN {attempts} \
         PERFORM set_config('bowline.taken', taken, true); END $all$"
    );
    let undone: Result<(), Undo> = session.savepoint(|session| {
        session.batch_execute(&block).map_err(Error::from)?;
        let numbers = session
            .run(sql("SELECT current_setting('bowline.taken') AS numbers").one::<Numbers>())?
            .numbers;
        let taken = numbers.split_whitespace().map(|number| {
            let number: usize = number.parse().expect("a number");
            statements[number].clone()
        });
        let taken = taken.collect();
        let catalog = introspect(session)?;
        let version = sql("SELECT current_setting('server_version_num')::int4 / 10000 AS version");
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

fn replayed(statements: &[String], off: Option<SyntaxKind>) -> (Catalog, Vec<Refusal>) {
    let text: String = statements.iter().map(|sql| format!("{sql};\n")).collect();
    let mut replay = Replay {
        off,
        ..Replay::default()
    };
    let mut refusals = Vec::new();
    replay.file(&migration(&text).up, &mut refusals);
    let replayed = replay.finish(refusals);
    (replayed.catalog, replayed.refusals)
}

/// What differs, in a few lines.
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

/// A number that the environment gives.
fn number(variable: &str, otherwise: u32) -> u32 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|given| given.parse().ok())
        .unwrap_or(otherwise)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        // What fills a template depends on the statements before it, so a failure is shortened as it was written.
        max_shrink_iters: 0,
        rng_seed: RngSeed::Fixed(number("BOWLINE_SEED", 7).into()),
        ..Config::default()
    })
}

/// Why replay does not agree with what a server took, if it does not.
pub(super) fn disagreement(taken: &Taken) -> Option<String> {
    disagreement_without(taken, None)
}

/// The same with an arm of replay switched off.
fn disagreement_without(taken: &Taken, off: Option<SyntaxKind>) -> Option<String> {
    let (ours, refusals) = replayed(&taken.statements, off);
    if let Some(refusal) = refusals.first() {
        return Some(refusal.render(false));
    }
    let comparable = |catalog: Catalog| {
        let mut catalog = catalog.canonical();
        if taken.version < 18 {
            forget_inherited_not_null(&mut catalog);
        }
        catalog
    };
    let (ours, theirs) = (comparable(ours), comparable(taken.catalog.clone()));
    (ours != theirs).then(|| difference(&ours, &theirs))
}

/// Replay follows PostgreSQL 18, where NOT NULL is inherited and lost as checks are; before, it was not.
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

/// The same history without all that the disagreement does not need.
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
    let (_server, session) = session_of_its_own("random");
    let session = RefCell::new(session);
    let counts = RefCell::new(BTreeMap::<String, usize>::new());
    let (written, failures) = (Cell::new(0), RefCell::new(Vec::new()));
    let outcome = runner(number("BOWLINE_HISTORIES", 60)).run(&history(), |history| {
        let statements: Vec<String> = history.into_iter().map(|statement| statement.0).collect();
        written.set(written.get() + statements.len());
        let taken = take(&mut session.borrow_mut(), &statements);
        for statement in &taken.statements {
            for arm in arms(statement) {
                *counts.borrow_mut().entry(format!("{arm:?}")).or_default() += 1;
            }
            *counts.borrow_mut().entry(TAKEN.to_owned()).or_default() += 1;
        }
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
    for (arm, count) in counts.borrow().iter() {
        eprintln!("{count:7} {arm}");
    }
    eprintln!("{:7} statements written", written.get());
    let failures = failures.take();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    outcome.expect("nothing else fails");
}

#[test]
fn what_a_migration_does_its_down_undoes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .join("migrations");
    let migrations = crate::migrations::read_folder(&folder).expect("the bank's migrations");
    for count in 1..=migrations.len() {
        let (done, [.., last]) = (&migrations[..count - 1], &migrations[..count]) else {
            unreachable!("there is one at least");
        };
        let Some(down) = &last.down else {
            continue;
        };
        let mut up_and_down = migrations[..count].to_vec();
        up_and_down.push(Migration {
            up: down.clone(),
            ..last.clone()
        });
        let before = replay(done);
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

/// The arms of replay that a statement goes through.
fn arms(statement: &str) -> Vec<SyntaxKind> {
    let parse = SourceFile::parse(statement);
    let mut kinds: Vec<_> = parse
        .syntax_node()
        .descendants()
        .map(|node| node.kind())
        .filter(|kind| ARMS.contains(kind))
        .collect();
    kinds.dedup();
    kinds
}

/// What the statements that a server took are counted under.
const TAKEN: &str = "statements taken";

/// What can be switched off.
const ARMS: [SyntaxKind; 68] = {
    use SyntaxKind as K;
    [
        K::CREATE_TABLE,
        K::CREATE_TABLE_AS,
        K::ALTER_TABLE,
        K::DROP_TABLE,
        K::CREATE_INDEX,
        K::ALTER_INDEX,
        K::DROP_INDEX,
        K::CREATE_TYPE,
        K::ALTER_TYPE,
        K::DROP_TYPE,
        K::CREATE_DOMAIN,
        K::ALTER_DOMAIN,
        K::DROP_DOMAIN,
        K::CREATE_VIEW,
        K::CREATE_MATERIALIZED_VIEW,
        K::ALTER_VIEW,
        K::ALTER_MATERIALIZED_VIEW,
        K::DROP_VIEW,
        K::DROP_MATERIALIZED_VIEW,
        K::CREATE_SEQUENCE,
        K::ALTER_SEQUENCE,
        K::DROP_SEQUENCE,
        K::CREATE_SCHEMA,
        K::ALTER_SCHEMA,
        K::DROP_SCHEMA,
        K::COMMENT_ON,
        K::SET,
        K::DO,
        K::CREATE_FUNCTION,
        K::ADD_COLUMN,
        K::ADD_CONSTRAINT,
        K::DROP_COLUMN,
        K::DROP_CONSTRAINT,
        K::ALTER_COLUMN,
        K::RENAME_COLUMN,
        K::RENAME_CONSTRAINT,
        K::TABLE_RENAME_TO,
        K::SET_SCHEMA,
        K::ATTACH_PARTITION,
        K::DETACH_PARTITION,
        K::INHERIT_TABLE,
        K::NO_INHERIT_TABLE,
        K::OF_TYPE,
        K::NOT_OF,
        K::ALTER_CONSTRAINT,
        K::VALIDATE_CONSTRAINT,
        K::SET_TYPE,
        K::SET_DEFAULT,
        K::DROP_DEFAULT,
        K::SET_NOT_NULL,
        K::DROP_NOT_NULL,
        K::ADD_GENERATED,
        K::DROP_IDENTITY,
        K::SET_GENERATED_OPTIONS,
        K::DROP_EXPRESSION,
        K::PRIMARY_KEY_CONSTRAINT,
        K::UNIQUE_CONSTRAINT,
        K::CHECK_CONSTRAINT,
        K::FOREIGN_KEY_CONSTRAINT,
        K::REFERENCES_CONSTRAINT,
        K::EXCLUDE_CONSTRAINT,
        K::NOT_NULL_CONSTRAINT,
        K::ADD_VALUE,
        K::RENAME_VALUE,
        K::ADD_ATTRIBUTE,
        K::DROP_ATTRIBUTE,
        K::RENAME_ATTRIBUTE,
        K::OPTION_OWNED_BY,
    ]
};

/// Histories of what random ones seldom do.
const WITNESSES: [&[&str]; 3] = [
    &[
        "CREATE TABLE t1 (a int)",
        "CREATE TABLE t2 (b int) INHERITS (t1)",
        "ALTER TABLE t2 NO INHERIT t1",
    ],
    &[
        "CREATE TYPE p0 AS (a int, b text)",
        "CREATE TABLE t2 (a int, b text)",
        "ALTER TABLE t2 OF p0",
    ],
    &[
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE t1 (a int); END $$",
        "SELECT f()",
    ],
];

#[test]
fn switching_off_any_arm_of_replay_is_noticed() {
    let (_server, mut session) = session_of_its_own("arms");
    let mut open: Vec<SyntaxKind> = ARMS.to_vec();
    let mut runner = runner(1);
    let strategy = history();
    let random = std::iter::repeat_with(|| {
        let tree = strategy.new_tree(&mut runner).expect("a history");
        let history = tree.current().into_iter();
        history.map(|statement| statement.0).collect::<Vec<_>>()
    });
    let written = WITNESSES.iter().map(|history| {
        let statements = history.iter().map(|sql| (*sql).to_owned());
        statements.collect::<Vec<_>>()
    });
    // Each history is looked at for the arms that none before it has shown.
    for statements in written.chain(random.take(1000)) {
        if open.is_empty() {
            break;
        }
        let is_of_use = statements
            .iter()
            .any(|statement| arms(statement).iter().any(|arm| open.contains(arm)));
        if !is_of_use {
            continue;
        }
        let taken = take(&mut session, &statements);
        let used: Vec<SyntaxKind> = taken.statements.iter().flat_map(|sql| arms(sql)).collect();
        open.retain(|arm| {
            !used.contains(arm) || { disagreement_without(&taken, Some(*arm)).is_none() }
        });
    }
    assert_eq!(
        open,
        [],
        "these could be left out, and nothing would show it"
    );
}
