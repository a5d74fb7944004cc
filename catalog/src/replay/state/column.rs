//! The default of a column, and the base type of a domain.

use squawk_syntax::SyntaxNode;

use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::syntax::tree::text;
use crate::{Column, DataType, Fill, Name, TypeKind, information_schema};

impl Column {
    pub(crate) fn new(name: String, data_type: DataType) -> Self {
        Self {
            name,
            data_type,
            not_null: false,
            fill: Fill::Nothing,
            collation: None,
            comment: None,
            not_null_constraint: None,
        }
    }
}

impl State {
    /// Returns the fill for a DEFAULT clause. `DEFAULT NULL` is not a default, unless the type is a
    /// domain that has one.
    pub(crate) fn default_fill(&self, expression: &SyntaxNode, data_type: &DataType) -> Fill {
        let text = text(expression);
        let of_domain = matches!(
            self.catalog
                .types
                .get(&data_type.name)
                .map(|found| &found.kind),
            Some(TypeKind::Domain { .. })
        );
        if text.eq_ignore_ascii_case("null") && !of_domain {
            Fill::Nothing
        } else {
            let text = self.as_stored(text, Columns::Nothing);
            Fill::Default(self.with_sequences_found(text))
        }
    }

    /// Sets the fill of a column. It becomes `serial` where the column owns the sequence.
    pub(crate) fn set_fill(&mut self, table: &Name, column: &str, fill: Fill) {
        let fill = match fill.sequence() {
            None => fill,
            Some(sequence) => {
                let found = self.catalog.sequences.get(&sequence);
                let is_owned = found.is_some_and(|found| found.is_owned_by(table, column));
                if is_owned || matches!(fill, Fill::Serial { .. }) {
                    Fill::from_sequence(&sequence, is_owned)
                } else {
                    fill
                }
            }
        };
        let columns = &mut self.table(table).columns;
        if let Some(found) = columns.iter_mut().find(|other| other.name == column) {
            found.fill = fill;
        }
    }

    /// Returns the domain whose constraint PostgreSQL checks for each value of a type: the type
    /// itself if it is a domain with a constraint, or one below it.
    pub(crate) fn checking_domain(&self, data_type: &DataType) -> Option<Name> {
        let mut found = data_type.clone();
        // A domain rests on an earlier type, so this ends. The bound is for an inconsistent
        // catalog.
        for _ in 0..64 {
            if found.dimensions > 0 {
                return None;
            }
            let kind = self.catalog.types.get(&found.name).map(|found| &found.kind);
            let Some(TypeKind::Domain {
                base,
                not_null,
                checks,
                ..
            }) = kind
            else {
                // Those domains of the standard with a check.
                let has_check = ["cardinal_number", "yes_or_no"].contains(&&*found.name.name);
                let is_standard = found.name.schema == "information_schema";
                return (is_standard && has_check).then_some(found.name);
            };
            if *not_null || !checks.is_empty() {
                return Some(found.name);
            }
            found = base.clone();
        }
        None
    }

    /// Returns the base type beneath any number of domains.
    pub(crate) fn base_type(&self, data_type: &DataType) -> DataType {
        let mut found = data_type.clone();
        // A domain rests on an earlier type, so this ends. The bound is for an inconsistent
        // catalog.
        for _ in 0..64 {
            match self.catalog.types.get(&found.name).map(|found| &found.kind) {
                Some(TypeKind::Domain { base, .. }) if found.dimensions == 0 => {
                    found = base.clone();
                }
                _ if found.dimensions == 0 => match information_schema::base(&found.name) {
                    Some(base) => found = base,
                    None => break,
                },
                _ => break,
            }
        }
        found
    }
}
