//! What hangs on tables beside their shape: triggers, policies, rules. Nothing is generated of them, so what of it
//! cannot be followed is a gap, never a refusal.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::function::callee;
use super::refusal::{Refused, Result};
use super::tree::{below, child, child_name, children, has, name, path, string, text};
use crate::Name;
use crate::attached::{Enabled, Event, Policy, Rule, Timing, Trigger};
use crate::gap::GapKind;

/// Statements about what hangs on tables, and about functions that are there.
pub(super) fn is_guard(kind: SyntaxKind) -> bool {
    gap_kind(kind).is_some()
}

fn gap_kind(kind: SyntaxKind) -> Option<GapKind> {
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

/// Whether a rule is one on SELECT.
pub(super) fn makes_a_view(rule: &SyntaxNode) -> bool {
    let event = below(rule, SyntaxKind::RULE_EVENT).next();
    event.is_some_and(|event| {
        super::tree::tokens(&event).any(|token| token.kind() == SyntaxKind::SELECT_KW)
    })
}

impl Replay {
    /// Follows a statement about what hangs on a table, or notes that it could not.
    pub(super) fn guard(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let done = match node.kind() {
            K::CREATE_TRIGGER => self.create_trigger(node),
            K::ALTER_TRIGGER => self.alter_trigger(node),
            K::DROP_TRIGGER => self.drop_trigger(node),
            K::CREATE_POLICY => self.create_policy(node),
            K::ALTER_POLICY => self.alter_policy(node),
            K::DROP_POLICY => self.drop_policy(node),
            K::CREATE_RULE => self.create_rule(node),
            K::ALTER_RULE => self.alter_rule(node),
            K::DROP_RULE => self.drop_rule(node),
            K::GRANT | K::REVOKE => self.grant(node),
            K::ALTER_DEFAULT_PRIVILEGES => self.default_privileges(node),
            _ => self.alter_routine(node),
        };
        match done {
            // A handler around it takes the error.
            Err(refused) if self.handlers > 0 && refused.raises.is_some() => Err(refused),
            Err(refused) => {
                let kind = gap_kind(node.kind()).unwrap_or(GapKind::Triggers);
                self.note_guard_gap(node, kind, refused.why);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn note_guard_gap(&mut self, node: &SyntaxNode, kind: GapKind, why: String) {
        use SyntaxKind as K;
        if kind == GapKind::Routine {
            let signature = node
                .children()
                .find(|part| super::routine::is_signature(part.kind()));
            let parts = signature.and_then(|signature| signature.children().next());
            let parts = parts.map(|named| path(&named)).unwrap_or_default();
            let name = self.candidates(&parts).into_iter().find(|name| {
                self.functions
                    .get(&name.name)
                    .is_some_and(|forms| forms.iter().any(|form| form.name == *name))
            });
            // A function that no migration made is an extension's, and no part of the catalog.
            if let Some(name) = name {
                self.note_gap(kind, name, None, why);
            }
            return;
        }
        if kind == GapKind::Privileges {
            self.note_gap(kind, any(), None, why);
            return;
        }
        let table = below(node, K::RELATION_NAME_REF)
            .chain(below(node, K::TABLE_NAME_REF))
            .next()
            .map(|table| path(&table))
            .unwrap_or_default();
        let named = node.children().find(|part| {
            matches!(
                part.kind(),
                K::TRIGGER | K::TRIGGER_REF | K::POLICY | K::POLICY_REF | K::RULE | K::RULE_REF
            )
        });
        // On a table that is not known, nothing is compared anyway.
        if let Some(table) = self.find_relation(&table) {
            self.note_gap(kind, table, named.map(|named| name(&named)), why);
        }
    }

    /// The table that a trigger or rule is on.
    fn guarded(&self, node: &SyntaxNode) -> Result<Name> {
        use SyntaxKind as K;
        let reference = below(node, K::RELATION_NAME_REF)
            .next()
            .or_else(|| below(node, K::TABLE_NAME_REF).next())
            .ok_or_else(|| Refused::new(node, "no table is named"))?;
        let parts = path(&reference);
        self.find_relation(&parts).ok_or_else(|| {
            Refused::new(node, format!("there is no table {}", parts.join(".")))
                .raises("undefined_table")
        })
    }

    fn create_trigger(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let on = child(node, K::ON_RELATION).unwrap_or_else(|| node.clone());
        let table = self.guarded(&on)?;
        let own = child_name(node, K::TRIGGER).unwrap_or_default();
        let call = child(node, K::CALL_EXPR)
            .ok_or_else(|| Refused::new(node, "the function is not given"))?;
        let function = self.trigger_function(&call)?;
        let mut trigger = Trigger {
            name: own.clone(),
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
            trigger.condition = Some(self.code(text(&condition)));
        }
        if let Some(from) = child(node, K::FROM_TABLE) {
            trigger.referenced = Some(self.guarded(&from)?);
        }
        let transition = |kind: SyntaxKind| {
            let table = below(node, kind).next()?;
            child_name(&table, K::TRANSITION_RELATION_NAME)
        };
        trigger.old_table = transition(K::OLD_TABLE);
        trigger.new_table = transition(K::NEW_TABLE);
        let triggers = &mut self.table(&table).attached.triggers;
        if let Some(earlier) = triggers.iter_mut().find(|other| other.name == own) {
            if !has(node, K::OR_REPLACE) {
                let why = format!("there is a trigger {own} already, so PostgreSQL refuses this");
                return Err(Refused::new(node, why).raises("duplicate_object"));
            }
            trigger.comment = earlier.comment.take();
            *earlier = trigger;
        } else {
            triggers.push(trigger);
            triggers.sort_by(|a, b| a.name.cmp(&b.name));
        }
        self.forget_part(&table, &own);
        Ok(())
    }

    /// A migration's own function without arguments, PostgreSQL's, or an extension's.
    fn trigger_function(&self, call: &SyntaxNode) -> Result<Name> {
        let parts = callee(call);
        let function = parts.last().cloned().unwrap_or_default();
        let unknown = || {
            Refused::new(call, format!("the function {function} is not known"))
                .raises("undefined_function")
        };
        let own = self.functions.get(&function);
        let own = self.candidates(&parts).into_iter().find(|name| {
            own.is_some_and(|forms| {
                let mut forms = forms.iter();
                forms.any(|form| form.name == *name && form.argument_types.is_empty())
            })
        });
        if let Some(own) = own {
            return Ok(own);
        }
        let brings = TRIGGER_FUNCTIONS
            .into_iter()
            .find(|(_, functions)| functions.contains(&function.as_str()));
        let schema = match brings {
            Some((super::SYSTEM, _)) => super::SYSTEM.to_owned(),
            Some((extension, _)) => {
                let schema = self.extension_schemas.get(extension);
                schema.cloned().ok_or_else(unknown)?
            }
            None => return Err(unknown()),
        };
        Ok(Name {
            schema,
            name: function.clone(),
        })
    }

    fn alter_trigger(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let Some(rename) = child(node, K::TRIGGER_RENAME_TO) else {
            return Ok(());
        };
        let table = self.guarded(node)?;
        let from = child_name(node, K::TRIGGER_REF).unwrap_or_default();
        let to = child_name(&rename, K::TRIGGER).unwrap_or_default();
        let triggers = &mut self.table(&table).attached.triggers;
        let trigger = triggers.iter_mut().find(|other| other.name == from);
        let missing =
            || Refused::new(node, format!("there is no trigger {from}")).raises("undefined_object");
        trigger.ok_or_else(missing)?.name = to;
        triggers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    fn drop_trigger(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let own = child_name(node, K::TRIGGER_REF).unwrap_or_default();
        let is_lenient = has(node, K::IF_EXISTS);
        let table = match self.guarded(node) {
            Ok(table) => table,
            Err(_) if is_lenient => return Ok(()),
            Err(refused) => return Err(refused),
        };
        let triggers = &mut self.table(&table).attached.triggers;
        let before = triggers.len();
        triggers.retain(|other| other.name != own);
        let is_gone = triggers.len() < before;
        if !is_gone && !is_lenient && !self.has_part_gap(&table, &own) {
            return Err(
                Refused::new(node, format!("there is no trigger {own}")).raises("undefined_object")
            );
        }
        self.forget_part(&table, &own);
        Ok(())
    }

    /// `ENABLE TRIGGER` and its like, of ALTER TABLE.
    pub(super) fn enable_trigger(&mut self, action: &SyntaxNode, table: &Name) {
        use SyntaxKind as K;
        let enabled = match action.kind() {
            K::DISABLE_TRIGGER => Enabled::Never,
            K::ENABLE_REPLICA_TRIGGER => Enabled::Replica,
            K::ENABLE_ALWAYS_TRIGGER => Enabled::Always,
            _ => Enabled::Origin,
        };
        let named = child_name(action, K::TRIGGER_REF);
        let triggers = self.table(table).attached.triggers.iter_mut();
        for trigger in triggers {
            if named.as_ref().is_none_or(|named| *named == trigger.name) {
                trigger.enabled = enabled;
            }
        }
    }

    /// `ENABLE RULE` and its like.
    pub(super) fn enable_rule(&mut self, action: &SyntaxNode, table: &Name) {
        use SyntaxKind as K;
        let enabled = match action.kind() {
            K::DISABLE_RULE => Enabled::Never,
            K::ENABLE_REPLICA_RULE => Enabled::Replica,
            K::ENABLE_ALWAYS_RULE => Enabled::Always,
            _ => Enabled::Origin,
        };
        let named = child_name(action, K::RULE_REF);
        let rules = self.table(table).attached.rules.iter_mut();
        for rule in rules.filter(|rule| Some(&rule.name) == named.as_ref()) {
            rule.enabled = enabled;
        }
    }

    /// `ENABLE ROW LEVEL SECURITY` and its like.
    pub(super) fn row_security(&mut self, action: &SyntaxNode, table: &Name) {
        use SyntaxKind as K;
        let attached = &mut self.table(table).attached;
        match action.kind() {
            K::ENABLE_RLS => attached.row_security = true,
            K::DISABLE_RLS => attached.row_security = false,
            K::FORCE_RLS => attached.force_row_security = true,
            _ => attached.force_row_security = false,
        }
    }

    fn create_policy(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let on = child(node, K::ON_TABLE).unwrap_or_else(|| node.clone());
        let table = self.guarded(&on)?;
        let own = child_name(node, K::POLICY).unwrap_or_default();
        let kind =
            child(node, K::AS_POLICY_TYPE).and_then(|kind| super::tree::tokens(&kind).last());
        let command = child(node, K::POLICY_COMMAND)
            .and_then(|command| super::tree::tokens(&command).last())
            .map(|word| word.text().to_ascii_uppercase());
        let expression = |kind: SyntaxKind| {
            let clause = child(node, kind)?;
            Some(self.code(text(&clause.children().next()?)))
        };
        let policy = Policy {
            name: own.clone(),
            permissive: kind.is_none_or(|kind| !kind.text().eq_ignore_ascii_case("restrictive")),
            command: command.unwrap_or_else(|| "ALL".to_owned()),
            roles: roles(node)?.unwrap_or_default(),
            using: expression(K::USING_EXPR_CLAUSE),
            with_check: expression(K::WITH_CHECK_EXPR_CLAUSE),
            comment: None,
        };
        let policies = &mut self.table(&table).attached.policies;
        if policies.iter().any(|other| other.name == own) {
            let why = format!("there is a policy {own} already, so PostgreSQL refuses this");
            return Err(Refused::new(node, why).raises("duplicate_object"));
        }
        policies.push(policy);
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        self.forget_part(&table, &own);
        Ok(())
    }

    fn alter_policy(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let on = child(node, K::ON_TABLE).unwrap_or_else(|| node.clone());
        let table = self.guarded(&on)?;
        let own = child_name(node, K::POLICY_REF).unwrap_or_default();
        let roles = roles(node)?;
        let expression = |kind: SyntaxKind| {
            let clause = below(node, kind).next()?;
            Some(self.code(text(&clause.children().next()?)))
        };
        let (using, check) = (
            expression(K::USING_EXPR_CLAUSE),
            expression(K::WITH_CHECK_EXPR_CLAUSE),
        );
        let policies = &mut self.table(&table).attached.policies;
        let policy = policies.iter_mut().find(|other| other.name == own);
        let policy = policy.ok_or_else(|| {
            Refused::new(node, format!("there is no policy {own}")).raises("undefined_object")
        })?;
        if let Some(rename) = child(node, K::POLICY_RENAME_TO) {
            policy.name = child_name(&rename, K::POLICY).unwrap_or_default();
            policies.sort_by(|a, b| a.name.cmp(&b.name));
            return Ok(());
        }
        if let Some(roles) = roles {
            policy.roles = roles;
        }
        if using.is_some() {
            policy.using = using;
        }
        if check.is_some() {
            policy.with_check = check;
        }
        Ok(())
    }

    fn drop_policy(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let own = child_name(node, K::POLICY_REF).unwrap_or_default();
        let is_lenient = has(node, K::IF_EXISTS);
        let table = match self.guarded(node) {
            Ok(table) => table,
            Err(_) if is_lenient => return Ok(()),
            Err(refused) => return Err(refused),
        };
        let policies = &mut self.table(&table).attached.policies;
        let before = policies.len();
        policies.retain(|other| other.name != own);
        let is_gone = policies.len() < before;
        if !is_gone && !is_lenient && !self.has_part_gap(&table, &own) {
            return Err(
                Refused::new(node, format!("there is no policy {own}")).raises("undefined_object")
            );
        }
        self.forget_part(&table, &own);
        Ok(())
    }

    fn create_rule(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let on = child(node, K::RULE_ON).unwrap_or_else(|| node.clone());
        let table = self.guarded(&on)?;
        let own = child_name(node, K::RULE).unwrap_or_default();
        let definition = self.code(text(node).trim_end_matches(';').trim_end().to_owned());
        let mut rule = Rule {
            name: own.clone(),
            definition,
            enabled: Enabled::Origin,
            comment: None,
        };
        let rules = &mut self.table(&table).attached.rules;
        if let Some(earlier) = rules.iter_mut().find(|other| other.name == own) {
            if !has(node, K::OR_REPLACE) {
                let why = format!("there is a rule {own} already, so PostgreSQL refuses this");
                return Err(Refused::new(node, why).raises("duplicate_object"));
            }
            rule.comment = earlier.comment.take();
            rule.enabled = earlier.enabled;
            *earlier = rule;
        } else {
            rules.push(rule);
            rules.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(())
    }

    fn alter_rule(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let table = self.guarded(node)?;
        let from = child_name(node, K::RULE_REF).unwrap_or_default();
        let to = child(node, K::RULE_RENAME_TO).and_then(|rename| child_name(&rename, K::RULE));
        let rules = &mut self.table(&table).attached.rules;
        let rule = rules.iter_mut().find(|other| other.name == from);
        let rule = rule.ok_or_else(|| {
            Refused::new(node, format!("there is no rule {from}")).raises("undefined_object")
        })?;
        rule.name = to.unwrap_or_default();
        rule.definition.text = None;
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    fn drop_rule(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let own = child_name(node, K::RULE_REF).unwrap_or_default();
        let is_lenient = has(node, K::IF_EXISTS);
        let table = match self.guarded(node) {
            Ok(table) => table,
            Err(_) if is_lenient => return Ok(()),
            Err(refused) => return Err(refused),
        };
        let rules = &mut self.table(&table).attached.rules;
        rules.retain(|other| other.name != own);
        Ok(())
    }

    /// COMMENT ON TRIGGER, POLICY and RULE.
    pub(super) fn comment_on_guard(
        &mut self,
        object: &SyntaxNode,
        comment: Option<String>,
    ) -> Result<()> {
        use SyntaxKind as K;
        let table = self.guarded(object)?;
        let named = |kind| child_name(object, kind).unwrap_or_default();
        let attached = &mut self.table(&table).attached;
        match object.kind() {
            K::OBJECT_TRIGGER => {
                let own = named(K::TRIGGER_REF);
                for trigger in attached.triggers.iter_mut().filter(|it| it.name == own) {
                    trigger.comment.clone_from(&comment);
                }
            }
            K::OBJECT_POLICY => {
                let own = named(K::POLICY_REF);
                for policy in attached.policies.iter_mut().filter(|it| it.name == own) {
                    policy.comment.clone_from(&comment);
                }
            }
            _ => {
                let own = named(K::RULE_REF);
                for rule in attached.rules.iter_mut().filter(|it| it.name == own) {
                    rule.comment.clone_from(&comment);
                }
            }
        }
        Ok(())
    }

    fn forget_part(&mut self, table: &Name, part: &str) {
        self.catalog
            .gaps
            .retain(|gap| gap.name != *table || gap.part.as_deref() != Some(part));
    }

    fn has_part_gap(&self, table: &Name, part: &str) -> bool {
        self.catalog.gaps.iter().any(|gap| {
            gap.part.as_deref().is_none_or(|own| own == part)
                && (gap.name == *table || gap.name.name.is_empty())
                && matches!(
                    gap.kind,
                    GapKind::Triggers | GapKind::Policies | GapKind::Rules
                )
        })
    }

    /// Whether something below is about what hangs on tables.
    pub(super) fn guards(&self, node: &SyntaxNode) -> bool {
        !self.guard_kinds(node, &mut Vec::new()).is_empty()
    }

    fn guard_kinds(&self, node: &SyntaxNode, seen: &mut Vec<String>) -> Vec<GapKind> {
        use SyntaxKind as K;
        let mut kinds = Vec::new();
        for inner in node.descendants() {
            match inner.kind() {
                K::PLPGSQL_DYN_EXECUTE_STMT => {
                    kinds.extend(super::plpgsql::harmless_text::guard(&inner));
                }
                K::CALL_EXPR | K::CALL => {
                    let named = match inner.kind() {
                        K::CALL => child_name(&inner, K::PROCEDURE_NAME_REF),
                        _ => callee(&inner).pop(),
                    };
                    let Some(function) = named.filter(|function| !seen.contains(function)) else {
                        continue;
                    };
                    let forms = self.functions.get(&function).into_iter().flatten();
                    for form in forms {
                        seen.push(function.clone());
                        for body in super::function::bodies(&form.definition) {
                            kinds.extend(self.guard_kinds(&body, seen));
                        }
                    }
                }
                kind => kinds.extend(gap_kind(kind)),
            }
        }
        kinds
    }

    /// Notes that what hangs on tables is not known after this, in full.
    pub(super) fn note_guard_gaps(&mut self, node: &SyntaxNode) {
        for kind in self.guard_kinds(node, &mut Vec::new()) {
            let why = "whether or with what this runs is known only when it runs";
            self.note_gap(kind, any(), None, why);
        }
    }

    /// Follows code that shapes nothing but what hangs on tables; what is not certain of it is noted.
    pub(super) fn attempt<T>(
        &mut self,
        node: &SyntaxNode,
        otherwise: T,
        follow: impl FnOnce(&mut Self) -> Result<T>,
    ) -> T {
        let (steps, text) = (self.steps.get(), self.text.get());
        let before = self.savepoint();
        let done = follow(self);
        let done = match done {
            Ok(done) => done,
            Err(_) => {
                self.roll_back(before);
                self.note_guard_gaps(node);
                otherwise
            }
        };
        self.steps.set(steps);
        self.text.set(text);
        done
    }
}

/// Functions that triggers run, of PostgreSQL's own and of the extensions of its distribution.
const TRIGGER_FUNCTIONS: [(&str, &[&str]); 7] = [
    (
        super::SYSTEM,
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

/// Whatever it is called.
fn any() -> Name {
    Name {
        schema: String::new(),
        name: String::new(),
    }
}

/// The roles of a policy, `PUBLIC` as none; `None` where they are not said.
fn roles(node: &SyntaxNode) -> Result<Option<Vec<String>>> {
    use SyntaxKind as K;
    let Some(clause) = below(node, K::POLICY_ROLES).next() else {
        return Ok(None);
    };
    let mut roles = Vec::new();
    for role in below(&clause, K::ROLE_REF) {
        if below(&role, K::ROLE_NAME_REF).next().is_none() {
            return Err(Refused::new(&role, "which role this is for is not known"));
        }
        roles.push(name(&role));
    }
    if roles.iter().any(|role| role == "public") {
        roles.clear();
    }
    roles.sort();
    roles.dedup();
    Ok(Some(roles))
}

/// The arguments of a trigger's function, which are all texts.
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
