//! The number of rows that a statement writes, as far as the catalog shows it.

use bowline_catalog::attached::{Event, Timing, Trigger};
use bowline_catalog::{Catalog, Relation, RelationKind};

/// Returns true if an INSERT of one row, with or without `ON CONFLICT DO UPDATE`, writes one row or
/// fails. A trigger before it can suppress the row.
pub(super) fn inserts_one_row(relation: &Relation) -> bool {
    let suppresses = |trigger: &Trigger| {
        trigger.for_each_row
            && trigger.timing == Timing::Before
            && (trigger.events.contains(&Event::Insert) || trigger.events.contains(&Event::Update))
    };
    // The rows of a partitioned table are those of its partitions, which have triggers of their
    // own.
    relation.kind == RelationKind::Table
        && relation.attached.rules.is_empty()
        && !relation.attached.triggers.iter().any(suppresses)
}

/// Returns true if an UPDATE by the key changes one row, or nothing at all. A trigger for each
/// statement runs even if there is no row, and tables that inherit from this one may have more rows
/// with the same key.
pub(super) fn updates_at_most_one_row(
    catalog: &Catalog,
    relation: &Relation,
    key: &[String],
) -> bool {
    let runs_always =
        |trigger: &Trigger| !trigger.for_each_row && trigger.events.contains(&Event::Update);
    let inherits = |other: &Relation| {
        other.kind == RelationKind::Table && other.parents.contains(&relation.name)
    };
    let is_checked_at_once = |index: &&bowline_catalog::Index| {
        let mut constraints = relation.constraints.iter();
        !constraints.any(|found| found.name == index.name && (found.deferrable || found.temporal))
    };
    let is_unique = relation
        .indexes
        .iter()
        .filter(|index| index.unique && index.predicate.is_none())
        .filter(is_checked_at_once)
        .any(|index| index.plain_columns().as_deref() == Some(key));
    is_unique
        && matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
        )
        && relation.attached.rules.is_empty()
        && !relation.attached.triggers.iter().any(runs_always)
        && !catalog.relations.values().any(inherits)
}
