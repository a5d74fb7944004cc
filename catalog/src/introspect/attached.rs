//! Triggers, policies and rules.

use serde::Deserialize;

use super::name;
use crate::Catalog;
use crate::attached::{Code, Enabled, Event, InheritedTrigger, Policy, Rule, Timing, Trigger};

/// Triggers, without those that PostgreSQL creates itself for foreign keys and for partitions.
pub(super) const TRIGGERS: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS relation, t.tgname::text AS name, t.tgtype::int4 AS bits,
        t.tgenabled::text AS enabled, fn.nspname::text AS function_schema, f.proname::text AS function,
        t.tgdeferrable AS deferrable, t.tginitdeferred AS deferred, t.tgconstraint <> 0 AS is_constraint,
        t.tgoldtable::text AS old_table, t.tgnewtable::text AS new_table, t.tgqual IS NOT NULL AS has_condition,
        ARRAY(SELECT a.attname::text FROM unnest(t.tgattr::int2[]) WITH ORDINALITY k (number, position)
            JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = k.number ORDER BY k.position) AS columns,
        pg_get_triggerdef(t.oid) AS definition, rn.nspname::text AS referenced_schema, r.relname::text AS referenced,
        obj_description(t.oid, 'pg_trigger') AS comment
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc f ON f.oid = t.tgfoid
    JOIN pg_namespace fn ON fn.oid = f.pronamespace
    LEFT JOIN pg_class r ON r.oid = t.tgconstrrelid
    LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2, t.tgname";

/// Triggers that a partition has from its parent, if their `tgenabled` differs from the parent's.
pub(super) const INHERITED_TRIGGERS: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS relation, t.tgname::text AS name, t.tgenabled::text AS enabled
    FROM pg_trigger t
    JOIN pg_trigger parent ON parent.oid = t.tgparentid
    JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgenabled <> parent.tgenabled
        AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2, t.tgname";

pub(super) const POLICIES: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS relation, p.polname::text AS name, p.polpermissive AS permissive,
        p.polcmd::text AS command, pg_get_expr(p.polqual, p.polrelid) AS using_expression,
        pg_get_expr(p.polwithcheck, p.polrelid) AS check_expression,
        ARRAY(SELECT r.rolname::text FROM unnest(p.polroles) k (role) JOIN pg_roles r ON r.oid = k.role ORDER BY 1) AS roles,
        obj_description(p.oid, 'pg_policy') AS comment
    FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2, p.polname";

pub(super) const RULES: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS relation, r.rulename::text AS name,
        pg_get_ruledef(r.oid) AS definition, r.ev_enabled::text AS enabled, obj_description(r.oid, 'pg_rewrite') AS comment
    FROM pg_rewrite r
    JOIN pg_class c ON c.oid = r.ev_class
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2, r.rulename";

#[derive(Deserialize)]
pub(super) struct TriggerRow {
    schema: String,
    relation: String,
    name: String,
    bits: i32,
    enabled: String,
    function_schema: String,
    function: String,
    deferrable: bool,
    deferred: bool,
    is_constraint: bool,
    old_table: Option<String>,
    new_table: Option<String>,
    has_condition: bool,
    columns: Vec<String>,
    definition: String,
    referenced_schema: Option<String>,
    referenced: Option<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct InheritedTriggerRow {
    schema: String,
    relation: String,
    name: String,
    enabled: String,
}

#[derive(Deserialize)]
pub(super) struct PolicyRow {
    schema: String,
    relation: String,
    name: String,
    permissive: bool,
    command: String,
    using_expression: Option<String>,
    check_expression: Option<String>,
    roles: Vec<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RuleRow {
    schema: String,
    relation: String,
    name: String,
    definition: String,
    enabled: String,
    comment: Option<String>,
}

/// Adds the rows to the relations, which are already in the catalog.
pub(super) fn add(
    catalog: &mut Catalog,
    triggers: &[TriggerRow],
    inherited: &[InheritedTriggerRow],
    policies: &[PolicyRow],
    rules: &[RuleRow],
) {
    for row in triggers {
        if let Some(relation) = catalog.relations.get_mut(&name(&row.schema, &row.relation)) {
            relation.attached.triggers.push(row.trigger());
        }
    }
    for row in inherited {
        if let Some(relation) = catalog.relations.get_mut(&name(&row.schema, &row.relation)) {
            relation.attached.inherited_triggers.push(InheritedTrigger {
                name: row.name.clone(),
                enabled: enabled(&row.enabled),
            });
        }
    }
    for row in policies {
        if let Some(relation) = catalog.relations.get_mut(&name(&row.schema, &row.relation)) {
            relation.attached.policies.push(row.policy());
        }
    }
    for row in rules {
        if let Some(relation) = catalog.relations.get_mut(&name(&row.schema, &row.relation)) {
            relation.attached.rules.push(Rule {
                name: row.name.clone(),
                definition: Code::stored(row.definition.clone()),
                enabled: enabled(&row.enabled),
                comment: row.comment.clone(),
            });
        }
    }
}

fn enabled(code: &str) -> Enabled {
    match code {
        "D" => Enabled::Never,
        "R" => Enabled::Replica,
        "A" => Enabled::Always,
        _ => Enabled::Origin,
    }
}

impl TriggerRow {
    fn trigger(&self) -> Trigger {
        // Bits of `pg_trigger.tgtype`.
        const ROW: i32 = 1;
        const BEFORE: i32 = 2;
        const INSTEAD: i32 = 64;
        const EVENTS: [(i32, Event); 4] = [
            (4, Event::Insert),
            (8, Event::Delete),
            (16, Event::Update),
            (32, Event::Truncate),
        ];
        let events = EVENTS.into_iter().filter(|(bit, _)| self.bits & bit != 0);
        let referenced = self
            .referenced_schema
            .as_ref()
            .zip(self.referenced.as_ref());
        Trigger {
            name: self.name.clone(),
            timing: if self.bits & BEFORE != 0 {
                Timing::Before
            } else if self.bits & INSTEAD != 0 {
                Timing::InsteadOf
            } else {
                Timing::After
            },
            events: events.map(|(_, event)| event).collect(),
            columns: self.columns.clone(),
            for_each_row: self.bits & ROW != 0,
            condition: self.condition(),
            function: name(&self.function_schema, &self.function),
            arguments: self.arguments(),
            enabled: enabled(&self.enabled),
            is_constraint: self.is_constraint,
            deferrable: self.deferrable,
            initially_deferred: self.deferred,
            referenced: referenced.map(|(schema, table)| name(schema, table)),
            old_table: self.old_table.clone(),
            new_table: self.new_table.clone(),
            comment: self.comment.clone(),
        }
    }

    /// Returns the condition of `WHEN`. It is cut from the definition, since no function of the
    /// server returns it alone.
    fn condition(&self) -> Option<Code> {
        self.has_condition.then_some(())?;
        let (_, after) = self.definition.split_once(" WHEN (")?;
        let (condition, _) = after.rsplit_once(") EXECUTE FUNCTION ")?;
        Some(Code::stored(condition.to_owned()))
    }

    /// Returns the arguments of the trigger function.
    fn arguments(&self) -> Vec<String> {
        let after = self.definition.rsplit_once(" EXECUTE FUNCTION ");
        let (_, list) = after
            .and_then(|(_, call)| call.split_once('('))
            .unwrap_or_default();
        let mut all = Vec::new();
        let mut chars = list.chars().peekable();
        let mut escapes = false;
        while let Some(c) = chars.next() {
            match c {
                'E' => escapes = true,
                '\'' => {
                    let mut argument = String::new();
                    while let Some(c) = chars.next() {
                        match c {
                            '\'' if chars.next_if_eq(&'\'').is_none() => break,
                            '\\' if escapes => argument.extend(chars.next()),
                            c => argument.push(c),
                        }
                    }
                    all.push(argument);
                    escapes = false;
                }
                _ => {}
            }
        }
        all
    }
}

impl PolicyRow {
    fn policy(&self) -> Policy {
        Policy {
            name: self.name.clone(),
            permissive: self.permissive,
            command: match self.command.as_str() {
                "r" => "SELECT",
                "a" => "INSERT",
                "w" => "UPDATE",
                "d" => "DELETE",
                _ => "ALL",
            }
            .to_owned(),
            roles: self.roles.clone(),
            using: self.using_expression.clone().map(Code::stored),
            with_check: self.check_expression.clone().map(Code::stored),
            comment: self.comment.clone(),
        }
    }
}
