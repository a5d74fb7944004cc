//! Whether the migrations of two branches commute: replayed in either order they end at the same
//! schema.
//!
//! After a merge, one database has run the one branch's migrations first, another database those of
//! the other, and a new one runs all in the order of their versions. Rows are not compared.

use bowline_migrations::SqlFile;

use crate::Catalog;
use crate::compare::{Aspect, Difference, Subject, compare};
use crate::gap::Gap;
use crate::replay::{Refusal, Replayed, replay_each, replay_each_after};

/// The migrations of two branches, each in the order in which they run.
#[derive(Debug, Clone, Copy)]
pub struct Branches<'a> {
    /// The migrations that both have.
    pub base: &'a [&'a SqlFile],
    /// The migrations that only the one has.
    pub ours: &'a [&'a SqlFile],
    /// The migrations that only the other has.
    pub theirs: &'a [&'a SqlFile],
    /// Those of both, in the order in which a new database runs them.
    pub merged: &'a [&'a SqlFile],
}

/// An order in which the migrations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Ours after theirs.
    TheirsFirst,
    /// Theirs after ours.
    OursFirst,
    /// By their versions.
    Merged,
}

/// What two branches do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dispute {
    /// A statement cannot run in this order, and can in another one.
    Fails(Order, Box<Refusal>),
    /// In this order something of an object cannot be followed that can where each branch is alone,
    /// such as a second trigger of one name.
    Gap(Order, Gap),
    /// An object is another one, if theirs run first, than in this order.
    Differs {
        /// The order.
        order: Order,
        /// The difference; the left catalog is the one after theirs and then ours.
        difference: Box<Difference>,
        /// The files that change the object: of ours, and of theirs.
        changed_by: [Vec<usize>; 2],
    },
}

/// The result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commuted {
    /// The disputes; none if the branches commute.
    pub disputes: Vec<Dispute>,
    /// Tables that have the same columns in another order.
    pub reordered: Vec<Subject>,
    /// Statements that replay cannot follow in any order. It knows less of what they change.
    pub not_followed: Vec<Refusal>,
}

/// Replays the migrations of two branches in all orders, and compares the results.
pub fn commute(branches: &Branches<'_>) -> Commuted {
    let Branches {
        base,
        ours,
        theirs,
        merged,
    } = branches;
    // Three orders of both branches, and each branch alone.
    let lists = [
        [*theirs, *ours].concat(),
        [*ours, *theirs].concat(),
        merged.to_vec(),
        theirs.to_vec(),
        ours.to_vec(),
    ];
    let mut results = replay_each_after(base, &lists);
    let alone = results.split_off(3);
    let orders = [Order::TheirsFirst, Order::OursFirst, Order::Merged];
    let results: Vec<(Order, Replayed)> = orders.into_iter().zip(results).collect();
    let mut commuted = Commuted::default();
    let is_everywhere = |refusal: &Refusal| {
        results.iter().all(|(_, replayed)| {
            let mut refusals = replayed.refusals.iter();
            refusals.any(|other| (&other.file, &other.span) == (&refusal.file, &refusal.span))
        })
    };
    for (order, replayed) in &results {
        for refusal in &replayed.refusals {
            if !is_everywhere(refusal) {
                commuted.fails(*order, refusal);
            } else if *order == Order::TheirsFirst {
                commuted.not_followed.push(refusal.clone());
            }
        }
    }
    for (order, replayed) in &results {
        for gap in &replayed.catalog.gaps {
            let is_known =
                |dispute: &Dispute| matches!(dispute, Dispute::Gap(_, known) if known == gap);
            let is_old = alone.iter().any(|branch| branch.catalog.gaps.contains(gap));
            if !is_old && !commuted.disputes.iter().any(is_known) {
                commuted.disputes.push(Dispute::Gap(*order, gap.clone()));
            }
        }
    }
    if !commuted.disputes.is_empty() {
        return commuted;
    }
    let [(_, first), others @ ..] = results.as_slice() else {
        return commuted;
    };
    for (order, replayed) in others {
        commuted.compare(branches, *order, &first.catalog, &replayed.catalog);
    }
    commuted
}

impl Commuted {
    /// Adds a statement that fails, once if it fails in two orders.
    fn fails(&mut self, order: Order, refusal: &Refusal) {
        let is_known = self.disputes.iter().any(|dispute| match dispute {
            Dispute::Fails(_, known) => **known == *refusal,
            Dispute::Gap(..) | Dispute::Differs { .. } => false,
        });
        if !is_known {
            let fails = Dispute::Fails(order, Box::new(refusal.clone()));
            self.disputes.push(fails);
        }
    }

    fn compare(&mut self, branches: &Branches<'_>, order: Order, left: &Catalog, right: &Catalog) {
        let is_known = |disputes: &[Dispute], subject: &Subject| {
            disputes.iter().any(|dispute| match dispute {
                Dispute::Differs { difference, .. } => difference.subject == *subject,
                Dispute::Fails(..) | Dispute::Gap(..) => false,
            })
        };
        for difference in compare(left, right) {
            if difference.is_unknown_on_both_sides() {
                continue;
            }
            if difference.how.aspect() == Some(Aspect::ColumnOrder) {
                if !self.reordered.contains(&difference.subject) {
                    self.reordered.push(difference.subject);
                }
            } else if !is_known(&self.disputes, &difference.subject) {
                let changed_by = [branches.ours, branches.theirs]
                    .map(|files| changing(branches.base, files, &difference.subject));
                self.disputes.push(Dispute::Differs {
                    order,
                    difference: Box::new(difference),
                    changed_by,
                });
            }
        }
    }
}

/// Returns the files of a branch that change an object, or the table that it is part of.
fn changing(base: &[&SqlFile], files: &[&SqlFile], subject: &Subject) -> Vec<usize> {
    let all = [base, files].concat();
    let mut before: Option<Catalog> = None;
    let (mut exact, mut near) = (Vec::new(), Vec::new());
    replay_each(all, |number, catalog| {
        if let Some(number) = number.checked_sub(base.len()) {
            let differences = match &before {
                Some(before) => compare(before, catalog),
                None => compare(&Catalog::default(), catalog),
            };
            let is_near = |difference: &Difference| {
                let table = difference.subject.relation();
                table.is_some() && table == subject.relation()
            };
            if differences.iter().any(|found| found.subject == *subject) {
                exact.push(number);
            }
            if differences.iter().any(is_near) {
                near.push(number);
            }
        }
        before = Some(catalog.clone());
    });
    match exact.is_empty() {
        true => near,
        false => exact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, sql: &str) -> SqlFile {
        SqlFile {
            path: name.into(),
            text: sql.to_owned(),
        }
    }

    fn of(base: &str, ours: &str, theirs: &str) -> Commuted {
        let (base, ours, theirs) = (
            file("base", base),
            file("ours", ours),
            file("theirs", theirs),
        );
        commute(&Branches {
            base: &[&base],
            ours: &[&ours],
            theirs: &[&theirs],
            merged: &[&theirs, &ours],
        })
    }

    /// The disputes, as words.
    fn words(commuted: &Commuted) -> Vec<String> {
        let words = commuted.disputes.iter().map(|dispute| match dispute {
            Dispute::Fails(order, refusal) => format!(
                "{order:?}: {} fails: {}",
                refusal.file.display(),
                refusal.why
            ),
            Dispute::Gap(order, gap) => format!("{order:?}: {gap}"),
            Dispute::Differs {
                difference,
                changed_by,
                ..
            } => format!("{} {changed_by:?}", difference.sentence("one", "other")),
        });
        words.collect()
    }

    const BASE: &str = "CREATE TABLE a (id bigint PRIMARY KEY, name text, age int DEFAULT 1);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';";

    #[test]
    fn changes_of_different_objects_commute() {
        for (ours, theirs) in [
            ("CREATE TABLE b (id int);", "CREATE TABLE c (id int);"),
            (
                "ALTER TABLE a ALTER name SET NOT NULL;",
                "CREATE INDEX ON a (age);",
            ),
            (
                "ALTER TABLE a DROP COLUMN age;",
                "ALTER TABLE a ADD CHECK (name <> '');",
            ),
            (
                "ALTER TABLE a ALTER age SET DEFAULT 2;",
                "ALTER TABLE a ALTER age SET DEFAULT 2;",
            ),
            ("DROP TABLE IF EXISTS a;", "CREATE TABLE c (id int);"),
            (
                "ALTER TABLE a RENAME age TO years;",
                "INSERT INTO a (id, name) SELECT 1, 'x'; UPDATE a SET name = 'y' WHERE id = 1;",
            ),
            (
                "ALTER TABLE a RENAME age TO years; ALTER TABLE a ADD COLUMN code text NOT NULL;",
                "CREATE FUNCTION g(age int, INOUT \"Way\" text DEFAULT '') LANGUAGE sql
                    AS 'SELECT name || g.age || $2 || \"Way\" FROM a WHERE id = g.age';
                CREATE STATISTICS s ON name, (id + 1) FROM a; TRUNCATE a;",
            ),
        ] {
            let commuted = of(BASE, ours, theirs);
            assert_eq!(commuted, Commuted::default(), "{ours} {theirs}");
        }
    }

    #[test]
    fn new_columns_of_one_table_commute_but_for_their_order() {
        let commuted = of(
            BASE,
            "ALTER TABLE a ADD COLUMN x int;",
            "ALTER TABLE a ADD COLUMN y int;",
        );
        assert_eq!(commuted.disputes, []);
        assert_eq!(commuted.reordered.len(), 1);
    }

    #[test]
    fn what_does_not_commute_is_named() {
        for (ours, theirs, expected) in [
            (
                "ALTER TABLE a ALTER age SET DEFAULT 2;",
                "ALTER TABLE a ALTER age SET DEFAULT 3;",
                "column a.age differs in its default: 2 in one, 3 in other [[0], [0]]",
            ),
            (
                "ALTER TABLE a DROP COLUMN name;",
                "CREATE INDEX ON a (name);",
                "OursFirst: theirs fails: a has no column name",
            ),
            (
                "ALTER TABLE a RENAME TO b;",
                "ALTER TABLE a ADD COLUMN x int;",
                "OursFirst: theirs fails: there is no table a",
            ),
            (
                "CREATE TRIGGER t BEFORE UPDATE ON a EXECUTE FUNCTION f();",
                "CREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f();",
                "TheirsFirst: ",
            ),
            (
                "ALTER TABLE a RENAME name TO title;",
                "INSERT INTO a (id, name) VALUES (1, 'x');",
                "OursFirst: theirs fails: there is no column",
            ),
            (
                "ALTER TABLE a ADD COLUMN code text NOT NULL;",
                "INSERT INTO a (id, name) VALUES (1, 'x');",
                "OursFirst: theirs fails: null value in column \"code\"",
            ),
            (
                "ALTER TABLE a RENAME name TO title;",
                "CREATE FUNCTION named(one bigint) RETURNS text LANGUAGE sql
                    AS 'SELECT name FROM a WHERE id = one AND age = $1';",
                "OursFirst: theirs fails: of its body: there is no column name",
            ),
            (
                "ALTER TABLE a DROP COLUMN age;",
                "CREATE STATISTICS s ON age, name FROM a;",
                "OursFirst: theirs fails: there is no column age",
            ),
            (
                "ALTER TABLE a RENAME age TO years;",
                "ALTER TABLE a ADD CHECK (age > 0);",
                "OursFirst: theirs fails: there is no column age",
            ),
            (
                "ALTER TABLE a RENAME name TO title;",
                "CREATE INDEX ON a (lower(name)) WHERE age > 0;",
                "OursFirst: theirs fails: there is no column name",
            ),
            (
                "DROP TABLE a;",
                "TRUNCATE a;",
                "OursFirst: theirs fails: there is no table a",
            ),
            (
                "CREATE EXTENSION citext;",
                "CREATE EXTENSION citext;",
                "TheirsFirst: ours fails: there is an extension citext already",
            ),
        ] {
            let words = words(&of(BASE, ours, theirs));
            assert!(
                words.iter().any(|word| word.starts_with(expected)),
                "{ours} {theirs}: {words:#?}"
            );
        }
        let commuted = of(BASE, "CREATE TABLE b (id int);", "CREATE TABLE b (id int);");
        assert!(commuted.not_followed.is_empty());
        assert_eq!(commuted.disputes.len(), 2, "{:?}", words(&commuted));
    }

    #[test]
    fn a_statement_that_cannot_be_followed_is_no_dispute() {
        let commuted = of(BASE, "DO $$ BEGIN EXECUTE a || b; END $$;", "SELECT 1;");
        assert_eq!(commuted.disputes, []);
        assert_eq!(commuted.not_followed.len(), 1);
    }
}
