//! Tables and views: adds them, removes them, and returns one at a time for changes.

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::{State, Uses};
use crate::replay::syntax::tree::path;
use crate::{Column, Name, Relation, RelationKind};

impl State {
    /// Adds a relation, or replaces the one of the same name.
    pub(crate) fn add_relation(&mut self, relation: Relation) {
        for parent in &relation.parents {
            self.note_parent(parent);
        }
        self.catalog
            .relations
            .insert(relation.name.clone(), relation);
    }

    /// Adds a view, with the relations and columns that its query uses.
    pub(crate) fn add_view(&mut self, view: Relation, uses: Uses) {
        self.views.insert(view.name.clone(), uses);
        self.add_relation(view);
    }

    /// Removes a relation, but not its dependents.
    pub(crate) fn take_relation(&mut self, name: &Name) -> Option<Relation> {
        self.views.remove(name);
        self.catalog.relations.remove(name)
    }

    /// Returns the relation that a node names.
    pub(crate) fn relation_mut(&mut self, node: &SyntaxNode) -> Result<&mut Relation> {
        let parts = path(node);
        let missing = || {
            Refused::new(node, format!("there is no table {}", parts.join(".")))
                .hint("check the spelling, and whether an earlier migration creates it")
                .raises("undefined_table")
        };
        let name = self.find_relation(&parts).ok_or_else(missing)?;
        self.catalog.relations.get_mut(&name).ok_or_else(missing)
    }

    /// Returns a table that is known to exist, because it was just found or created.
    pub(crate) fn table(&mut self, name: &Name) -> &mut Relation {
        self.catalog
            .relations
            .entry(name.clone())
            .or_insert_with(|| Relation::new(name.clone(), RelationKind::Table))
    }

    /// Returns a column that is known to exist.
    pub(crate) fn column_mut(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<&mut Column> {
        let missing = || {
            Refused::new(node, format!("{} has no column {column}", table.name))
                .hint("check the spelling, and whether an earlier migration creates it")
                .raises("undefined_column")
        };
        self.table(table)
            .columns
            .iter_mut()
            .find(|other| other.name == column)
            .ok_or_else(missing)
    }

    /// Returns true if the relation is a view, whose constraints and columns cannot be changed.
    pub(crate) fn is_view(&self, name: &Name) -> bool {
        self.catalog.relations.get(name).is_some_and(|relation| {
            matches!(
                relation.kind,
                RelationKind::View | RelationKind::MaterializedView
            )
        })
    }
}
