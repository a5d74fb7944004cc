//! The statements that the server has prepared for a session.
//!
//! A bounded set; the least recently used statement makes room, so that a program that always makes new SQL does not
//! fill the server's memory. The set follows the server's answers: a name is known once Parse was answered, and is
//! to be closed until Close was answered.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;

use crate::command::columns::{Checks, Describe};
use crate::sql_text::search_path::SearchPathKey;

/// Statements that a session has prepared.
#[derive(Debug)]
pub(crate) struct PreparedStatements {
    statements: HashMap<StatementKey, PreparedStatement>,
    /// The names that were dropped here, but not yet closed on the server.
    to_close: Vec<Arc<CStr>>,
    capacity: usize,
    /// The configured capacity, which `capacity` goes back to when names are enabled again.
    full: usize,
    clock: u64,
    named: u64,
}

/// The search path, the SQL, the OIDs of the parameters' types.
///
/// By another search path the same SQL reads other tables. PostgreSQL would plan it again at each change, and fail if
/// the types of the result differ.
type StatementKey = (SearchPathKey, Arc<str>, Vec<u32>);

#[derive(Debug)]
struct PreparedStatement {
    name: Arc<CStr>,
    used: u64,
    confirmed: bool,
    /// The columns whose types were found to match, with the checks of their values.
    checked: Option<(Describe, Checks)>,
}

/// The name of a statement, and what is known of it.
#[derive(Debug)]
pub(crate) struct StatementName {
    pub(crate) name: Arc<CStr>,
    /// Whether it is to be prepared first; otherwise the server knows the name, or will know it by then.
    pub(crate) is_new: bool,
    /// The columns whose types were found to match, with the checks of their values.
    pub(crate) checked: Option<(Describe, Checks)>,
}

impl PreparedStatements {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            statements: HashMap::new(),
            to_close: Vec::new(),
            capacity,
            full: capacity,
            clock: 0,
            named: 0,
        }
    }

    /// Returns the name of a statement; if it is new, the least recently used one makes room.
    pub(crate) fn name_for(
        &mut self,
        path: &SearchPathKey,
        sql: &Arc<str>,
        types: &[u32],
    ) -> StatementName {
        self.clock += 1;
        let key = (Arc::clone(path), Arc::clone(sql), types.to_vec());
        if let Some(statement) = self.statements.get_mut(&key) {
            statement.used = self.clock;
            return StatementName {
                name: Arc::clone(&statement.name),
                is_new: false,
                checked: statement.checked.clone(),
            };
        }
        if self.statements.len() >= self.capacity {
            self.evict();
        }
        self.named += 1;
        let name: Arc<CStr> = CString::new(format!("bowline_{}", self.named))
            .expect("letters and digits hold no NUL")
            .into();
        self.statements.insert(
            key,
            PreparedStatement {
                name: Arc::clone(&name),
                used: self.clock,
                confirmed: false,
                checked: None,
            },
        );
        StatementName {
            name,
            is_new: true,
            checked: None,
        }
    }

    /// Keeps that the types of this statement's answers match.
    pub(crate) fn set_checked(&mut self, name: &CStr, describe: Describe, checks: Checks) {
        let mut all = self.statements.values_mut();
        if let Some(statement) = all.find(|statement| *statement.name == *name) {
            statement.checked = Some((describe, checks));
        }
    }

    /// Returns whether statements are prepared under names.
    pub(crate) fn is_enabled(&self) -> bool {
        self.capacity > 0
    }

    /// Enables or disables names; disabling closes the prepared statements.
    pub(crate) fn set_enabled(&mut self, on: bool) {
        self.capacity = if on { self.full } else { 0 };
        while self.statements.len() > self.capacity {
            self.evict();
        }
    }

    /// Returns the names to close along with the next pipeline.
    pub(crate) fn to_close(&self) -> &[Arc<CStr>] {
        &self.to_close
    }

    /// Takes over the names that the server confirmed, and forgets new ones that it did not.
    pub(crate) fn confirm(&mut self, prepared: &[Arc<CStr>], closed: &[Arc<CStr>]) {
        self.to_close.retain(|name| !closed.contains(name));
        for statement in self
            .statements
            .values_mut()
            .filter(|statement| !statement.confirmed)
        {
            statement.confirmed = prepared.contains(&statement.name);
        }
        self.statements.retain(|_, statement| statement.confirmed);
    }

    /// Forgets all statements and closes them, because the server no longer accepts them.
    pub(crate) fn forget_all(&mut self) {
        let names = self.statements.drain().map(|(_, statement)| statement.name);
        self.to_close.extend(names);
    }

    /// Forgets all statements, because the server has closed them itself.
    pub(crate) fn clear(&mut self) {
        self.statements.clear();
        self.to_close.clear();
    }

    fn evict(&mut self) {
        // A scan is cheap enough: it happens once for a new statement, which costs the server far more.
        let oldest = self
            .statements
            .iter()
            .min_by_key(|(_, statement)| statement.used)
            .map(|(key, _)| key.clone());
        if let Some(statement) = oldest.and_then(|key| self.statements.remove(&key)) {
            self.to_close.push(statement.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prepared: &PreparedStatements) -> Vec<&std::ffi::CStr> {
        prepared.to_close().iter().map(AsRef::as_ref).collect()
    }

    /// Returns the name under which SQL is planned, and whether it is new.
    fn name_for(prepared: &mut PreparedStatements, sql: &str, types: &[u32]) -> (String, bool) {
        let name_for = prepared.name_for(&"".into(), &sql.into(), types);
        (
            name_for.name.to_string_lossy().into_owned(),
            name_for.is_new,
        )
    }

    fn new(number: u32) -> (String, bool) {
        (format!("bowline_{number}"), true)
    }

    fn known(number: u32) -> (String, bool) {
        (format!("bowline_{number}"), false)
    }

    #[test]
    fn the_least_recently_used_statement_makes_room_and_is_closed() {
        let mut prepared = PreparedStatements::new(2);
        assert_eq!(name_for(&mut prepared, "a", &[]), new(1));
        assert_eq!(name_for(&mut prepared, "b", &[]), new(2));
        assert_eq!(name_for(&mut prepared, "a", &[]), known(1));
        assert_eq!(name_for(&mut prepared, "c", &[]), new(3));
        assert_eq!(names(&prepared), [c"bowline_2"]);
        prepared.confirm(&[], &[c"bowline_2".into()]);
        assert!(names(&prepared).is_empty());
    }

    #[test]
    fn a_statement_that_the_server_did_not_confirm_is_prepared_again() {
        let mut prepared = PreparedStatements::new(2);
        name_for(&mut prepared, "a", &[]);
        prepared.confirm(&[], &[]);
        assert_eq!(name_for(&mut prepared, "a", &[]), new(2));
        prepared.confirm(&[c"bowline_2".into()], &[]);
        assert_eq!(name_for(&mut prepared, "a", &[]), known(2));
    }

    #[test]
    fn the_same_sql_with_other_types_is_another_statement() {
        let mut prepared = PreparedStatements::new(2);
        assert_eq!(name_for(&mut prepared, "a", &[20]), new(1));
        assert_eq!(name_for(&mut prepared, "a", &[25]), new(2));
    }

    #[test]
    fn the_same_sql_under_another_search_path_is_another_statement() {
        let mut prepared = PreparedStatements::new(2);
        let first = prepared.name_for(&"ta".into(), &"a".into(), &[]);
        let second = prepared.name_for(&"tb".into(), &"a".into(), &[]);
        assert!(first.is_new && second.is_new);
        assert!(!prepared.name_for(&"ta".into(), &"a".into(), &[]).is_new);
    }
}
