//! CREATE, ALTER and DROP TRIGGER, and the trigger actions of ALTER TABLE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::attached::{Enabled, Event, Timing, Trigger};
use crate::replay::ddl::on_table::on_table;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::clause::recurses;
use crate::replay::syntax::routine::callee;
use crate::replay::syntax::tree::{below, child, child_name, children, has, name, string, text};

pub(crate) fn create_trigger(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let on = child(node, K::ON_RELATION).unwrap_or_else(|| node.clone());
    let table = on_table(state, &on)?;
    let trigger_name = child_name(node, K::TRIGGER).unwrap_or_default();
    let call =
        child(node, K::CALL_EXPR).ok_or_else(|| Refused::new(node, "the function is not given"))?;
    let function = trigger_function(state, &call)?;
    let mut trigger = Trigger {
        name: trigger_name.clone(),
        timing: if has(node, K::TIMING_BEFORE) {
            Timing::Before
        } else if has(node, K::TIMING_INSTEAD_OF) {
            Timing::InsteadOf
        } else {
            Timing::After
        },
        events: Vec::new(),
        columns: Vec::new(),
        for_each_row: below(node, K::FOR_EACH_ROW).next().is_some(),
        condition: None,
        function,
        arguments: arguments(&call),
        enabled: Enabled::Origin,
        is_constraint: has(node, K::CONSTRAINT_KW),
        deferrable: false,
        initially_deferred: false,
        referenced: None,
        old_table: None,
        new_table: None,
        comment: None,
    };
    let events = child(node, K::TRIGGER_EVENT_LIST);
    for event in events.iter().flat_map(SyntaxNode::children) {
        trigger.events.push(match event.kind() {
            K::TRIGGER_EVENT_INSERT => Event::Insert,
            K::TRIGGER_EVENT_DELETE => Event::Delete,
            K::TRIGGER_EVENT_TRUNCATE => Event::Truncate,
            _ => {
                let columns = children(&event, K::COLUMN_NAME_REF);
                trigger.columns = columns.map(|column| name(&column)).collect();
                Event::Update
            }
        });
    }
    for column in &trigger.columns {
        if !state.is_view(&table) {
            state.column_mut(node, &table, column)?;
        }
    }
    trigger.events.sort_unstable();
    trigger.initially_deferred = below(node, K::INITIALLY_DEFERRED_CONSTRAINT_OPTION)
        .next()
        .is_some();
    trigger.deferrable = trigger.initially_deferred
        || below(node, K::DEFERRABLE_CONSTRAINT_OPTION)
            .next()
            .is_some();
    if let Some(condition) = child(node, K::WHEN_CONDITION)
        && let Some(condition) = condition.children().next()
    {
        let text = state.as_stored(text(&condition), Columns::OldAndNew(&table));
        trigger.condition = Some(state.code(text));
    }
    if let Some(from) = child(node, K::FROM_TABLE) {
        trigger.referenced = Some(on_table(state, &from)?);
    }
    let transition = |kind: SyntaxKind| {
        let table = below(node, kind).next()?;
        child_name(&table, K::TRANSITION_RELATION_NAME)
    };
    trigger.old_table = transition(K::OLD_TABLE);
    trigger.new_table = transition(K::NEW_TABLE);
    let is_replacing = has(node, K::OR_REPLACE);
    let exists = || {
        let why = format!("there is a trigger {trigger_name} already");
        Err(Refused::error(node, why).raises("duplicate_object"))
    };
    if trigger.for_each_row {
        // Such a trigger is created in the partitions too, in the place of their own.
        for partition in state.partitions_below(&table) {
            let triggers = &mut state.table(&partition).attached.triggers;
            let before = triggers.len();
            if is_replacing {
                triggers.retain(|other| other.name != trigger_name);
            }
            let has_own = triggers.iter().any(|other| other.name == trigger_name);
            if has_own {
                return exists();
            }
            if triggers.len() < before {
                state.reset_inherited_trigger(&partition, &trigger_name);
            }
        }
    }
    let triggers = &mut state.table(&table).attached.triggers;
    if let Some(earlier) = triggers.iter_mut().find(|other| other.name == trigger_name) {
        if !is_replacing {
            return exists();
        }
        trigger.comment = earlier.comment.take();
        *earlier = trigger;
        state.reset_inherited_trigger(&table, &trigger_name);
    } else {
        triggers.push(trigger);
        triggers.sort_by(|a, b| a.name.cmp(&b.name));
    }
    state.forget_part(&table, &trigger_name);
    Ok(())
}

/// Returns the trigger's function: one without arguments of a migration, a built-in one, or one of
/// an extension.
fn trigger_function(state: &State, call: &SyntaxNode) -> Result<Name> {
    let parts = callee(call);
    let function = parts.last().cloned().unwrap_or_default();
    let unknown = || {
        Refused::new(call, format!("the function {function} is not known"))
            .raises("undefined_function")
    };
    let overloads = state.functions().get(&function);
    let created = state.candidates(&parts).into_iter().find(|name| {
        overloads.is_some_and(|overloads| {
            let mut overloads = overloads.iter();
            overloads.any(|function| function.name == *name && function.argument_types.is_empty())
        })
    });
    if let Some(created) = created {
        return Ok(created);
    }
    let brings = TRIGGER_FUNCTIONS
        .into_iter()
        .find(|(_, functions)| functions.contains(&function.as_str()));
    let schema = match brings {
        Some((SYSTEM, _)) => SYSTEM.to_owned(),
        Some((extension, _)) => {
            let schema = state.schema_of_extension(extension);
            schema.cloned().ok_or_else(unknown)?
        }
        None => return Err(unknown()),
    };
    Ok(Name {
        schema,
        name: function.clone(),
    })
}

pub(crate) fn alter_trigger(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let Some(rename) = child(node, K::TRIGGER_RENAME_TO) else {
        return Ok(());
    };
    let table = on_table(state, node)?;
    let from = child_name(node, K::TRIGGER_REF).unwrap_or_default();
    let to = child_name(&rename, K::TRIGGER).unwrap_or_default();
    let triggers = &mut state.table(&table).attached.triggers;
    let trigger = triggers.iter_mut().find(|other| other.name == from);
    let missing =
        || Refused::new(node, format!("there is no trigger {from}")).raises("undefined_object");
    trigger.ok_or_else(missing)?.name.clone_from(&to);
    triggers.sort_by(|a, b| a.name.cmp(&b.name));
    state.rename_inherited_trigger(&table, &from, &to);
    Ok(())
}

pub(crate) fn drop_trigger(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let trigger_name = child_name(node, K::TRIGGER_REF).unwrap_or_default();
    let is_lenient = has(node, K::IF_EXISTS);
    let table = match on_table(state, node) {
        Ok(table) => table,
        Err(_) if is_lenient => return Ok(()),
        Err(refused) => return Err(refused),
    };
    let triggers = &mut state.table(&table).attached.triggers;
    let before = triggers.len();
    triggers.retain(|other| other.name != trigger_name);
    let was_removed = triggers.len() < before;
    if !was_removed && !is_lenient && !state.has_part_gap(&table, &trigger_name) {
        return Err(
            Refused::new(node, format!("there is no trigger {trigger_name}"))
                .raises("undefined_object"),
        );
    }
    state.forget_part(&table, &trigger_name);
    Ok(())
}

/// Applies an action of ALTER TABLE such as `ENABLE TRIGGER`.
pub(crate) fn enable_trigger(state: &mut State, action: &SyntaxNode, table: &Name) {
    use SyntaxKind as K;
    let enabled = match action.kind() {
        K::DISABLE_TRIGGER => Enabled::Never,
        K::ENABLE_REPLICA_TRIGGER => Enabled::Replica,
        K::ENABLE_ALWAYS_TRIGGER => Enabled::Always,
        _ => Enabled::Origin,
    };
    let named = child_name(action, K::TRIGGER_REF);
    state.enable_triggers(table, named.as_deref(), enabled, recurses(action));
}

/// The built-in trigger functions, and those of the extensions in PostgreSQL's distribution.
const TRIGGER_FUNCTIONS: [(&str, &[&str]); 7] = [
    (
        SYSTEM,
        &[
            "suppress_redundant_updates_trigger",
            "tsvector_update_trigger",
            "tsvector_update_trigger_column",
        ],
    ),
    ("autoinc", &["autoinc"]),
    ("insert_username", &["insert_username"]),
    ("lo", &["lo_manage"]),
    ("moddatetime", &["moddatetime"]),
    ("refint", &["check_primary_key", "check_foreign_key"]),
    ("tcn", &["triggered_change_notification"]),
];

/// Returns the arguments of a trigger's function, which are all strings.
fn arguments(call: &SyntaxNode) -> Vec<String> {
    let list = child(call, SyntaxKind::ARG_LIST);
    let arguments = list.iter().flat_map(SyntaxNode::children);
    arguments
        .map(|argument| {
            let value = argument.children().next().unwrap_or(argument);
            match value.kind() {
                SyntaxKind::NAME_REF => name(&value),
                _ => string(&value).unwrap_or_else(|| text(&value)),
            }
        })
        .collect()
}
