//! The changes to a folder of migrations since code was generated from it.

use std::fmt;

use crate::Migration;

/// A migration or query file that differs from the one that the code was generated from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It was added.
    Added(String),
    /// It has changed.
    Changed(String),
    /// It was removed.
    Removed(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(name) => write!(f, "{name} was added"),
            Self::Changed(name) => write!(f, "{name} has changed"),
            Self::Removed(name) => write!(f, "{name} was removed"),
        }
    }
}

/// Returns the differences between the migrations that generated code names and those in the
/// folder. `written` has the name and the fingerprint of each.
pub fn differences(written: &[(String, u64)], found: &[Migration]) -> Vec<Difference> {
    let found: Vec<(String, u64)> = found
        .iter()
        .map(|migration| (migration.name.clone(), migration.fingerprint()))
        .collect();
    differences_of(written, &found)
}

/// Returns the differences between two lists of names with their fingerprints.
pub fn differences_of(written: &[(String, u64)], found: &[(String, u64)]) -> Vec<Difference> {
    let has = |list: &[(String, u64)], name: &String| list.iter().any(|(other, _)| other == name);
    let removed = written
        .iter()
        .filter(|(name, _)| !has(found, name))
        .map(|(name, _)| Difference::Removed(name.clone()));
    let others = found.iter().filter_map(|(found, fingerprint)| {
        match written.iter().find(|(name, _)| name == found) {
            None => Some(Difference::Added(found.clone())),
            Some((_, written)) if written != fingerprint => {
                Some(Difference::Changed(found.clone()))
            }
            Some(_) => None,
        }
    });
    others.chain(removed).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{SqlFile, Tool, fingerprint};

    #[test]
    fn each_changed_migration_is_named_once() {
        let migration = |name: &str, sql: &str| Migration {
            version: name.to_owned(),
            name: name.to_owned(),
            path: PathBuf::new(),
            up: SqlFile {
                path: PathBuf::new(),
                text: sql.to_owned(),
            },
            down: None,
            tool: Tool::Diesel,
        };
        let written: Vec<_> = ["1_same", "2_changed", "3_removed"]
            .map(|name| (name.to_owned(), fingerprint("SELECT 1")))
            .into();
        let found = [
            migration("1_same", "SELECT /* still */ 1"),
            migration("2_changed", "SELECT 2"),
            migration("4_added", "SELECT 1"),
        ];
        let changes: Vec<String> = differences(&written, &found)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            changes,
            [
                "2_changed has changed",
                "4_added was added",
                "3_removed was removed"
            ]
        );
        assert!(differences(&written[..1], &found[..1]).is_empty());
    }
}
