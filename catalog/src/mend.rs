//! SQL that makes one catalog of another: from what a database holds to what the migrations ask for.
//!
//! The statements stand in the order in which PostgreSQL takes them. What SQL alone cannot make, because the
//! catalog does not have it (a query that has outlived a rename) or PostgreSQL cannot change it (the order of columns), is said
//! in a comment.

mod attached;
mod column;
mod constraint;
mod privilege;
mod relation;
mod routine;
mod types;

use super::compare::{Difference, How, PRIVILEGES, Subject};
use super::definition::{literal, quoted};
use super::{Catalog, Name, Sequence};

/// When a statement is to run: what is in the way goes first, what rests on others comes after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Settings,
    DropGuards,
    /// Views that are made anew, after what hangs on them.
    DropViews,
    DropForeignKeys,
    DropConstraints,
    Schemas,
    Types,
    Sequences,
    Tables,
    Columns,
    Owners,
    DropRoutines,
    Routines,
    Constraints,
    ForeignKeys,
    Views,
    Guards,
    Privileges,
    Comments,
    DropTables,
    DropRest,
}

/// The statements so far, and what no statement can do.
#[derive(Default)]
struct Script {
    statements: Vec<(Step, String)>,
    beyond: Vec<String>,
}

impl Script {
    /// Adds a statement, once.
    fn push(&mut self, step: Step, statement: impl Into<String>) {
        let entry = (step, statement.into());
        if !self.statements.contains(&entry) {
            self.statements.push(entry);
        }
    }

    fn comment(&mut self, on: &str, comment: Option<&String>) {
        let text = comment.map_or("NULL".to_owned(), |comment| literal(comment));
        self.push(Step::Comments, format!("COMMENT ON {on} IS {text}"));
    }
}

/// The statements that turn `actual` into `expected`, where these are all the differences between the two.
pub fn mend(expected: &Catalog, actual: &Catalog, differences: &[Difference]) -> String {
    let mut script = Script::default();
    for difference in differences {
        of_one(&mut script, expected, actual, difference);
    }
    script.statements.sort_by_key(|(step, _)| *step);
    let beyond = script.beyond.iter().map(|why| format!("-- {why}\n"));
    let statements = script.statements.iter();
    let statements = statements.map(|(_, statement)| format!("{statement};\n"));
    beyond.chain(statements).collect()
}

fn of_one(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    Difference { subject, how, .. }: &Difference,
) {
    if matches!(how, How::Differs { aspect, .. } if *aspect == PRIVILEGES) {
        privilege::mend(script, expected, actual, subject);
        return;
    }
    let is_comment = matches!(how, How::Differs { aspect, .. } if *aspect == "its comment");
    match (subject, how) {
        (Subject::Schema(name), How::OnlyRight) => {
            script.push(Step::DropRest, format!("DROP SCHEMA {}", quoted(name)));
        }
        (Subject::Schema(name), _) => {
            let comment = expected.schemas.get(name).and_then(Option::as_ref);
            if *how == How::OnlyLeft {
                script.push(Step::Schemas, format!("CREATE SCHEMA {}", quoted(name)));
                if let Some(privileges) = expected.schema_privileges.get(name) {
                    let on = format!("SCHEMA {}", quoted(name));
                    privilege::of_new(script, &on, privileges);
                }
            }
            if is_comment || comment.is_some() {
                script.comment(&format!("SCHEMA {}", quoted(name)), comment);
            }
        }
        (Subject::Extension(name), How::OnlyRight) => {
            script.push(Step::DropRest, format!("DROP EXTENSION {}", quoted(name)));
        }
        (Subject::Extension(name), _) => {
            script.push(Step::Schemas, format!("CREATE EXTENSION {}", quoted(name)));
        }
        (Subject::Type(name), _) => types::mend(script, expected, actual, name, how),
        (Subject::DomainCheck(domain, name), _) => {
            types::check(script, expected, actual, domain, name, is_comment);
        }
        (Subject::Sequence(name), _) => sequence(script, expected, name, how),
        (Subject::Relation(name), _) => relation::mend(script, expected, actual, name, how),
        (Subject::Column(table, name), _) => {
            column::column(script, expected, actual, (table, name), how);
        }
        (Subject::Constraint(table, name), _) => {
            constraint::constraint(script, expected, actual, (table, name), is_comment);
        }
        (Subject::Trigger(..) | Subject::Policy(..) | Subject::Rule(..), _) => {
            attached::part(script, expected, actual, subject, is_comment);
        }
        (Subject::Routine(word, _, title), _) => {
            routine::mend(script, expected, actual, (word, title), is_comment);
        }
        (Subject::Index(table, name), _) => {
            constraint::index(script, expected, actual, (table, name), is_comment);
        }
    }
}

fn sequence(script: &mut Script, expected: &Catalog, name: &Name, how: &How) {
    let Some(sequence) = expected.sequences.get(name) else {
        script.push(
            Step::DropRest,
            format!("DROP SEQUENCE IF EXISTS {}", name.sql()),
        );
        return;
    };
    match how {
        How::OnlyLeft => create_sequence(script, sequence),
        _ => {
            script.push(
                Step::Sequences,
                format!("ALTER SEQUENCE {} {}", name.sql(), sequence.sql()),
            );
            owner(script, sequence);
        }
    }
    if sequence.comment.is_some() || !matches!(how, How::OnlyLeft) {
        script.comment(
            &format!("SEQUENCE {}", name.sql()),
            sequence.comment.as_ref(),
        );
    }
}

/// Makes a sequence, unless an identity column does.
fn create_sequence(script: &mut Script, sequence: &Sequence) {
    if !sequence.identity {
        script.push(
            Step::Sequences,
            format!("CREATE SEQUENCE {} {}", sequence.name.sql(), sequence.sql()),
        );
        owner(script, sequence);
        let on = format!("SEQUENCE {}", sequence.name.sql());
        privilege::of_new(script, &on, &sequence.privileges);
    }
}

fn owner(script: &mut Script, sequence: &Sequence) {
    if sequence.identity {
        return;
    }
    let owner = sequence.owner.as_ref();
    let owner = owner.map_or("NONE".to_owned(), |(table, column)| {
        format!("{}.{}", table.sql(), quoted(column))
    });
    let name = sequence.name.sql();
    script.push(
        Step::Owners,
        format!("ALTER SEQUENCE {name} OWNED BY {owner}"),
    );
}

#[cfg(test)]
mod tests;
