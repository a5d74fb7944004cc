//! Required columns that an INSERT leaves out.
//!
//! PostgreSQL accepts such a statement, and refuses each row of it. A trigger before the INSERT may
//! give the value, so a table with one has no required columns.

use super::analyzer::Analyzer;
use super::assign::Assigned;
use super::fault::Fault;
use super::raw::span_of;
use super::target::Target;
use crate::attached::Event;
use crate::{Column, Fill, TypeKind};
use squawk_syntax::SyntaxNode;

impl Analyzer<'_> {
    /// Records the first required column that is not among the given ones.
    pub(super) fn note_omitted(&mut self, node: &SyntaxNode, target: &Target, given: &[Assigned]) {
        let Some(relation) = self.catalog.relations.get(&target.relation) else {
            return;
        };
        if self.omitted.is_some() || self.may_suppress(target, &Event::Insert) {
            return;
        }
        let names = &self.table(target.table).columns;
        let is_given = |column: &Column| {
            given
                .iter()
                .any(|assigned| names[assigned.column].name == column.name)
        };
        let mut columns = relation.columns.iter();
        let omitted = columns.find(|column| self.is_required(column) && !is_given(column));
        self.omitted = omitted.map(|column| {
            let message = format!(
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                column.name, target.relation.name
            );
            let hint = format!("give {} a value: it has no default", column.name);
            Fault::error("23502", span_of(node), message).hint(hint)
        });
    }

    /// Returns true for a column that has no value without one in the INSERT.
    fn is_required(&self, column: &Column) -> bool {
        // A domain can have a default, also by one below it.
        let found = self.catalog.types.get(&column.data_type.name);
        let is_domain = found.is_some_and(|found| matches!(found.kind, TypeKind::Domain { .. }));
        column.not_null && column.fill == Fill::Nothing && !is_domain
    }
}
