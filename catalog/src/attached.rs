//! The triggers, policies, rules and privileges of a table or view, and the query of a view.

use serde::{Deserialize, Serialize};

use super::Name;
use super::definition::{list, literal, quoted};
use super::privilege::Privileges;

/// The triggers, policies, rules and privileges of a relation, and the query of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// `ENABLE ROW LEVEL SECURITY`.
    #[serde(default)]
    pub row_security: bool,
    /// `FORCE ROW LEVEL SECURITY`: row level security applies to the owner too.
    #[serde(default)]
    pub force_row_security: bool,
    /// The query of a view or materialized view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Code>,
    /// The options of a view, sorted: `check_option=local`, `security_invoker=true`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Triggers, sorted by name. PostgreSQL runs them in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// Triggers that a partition has from a parent, with another state than the parent's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherited_triggers: Vec<InheritedTrigger>,
    /// Policies of row level security.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// Rules, without the one that defines a view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Privileges, including those on columns.
    #[serde(default, skip_serializing_if = "Privileges::is_empty")]
    pub privileges: Privileges,
}

/// SQL that PostgreSQL stores as a tree and writes back in its own form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The SQL; `None` if an object that it names was renamed later.
    pub text: Option<String>,
    /// The search path under which the names of an author's text were looked up; `None` for a text
    /// that PostgreSQL wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_path: Option<Vec<String>>,
}

impl Code {
    pub(crate) fn stored(text: String) -> Self {
        Self {
            text: Some(text),
            search_path: None,
        }
    }

    pub(crate) fn is_written(&self) -> bool {
        self.search_path.is_some()
    }
}

/// The sessions in which a trigger or rule runs (`session_replication_role`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enabled {
    /// All sessions except those that replicate.
    #[default]
    Origin,
    /// No session.
    Never,
    /// Sessions that replicate.
    Replica,
    /// All sessions.
    Always,
}

impl Enabled {
    /// Returns the action of `ALTER TABLE`, without the word and name of the trigger or rule.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Origin => "ENABLE",
            Self::Never => "DISABLE",
            Self::Replica => "ENABLE REPLICA",
            Self::Always => "ENABLE ALWAYS",
        }
    }
}

/// The time at which a trigger runs, relative to its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// `BEFORE`.
    Before,
    /// `AFTER`.
    After,
    /// `INSTEAD OF`.
    InsteadOf,
}

/// An event on which a trigger runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// `INSERT`.
    Insert,
    /// `DELETE`.
    Delete,
    /// `UPDATE`.
    Update,
    /// `TRUNCATE`.
    Truncate,
}

/// A trigger of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// The name of the trigger.
    pub name: String,
    /// The time at which it runs, relative to its events.
    pub timing: Timing,
    /// The events on which it runs, sorted and without duplicates.
    pub events: Vec<Event>,
    /// The columns of `UPDATE OF`, in the order of the statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// `FOR EACH ROW`; otherwise for each statement.
    pub for_each_row: bool,
    /// `WHEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Code>,
    /// The function that it runs.
    pub function: Name,
    /// The arguments of the function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The sessions in which it runs.
    pub enabled: Enabled,
    /// `CREATE CONSTRAINT TRIGGER`.
    pub is_constraint: bool,
    /// `DEFERRABLE`, of a constraint trigger.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`, of a constraint trigger.
    pub initially_deferred: bool,
    /// `FROM` of a constraint trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referenced: Option<Name>,
    /// `REFERENCING OLD TABLE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_table: Option<String>,
    /// `REFERENCING NEW TABLE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_table: Option<String>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// The state of a trigger that a partition has from a parent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InheritedTrigger {
    /// The name of the trigger.
    pub name: String,
    /// The sessions in which it runs for the partition.
    pub enabled: Enabled,
}

impl Trigger {
    /// Returns `CREATE TRIGGER` for a table.
    pub fn sql(&self, table: &Name) -> String {
        self.sql_when(table, self.condition.as_ref().map(Code::display_text))
    }

    pub(crate) fn sql_when(&self, table: &Name, condition: Option<&str>) -> String {
        let constraint = if self.is_constraint {
            "CONSTRAINT "
        } else {
            ""
        };
        let timing = match self.timing {
            Timing::Before => "BEFORE",
            Timing::After => "AFTER",
            Timing::InsteadOf => "INSTEAD OF",
        };
        let events: Vec<String> = self
            .events
            .iter()
            .map(|event| match event {
                Event::Insert => "INSERT".to_owned(),
                Event::Delete => "DELETE".to_owned(),
                Event::Update if self.columns.is_empty() => "UPDATE".to_owned(),
                Event::Update => {
                    let columns: Vec<String> =
                        self.columns.iter().map(|column| quoted(column)).collect();
                    format!("UPDATE OF {}", columns.join(", "))
                }
                Event::Truncate => "TRUNCATE".to_owned(),
            })
            .collect();
        let mut out = format!(
            "CREATE {constraint}TRIGGER {} {timing} {} ON {}",
            quoted(&self.name),
            events.join(" OR "),
            table.sql()
        );
        if let Some(referenced) = &self.referenced {
            out.push_str(&format!(" FROM {}", referenced.sql()));
        }
        match (self.deferrable, self.initially_deferred) {
            (true, true) => out.push_str(" DEFERRABLE INITIALLY DEFERRED"),
            (true, false) => out.push_str(" DEFERRABLE"),
            _ => {}
        }
        if self.old_table.is_some() || self.new_table.is_some() {
            out.push_str(" REFERENCING");
        }
        for (word, name) in [("OLD", &self.old_table), ("NEW", &self.new_table)] {
            if let Some(name) = name {
                out.push_str(&format!(" {word} TABLE AS {}", quoted(name)));
            }
        }
        let level = if self.for_each_row {
            "ROW"
        } else {
            "STATEMENT"
        };
        out.push_str(&format!(" FOR EACH {level}"));
        if let Some(condition) = condition {
            out.push_str(&format!(" WHEN ({condition})"));
        }
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|argument| literal(argument))
            .collect();
        let function = self.function.sql();
        out.push_str(&format!(
            " EXECUTE FUNCTION {function}({})",
            arguments.join(", ")
        ));
        out
    }
}

impl Code {
    /// Returns the text, or `..` if the text is not known.
    pub fn display_text(&self) -> &str {
        self.text.as_deref().unwrap_or("..")
    }
}

/// A policy of row level security.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The name of the policy.
    pub name: String,
    /// `PERMISSIVE`; otherwise `RESTRICTIVE`.
    pub permissive: bool,
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// The roles, sorted; empty for `PUBLIC`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// `USING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub using: Option<Code>,
    /// `WITH CHECK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_check: Option<Code>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

impl Policy {
    /// Returns `CREATE POLICY` for a table.
    pub fn sql(&self, table: &Name) -> String {
        let using = self.using.as_ref().map(Code::display_text);
        let check = self.with_check.as_ref().map(Code::display_text);
        self.sql_with(table, using, check)
    }

    pub(crate) fn sql_with(
        &self,
        table: &Name,
        using: Option<&str>,
        check: Option<&str>,
    ) -> String {
        let kind = if self.permissive {
            ""
        } else {
            " AS RESTRICTIVE"
        };
        let roles = match self.roles.as_slice() {
            [] => "PUBLIC".to_owned(),
            roles => {
                let roles = list(roles);
                roles.trim_matches(['(', ')']).to_owned()
            }
        };
        let mut out = format!(
            "CREATE POLICY {} ON {}{kind} FOR {} TO {roles}",
            quoted(&self.name),
            table.sql(),
            self.command
        );
        if let Some(using) = using {
            out.push_str(&format!(" USING ({using})"));
        }
        if let Some(check) = check {
            out.push_str(&format!(" WITH CHECK ({check})"));
        }
        out
    }
}

/// A rewrite rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The name of the rule.
    pub name: String,
    /// The whole statement `CREATE RULE`.
    pub definition: Code,
    /// The sessions in which it applies.
    pub enabled: Enabled,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}
