//! DDL: a function for each statement, which changes the state.
//!
//! [`apply`] is the list of the supported statements. The files are named after the objects.

pub(crate) mod alter_column;
pub(crate) mod alter_table;
pub(crate) mod attached;
pub(crate) mod citus;
pub(crate) mod collation;
pub(crate) mod column;
pub(crate) mod comment;
pub(crate) mod composite;
pub(crate) mod constraint;
mod detached;
pub(crate) mod distributed;
pub(crate) mod domain;
pub(crate) mod drop;
pub(crate) mod extension;
pub(crate) mod foreign_key;
pub(crate) mod function;
pub(crate) mod harmless;
pub(crate) mod identity;
pub(crate) mod index;
pub(crate) mod index_collation;
pub(crate) mod like;
pub(crate) mod on_table;
pub(crate) mod partition;
pub(crate) mod policy;
pub(crate) mod precondition;
pub(crate) mod privilege;
pub(crate) mod repeated;
pub(crate) mod routine;
pub(crate) mod rule;
pub(crate) mod schema;
pub(crate) mod sequence;
pub(crate) mod setting;
pub(crate) mod table;
pub(crate) mod trigger;
pub(crate) mod types;
pub(crate) mod view;

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::statement_kind;
use crate::{Name, RelationKind};

/// Replays a DDL statement, including the default privileges of new objects.
pub(crate) fn statement(state: &mut State, node: &SyntaxNode) -> Result<()> {
    let before = state.objects_before(node);
    let done = apply(state, node);
    settle(state, node, before.as_ref(), done)
}

/// Completes a statement: grants default privileges to new objects, and closes the gaps that they
/// fill. A refused statement is accepted if its object is a gap. Otherwise the refusal names the
/// gap that it needs, if any.
pub(crate) fn settle(
    state: &mut State,
    node: &SyntaxNode,
    before: Option<&BTreeSet<Name>>,
    done: Result<()>,
) -> Result<()> {
    match done {
        Ok(()) => {
            if let Some(before) = before {
                state.give_defaults(before);
            }
            state.close_gaps(node);
            Ok(())
        }
        Err(refused) => state.accept_if_gap(node, refused),
    }
}

/// Returns true if a statement stores the literals of its expressions as values.
fn stores_expressions(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::CREATE_TABLE
            | K::ALTER_TABLE
            | K::CREATE_FOREIGN_TABLE
            | K::ALTER_FOREIGN_TABLE
            | K::CREATE_INDEX
            | K::CREATE_DOMAIN
            | K::ALTER_DOMAIN
            | K::CREATE_VIEW
            | K::ALTER_VIEW
            | K::CREATE_MATERIALIZED_VIEW
            | K::CREATE_POLICY
            | K::ALTER_POLICY
            | K::CREATE_RULE
            | K::CREATE_TRIGGER
            | K::CREATE_FUNCTION
            | K::CREATE_PROCEDURE
    )
}

/// Applies a statement. This is the list of the supported statements.
pub(crate) fn apply(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use RelationKind::{ForeignTable, MaterializedView, View};
    use SyntaxKind as K;
    const TABLES: [RelationKind; 3] = [
        RelationKind::Table,
        RelationKind::PartitionedTable,
        RelationKind::Partition,
    ];
    let Some(kind) = statement_kind(node) else {
        return Ok(());
    };
    if stores_expressions(kind) {
        state.literals_are_certain(node)?;
    }
    match kind {
        K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => table::create_table(state, node),
        K::ALTER_TABLE | K::ALTER_FOREIGN_TABLE | K::ALTER_VIEW | K::ALTER_MATERIALIZED_VIEW => {
            alter_table::alter_table(state, node)
        }
        K::DROP_TABLE => drop::drop_relations(state, node, K::TABLE_NAME_REF, &TABLES),
        K::DROP_FOREIGN_TABLE => {
            drop::drop_relations(state, node, K::TABLE_NAME_REF, &[ForeignTable])
        }
        K::CREATE_INDEX => index::create_index(state, node),
        K::ALTER_INDEX => index::alter_index(state, node),
        K::DROP_INDEX => drop::drop_indexes(state, node),
        K::CREATE_TYPE => types::create_type(state, node),
        K::ALTER_TYPE => types::alter_type(state, node),
        K::DROP_TYPE => drop::drop_types(state, node, K::TYPE_NAME_REF),
        K::CREATE_DOMAIN => domain::create_domain(state, node),
        K::ALTER_DOMAIN => domain::alter_domain(state, node),
        K::DROP_DOMAIN => drop::drop_types(state, node, K::DOMAIN_REF),
        K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => view::create_view(state, node),
        K::DROP_VIEW => drop::drop_relations(state, node, K::VIEW_REF, &[View]),
        K::DROP_MATERIALIZED_VIEW => {
            drop::drop_relations(state, node, K::VIEW_REF, &[MaterializedView])
        }
        K::CREATE_TABLE_AS => view::create_table_as(state, node),
        K::SELECT_INTO => view::select_into(state, node),
        K::CREATE_SEQUENCE => sequence::create_sequence(state, node),
        K::ALTER_SEQUENCE => sequence::alter_sequence(state, node),
        K::DROP_SEQUENCE => drop::drop_sequences(state, node),
        K::CREATE_EXTENSION => extension::create_extension(state, node),
        K::ALTER_EXTENSION => extension::alter_extension(state, node),
        K::DROP_EXTENSION => drop::drop_extension(state, node),
        K::CREATE_SCHEMA => schema::create_schema(state, node),
        K::ALTER_SCHEMA => schema::alter_schema(state, node),
        K::DROP_SCHEMA => drop::drop_schemas(state, node),
        K::CREATE_FUNCTION | K::CREATE_PROCEDURE => function::create_function(state, node),
        K::DROP_FUNCTION | K::DROP_PROCEDURE | K::DROP_ROUTINE | K::DROP_AGGREGATE => {
            drop::drop_functions(state, node)
        }
        K::CREATE_AGGREGATE => function::create_aggregate(state, node),
        K::CREATE_COLLATION | K::ALTER_COLLATION | K::DROP_COLLATION => {
            collation::collation(state, node, kind)
        }
        K::COMMENT_ON => comment::comment_on(state, node),
        K::SET
        | K::RESET
        | K::SET_ROLE
        | K::RESET_ROLE
        | K::SET_SESSION_AUTH
        | K::RESET_SESSION_AUTH
        | K::DISCARD => setting::set(state, node),
        K::ALTER_ROLE | K::ALTER_USER | K::ALTER_DATABASE => schema::later_settings(node),
        // A rule on SELECT turns a table into a view. Other rules only change the effect of
        // statements.
        K::CREATE_RULE if rule::makes_a_view(node) => Err(Refused::new(
            node,
            "a rule on SELECT turns a table into a view, which replay does not follow",
        )),
        kind if attached::is_attached(kind) => attached::statement(state, node),
        kind if harmless::is_harmless(kind) => Ok(()),
        kind => {
            let words = format!("{kind:?}").replace('_', " ");
            Err(Refused::new(
                node,
                format!("replay does not follow {words} yet"),
            ))
        }
    }
}
