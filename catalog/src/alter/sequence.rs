//! Changes of sequences.

use super::order::{Dependencies, Statement};
use super::{Script, Step, privilege};
use crate::compare::How;
use crate::definition::quoted;
use crate::{Catalog, Name, Sequence};

/// Creates, changes or drops a sequence.
pub(super) fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    name: &Name,
    how: &How,
) {
    let Some(sequence) = expected.sequences.get(name) else {
        // IF EXISTS: the sequence of a column is dropped with the column.
        let drop = format!("DROP SEQUENCE IF EXISTS {}", name.sql());
        script.drop(Step::DropRest, drop, name, Dependencies::default());
        return;
    };
    match actual.sequences.get(name) {
        None => create(script, sequence),
        // The change of the column's identity drops and recreates the sequence.
        Some(old) if old.identity != sequence.identity && old.owner == sequence.owner => {}
        Some(old) if old.identity != sequence.identity => {
            if !old.identity {
                let drop = format!("DROP SEQUENCE IF EXISTS {}", name.sql());
                script.drop(Step::DropRest, drop, name, Dependencies::default());
            }
            create(script, sequence);
        }
        Some(old) => {
            let is_outside = old.start < sequence.min || old.start > sequence.max;
            let restart = if is_outside { " RESTART" } else { "" };
            script.push(
                Step::Sequences,
                format!("ALTER SEQUENCE {} {}{restart}", name.sql(), sequence.sql()),
            );
            set_owner(script, sequence, false);
        }
    }
    if sequence.comment.is_some() || !matches!(how, How::OnlyLeft) {
        script.comment_on(
            &format!("SEQUENCE {}", name.sql()),
            sequence.comment.as_ref(),
        );
    }
}

/// Creates a sequence, unless it belongs to an identity column, which creates it. Grants the
/// privileges on it.
pub(super) fn create(script: &mut Script, sequence: &Sequence) {
    if !sequence.identity {
        let create = format!("CREATE SEQUENCE {} {}", sequence.name.sql(), sequence.sql());
        script.create(
            Step::Sequences,
            create,
            &sequence.name,
            Dependencies::default(),
        );
        set_owner(script, sequence, true);
    }
    let on = format!("SEQUENCE {}", sequence.name.sql());
    privilege::grant_all(script, &on, &sequence.privileges);
}

/// Sets the owner of a sequence. The old owner of an existing sequence may be dropped.
fn set_owner(script: &mut Script, sequence: &Sequence, is_new: bool) {
    if sequence.identity {
        return;
    }
    let owner = sequence.owner.as_ref();
    let owner = owner.map_or("NONE".to_owned(), |(table, column)| {
        format!("{}.{}", table.sql(), quoted(column))
    });
    let alter = format!("ALTER SEQUENCE {} OWNED BY {owner}", sequence.name.sql());
    let statement = Statement::of_text(Step::Owners, alter);
    script.add(if is_new {
        statement
    } else {
        statement.reassigning(&sequence.name)
    });
}
