//! Identities of columns and their sequences, which partitions share with their parent from PostgreSQL 17 on.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::tree::{below, has, tokens};
use crate::{Fill, Name, RelationKind, Sequence};

impl Replay {
    pub(super) fn add_identity(
        &mut self,
        option: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<()> {
        use SyntaxKind as K;
        let always = tokens(option).any(|token| token.kind() == K::ALWAYS_KW);
        let found = self.column_mut(option, table, column)?;
        found.fill = Fill::Identity { always };
        let data_type = found.data_type.clone();
        let options = below(option, K::SEQUENCE_OPTION_LIST).next();
        let data_type = self.base_type(&data_type).name.name;
        self.insert_sequence(table, column, &data_type, options.as_ref())?;
        self.share_identity(table, column);
        Ok(())
    }

    pub(super) fn change_identity(
        &mut self,
        option: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<()> {
        use SyntaxKind as K;
        for part in option.descendants().filter(|part| !is_off(part.kind())) {
            if part.kind() == K::SET_GENERATED {
                let always = tokens(&part).any(|token| token.kind() == K::ALWAYS_KW);
                self.column_mut(option, table, column)?.fill = Fill::Identity { always };
            }
            if part.kind() == K::SET_SEQUENCE_OPTION {
                let sequence = self.catalog.identity_sequence(table, column);
                if let Some(sequence) = sequence.map(|sequence| sequence.name.clone()) {
                    self.sequence_options(&part, &sequence, false)?;
                }
            }
        }
        self.share_identity(table, column);
        Ok(())
    }

    pub(super) fn drop_identity(
        &mut self,
        option: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<()> {
        let found = self.column_mut(option, table, column)?;
        if matches!(found.fill, Fill::Identity { .. }) {
            found.fill = Fill::Nothing;
            self.catalog
                .sequences
                .retain(|_, sequence| !(sequence.identity && sequence.is_owned_by(table, column)));
            self.share_identity(table, column);
        } else if !has(option, SyntaxKind::IF_EXISTS) {
            let why = format!("the column {column} has no identity");
            return Err(Refused::new(option, why));
        }
        Ok(())
    }

    /// The partitions have the parent's identity, or none, as the parent has.
    fn share_identity(&mut self, table: &Name, column: &str) {
        let columns = &self.table(table).columns;
        let found = columns.iter().find(|other| other.name == column);
        let fill = found.map_or(Fill::Nothing, |found| found.fill.clone());
        for partition in self.partitions(table) {
            let columns = &mut self.table(&partition).columns;
            if let Some(own) = columns.iter_mut().find(|own| own.name == column)
                && (own.fill == Fill::Nothing || matches!(own.fill, Fill::Identity { .. }))
            {
                own.fill = fill.clone();
            }
            self.share_identity(&partition, column);
        }
    }

    /// A partition that is none any more leaves its parent's identity.
    pub(super) fn end_shared_identity(&mut self, table: &Name, column: &str) {
        let is_own = self.catalog.identity_sequence(table, column).is_some();
        let columns = &mut self.table(table).columns;
        if let Some(found) = columns.iter_mut().find(|other| other.name == column)
            && matches!(found.fill, Fill::Identity { .. })
            && !is_own
        {
            found.fill = Fill::Nothing;
            self.share_identity(table, column);
        }
    }

    /// The sequence of a column's identity, which for a partition is that of its parent.
    pub(super) fn shared_identity_sequence(&self, table: &Name, column: &str) -> Option<&Sequence> {
        let own = self.catalog.identity_sequence(table, column);
        own.or_else(|| {
            let relation = self.catalog.relations.get(table)?;
            let is_partition = relation.kind == RelationKind::Partition;
            let parent = relation.parents.first().filter(|_| is_partition)?;
            self.shared_identity_sequence(parent, column)
        })
    }

    /// An identity's sequence has the type of its column; that of `serial` keeps its own.
    pub(super) fn identity_changes_type(&mut self, table: &Name, column: &str, data_type: &str) {
        let sequence = self.catalog.identity_sequence(table, column);
        let sequence = sequence.map(|sequence| sequence.name.clone());
        if let Some(sequence) = sequence.and_then(|name| self.catalog.sequences.get_mut(&name)) {
            sequence.change_type(data_type);
        }
    }
}
