//! Statements about triggers, policies, rules, privileges and existing functions.
//!
//! No code is generated for these objects. So a statement that cannot be replayed leaves a gap, and
//! is not refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::ddl::on_table::on_table;
use crate::replay::ddl::{policy, privilege, routine, rule, trigger};
use crate::replay::refusal::Result;
use crate::replay::state::State;
use crate::replay::syntax::tree::child_name;

/// Returns true for a statement about an object attached to a table, or about an existing function.
pub(crate) fn is_attached(kind: SyntaxKind) -> bool {
    gap_kind(kind).is_some()
}

pub(crate) fn gap_kind(kind: SyntaxKind) -> Option<GapKind> {
    use SyntaxKind as K;
    Some(match kind {
        K::CREATE_TRIGGER | K::ALTER_TRIGGER | K::DROP_TRIGGER => GapKind::Triggers,
        K::CREATE_POLICY | K::ALTER_POLICY | K::DROP_POLICY => GapKind::Policies,
        K::CREATE_RULE | K::ALTER_RULE | K::DROP_RULE => GapKind::Rules,
        K::GRANT | K::REVOKE | K::ALTER_DEFAULT_PRIVILEGES => GapKind::Privileges,
        K::ALTER_FUNCTION | K::ALTER_PROCEDURE | K::ALTER_ROUTINE | K::ALTER_AGGREGATE => {
            GapKind::Routine
        }
        _ => return None,
    })
}

/// Replays a statement about an object attached to a table, or records a gap.
pub(crate) fn statement(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let done = match node.kind() {
        K::CREATE_TRIGGER => trigger::create_trigger(state, node),
        K::ALTER_TRIGGER => trigger::alter_trigger(state, node),
        K::DROP_TRIGGER => trigger::drop_trigger(state, node),
        K::CREATE_POLICY => policy::create_policy(state, node),
        K::ALTER_POLICY => policy::alter_policy(state, node),
        K::DROP_POLICY => policy::drop_policy(state, node),
        K::CREATE_RULE => rule::create_rule(state, node),
        K::ALTER_RULE => rule::alter_rule(state, node),
        K::DROP_RULE => rule::drop_rule(state, node),
        K::GRANT | K::REVOKE => privilege::grant(state, node),
        K::ALTER_DEFAULT_PRIVILEGES => privilege::default_privileges(state, node),
        _ => routine::alter_routine(state, node),
    };
    match done {
        // An exception handler around the statement catches the error.
        Err(refused) if state.is_handled() && refused.raises.is_some() => Err(refused),
        Err(refused) => {
            let kind = gap_kind(node.kind()).unwrap_or(GapKind::Triggers);
            state.note_attached_gap(node, kind, refused.why);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Applies COMMENT ON TRIGGER, POLICY or RULE.
pub(crate) fn comment_on_attached(
    state: &mut State,
    object: &SyntaxNode,
    comment: Option<String>,
) -> Result<()> {
    use SyntaxKind as K;
    let table = on_table(state, object)?;
    let named = |kind| child_name(object, kind).unwrap_or_default();
    let attached = &mut state.table(&table).attached;
    match object.kind() {
        K::OBJECT_TRIGGER => {
            let name = named(K::TRIGGER_REF);
            for trigger in attached
                .triggers
                .iter_mut()
                .filter(|trigger| trigger.name == name)
            {
                trigger.comment.clone_from(&comment);
            }
        }
        K::OBJECT_POLICY => {
            let name = named(K::POLICY_REF);
            for policy in attached
                .policies
                .iter_mut()
                .filter(|policy| policy.name == name)
            {
                policy.comment.clone_from(&comment);
            }
        }
        _ => {
            let name = named(K::RULE_REF);
            for rule in attached.rules.iter_mut().filter(|rule| rule.name == name) {
                rule.comment.clone_from(&comment);
            }
        }
    }
    Ok(())
}
