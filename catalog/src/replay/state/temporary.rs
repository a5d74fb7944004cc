//! Temporary tables, which exist for later statements but not in the resulting catalog.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::replay::state::objects::Object;
use crate::replay::state::{State, TEMPORARY};
use crate::replay::syntax::tree::child;

impl State {
    /// Records a table with `ON COMMIT DROP`.
    pub(crate) fn temporary_until_commit(&mut self, node: &SyntaxNode, table: &Name) {
        let drops = child(node, SyntaxKind::ON_COMMIT)
            .is_some_and(|clause| child(&clause, SyntaxKind::DROP).is_some());
        if drops {
            self.until_commit.push(table.clone());
        }
    }

    pub(crate) fn end_transaction(&mut self) {
        let ended = std::mem::take(&mut self.until_commit);
        self.end(ended);
    }

    /// Removes a temporary table of an earlier migration whose name conflicts. If this migration
    /// ran in another session, that table would not exist.
    pub(crate) fn forget_earlier_temporary(&mut self, table: &Name) -> bool {
        let is_earlier = self.earlier_temporary.remove(table);
        if is_earlier {
            self.end(vec![table.clone()]);
        }
        is_earlier
    }

    pub(crate) fn forget_temporary(&mut self) {
        let is_temporary = |name: &&Name| name.schema == TEMPORARY;
        let relations = self.catalog.relations.keys().filter(is_temporary);
        let sequences = self.catalog.sequences.keys().filter(is_temporary);
        let types = self.catalog.types.keys().filter(is_temporary);
        let objects: Vec<Object> = relations
            .map(|name| Object::Relation(name.clone()))
            .chain(sequences.map(|name| Object::Sequence(name.clone())))
            .chain(types.map(|name| Object::Type(name.clone())))
            .collect();
        self.discard(&objects);
    }

    pub(crate) fn end(&mut self, tables: Vec<Name>) {
        let objects: Vec<_> = tables.into_iter().map(Object::Relation).collect();
        self.discard(&objects);
    }
}
