//! The collations of indexes after a column's type changes.

use crate::replay::analysis;
use crate::replay::state::State;
use crate::replay::syntax::expression;
use crate::{IndexKey, Name};

/// Returns the index expressions over a column whose collation is derived from their columns.
pub(crate) fn implied_collations(state: &State, table: &Name, column: &str) -> Vec<String> {
    let relation = state.catalog().relations.get(table);
    let indexes = relation.iter().flat_map(|relation| &relation.indexes);
    let expressions = indexes
        .flat_map(|index| &index.keys)
        .filter_map(|key| match key {
            IndexKey::Expression { text, order } if expression::mentions(text, column) => {
                let implied = analysis::collation_over(state, text, table);
                (implied == order.collation).then(|| text.clone())
            }
            _ => None,
        });
    expressions.collect()
}

/// Updates the collations of indexes, as PostgreSQL rebuilds them. A collation that an index names
/// remains, and is shown if it differs from the column's.
pub(crate) fn collate_indexes(state: &mut State, table: &Name, column: &str, implied: &[String]) {
    let Some(mut relation) = state.catalog().relations.get(table).cloned() else {
        return;
    };
    let mut columns = relation.columns.iter();
    let found = columns.find(|other| other.name == column);
    let collation = found.and_then(|found| state.collation_of_column(found));
    for key in relation
        .indexes
        .iter_mut()
        .flat_map(|index| &mut index.keys)
    {
        match key {
            IndexKey::Column { name, order } if name == column && order.collation == collation => {
                order.collation = None;
            }
            IndexKey::Expression { text, order } if implied.contains(text) => {
                order.collation = analysis::collation_over(state, text, table);
            }
            _ => {}
        }
    }
    state.table(table).indexes = relation.indexes;
}
