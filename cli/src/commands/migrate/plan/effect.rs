//! The effect of a statement on one table.

use std::fmt;

use serde::Serialize;

/// The effect of a statement on one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::commands) struct Effect {
    /// The name, with the schema unless it is `public`.
    pub relation: String,
    /// The strongest lock that the statement takes on it.
    pub lock: Lock,
    /// Whether an earlier statement of the transaction has taken that lock.
    #[serde(skip)]
    pub is_held: bool,
    /// Who waits for that lock.
    pub blocks: Blocks,
    /// Whether its file is replaced, and all rows are written anew.
    pub rewrites: bool,
    /// Whether its file is replaced, and all rows are removed without being read.
    pub empties: bool,
    /// Whether its rows are read.
    pub scans: bool,
    /// The number of its rows, by the server's statistics.
    pub rows: Option<i64>,
    /// Its size with indexes.
    pub bytes: Option<i64>,
    /// The number of sessions that use it at this moment.
    pub sessions: Option<i64>,
}

/// A lock on a table, by its name (PostgreSQL manual, 13.3.1). Stronger ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(in crate::commands) enum Lock {
    #[serde(rename = "ACCESS SHARE")]
    AccessShare,
    #[serde(rename = "ROW SHARE")]
    RowShare,
    #[serde(rename = "ROW EXCLUSIVE")]
    RowExclusive,
    #[serde(rename = "SHARE UPDATE EXCLUSIVE")]
    ShareUpdateExclusive,
    #[serde(rename = "SHARE")]
    Share,
    #[serde(rename = "SHARE ROW EXCLUSIVE")]
    ShareRowExclusive,
    #[serde(rename = "EXCLUSIVE")]
    Exclusive,
    #[serde(rename = "ACCESS EXCLUSIVE")]
    AccessExclusive,
}

/// The work of others that waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::commands) enum Blocks {
    Nothing,
    /// Only changes of the schema, and VACUUM.
    Ddl,
    Writes,
    ReadsAndWrites,
}

impl Lock {
    /// Returns the lock by its name in `pg_locks`.
    pub(super) fn of(mode: &str) -> Option<Self> {
        Some(match mode {
            "AccessShareLock" => Self::AccessShare,
            "RowShareLock" => Self::RowShare,
            "RowExclusiveLock" => Self::RowExclusive,
            "ShareUpdateExclusiveLock" => Self::ShareUpdateExclusive,
            "ShareLock" => Self::Share,
            "ShareRowExclusiveLock" => Self::ShareRowExclusive,
            "ExclusiveLock" => Self::Exclusive,
            "AccessExclusiveLock" => Self::AccessExclusive,
            _ => return None,
        })
    }

    /// Returns who waits for it, by the manual's table of conflicts: reads take ACCESS SHARE,
    /// writes take ROW EXCLUSIVE.
    pub(super) fn blocks(self) -> Blocks {
        match self {
            Self::AccessShare | Self::RowShare | Self::RowExclusive => Blocks::Nothing,
            Self::ShareUpdateExclusive => Blocks::Ddl,
            Self::Share | Self::ShareRowExclusive | Self::Exclusive => Blocks::Writes,
            Self::AccessExclusive => Blocks::ReadsAndWrites,
        }
    }

    pub(in crate::commands) fn name(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = bowline_sql::one_line(&self.relation);
        write!(f, "{relation}: {}", self.lock.name())?;
        f.write_str(match self.blocks {
            Blocks::Nothing => "",
            Blocks::Ddl => ", blocks changes of its schema",
            Blocks::Writes => ", blocks writes",
            Blocks::ReadsAndWrites => ", blocks reads and writes",
        })?;
        match self {
            Self { empties: true, .. } => f.write_str("; removes all rows, and writes none")?,
            Self { rewrites: true, .. } => f.write_str("; writes the whole table anew")?,
            Self { scans: true, .. } => f.write_str("; reads the whole table")?,
            _ => {}
        }
        let mut facts = Vec::new();
        if let Some(rows) = self.rows {
            facts.push(format!("{rows} rows"));
        }
        if let Some(bytes) = self.bytes {
            facts.push(size(bytes));
        }
        if let Some(sessions) = self.sessions.filter(|sessions| *sessions > 0) {
            facts.push(match sessions {
                1 => "1 session uses it now".to_owned(),
                sessions => format!("{sessions} sessions use it now"),
            });
        }
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        Ok(())
    }
}

/// Returns the name of a relation with its schema, which [`Effect::relation`] leaves out for
/// `public`.
pub(super) fn qualified(name: &str) -> String {
    match name.contains('.') {
        true => name.to_owned(),
        false => format!("public.{name}"),
    }
}

/// Returns a size in words: `12 GiB`.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 10 * 1024 && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_at_most_five_digits() {
        let sizes = [0, 10_239, 10_240, 12 << 30, 1 << 50];
        assert_eq!(
            sizes.map(size),
            ["0 bytes", "10239 bytes", "10 KiB", "12 GiB", "1024 TiB"]
        );
    }
}
