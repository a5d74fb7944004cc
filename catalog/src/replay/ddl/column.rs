//! The definition of a column, in CREATE TABLE and in ALTER TABLE .. ADD COLUMN.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::{precondition, repeated};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::expressions::Columns;
use crate::replay::state::{State, data_type};
use crate::replay::syntax::clause::collation;
use crate::replay::syntax::expression::expression;
use crate::replay::syntax::tree::{self, child, child_name, child_nodes, is_arm_enabled, text};
use crate::replay::syntax::type_name;
use crate::{Column, Fill, Name};

/// Adds a column without its constraints. Returns the column's name.
pub(crate) fn add_column(state: &mut State, node: &SyntaxNode, table: &Name) -> Result<String> {
    let column_name = child_name(node, SyntaxKind::COLUMN_NAME)
        .ok_or_else(|| Refused::new(node, "the column's name is not given"))?;
    repeated::is_no_system_column(node, &column_name)?;
    let inherited = state
        .table(table)
        .columns
        .iter()
        .find(|other| other.name == column_name)
        .cloned();
    let type_node = node
        .children()
        .find(|child| type_name::is_type(child.kind()));
    let (mut column, is_serial) = match (&type_node, &inherited) {
        (Some(type_node), _) => {
            let typed = data_type::read(state, type_node)?;
            let mut column = Column::new(column_name.clone(), typed.data_type);
            // A child table may repeat a parent's column with stricter constraints.
            if let Some(inherited) = &inherited {
                repeated::has_type_of_parent(node, &column, inherited)?;
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
    repeated::is_declared_once(node, &column_name, is_serial)?;
    if let Some(collation) = collation(node) {
        column.collation = Some(state.find_collation(&collation));
    }
    if is_serial {
        column.not_null = true;
    }
    let options = fill_of(state, node, table, &mut column)?;
    let default = child(node, SyntaxKind::DEFAULT_CONSTRAINT).and_then(|it| expression(&it));
    let sequence_type = state.base_type(&column.data_type).name.name;
    let makes_sequence = is_serial || options.is_some();
    let not_null = column.not_null;
    let columns = &mut state.table(table).columns;
    match columns.iter_mut().find(|other| other.name == column_name) {
        Some(inherited) => *inherited = column,
        None => columns.push(column),
    }
    if inherited.is_some() {
        state.keep_column(table, &column_name);
    }
    if let Some(default) = default {
        precondition::default_fits(state, &default, table, &column_name)?;
    }
    if makes_sequence {
        let options = options.flatten();
        let sequence =
            state.insert_sequence(table, &column_name, &sequence_type, options.as_ref())?;
        if is_serial {
            state.set_fill(table, &column_name, Fill::Serial { sequence });
        }
    }
    if not_null && inherited.is_none() {
        state.set_not_null(table, &column_name, None);
    }
    Ok(column_name)
}

/// Applies the clauses for the column's value. Returns the options of an identity's sequence.
#[expect(clippy::option_option, reason = "an identity with or without options")]
fn fill_of(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    column: &mut Column,
) -> Result<Option<Option<SyntaxNode>>> {
    use SyntaxKind as K;
    let mut options = None;
    for clause in child_nodes(node) {
        match clause.kind() {
            K::DEFAULT_CONSTRAINT => {
                let default = expression(&clause)
                    .ok_or_else(|| Refused::new(&clause, "the default is not given"))?;
                column.fill = state.default_fill(&default, &column.data_type);
            }
            K::GENERATED_CONSTRAINT => {
                column.fill = generated(state, &clause, table)?;
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

/// Returns the fill of `GENERATED .. AS IDENTITY` or `GENERATED ALWAYS AS (..)`.
fn generated(state: &State, clause: &SyntaxNode, table: &Name) -> Result<Fill> {
    use SyntaxKind as K;
    let tokens: Vec<_> = tree::tokens(clause)
        .take_while(|token| token.kind() != K::L_PAREN)
        .map(|token| token.kind())
        .collect();
    let has_token = |kind| tokens.contains(&kind) && is_arm_enabled(kind);
    if has_token(K::IDENTITY_KW) {
        return Ok(Fill::Identity {
            always: has_token(K::ALWAYS_KW),
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
    // PostgreSQL 18 makes the column VIRTUAL by default. Earlier versions require STORED.
    Ok(Fill::Generated {
        expression: state.as_stored(text(&found), Columns::Table(table)),
        stored: tree::has_below(clause, K::STORED),
    })
}
