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
    /// The name of a part of the object: a trigger, policy or rule of a table.
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
    /// The options of a sequence, such as its start. The sequence itself is in the catalog.
    Sequence,
    /// A table of an extension.
    Table,
    /// Some triggers of a table, or of any table if the name is empty.
    Triggers,
    /// Some policies of a table, or of any table if the name is empty.
    Policies,
    /// Some rules of a table, or of any table if the name is empty.
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
    /// Returns the noun for this kind in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Triggers => "triggers of",
            Self::Policies => "policies of",
            Self::Rules => "rules of",
            Self::Privileges => "privileges on",
            Self::Routine => "function",
            Self::Ignored => "object",
        }
    }
}

impl Gap {
    /// Returns true if the relation of this name is not known, and so not in the catalog.
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
    pub(crate) fn is_of_part(&self, kind: GapKind, table: &Name, part: &str) -> bool {
        let is_of_table = self.name == *table || self.name.name.is_empty();
        let is_of_part = self.part.as_deref().is_none_or(|name| name == part);
        self.hides(table) || (self.kind == kind && is_of_table && is_of_part)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.kind.noun();
        let is_of_schema = self.kind == GapKind::Privileges && !self.name.schema.is_empty();
        if self.name.name.is_empty() && is_of_schema {
            write!(f, "{noun} schema {}", quoted(&self.name.schema))?;
        } else if self.name.name.is_empty() {
            let any = match self.kind {
                GapKind::Privileges => "any object",
                _ => "any table",
            };
            write!(f, "{noun} {any}")?;
        } else if let Some(part) = &self.part {
            write!(f, "{noun} {}: {}", self.name.sql(), quoted(part))?;
        } else {
            write!(f, "{noun} {}", self.name.sql())?;
        }
        write!(f, " ({}:{}): {}", self.file, self.line, self.why)
    }
}
