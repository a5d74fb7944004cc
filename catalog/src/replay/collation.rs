//! The collations of indexes, when a column gets another type.

use super::Replay;
use crate::{IndexKey, Name};

impl Replay {
    /// Expressions over a column in indexes, whose collation is what follows from their columns.
    pub(super) fn implied_collations(&self, table: &Name, column: &str) -> Vec<String> {
        let relation = self.catalog.relations.get(table);
        let indexes = relation.iter().flat_map(|relation| &relation.indexes);
        let expressions = indexes
            .flat_map(|index| &index.keys)
            .filter_map(|key| match key {
                IndexKey::Expression { text, order } if super::tree::mentions(text, column) => {
                    let implied = self.collation_over(text, table);
                    (implied == order.collation).then(|| text.clone())
                }
                _ => None,
            });
        expressions.collect()
    }

    /// PostgreSQL makes the indexes anew: a collation that they say stays, and is told where the column has another.
    pub(super) fn collate_indexes(&mut self, table: &Name, column: &str, implied: &[String]) {
        let Some(mut relation) = self.catalog.relations.get(table).cloned() else {
            return;
        };
        let mut columns = relation.columns.iter();
        let found = columns.find(|other| other.name == column);
        let collation = found.and_then(|found| found.collation.clone());
        for key in relation
            .indexes
            .iter_mut()
            .flat_map(|index| &mut index.keys)
        {
            match key {
                IndexKey::Column { name, order }
                    if name == column && order.collation == collation =>
                {
                    order.collation = None;
                }
                IndexKey::Expression { text, order } if implied.contains(text) => {
                    order.collation = self.collation_over(text, table);
                }
                _ => {}
            }
        }
        self.table(table).indexes = relation.indexes;
    }
}
