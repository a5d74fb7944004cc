//! A table as its children inherit it.

use crate::replay::state::State;
use crate::{Fill, Name, Relation};

impl State {
    /// A table as its children have it: its sequences stay its own.
    pub(crate) fn as_inherited(&mut self, table: &Name) -> Relation {
        let mut parent = self.table(table).clone();
        for column in &mut parent.columns {
            if let Fill::Serial { sequence } = &column.fill {
                column.fill = Fill::from_sequence(sequence, false);
            }
        }
        parent
    }
}
