//! Random branches: they commute exactly where a server has the same schema after both orders.

use std::cell::{Cell, RefCell};

use bowline::Session;
use proptest::test_runner::TestCaseError;

use super::histories::{Taken, number, runner, session_of_its_own, take};
use super::migration;
use super::statements::{Statement, history};
use crate::commute::{Branches, Commuted, Dispute, commute};
use crate::compare::{Aspect, compare};

/// The statements of a base, and of two branches that a server accepts after it.
#[derive(Clone)]
struct Parted {
    base: Vec<String>,
    ours: Vec<String>,
    theirs: Vec<String>,
}

/// What a server has after both orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Same,
    Differ,
    /// A statement fails in one of the orders.
    Fails,
}

impl Parted {
    /// Returns the statements that the server accepts.
    fn of(session: &mut Session, base: &[String], ours: &[String], theirs: &[String]) -> Self {
        let base = take(session, base).statements;
        let mut accepted = |branch: &[String]| {
            let mut statements = take(session, &[&base, branch].concat()).statements;
            statements.split_off(base.len().min(statements.len()))
        };
        let (ours, theirs) = (accepted(ours), accepted(theirs));
        Self { base, ours, theirs }
    }

    fn on_a_server(&self, session: &mut Session) -> Ends {
        let mut order = |first: &[String], second: &[String]| -> Option<Taken> {
            let all = [&self.base, first, second].concat();
            let taken = take(session, &all);
            (taken.statements.len() == all.len()).then_some(taken)
        };
        let one = order(&self.theirs, &self.ours);
        let other = order(&self.ours, &self.theirs);
        let Some((one, other)) = one.zip(other) else {
            return Ends::Fails;
        };
        let mut differences = compare(&one.catalog, &other.catalog);
        differences.retain(|found| found.how.aspect() != Some(Aspect::ColumnOrder));
        match differences.is_empty() {
            true => Ends::Same,
            false => Ends::Differ,
        }
    }

    fn replayed(&self) -> Commuted {
        let file = |statements: &[String]| {
            let text: String = statements.iter().map(|sql| format!("{sql};\n")).collect();
            migration(&text)
        };
        let (base, mut ours, mut theirs) = (file(&self.base), file(&self.ours), file(&self.theirs));
        ours.path = "ours".into();
        theirs.path = "theirs".into();
        commute(&Branches {
            base: &[&base],
            ours: &[&ours],
            theirs: &[&theirs],
            merged: &[&theirs, &ours],
        })
    }

    /// Returns the way in which replay and the server disagree.
    fn disagreement(&self, session: &mut Session) -> Option<String> {
        let replayed = self.replayed();
        let ends = match replayed.disputes.first() {
            None => Ends::Same,
            Some(Dispute::Fails(..) | Dispute::Gap(..)) => Ends::Fails,
            Some(Dispute::Differs { .. }) => Ends::Differ,
        };
        let on_a_server = self.on_a_server(session);
        (ends != on_a_server).then(|| format!("a server: {on_a_server:?}, replay: {replayed:#?}"))
    }

    fn shortest(mut self, session: &mut Session) -> Self {
        for side in 0..3 {
            let mut at = 0;
            while at < self.side(side).len() {
                let mut fewer = self.clone();
                fewer.side(side).remove(at);
                let attempt = Self::of(session, &fewer.base, &fewer.ours, &fewer.theirs);
                match attempt.disagreement(session) {
                    Some(_) => self = attempt,
                    None => at += 1,
                }
            }
        }
        self
    }

    fn side(&mut self, side: usize) -> &mut Vec<String> {
        match side {
            0 => &mut self.base,
            1 => &mut self.ours,
            _ => &mut self.theirs,
        }
    }

    fn text(&self) -> String {
        let lines = |statements: &[String]| statements.join(";\n");
        format!(
            "base:\n{};\nours:\n{};\ntheirs:\n{};",
            lines(&self.base),
            lines(&self.ours),
            lines(&self.theirs)
        )
    }
}

/// Returns the statements that belong to one migration, whose settings end with it. Left out is
/// what a catalog does not have: foreign-data wrappers and servers.
fn statements(history: Vec<Statement>) -> Vec<String> {
    let statements = history.into_iter().map(|statement| statement.0);
    let is_setting = |sql: &String| {
        let sql = sql.to_lowercase();
        sql.contains("foreign data wrapper")
            || sql.starts_with("set ")
            || sql.starts_with("reset ")
            || sql.contains("search_path")
    };
    statements.filter(|sql| !is_setting(sql)).collect()
}

#[test]
fn branches_commute_exactly_where_a_server_agrees() {
    let (_server, mut session) = session_of_its_own("commuting");
    let version = take(&mut session, &[]).version;
    let session = RefCell::new(session);
    let counts = [const { Cell::new(0_u32) }; 3];
    let failures = RefCell::new(Vec::new());
    let branches = (history(version), history(version), history(version));
    let outcome = runner(number("BOWLINE_BRANCHES", 20)).run(&branches, |(base, ours, theirs)| {
        let session = &mut *session.borrow_mut();
        let [base, ours, theirs] = [base, ours, theirs].map(statements);
        // Long branches always have something in dispute.
        let short = |branch: &[String]| branch[..branch.len().min(1 + branch.len() % 5)].to_vec();
        let parted = Parted::of(session, &base, &short(&ours), &short(&theirs));
        let ends = parted.on_a_server(session);
        counts[ends as usize].set(counts[ends as usize].get() + 1);
        if parted.disagreement(session).is_none() {
            return Ok(());
        }
        let shortest = parted.shortest(session);
        let why = shortest.disagreement(session).unwrap_or_default();
        let mut failures = failures.borrow_mut();
        failures.push(format!("{}\n{why}", shortest.text()));
        eprintln!("{}\n", failures.last().map_or("", String::as_str));
        match failures.len() < number("BOWLINE_FAILURES", 1) as usize {
            true => Ok(()),
            false => Err(TestCaseError::fail("enough")),
        }
    });
    let [same, differ, fails] = counts.map(Cell::into_inner);
    eprintln!("{same} commute, {differ} end at two schemas, {fails} fail in one of the orders");
    let failures = failures.take();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    outcome.expect("nothing else fails");
}
