//! Objects that exist but are not fully known, since replay could not follow their statements.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Name;
use super::definition::quoted;

/// An object whose definition the catalog does not have. No generated code needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The kind of the object.
    pub kind: GapKind,
    /// The name of the object; empty if it is not known.
    #[serde(flatten)]
    pub name: Name,
    /// The name of a part of the object: a trigger, policy or rule of a table. `None` if the parts
    /// have unknown names, or if the gap is the object itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The file with the statement.
    pub file: String,
    /// The line of the statement in that file.
    pub line: usize,
    /// The reason why replay could not follow the statement.
    pub why: String,
}

/// The kinds of objects that a catalog may know by name only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A view whose columns and query are not known.
    View,
    /// A materialized view whose columns and query are not known.
    MaterializedView,
    /// A sequence whose options, such as its start, are not known; the sequence itself is in the
    /// catalog.
    Sequence,
    /// A table created by an extension, whose columns are not known.
    Table,
    /// The trigger `part` of a table, or triggers of unknown names if it is `None`. The table may
    /// be any one if the name is empty.
    Triggers,
    /// The policy `part`, or policies of unknown names, as for `Triggers`.
    Policies,
    /// The rule `part`, or rules of unknown names, as for `Triggers`.
    Rules,
    /// The privileges on an object, or on any object if the name is empty. If only the schema is
    /// given, the privileges are those on the schema.
    Privileges,
    /// A function, procedure or aggregate, with all its overloads.
    Routine,
    /// An object that replay ignores because the author of a migration asked for it.
    Ignored,
}

impl GapKind {
    /// Returns the words for this kind before the name of the object: `view`, `triggers of`.
    pub fn label(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Triggers => "triggers of",
            Self::Policies => "policies of",
            Self::Rules => "rules of",
            Self::Privileges => "privileges on",
            Self::Routine => "routine",
            Self::Ignored => "object",
        }
    }
}

impl Gap {
    /// Returns true if the object of this name is not in the catalog, since the gap is all of it.
    pub fn hides(&self, name: &Name) -> bool {
        let is_whole = matches!(
            self.kind,
            GapKind::View | GapKind::MaterializedView | GapKind::Table | GapKind::Ignored
        );
        is_whole && self.part.is_none() && self.name == *name
    }
}

impl Gap {
    /// Returns true if the gap covers this trigger, policy or rule.
    pub(crate) fn covers(&self, kind: GapKind, table: &Name, part: &str) -> bool {
        let is_of_table = self.name == *table || self.name.name.is_empty();
        let is_of_part = self.part.as_deref().is_none_or(|name| name == part);
        self.hides(table) || (self.kind == kind && is_of_table && is_of_part)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.kind.label();
        let is_of_schema = self.kind == GapKind::Privileges && !self.name.schema.is_empty();
        if self.name.name.is_empty() && is_of_schema {
            write!(f, "{label} schema {}", quoted(&self.name.schema))?;
        } else if self.name.name.is_empty() {
            let any = match self.kind {
                GapKind::Privileges => "any object",
                _ => "any table",
            };
            write!(f, "{label} {any}")?;
        } else if let Some(part) = &self.part {
            write!(f, "{label} {}: {}", self.name.sql(), quoted(part))?;
        } else {
            write!(f, "{label} {}", self.name.sql())?;
        }
        write!(f, " ({}:{}): {}", self.file, self.line, self.why)
    }
}
