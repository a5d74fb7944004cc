//! `ALTER TABLE .. ALTER COLUMN`.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::column::named_column;
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::table::collation;
use super::tree::{expression, text};
use super::{Replay, data_type};
use crate::{ConstraintKind, Fill, Name};

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
        if is_off(option.kind()) {
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
                    let implied = self.implied_collations(table, &column);
                    let found = self.column_mut(action, table, &column)?;
                    found.data_type.clone_from(&data_type);
                    found.collation.clone_from(&collation);
                    self.collate_indexes(table, &column, &implied);
                }
                for table in &tables {
                    self.cover_partitions(table, &column);
                }
                for table in &tables {
                    self.identity_changes_type(table, &column, &data_type.name.name);
                }
                self.make_checks_anew(&tables, &column);
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
                let new = expression(&option)
                    .ok_or_else(|| Refused::new(&option, "the expression is not given"))?;
                for table in &tables {
                    let found = self.column_mut(action, table, &column)?;
                    if let Fill::Generated { expression, .. } = &mut found.fill {
                        *expression = text(&new);
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
            K::DROP_IDENTITY => self.drop_identity(&option, table, &column)?,
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

    /// Checks of a column that changes its type are made anew by the first of these tables, and go down to the others
    /// as they are there: not validated, if it is not, also where a new child had taken it for valid.
    fn make_checks_anew(&mut self, tables: &[Name], column: &str) {
        let Some((table, heirs)) = tables.split_first() else {
            return;
        };
        let checks = self.table(table).constraints.iter();
        let unsure: Vec<String> = checks
            .filter(|check| matches!(check.kind, ConstraintKind::Check { .. }))
            .filter(|check| !check.validated && check.kind.names(column))
            .map(|check| check.name.clone())
            .collect();
        for heir in heirs {
            for name in &unsure {
                let is_own = self.local_checks.has(heir, name);
                let mut there = self.table(heir).constraints.iter_mut();
                let inherited = there.find(|check| check.name == *name).filter(|_| !is_own);
                if let Some(check) = inherited {
                    check.validated = false;
                }
            }
        }
    }
}
