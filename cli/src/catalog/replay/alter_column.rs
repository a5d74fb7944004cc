//! `ALTER TABLE .. ALTER COLUMN`.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::column::{generated, named_column};
use super::refusal::{Refused, Result};
use super::table::collation;
use super::tree::{expression, has, tokens};
use super::{Replay, data_type};
use crate::catalog::{Fill, Name};

impl Replay {
    pub(super) fn alter_column(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let column = named_column(action);
        let Some(option) = action
            .children()
            .find(|child| child.kind() != K::COLUMN_NAME_REF)
        else {
            return Ok(());
        };
        if self.is_off(option.kind()) {
            return Ok(());
        }
        if self.is_view(table) {
            // A view's column can have a default, which shapes nothing that is read from it.
            return Ok(());
        }
        self.column_mut(action, table, &column)?;
        let mut tables = vec![table.clone()];
        if self.recurses(action) {
            tables.extend(self.descendants(table));
        }
        match option.kind() {
            K::SET_TYPE => {
                let data_type = data_type::child_type(self, &option)?.data_type;
                let collation = collation(&option);
                for table in &tables {
                    let found = self.column_mut(action, table, &column)?;
                    found.data_type.clone_from(&data_type);
                    found.collation.clone_from(&collation);
                    self.table(table)
                        .collate_indexes(&column, collation.as_ref());
                }
                self.serial_changes_type(table, &column, &data_type.name.name);
            }
            K::SET_DEFAULT => {
                let default = expression(&option)
                    .ok_or_else(|| Refused::new(&option, "the default is not given"))?;
                for table in &tables {
                    let data_type = self.column_mut(action, table, &column)?.data_type.clone();
                    let fill = self.default_fill(&default, &data_type);
                    self.set_fill(table, &column, fill);
                }
            }
            K::DROP_DEFAULT => {
                for table in &tables {
                    let found = self.column_mut(action, table, &column)?;
                    if matches!(found.fill, Fill::Default(_) | Fill::Serial { .. }) {
                        found.fill = Fill::Nothing;
                    }
                }
            }
            K::DROP_EXPRESSION => {
                for table in &tables {
                    let found = self.column_mut(action, table, &column)?;
                    if matches!(found.fill, Fill::Generated { .. }) {
                        found.fill = Fill::Nothing;
                    }
                }
            }
            K::SET_EXPRESSION => {
                let text = generated(&option)?;
                for table in &tables {
                    let found = self.column_mut(action, table, &column)?;
                    if let (
                        Fill::Generated { expression, .. },
                        Fill::Generated {
                            expression: new, ..
                        },
                    ) = (&mut found.fill, &text)
                    {
                        expression.clone_from(new);
                    }
                }
            }
            K::SET_NOT_NULL => {
                self.set_not_null(table, &column, None);
                if tables.len() > 1 {
                    self.inherit_not_null(table, &column);
                }
            }
            K::DROP_NOT_NULL => self.drop_not_null(table, &column),
            K::ADD_GENERATED => self.add_identity(&option, table, &column)?,
            K::DROP_IDENTITY => {
                let found = self.column_mut(action, table, &column)?;
                if matches!(found.fill, Fill::Identity { .. }) {
                    found.fill = Fill::Nothing;
                    self.catalog.sequences.retain(|_, sequence| {
                        !(sequence.identity && sequence.is_owned_by(table, &column))
                    });
                } else if !has(&option, K::IF_EXISTS) {
                    let why = format!("the column {column} has no identity");
                    return Err(Refused::new(&option, why));
                }
            }
            K::SET_GENERATED | K::SET_GENERATED_OPTIONS | K::SET_SEQUENCE_OPTION | K::RESTART => {
                self.change_identity(&option, table, &column)?;
            }
            K::SET_STATISTICS
            | K::SET_STORAGE
            | K::SET_COMPRESSION
            | K::SET_OPTIONS
            | K::RESET_OPTIONS
            | K::SET_OPTIONS_LIST => {}
            kind => {
                let words = format!("{kind:?}").replace('_', " ");
                return Err(Refused::new(
                    action,
                    format!("replay does not follow ALTER COLUMN .. {words} yet"),
                ));
            }
        }
        Ok(())
    }

    fn add_identity(&mut self, option: &SyntaxNode, table: &Name, column: &str) -> Result<()> {
        use SyntaxKind as K;
        let always = tokens(option).any(|token| token.kind() == K::ALWAYS_KW);
        let found = self.column_mut(option, table, column)?;
        found.fill = Fill::Identity { always };
        let data_type = found.data_type.clone();
        let options = option
            .descendants()
            .find(|child| child.kind() == K::SEQUENCE_OPTION_LIST);
        let data_type = self.base_type(&data_type).name.name;
        self.insert_sequence(table, column, &data_type, options.as_ref())?;
        Ok(())
    }

    fn change_identity(&mut self, option: &SyntaxNode, table: &Name, column: &str) -> Result<()> {
        use SyntaxKind as K;
        for part in option.descendants() {
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
        Ok(())
    }

    /// An identity's sequence has the type of its column; that of `serial` keeps its own.
    fn serial_changes_type(&mut self, table: &Name, column: &str, data_type: &str) {
        let sequence = self.catalog.identity_sequence(table, column);
        let sequence = sequence.map(|sequence| sequence.name.clone());
        if let Some(sequence) = sequence.and_then(|name| self.catalog.sequences.get_mut(&name)) {
            sequence.change_type(data_type);
        }
    }
}
