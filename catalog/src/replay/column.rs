//! The definition of a column, in CREATE TABLE and in ALTER TABLE .. ADD COLUMN.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::off::is_off;
use super::refusal::{Refused, Result};
use super::table::collation;
use super::tree::{self, child, child_name, expression, text};
use super::{Replay, data_type};
use crate::information_schema;
use crate::{Column, DataType, Fill, Name, TypeKind};

impl Column {
    pub(super) fn new(name: String, data_type: DataType) -> Self {
        Self {
            name,
            data_type,
            not_null: false,
            fill: Fill::Nothing,
            collation: None,
            comment: None,
        }
    }
}

impl Replay {
    /// Adds the column that this defines, without its constraints, and gives its name.
    pub(super) fn add_column(&mut self, node: &SyntaxNode, table: &Name) -> Result<String> {
        let column_name = child_name(node, SyntaxKind::COLUMN_NAME)
            .ok_or_else(|| Refused::new(node, "the column's name is not given"))?;
        let inherited = self
            .table(table)
            .columns
            .iter()
            .find(|other| other.name == column_name)
            .cloned();
        let type_node = node
            .children()
            .find(|child| data_type::is_type(child.kind()));
        let (mut column, is_serial) = match (&type_node, &inherited) {
            (Some(type_node), _) => {
                let typed = data_type::read(self, type_node)?;
                let mut column = Column::new(column_name.clone(), typed.data_type);
                // A child table may say again, and more strictly, what its parent has.
                if let Some(inherited) = &inherited {
                    column.not_null = inherited.not_null;
                    column.fill = inherited.fill.clone();
                    column.collation.clone_from(&inherited.collation);
                }
                (column, typed.is_serial)
            }
            (None, Some(inherited)) => (inherited.clone(), false),
            (None, None) => {
                let why = format!("the type of column {column_name} is not known");
                return Err(Refused::new(node, why));
            }
        };
        if let Some(collation) = collation(node) {
            column.collation = Some(collation);
        }
        if is_serial {
            column.not_null = true;
        }
        let options = self.fill_of(node, &mut column)?;
        let sequence_type = self.base_type(&column.data_type).name.name;
        let makes_sequence = is_serial || options.is_some();
        let not_null = column.not_null;
        let columns = &mut self.table(table).columns;
        match columns.iter_mut().find(|other| other.name == column_name) {
            Some(inherited) => *inherited = column,
            None => columns.push(column),
        }
        if inherited.is_some() {
            self.local_columns.note(table, &column_name, ());
        }
        if makes_sequence {
            let options = options.flatten();
            let sequence =
                self.insert_sequence(table, &column_name, &sequence_type, options.as_ref())?;
            if is_serial {
                self.set_fill(table, &column_name, Fill::Serial { sequence });
            }
        }
        if not_null && inherited.is_none() {
            self.set_not_null(table, &column_name, None);
        }
        Ok(column_name)
    }

    /// Applies what the clauses say of the value; gives the options of an identity's sequence.
    #[expect(clippy::option_option, reason = "an identity with or without options")]
    fn fill_of(
        &mut self,
        node: &SyntaxNode,
        column: &mut Column,
    ) -> Result<Option<Option<SyntaxNode>>> {
        use SyntaxKind as K;
        let mut options = None;
        for clause in node.children() {
            match clause.kind() {
                kind if is_off(kind) => {}
                K::DEFAULT_CONSTRAINT => {
                    let default = expression(&clause)
                        .ok_or_else(|| Refused::new(&clause, "the default is not given"))?;
                    column.fill = self.default_fill(&default, &column.data_type);
                }
                K::GENERATED_CONSTRAINT => {
                    column.fill = generated(&clause)?;
                    if matches!(column.fill, Fill::Identity { .. }) {
                        column.not_null = true;
                        options = Some(tree::below(&clause, K::SEQUENCE_OPTION_LIST).next());
                    }
                }
                _ => {}
            }
        }
        Ok(options)
    }

    /// `DEFAULT NULL` is no default, unless the type is a domain that has one.
    pub(super) fn default_fill(&self, expression: &SyntaxNode, data_type: &DataType) -> Fill {
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
            Fill::Default(self.with_sequences_found(text))
        }
    }

    /// Puts another fill into a column, which is `serial`'s where the column owns the sequence.
    pub(super) fn set_fill(&mut self, table: &Name, column: &str, fill: Fill) {
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

    /// The type beneath domains.
    pub(super) fn base_type(&self, data_type: &DataType) -> DataType {
        let mut found = data_type.clone();
        // A domain rests on what was there before it, so this ends; the bound is for a catalog gone wrong.
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

/// `GENERATED .. AS IDENTITY` or `GENERATED ALWAYS AS (..)`.
fn generated(clause: &SyntaxNode) -> Result<Fill> {
    use SyntaxKind as K;
    let tokens: Vec<_> = super::tree::tokens(clause)
        .take_while(|token| token.kind() != K::L_PAREN)
        .map(|token| token.kind())
        .collect();
    let says = |kind| tokens.contains(&kind) && !is_off(kind);
    if says(K::IDENTITY_KW) {
        return Ok(Fill::Identity {
            always: says(K::ALWAYS_KW),
        });
    }
    let body = clause
        .children()
        .find(|child| child.kind() != K::CONSTRAINT_NAME_CLAUSE);
    let found = body.as_ref().and_then(expression);
    let found = found.ok_or_else(|| {
        Refused::new(
            clause,
            "the expression of the generated column is not given",
        )
    })?;
    // PostgreSQL 18 makes it VIRTUAL where nothing is said, and earlier ones do not allow that.
    Ok(Fill::Generated {
        expression: text(&found),
        stored: tree::says(clause, K::STORED),
    })
}

/// The name that a COLUMN_NAME_REF child gives.
pub(super) fn named_column(node: &SyntaxNode) -> String {
    child(node, SyntaxKind::COLUMN_NAME_REF)
        .map(|column| super::tree::name(&column))
        .unwrap_or_default()
}
