//! Finds indexes by name, and renames them.

use crate::Name;
use crate::replay::state::State;

impl State {
    /// Keeps the recorded column names of an index when it is renamed.
    pub(crate) fn move_column_names(&mut self, table: &Name, from: &str, to: &str) {
        self.index_column_names.rename(table, from, to);
    }

    pub(crate) fn rename_index(&mut self, table: &Name, from: &str, to: &str) {
        self.note_index(to);
        self.note_constraint(to);
        self.index_column_names.rename(table, from, to);
        let relation = self.table(table);
        for index in relation
            .indexes
            .iter_mut()
            .filter(|index| index.name == from)
        {
            to.clone_into(&mut index.name);
        }
        for constraint in relation
            .constraints
            .iter_mut()
            .filter(|other| other.name == from && other.kind.has_index())
        {
            to.clone_into(&mut constraint.name);
        }
    }

    /// Returns the table and name of an index, found by the search path.
    pub(crate) fn find_index_by(&self, parts: &[String]) -> Option<(Name, String)> {
        self.candidates(parts)
            .into_iter()
            .find_map(|index| Some((self.find_index(&index)?, index.name)))
    }
}
