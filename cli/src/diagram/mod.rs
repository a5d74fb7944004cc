//! A schema as a picture: its tables, and the foreign keys between them.

mod html;
mod layout;
mod mermaid;

use std::collections::BTreeMap;

use bowline_catalog::{Catalog, ConstraintKind, Name, Relation, RelationKind};

pub(crate) use html::html;
pub(crate) use mermaid::mermaid;

/// Tables and views in the order of their names, and how they refer to one another.
pub(crate) struct Diagram<'a> {
    pub catalog: &'a Catalog,
    pub entities: Vec<Entity<'a>>,
    pub links: Vec<Link<'a>>,
}

/// A table or view.
pub(crate) struct Entity<'a> {
    pub relation: &'a Relation,
    /// The migration that last changed it, if that is known.
    pub changed_by: Option<&'a str>,
    /// How many partitions it has; they are not shown.
    pub partitions: usize,
}

/// A foreign key, by the places of the entities.
pub(crate) struct Link<'a> {
    pub child: usize,
    pub parent: usize,
    pub columns: &'a [String],
    /// Whether each row has a parent.
    pub is_required: bool,
    /// Whether a parent has one child at most.
    pub is_unique: bool,
}

impl<'a> Diagram<'a> {
    pub(crate) fn new(catalog: &'a Catalog, changed_by: &'a BTreeMap<Name, String>) -> Self {
        let relations = catalog.relations.values();
        let entities: Vec<Entity<'_>> = relations
            .filter(|relation| relation.kind != RelationKind::Partition)
            .map(|relation| Entity {
                relation,
                changed_by: changed_by.get(&relation.name).map(String::as_str),
                partitions: catalog
                    .relations
                    .values()
                    .filter(|other| {
                        other.kind == RelationKind::Partition
                            && other.parents.contains(&relation.name)
                    })
                    .count(),
            })
            .collect();
        let place = |name: &Name| {
            entities
                .iter()
                .position(|entity| entity.relation.name == *name)
        };
        let mut links = Vec::new();
        for (child, entity) in entities.iter().enumerate() {
            for constraint in &entity.relation.constraints {
                let ConstraintKind::ForeignKey {
                    columns,
                    references,
                    ..
                } = &constraint.kind
                else {
                    continue;
                };
                let Some(parent) = place(references) else {
                    continue;
                };
                links.push(Link {
                    child,
                    parent,
                    columns,
                    is_required: columns
                        .iter()
                        .all(|column| is_not_null(entity.relation, column)),
                    is_unique: is_unique(entity.relation, columns),
                });
            }
        }
        Self {
            catalog,
            entities,
            links,
        }
    }
}

fn is_not_null(relation: &Relation, column: &str) -> bool {
    let mut columns = relation.columns.iter();
    columns.any(|found| found.name == column && found.not_null)
}

/// Whether an index lets these columns have each value once.
fn is_unique(relation: &Relation, columns: &[String]) -> bool {
    relation
        .constraints
        .iter()
        .any(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { columns: of }
            | ConstraintKind::Unique { columns: of, .. } => {
                of.iter().all(|column| columns.contains(column))
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests;
