//! Columns with a role: the version of a row, and the times of its deletion and of its last change.

use crate::project::{Settings, TableSettings, of_name};
use bowline_catalog::{Index, Relation};

/// The columns with a role in one table, by their names in SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// The column that counts the changes of a row.
    pub version: Option<String>,
    /// The column with the time at which a row was deleted.
    pub deleted_at: Option<String>,
    /// The column with the time of the last change.
    pub updated_at: Option<String>,
}

impl Roles {
    /// Returns true if a predicate says no more than that a row is not marked as deleted.
    pub(super) fn is_kept(&self, predicate: &str) -> bool {
        let Some(deleted_at) = &self.deleted_at else {
            return false;
        };
        let words = bowline_sql::tokens(predicate);
        let words: Vec<_> = words.filter(|it| !it.is("(") && !it.is(")")).collect();
        matches!(words.as_slice(), [column, is, null]
            if column.name().is_some_and(|name| name == deleted_at.as_str())
                && is.is_word("is") && null.is_word("null"))
    }

    /// Returns the predicate of an index that has less than the rows that are not marked as
    /// deleted. The functions of a table find no others.
    pub(super) fn predicate<'a>(&self, index: &'a Index) -> Option<&'a str> {
        let predicate = index.predicate.as_deref();
        predicate.filter(|predicate| !self.is_kept(predicate))
    }
}

/// A role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Version,
    DeletedAt,
    UpdatedAt,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Version, Self::DeletedAt, Self::UpdatedAt];

    /// Returns the name of the role, in settings and in comments.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::DeletedAt => "deleted_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    /// Returns the column that a setting gives this role.
    pub(super) fn in_settings(self, table: &TableSettings) -> Option<&String> {
        let column = match self {
            Self::Version => &table.version,
            Self::DeletedAt => &table.deleted_at,
            Self::UpdatedAt => &table.updated_at,
        };
        column.as_ref()
    }
}

/// The beginning of a line in the comment of a column that gives it a role: `bowline: version`.
const MARK: &str = "bowline:";

/// Returns the role that the comment of a column names, in a line of its own, as it is written.
pub(super) fn in_comment(comment: &str) -> Option<&str> {
    let mut lines = comment.lines().map(str::trim);
    lines
        .find_map(|line| line.strip_prefix(MARK))
        .map(str::trim)
}

/// Returns a comment without the line that gives a role; `None` if nothing else is in it.
pub(super) fn without_role(comment: &str) -> Option<String> {
    let lines = comment
        .lines()
        .filter(|line| !line.trim_start().starts_with(MARK));
    let rest = lines.collect::<Vec<_>>().join("\n");
    let rest = rest.trim();
    (!rest.is_empty()).then(|| rest.to_owned())
}

impl Roles {
    /// Returns the roles of a table's columns, by its settings, or else by the comments of its
    /// columns.
    pub(super) fn of(relation: &Relation, settings: &Settings) -> Self {
        let table = of_name(&settings.tables, &relation.name);
        let column = |role: Role| {
            let set = table.and_then(|table| role.in_settings(table));
            set.cloned().or_else(|| {
                let mut columns = relation.columns.iter();
                let found = columns.find(|column| {
                    let comment = column.comment.as_deref();
                    comment.and_then(in_comment) == Some(role.name())
                });
                found.map(|column| column.name.clone())
            })
        };
        Self {
            version: column(Role::Version),
            deleted_at: column(Role::DeletedAt),
            updated_at: column(Role::UpdatedAt),
        }
    }

    /// Returns true for a column with a role.
    pub(super) fn contains(&self, column: &str) -> bool {
        [&self.version, &self.deleted_at, &self.updated_at]
            .into_iter()
            .flatten()
            .any(|name| name == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_comment_gives_a_role() {
        assert_eq!(in_comment("bowline: version"), Some("version"));
        assert_eq!(
            in_comment("Counts.\n bowline:deleted_at "),
            Some("deleted_at")
        );
        assert_eq!(in_comment("see bowline: version"), None);
        assert_eq!(without_role("bowline: version"), None);
        assert_eq!(
            without_role("Counts.\nbowline: version").as_deref(),
            Some("Counts.")
        );
    }
}
