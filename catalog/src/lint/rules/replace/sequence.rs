//! The sequence of a column that is replaced: it goes to the new column, with its next value.

use bowline_sql::quote::identifier;

use super::Made;
use crate::definition::literal;
use crate::lint::rewrite;
use crate::lint::scope::Scope;
use crate::replay::state::names::object_name;
use crate::{Column, Fill, Name, Sequence};

/// The statements that move the sequence, in the transaction in which the old column is dropped.
pub(super) struct Moved {
    /// What comes before the old column is dropped.
    pub(super) before_drop: Vec<String>,
    /// What comes when the new column has its name.
    pub(super) after_rename: Vec<String>,
}

/// Returns how the sequence of a column moves; `None` for a column without one.
pub(super) fn moved(
    scope: &Scope<'_>,
    made: &Made<'_>,
    old: &str,
    column: &Column,
) -> Option<Moved> {
    let table = rewrite::relation(made.table);
    let (new, end) = (identifier(made.new), identifier(made.end));
    match &column.fill {
        Fill::Serial { sequence } => {
            let name = rewrite::relation(sequence);
            let next = literal(&name);
            let catalog = scope.state.catalog();
            let narrow = catalog.sequences.get(sequence).filter(|found| {
                found.data_type != column.data_type.name.name
                    && column.data_type.name.name == "int8"
            });
            // The statement leaves it so.
            let note = narrow.map(|found| {
                format!(
                    "-- The sequence still ends at {}: ALTER SEQUENCE {name} AS bigint lets it go on.",
                    found.max
                )
            });
            Some(Moved {
                // It would be dropped with the column that owns it.
                before_drop: vec![format!("ALTER SEQUENCE {name} OWNED BY NONE;")],
                after_rename: [
                    format!("ALTER TABLE {table} ALTER COLUMN {end} SET DEFAULT nextval({next});"),
                    format!("ALTER SEQUENCE {name} OWNED BY {table}.{end};"),
                ]
                .into_iter()
                .chain(note)
                .collect(),
            })
        }
        Fill::Identity { always } => {
            let catalog = scope.state.catalog();
            let sequence = catalog.identity_sequence(made.table, old)?;
            let was = rewrite::relation(&sequence.name);
            // The sequence of an identity cannot get another column, so the new one has its own,
            // which goes on where that stood. Nobody takes a value meanwhile: the table is locked.
            let own = rewrite::relation(&Name {
                schema: made.table.schema.clone(),
                name: object_name(&made.table.name, made.new, "seq"),
            });
            let kind = match always {
                true => "ALWAYS",
                false => "BY DEFAULT",
            };
            Some(Moved {
                before_drop: vec![
                    format!(
                        "ALTER TABLE {table} ALTER COLUMN {new} ADD GENERATED {kind} AS IDENTITY ({});",
                        options(sequence)
                    ),
                    format!(
                        "SELECT setval({}, last_value, is_called) FROM {was};",
                        literal(&own)
                    ),
                ],
                after_rename: vec![format!(
                    "ALTER SEQUENCE {own} RENAME TO {};",
                    identifier(&sequence.name.name)
                )],
            })
        }
        _ => None,
    }
}

fn options(sequence: &Sequence) -> String {
    let Sequence {
        start,
        increment,
        min,
        max,
        cache,
        ..
    } = sequence;
    let cycle = match sequence.cycle {
        true => " CYCLE",
        false => "",
    };
    format!(
        "START WITH {start} INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} CACHE {cache}{cycle}"
    )
}
