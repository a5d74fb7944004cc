//! Tables and views: added, taken out, and handed out one at a time to be changed.

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::{State, Uses};
use crate::replay::syntax::tree::path;
use crate::{Column, Name, Relation, RelationKind};

impl State {
    /// Adds a relation, or puts it in the place of the one of its name.
    pub(crate) fn add_relation(&mut self, relation: Relation) {
        self.catalog
            .relations
            .insert(relation.name.clone(), relation);
    }

    /// Adds a view, with what its query uses.
    pub(crate) fn add_view(&mut self, view: Relation, uses: Uses) {
        self.views.insert(view.name.clone(), uses);
        self.add_relation(view);
    }

    /// Takes a relation out, and leaves what rests on it.
    pub(crate) fn take_relation(&mut self, name: &Name) -> Option<Relation> {
        self.views.remove(name);
        self.catalog.relations.remove(name)
    }

    /// The relation that a node names.
    pub(crate) fn relation_mut(&mut self, node: &SyntaxNode) -> Result<&mut Relation> {
        let parts = path(node);
        let missing = || {
            Refused::new(node, format!("there is no table {}", parts.join(".")))
                .do_this("look at the name and at the migrations before this one")
                .raises("undefined_table")
        };
        let name = self.find_relation(&parts).ok_or_else(missing)?;
        self.catalog.relations.get_mut(&name).ok_or_else(missing)
    }

    /// A table that is known to be there, because it was found or made a moment ago.
    pub(crate) fn table(&mut self, name: &Name) -> &mut Relation {
        self.catalog
            .relations
            .entry(name.clone())
            .or_insert_with(|| Relation::new(name.clone(), RelationKind::Table))
    }

    /// A column that is known to be there.
    pub(crate) fn column_mut(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<&mut Column> {
        let missing = || {
            Refused::new(node, format!("{} has no column {column}", table.name))
                .do_this("look at the name and at the migrations before this one")
                .raises("undefined_column")
        };
        self.table(table)
            .columns
            .iter_mut()
            .find(|other| other.name == column)
            .ok_or_else(missing)
    }

    /// Whether the relation is a table, whose constraints and columns can be changed.
    pub(crate) fn is_view(&self, name: &Name) -> bool {
        self.catalog.relations.get(name).is_some_and(|relation| {
            matches!(
                relation.kind,
                RelationKind::View | RelationKind::MaterializedView
            )
        })
    }
}
