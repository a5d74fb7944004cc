//! What is known of columns beside their declarations: which can be NULL, and which columns of
//! views hold the ids of tables.

pub(super) mod writable;

use std::borrow::Cow;
use std::collections::BTreeMap;

use bowline_catalog::query::{Checker, ViewColumn};
use bowline_catalog::{
    Catalog, Column, Constraint, ConstraintKind, Name, NotNull, ReferentialAction, Relation,
    RelationKind,
};

use crate::project::{Settings, is_named, of_name};

/// Returns true for a view or a materialized view.
pub(super) fn is_view(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::View | RelationKind::MaterializedView
    )
}

/// Returns the catalog with more facts on views, which PostgreSQL itself does not record, and with
/// fewer columns of tables that are NOT NULL.
///
/// A column of a view that cannot be NULL is NOT NULL, and a column whose values are from one
/// column of another relation refers to that column, as by a foreign key. A column of a table that
/// can hold NULL in spite of its constraint is not NOT NULL.
pub(super) fn completed<'c>(catalog: &'c Catalog, settings: &Settings) -> Cow<'c, Catalog> {
    let mut relations = catalog.relations.values();
    if !relations.any(|relation| is_view(relation) || may_hold_null(relation)) {
        return Cow::Borrowed(catalog);
    }
    let checker = Checker::new(catalog).for_version(settings.postgres);
    let relations = catalog.relations.values().filter_map(|relation| {
        let completed = if is_view(relation) {
            complete(relation, catalog, &checker, settings)
        } else {
            with_nulls(relation, &checker)?
        };
        Some((relation.name.clone(), completed))
    });
    let relations: BTreeMap<Name, Relation> = relations.collect();
    let mut catalog = catalog.clone();
    catalog.relations.extend(relations);
    Cow::Owned(catalog)
}

/// Returns true if a column of the relation, or of its parents, may hold NULL although it is NOT
/// NULL.
fn may_hold_null(relation: &Relation) -> bool {
    let is_partition = relation.kind == RelationKind::Partition;
    let mut columns = relation.columns.iter();
    (!is_partition && !relation.parents.is_empty())
        || columns.any(|column| column.not_null_constraint.is_some())
}

/// Returns a table whose columns are NOT NULL only if no row has NULL there; `None` if all are as
/// declared. A key stays one: its columns identify rows of the table itself.
fn with_nulls(table: &Relation, checker: &Checker<'_>) -> Option<Relation> {
    let mut found = match table.kind {
        RelationKind::ForeignTable => Vec::new(),
        _ => checker.not_null_with_nulls(table),
    };
    let key = table.primary_key().unwrap_or_default();
    found.retain(|column| !key.contains(column));
    if found.is_empty() {
        return None;
    }
    let mut table = table.clone();
    let with_nulls = |column: &&mut Column| found.contains(&column.name);
    for column in table.columns.iter_mut().filter(with_nulls) {
        column.not_null = false;
        // The table itself takes no NULL.
        column.not_null_constraint.get_or_insert(NotNull {
            name: String::new(),
            no_inherit: false,
            validated: true,
        });
    }
    Some(table)
}

fn complete(
    view: &Relation,
    catalog: &Catalog,
    checker: &Checker<'_>,
    settings: &Settings,
) -> Relation {
    let columns = checker.view_columns(&view.name).unwrap_or_default();
    let key = of_name(&settings.keys, &view.name);
    let name_of_view = view.name.clone();
    let mut view = view.clone();
    for (column, found) in view.columns.iter_mut().zip(&columns) {
        // The rows of a materialized view are older than what the catalog says of its tables.
        column.not_null = view.kind == RelationKind::View && !found.nullable;
    }
    for column in &mut view.columns {
        let names_it = |setting: &String| {
            let named = setting.rsplit_once('.');
            named.is_some_and(|(table, name)| name == column.name && is_named(&name_of_view, table))
        };
        column.not_null |= key.is_some_and(|key| key.contains(&column.name))
            || settings.not_null.iter().any(names_it)
            || settings
                .column(&name_of_view, &column.name)
                .is_some_and(|setting| setting.not_null);
    }
    if writable::is_asked(settings, &view.name) {
        let fills = writable::columns(checker, catalog, &view);
        for (column, fill) in view.columns.iter_mut().zip(fills) {
            column.fill = fill;
        }
    }
    let references = view.columns.iter().zip(columns);
    let references = references.filter_map(|(column, found)| reference(column, found));
    let references: Vec<Constraint> = references.collect();
    view.constraints.extend(references);
    view
}

/// Returns the constraint that stands for the column that the values are from.
fn reference(column: &Column, found: ViewColumn) -> Option<Constraint> {
    let (references, referenced) = found.origin?;
    Some(Constraint {
        name: column.name.clone(),
        kind: ConstraintKind::ForeignKey {
            columns: vec![column.name.clone()],
            references,
            referenced_columns: vec![referenced],
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
            match_full: false,
        },
        deferrable: false,
        initially_deferred: false,
        validated: true,
        enforced: true,
        temporal: false,
        comment: None,
    })
}
