//! ALTER TABLE, action by action. ALTER VIEW and similar statements share some of the actions.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::{
    alter_column, column, constraint, partition, policy, precondition, repeated, rule, table,
    trigger, view,
};
use crate::replay::refusal::{self, Refused, Result};
use crate::replay::state::State;
use crate::replay::state::objects::Object;
use crate::replay::syntax::clause::named_column;
use crate::replay::syntax::clause::recurses;
use crate::replay::syntax::tree::{self, child, child_name, child_nodes, has, path};
use crate::{ConstraintKind, Name, RelationKind};

/// The nodes that name the altered object.
const SUBJECTS: [SyntaxKind; 5] = [
    SyntaxKind::TABLE_RELATION_NAME,
    SyntaxKind::TABLE_NAME_REF,
    SyntaxKind::VIEW_REF,
    SyntaxKind::RELATION_NAME,
    SyntaxKind::IF_EXISTS,
];

/// Returns the table that a statement altered, by the name that it has now.
pub(crate) fn altered(state: &State, node: &SyntaxNode) -> Option<Name> {
    let mut parts = node.children();
    let subject = parts.find(|child| SUBJECTS[..4].contains(&child.kind()))?;
    state.find_relation(&path(&subject))
}

/// Returns the actions of a statement.
pub(crate) fn actions(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    child_nodes(node).filter(|child| !SUBJECTS.contains(&child.kind()))
}

pub(crate) fn alter_table(state: &mut State, node: &SyntaxNode) -> Result<()> {
    let subject = node
        .children()
        .find(|child| SUBJECTS[..4].contains(&child.kind()))
        .ok_or_else(|| Refused::new(node, "no table is named"))?;
    let parts = path(&subject);
    let Some(mut table) = state.find_relation(&parts) else {
        // ALTER TABLE renames and moves sequences and indexes too.
        if let Some((holder, index)) = state.find_index_by(&parts)
            && let Some(rename) = child(node, SyntaxKind::TABLE_RENAME_TO)
        {
            let to = child_name(&rename, SyntaxKind::TABLE_NAME).unwrap_or_default();
            state.rename_index(&holder, &index, &to);
            return Ok(());
        }
        if let Some(sequence) = state.find_sequence(&parts) {
            return alter_sequence_as_table(state, node, &sequence);
        }
        return if has(node, SyntaxKind::IF_EXISTS) {
            Ok(())
        } else {
            state.relation_mut(&subject).map(|_| ())
        };
    };
    repeated::is_alone(node)?;
    for action in actions(node) {
        table = alter_table_action(state, &action, table)?;
    }
    Ok(())
}

fn alter_sequence_as_table(state: &mut State, node: &SyntaxNode, sequence: &Name) -> Result<()> {
    use SyntaxKind as K;
    for action in node.children() {
        match action.kind() {
            K::TABLE_RENAME_TO => {
                let to = child_name(&action, K::TABLE_NAME).unwrap_or_default();
                let schema = sequence.schema.clone();
                state.move_sequence(sequence, Name { schema, name: to });
            }
            K::SET_SCHEMA => {
                let schema = child_name(&action, K::SCHEMA_REF).unwrap_or_default();
                let name = sequence.name.clone();
                state.move_sequence(sequence, Name { schema, name });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Applies one action. Returns the table's name, which the action may have changed.
fn alter_table_action(state: &mut State, action: &SyntaxNode, table: Name) -> Result<Name> {
    use SyntaxKind as K;
    match action.kind() {
        K::ADD_COLUMN => alter_add_column(state, action, &table)?,
        K::ADD_CONSTRAINT => {
            for clause in child_nodes(action) {
                constraint::add_constraint(state, &clause, &table, None)?;
            }
        }
        K::DROP_COLUMN => drop_column(state, action, &table)?,
        K::DROP_CONSTRAINT => drop_constraint(state, action, &table)?,
        K::ALTER_COLUMN | K::ALTER_VIEW_COLUMN => {
            alter_column::alter_column(state, action, &table)?;
        }
        K::RENAME_COLUMN => alter_rename_column(state, action, &table)?,
        K::RENAME_CONSTRAINT => rename_constraint(state, action, &table)?,
        K::TABLE_RENAME_TO | K::VIEW_RENAME_TO => {
            let to = action.children().map(|to| tree::name(&to)).next();
            let to = Name {
                schema: table.schema.clone(),
                name: to.unwrap_or_default(),
            };
            if state.has_relation(&to.schema, &to.name) {
                return Err(refusal::exists(action, &to));
            }
            return Ok(state.move_relation(&table, to));
        }
        K::SET_SCHEMA => {
            let schema = child_name(action, K::SCHEMA_REF).unwrap_or_default();
            precondition::may_move(state, action, &table, &schema)?;
            let name = table.name.clone();
            return Ok(state.move_relation(&table, Name { schema, name }));
        }
        K::ATTACH_PARTITION => partition::attach_partition(state, action, &table)?,
        K::DETACH_PARTITION => partition::detach_partition(state, action)?,
        K::INHERIT_TABLE | K::NO_INHERIT_TABLE => partition::change_parent(state, action, &table)?,
        K::OF_TYPE => {
            let composite = table::composite(state, action)?;
            state.table(&table).of_type = Some(composite);
        }
        K::NOT_OF => state.table(&table).of_type = None,
        K::ALTER_CONSTRAINT | K::VALIDATE_CONSTRAINT => {
            constraint::alter_constraint(state, action, &table)?;
        }
        K::ENABLE_RLS | K::DISABLE_RLS | K::FORCE_RLS | K::NO_FORCE_RLS => {
            policy::row_security(state, action, &table);
        }
        K::ENABLE_TRIGGER
        | K::DISABLE_TRIGGER
        | K::ENABLE_REPLICA_TRIGGER
        | K::ENABLE_ALWAYS_TRIGGER => trigger::enable_trigger(state, action, &table),
        K::ENABLE_RULE | K::DISABLE_RULE | K::ENABLE_REPLICA_RULE | K::ENABLE_ALWAYS_RULE => {
            rule::enable_rule(state, action, &table);
        }
        K::SET_OPTIONS | K::RESET_OPTIONS | K::ALTER_OPTION_LIST | K::OPTION_ITEM_LIST
            if state.table(&table).kind == RelationKind::View =>
        {
            view::view_options(state, action, &table);
        }
        kind if changes_nothing(kind) => {}
        kind => {
            let words = format!("{kind:?}").replace('_', " ");
            return Err(Refused::new(
                action,
                format!("replay does not follow ALTER TABLE .. {words} yet"),
            ));
        }
    }
    Ok(table)
}

fn alter_add_column(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    let column = child_name(action, K::COLUMN_NAME).unwrap_or_default();
    let columns = &state.table(table).columns;
    let exists = columns.iter().any(|other| other.name == column);
    if exists && has(action, K::IF_NOT_EXISTS) {
        return Ok(());
    }
    if exists {
        return Err(Refused::new(
            action,
            format!("{} has a column {column} already", table.name),
        )
        .hint("give it another name")
        .raises("duplicate_column"));
    }
    let column = column::add_column(state, action, table)?;
    state.column_is_added(table);
    if recurses(action) {
        state.inherit_column(table, &column);
    }
    // Keys come before checks, and checks before foreign keys, as in CREATE TABLE.
    let clauses: Vec<_> = child_nodes(action).collect();
    let order = [
        vec![K::CHECK_CONSTRAINT, K::NOT_NULL_CONSTRAINT],
        vec![K::PRIMARY_KEY_CONSTRAINT, K::UNIQUE_CONSTRAINT],
        vec![K::REFERENCES_CONSTRAINT],
    ];
    for kinds in order {
        for clause in clauses
            .iter()
            .filter(|clause| kinds.contains(&clause.kind()))
        {
            constraint::add_constraint(state, clause, table, Some(&column))?;
        }
    }
    Ok(())
}

fn drop_column(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    let column = named_column(action);
    let columns = &state.table(table).columns;
    if has(action, SyntaxKind::IF_EXISTS) && !columns.iter().any(|other| other.name == column) {
        return Ok(());
    }
    state.column_mut(action, table, &column)?;
    let mut targets = vec![Object::Column(table.clone(), column.clone())];
    if recurses(action) {
        state.inherited_columns(table, &column, &mut targets);
    }
    state.drop_objects(action, &targets)
}

fn alter_rename_column(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    let from = named_column(action);
    let to = child_name(action, SyntaxKind::COLUMN_NAME).unwrap_or_default();
    let columns = &state.table(table).columns;
    if columns.iter().any(|column| column.name == to) {
        return Err(
            Refused::new(action, format!("{} has a column {to} already", table.name))
                .hint("give it another name")
                .raises("duplicate_column"),
        );
    }
    state.column_mut(action, table, &from)?;
    repeated::may_be_renamed(state, action, table, (&from, &to))?;
    state.rename_column(table, &from, &to);
    for child in state.descendants(table) {
        state.rename_column(&child, &from, &to);
    }
    Ok(())
}

fn rename_constraint(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    let from = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
    let to = child_name(action, K::CONSTRAINT_NAME).unwrap_or_default();
    state.rename_constraint(action, table, &from, &to)
}

fn drop_constraint(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    let name = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
    let constraints = &state.table(table).constraints;
    let Some(dropped) = constraints.iter().find(|other| other.name == name).cloned() else {
        // NOT NULL constraints have names from PostgreSQL 18 on.
        if let Some(column) = state.not_null_column(table, &name) {
            state.drop_not_null(table, &column);
            return Ok(());
        }
        return if has(action, K::IF_EXISTS) {
            Ok(())
        } else {
            let why = format!("{} has no constraint {name}", table.name);
            Err(Refused::new(action, why))
        };
    };
    let mut targets = vec![Object::Constraint(table.clone(), name.clone())];
    match &dropped.kind {
        ConstraintKind::Check {
            no_inherit: false, ..
        } => state.inherited_checks(table, &name, &mut targets),
        ConstraintKind::ForeignKey { .. } => {
            let partitions = state.partition_references(table, &name).into_iter();
            targets.extend(partitions.map(|(table, name)| Object::Constraint(table, name)));
        }
        kind if kind.has_index() => {
            let partitions = state.partition_indexes(table, &name).into_iter();
            targets.extend(partitions.map(|(table, name)| Object::Constraint(table, name)));
        }
        _ => {}
    }
    state.drop_objects(action, &targets)
}

/// Returns true for an action that changes the storage, owner or options of a table, but not its
/// shape.
fn changes_nothing(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::CLUSTER_ON
            | K::OWNER_TO
            | K::REPLICA_IDENTITY
            | K::RESET_OPTIONS
            | K::SET_ACCESS_METHOD
            | K::SET_LOGGED
            | K::SET_UNLOGGED
            | K::SET_OPTIONS
            | K::SET_TABLESPACE
            | K::SET_WITHOUT_CLUSTER
            | K::SET_WITHOUT_OIDS
            | K::ALTER_OPTION_LIST
            | K::OPTION_ITEM_LIST
            | K::DEPENDS_ON_EXTENSION
            | K::NO_DEPENDS_ON_EXTENSION
    )
}
