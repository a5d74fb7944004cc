//! `ALTER TABLE .. ALTER COLUMN`.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::{identity, index_collation, precondition};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::expressions::Columns;
use crate::replay::state::{State, data_type};
use crate::replay::syntax::clause::recurses;
use crate::replay::syntax::clause::{collation, named_column};
use crate::replay::syntax::expression::expression;
use crate::replay::syntax::tree::{child_nodes, text};
use crate::{ConstraintKind, Fill, Name};

pub(crate) fn alter_column(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    let column = named_column(action);
    let Some(option) = child_nodes(action).find(|child| child.kind() != K::COLUMN_NAME_REF) else {
        return Ok(());
    };
    state.column_mut(action, table, &column)?;
    if state.is_view(table) {
        // A view's column can have a default, which does not change the values read from it.
        if let (K::SET_DEFAULT, Some(default)) = (option.kind(), expression(&option)) {
            precondition::default_fits(state, &default, table, &column)?;
        }
        return Ok(());
    }
    let mut tables = vec![table.clone()];
    if recurses(action) {
        tables.extend(state.descendants(table));
    }
    match option.kind() {
        K::SET_TYPE => {
            let data_type = data_type::child_type(state, &option)?.data_type;
            precondition::may_change_type(state, action, &tables, &column, &data_type)?;
            let collation = collation(&option).map(|parts| state.find_collation(&parts));
            for table in &tables {
                let implied = index_collation::implied_collations(state, table, &column);
                let found = state.column_mut(action, table, &column)?;
                found.data_type.clone_from(&data_type);
                found.collation.clone_from(&collation);
                index_collation::collate_indexes(state, table, &column, &implied);
            }
            for table in &tables {
                state.recreate_partition_indexes(table, &column);
            }
            for table in &tables {
                state.identity_changes_type(table, &column, &data_type.name.name);
            }
            recreate_checks(state, &tables, &column);
        }
        K::SET_DEFAULT => {
            let default = expression(&option)
                .ok_or_else(|| Refused::new(&option, "the default is not given"))?;
            precondition::default_fits(state, &default, table, &column)?;
            for table in &tables {
                let data_type = state.column_mut(action, table, &column)?.data_type.clone();
                let fill = state.default_fill(&default, &data_type);
                state.set_fill(table, &column, fill);
            }
        }
        K::DROP_DEFAULT => {
            for table in &tables {
                let found = state.column_mut(action, table, &column)?;
                if matches!(found.fill, Fill::Default(_) | Fill::Serial { .. }) {
                    found.fill = Fill::Nothing;
                }
            }
        }
        K::DROP_EXPRESSION => {
            for table in &tables {
                let found = state.column_mut(action, table, &column)?;
                if matches!(found.fill, Fill::Generated { .. }) {
                    found.fill = Fill::Nothing;
                }
            }
        }
        K::SET_EXPRESSION => {
            let new = expression(&option)
                .ok_or_else(|| Refused::new(&option, "the expression is not given"))?;
            let new = state.as_stored(text(&new), Columns::Table(table));
            for table in &tables {
                let found = state.column_mut(action, table, &column)?;
                if let Fill::Generated { expression, .. } = &mut found.fill {
                    expression.clone_from(&new);
                }
            }
        }
        K::SET_NOT_NULL => {
            state.set_not_null(table, &column, None);
            if tables.len() > 1 {
                state.inherit_not_null(table, &column);
            }
        }
        K::DROP_NOT_NULL => {
            precondition::may_hold_null(state, action, table, &column)?;
            state.drop_not_null(table, &column);
        }
        K::ADD_GENERATED => identity::add_identity(state, &option, table, &column)?,
        K::DROP_IDENTITY => identity::drop_identity(state, &option, table, &column)?,
        K::SET_GENERATED | K::SET_GENERATED_OPTIONS | K::SET_SEQUENCE_OPTION | K::RESTART => {
            identity::change_identity(state, &option, table, &column)?;
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

/// Recreates the checks of a column whose type changes. PostgreSQL recreates them in the first of
/// these tables, and the others inherit them. An unvalidated check of the first table is then
/// unvalidated in all others, even in a new child where it was valid.
fn recreate_checks(state: &mut State, tables: &[Name], column: &str) {
    let Some((table, descendants)) = tables.split_first() else {
        return;
    };
    let checks = state.table(table).constraints.iter();
    let unsure: Vec<String> = checks
        .filter(|check| matches!(check.kind, ConstraintKind::Check { .. }))
        .filter(|check| !check.validated && check.kind.names(column))
        .map(|check| check.name.clone())
        .collect();
    for descendant in descendants {
        for name in &unsure {
            let is_own = state.is_local_check(descendant, name);
            let mut checks = state.table(descendant).constraints.iter_mut();
            let inherited = checks.find(|check| check.name == *name).filter(|_| !is_own);
            if let Some(check) = inherited {
                check.validated = false;
            }
        }
    }
}
