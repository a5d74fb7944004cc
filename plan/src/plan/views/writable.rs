//! Views that the setting `writable` names: what can be written through them (manual, CREATE VIEW,
//! "Updatable Views").

use bowline_catalog::attached::{Event, Timing};
use bowline_catalog::query::Checker;
use bowline_catalog::{Catalog, Column, Fill, Name, Relation};

use super::is_view;
use crate::project::{Settings, of_name};

/// The statements that a relation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Writes {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

impl Writes {
    const ALL: Self = Self {
        insert: true,
        update: true,
        delete: true,
    };
    const NONE: Self = Self {
        insert: false,
        update: false,
        delete: false,
    };

    /// Returns true if there is such a statement.
    pub(in super::super) fn any(self) -> bool {
        self != Self::NONE
    }
}

/// Returns true if the setting `writable` names a view.
pub(in super::super) fn is_asked(settings: &Settings, name: &Name) -> bool {
    of_name(&settings.tables, name).is_some_and(|table| table.writable)
}

/// Returns the statements that the functions of a relation send. Those of a view need the setting.
pub(in super::super) fn writes(
    catalog: &Catalog,
    relation: &Relation,
    settings: &Settings,
) -> Writes {
    if !is_view(relation) {
        return Writes::ALL;
    }
    if !is_asked(settings, &relation.name) {
        return Writes::NONE;
    }
    let checker = Checker::new(catalog).for_version(settings.postgres);
    allowed(&checker, catalog, relation).unwrap_or(Writes::NONE)
}

/// Returns the statements that PostgreSQL takes for a view, or why it takes none.
pub(in super::super) fn allowed(
    checker: &Checker<'_>,
    catalog: &Catalog,
    view: &Relation,
) -> Result<Writes, String> {
    if let Some(events) = instead_of(view) {
        return Ok(Writes {
            insert: events.contains(&Event::Insert),
            update: events.contains(&Event::Update),
            delete: events.contains(&Event::Delete),
        });
    }
    let delete = format!("DELETE FROM {}", sql_name(&view.name));
    if let Err(fault) = checker.check(&delete) {
        let hint = fault.hint.map(|hint| format!(": {hint}"));
        return Err(format!("{}{}", fault.message, hint.unwrap_or_default()));
    }
    let is_any = view
        .columns
        .iter()
        .any(|column| is_written(checker, view, column));
    Ok(Writes {
        insert: is_any && missing(checker, catalog, view).is_empty(),
        update: is_any,
        delete: true,
    })
}

/// Returns the columns of a view as those of a table that takes the same values: a column has the
/// default of its table's column, and one that cannot be written is generated.
pub(in super::super) fn columns(
    checker: &Checker<'_>,
    catalog: &Catalog,
    view: &Relation,
) -> Vec<Fill> {
    let origins = checker.view_columns(&view.name).unwrap_or_default();
    let is_rewritten = instead_of(view).is_none();
    let fill = |(index, column): (usize, &Column)| {
        if !is_rewritten || !matches!(column.fill, Fill::Nothing) {
            return column.fill.clone();
        }
        if !is_written(checker, view, column) {
            return Fill::Generated {
                expression: String::new(),
                stored: false,
            };
        }
        let base = origins.get(index).and_then(|found| found.origin.as_ref());
        let base = base.and_then(|(name, column)| base_column(checker, catalog, name, column));
        base.map_or(Fill::Nothing, |(_, base)| base.fill.clone())
    };
    view.columns.iter().enumerate().map(fill).collect()
}

/// Returns the columns that a new row of a view's table needs, and that the view does not have.
fn missing(checker: &Checker<'_>, catalog: &Catalog, view: &Relation) -> Vec<String> {
    let origins = checker.view_columns(&view.name).unwrap_or_default();
    let origins = origins.into_iter().filter_map(|found| found.origin);
    let written: Vec<(&Relation, &Column)> = origins
        .filter_map(|(name, column)| base_column(checker, catalog, &name, &column))
        .collect();
    let Some((table, _)) = written.first() else {
        return Vec::new();
    };
    let has = |column: &Column| written.iter().any(|(_, it)| it.name == column.name);
    let needed = table
        .columns
        .iter()
        .filter(|column| column.not_null && matches!(column.fill, Fill::Nothing) && !has(column));
    needed.map(|column| column.name.clone()).collect()
}

/// Returns the column of a table that a column of a view writes, through other views.
fn base_column<'c>(
    checker: &Checker<'_>,
    catalog: &'c Catalog,
    name: &Name,
    column: &str,
) -> Option<(&'c Relation, &'c Column)> {
    let relation = catalog.relations.get(name)?;
    let index = relation.columns.iter().position(|it| it.name == column)?;
    if !is_view(relation) {
        return Some((relation, relation.columns.get(index)?));
    }
    let of_view = checker.view_columns(name)?;
    let (name, column) = of_view.get(index)?.origin.clone()?;
    base_column(checker, catalog, &name, &column)
}

/// Returns true if PostgreSQL takes a value for a column of a view.
fn is_written(checker: &Checker<'_>, view: &Relation, column: &Column) -> bool {
    let (view, column) = (sql_name(&view.name), quoted(&column.name));
    checker
        .check(&format!("UPDATE {view} SET {column} = $1"))
        .is_ok()
}

/// Returns the events of a view's INSTEAD OF triggers, if it has some.
fn instead_of(view: &Relation) -> Option<Vec<Event>> {
    let triggers = view.attached.triggers.iter();
    let triggers = triggers.filter(|trigger| trigger.timing == Timing::InsteadOf);
    let events: Vec<Event> = triggers.flat_map(|it| it.events.clone()).collect();
    (!events.is_empty()).then_some(events)
}

fn sql_name(name: &Name) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.name))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
