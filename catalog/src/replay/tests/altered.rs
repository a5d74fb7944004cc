//! Random pairs of histories: a script turns the result of one into that of the other.

use std::cell::RefCell;

use bowline::{Error, Session};
use diesel::connection::SimpleConnection as _;
use proptest::test_runner::TestCaseError;

use super::histories::{Taken, executed, number, runner, session_of_its_own, take};
use super::statements::{Statement, history};
use crate::alter::alter_script;
use crate::compare::{Aspect, Difference, Subject, compare};
use crate::testing::{introspect, rolled_back};
use crate::{Catalog, Name};

/// Removes all rows, since a script cannot know whether they fit the new constraints.
const EMPTY: &str = "DO $$ DECLARE tables text; BEGIN
    SELECT string_agg(oid::regclass::text, ', ') INTO tables FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace <> ALL ('{pg_catalog,information_schema}'::regnamespace[]);
    SET LOCAL session_replication_role = replica;
    IF tables IS NOT NULL THEN EXECUTE 'TRUNCATE ' || tables || ' CASCADE'; END IF;
    SET LOCAL session_replication_role = DEFAULT;
    END $$";

/// The share of the differences that scripts may leave, in percent.
const MAX_REFUSED_PERCENT: usize = 25;

/// How much of what differs a script changes.
#[derive(Default, Clone, Copy)]
struct Altered {
    differences: usize,
    /// The differences that the script names in a comment and leaves.
    refused: usize,
}

impl std::ops::AddAssign for Altered {
    fn add_assign(&mut self, other: Self) {
        self.differences += other.differences;
        self.refused += other.refused;
    }
}

/// Runs the script from one history to the other. Fails if a statement fails, or if a difference is
/// left that the script does not name.
fn altered(session: &mut Session, from: &Taken, to: &Taken) -> Result<Altered, String> {
    let differences = compare(&to.catalog, &from.catalog);
    let script = alter_script(&to.catalog, &from.catalog, &differences);
    let done: Result<Result<Catalog, String>, Error> = rolled_back(session, |session| {
        for statement in &from.statements {
            // As `take` runs it: PostgreSQL begins no subtransaction after a dropped constraint.
            let block = format!(
                "DO $all$ BEGIN {} EXCEPTION WHEN OTHERS THEN RAISE; END $all$",
                executed(statement)
            );
            session.batch_execute(&block).map_err(Error::from)?;
        }
        // The script runs in a separate session, which has the default search path.
        let new_session = "DISCARD TEMP; RESET search_path";
        session.batch_execute(new_session).map_err(Error::from)?;
        session.batch_execute(EMPTY).map_err(Error::from)?;
        for statement in bowline_sql::statements(&script) {
            if let Err(error) = session.batch_execute(statement.text()) {
                // A label that this transaction added cannot be used before its end.
                let is_added = |sql: &String| sql.contains("ADD VALUE");
                let is_noted = script.contains("in a transaction of its own")
                    || from.statements.iter().any(is_added);
                if is_noted && error.to_string().contains("unsafe use of new value") {
                    return Ok(Ok(to.catalog.clone()));
                }
                return Ok(Err(format!("{}: {error}", statement.text())));
            }
        }
        introspect(session).map(Ok)
    });
    let result = match done {
        Ok(Ok(result)) => result,
        Ok(Err(refused)) => return Err(format!("refused: {refused}\n{script}")),
        Err(error) => return Err(format!("{error}\n{script}")),
    };
    let notes = notes(&script);
    let is_noted = |difference: &Difference| {
        let is_order = difference.how.aspect() == Some(Aspect::ColumnOrder);
        let relation = match &difference.subject {
            Subject::DomainCheck(domain, _) => Some(domain.sql()),
            subject => subject.relation().map(Name::sql),
        };
        let name = relation.or_else(|| match &difference.subject {
            Subject::Routine(_, name, _) => Some(name.sql()),
            subject => Some(subject.to_string().split_once(' ')?.1.to_owned()),
        });
        notes.iter().any(|line| {
            let is_of_all = line.contains("another kind")
                || line.contains("should be GENERATED")
                || line.contains("is not changed")
                || line.contains("depends on")
                || line.contains("attribute order");
            (is_of_all || line.contains("column order") == is_order)
                && name
                    .as_ref()
                    .is_some_and(|name| line.contains(name.as_str()))
        })
    };
    let left = compare(&to.catalog, &result);
    let (noted, left): (Vec<_>, Vec<_>) = left.iter().partition(|difference| is_noted(difference));
    let left: Vec<String> = left
        .iter()
        .map(|difference| difference.sentence("the expected catalog", "the result"))
        .collect();
    if left.is_empty() {
        Ok(Altered {
            differences: differences.len(),
            refused: noted.len(),
        })
    } else {
        Err(format!("left: {}\n{script}", left.join("\n")))
    }
}

/// Returns the changes that a script names in comments but does not make.
fn notes(script: &str) -> Vec<&str> {
    let lines = script.lines();
    lines.take_while(|line| line.starts_with("--")).collect()
}

/// Returns the pair without the statements that are not needed to reproduce the fault.
fn shortest(session: &mut Session, mut pair: [Taken; 2]) -> [Taken; 2] {
    for side in 0..2 {
        let mut length = pair[side].statements.len().div_ceil(2);
        while length > 0 {
            let mut at = 0;
            while at < pair[side].statements.len() {
                let mut fewer = pair[side].statements.clone();
                fewer.drain(at..(at + length).min(fewer.len()));
                let mut attempt = pair.clone();
                attempt[side] = take(session, &fewer);
                if altered(session, &attempt[0], &attempt[1]).is_err() {
                    pair = attempt;
                } else {
                    at += length;
                }
            }
            length = if length == 1 { 0 } else { length / 2 };
        }
    }
    pair
}

#[test]
fn a_script_turns_one_random_database_into_another() {
    let (_server, mut session) = session_of_its_own("altered");
    let version = take(&mut session, &[]).version;
    let session = RefCell::new(session);
    let (failures, total) = (RefCell::new(Vec::new()), RefCell::new(Altered::default()));
    let pairs = (history(version), history(version));
    let outcome = runner(number("BOWLINE_PAIRS", 20)).run(&pairs, |(from, to)| {
        let taken = |history: Vec<Statement>| {
            // These properties are not compared, so no script changes them.
            let is_compared = |sql: &String| {
                !["DEFAULT PRIVILEGES", "UNLOGGED"]
                    .iter()
                    .any(|word| sql.contains(word))
                    && !sql.to_lowercase().contains("sorted")
            };
            let statements = history.into_iter().map(|statement| statement.0);
            let statements: Vec<String> = statements.filter(is_compared).collect();
            take(&mut session.borrow_mut(), &statements)
        };
        let (from, to) = (taken(from), taken(to));
        if let Ok(altered) = altered(&mut session.borrow_mut(), &from, &to) {
            *total.borrow_mut() += altered;
            return Ok(());
        }
        let [from, to] = shortest(&mut session.borrow_mut(), [from, to]);
        let why = altered(&mut session.borrow_mut(), &from, &to)
            .err()
            .unwrap_or_default();
        let (from, to) = (from.statements.join(";\n"), to.statements.join(";\n"));
        let mut failures = failures.borrow_mut();
        let failure = format!("from:\n{from};\nto:\n{to};\n{why}");
        eprintln!("{failure}\n");
        failures.push(failure);
        if failures.len() < number("BOWLINE_FAILURES", 1) as usize {
            Ok(())
        } else {
            Err(TestCaseError::fail("enough"))
        }
    });
    let failures = failures.take();
    assert!(
        failures.is_empty(),
        "{} faults\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    outcome.expect("nothing else fails");
    let Altered {
        differences,
        refused,
    } = total.take();
    eprintln!("{differences} differences, of which the scripts name {refused} and leave them");
    assert!(
        refused * 100 <= differences * MAX_REFUSED_PERCENT,
        "{refused} of {differences} differences are left"
    );
}
