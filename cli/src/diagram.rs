//! A schema as a diagram: its tables, and the foreign keys between them.

mod mermaid;

use bowline_catalog::{Catalog, ConstraintKind, Name, Relation, RelationKind};

pub(crate) use mermaid::mermaid;

/// The tables and views of a schema, in the order of their names, and their foreign keys.
pub(crate) struct Diagram<'a> {
    pub relations: Vec<&'a Relation>,
    pub links: Vec<Link<'a>>,
}

/// A foreign key, by the indexes of its tables.
pub(crate) struct Link<'a> {
    pub child: usize,
    pub parent: usize,
    pub columns: &'a [String],
    /// True if each row has a parent.
    pub is_required: bool,
    /// True if a parent has one child at most.
    pub is_unique: bool,
}

impl<'a> Diagram<'a> {
    /// Collects the tables, views and foreign keys of a catalog, without partitions.
    pub(crate) fn new(catalog: &'a Catalog) -> Self {
        let relations: Vec<&Relation> = catalog
            .relations
            .values()
            .filter(|relation| relation.kind != RelationKind::Partition)
            .collect();
        let index = |name: &Name| {
            let mut relations = relations.iter();
            relations.position(|relation| relation.name == *name)
        };
        let mut links = Vec::new();
        for (child, relation) in relations.iter().enumerate() {
            for constraint in &relation.constraints {
                let ConstraintKind::ForeignKey {
                    columns,
                    references,
                    ..
                } = &constraint.kind
                else {
                    continue;
                };
                let Some(parent) = index(references) else {
                    continue;
                };
                let mut keys = columns.iter();
                links.push(Link {
                    child,
                    parent,
                    columns,
                    is_required: keys.all(|column| is_not_null(relation, column)),
                    is_unique: is_unique(relation, columns),
                });
            }
        }
        Self { relations, links }
    }
}

fn is_not_null(relation: &Relation, column: &str) -> bool {
    let mut columns = relation.columns.iter();
    columns.any(|found| found.name == column && found.not_null)
}

/// Returns true if a key allows each value of these columns once.
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
