//! The statements that the server has prepared for a session.
//!
//! The set is bounded, and the statement that is used least is evicted. So a program that always
//! sends new SQL neither fills the server's memory nor evicts the statements that it uses often.
//! The set follows the server's answers: a name is known once Parse was answered, and is to be
//! closed until Close was answered.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::command::columns::{Checks, Describe};
use crate::command::text::Text;
use crate::sql_text::search_path::SearchPathKey;
use crate::wire::parameters::Parameters;

/// The uses are halved after this many evictions for each statement that the set can hold.
const HALVE_AFTER: usize = 8;

/// Uses are counted up to here, so that a statement that is not used any more makes room soon.
const MAX_USES: u32 = 16;

/// Statements that a session has prepared.
#[derive(Debug)]
pub(crate) struct PreparedStatements {
    /// The beginning of the names.
    prefix: String,
    /// By the hash of the SQL.
    statements: HashMap<u64, Vec<PreparedStatement>, RandomState>,
    /// The number of statements.
    count: usize,
    /// Names that the server has not confirmed.
    unconfirmed: Vec<Arc<CStr>>,
    /// The names that were dropped here, but not yet closed on the server.
    to_close: Vec<Arc<CStr>>,
    capacity: usize,
    /// The configured capacity, to which `capacity` is reset when names are enabled again.
    full: usize,
    clock: u64,
    named: u64,
    /// The number of evictions since the uses were last halved.
    evicted: usize,
}

/// A statement, known by its search path, its SQL and the OIDs of its parameters' types.
///
/// By another search path the same SQL reads other tables. PostgreSQL would plan it again at each
/// change, and fail if the types of the result differ.
#[derive(Debug)]
struct PreparedStatement {
    path: SearchPathKey,
    text: Arc<Text>,
    types: Box<[u32]>,
    name: Arc<CStr>,
    /// How often it was used, halved from time to time.
    uses: u32,
    /// When it was last used, by the clock of the set.
    used: u64,
    /// The columns whose types were found to match, with the checks of their values.
    checked: Option<(Describe, Checks)>,
}

/// The name of a statement, and what is known of it.
#[derive(Debug)]
pub(crate) struct StatementName {
    pub(crate) name: Arc<CStr>,
    /// Whether it is to be prepared first; otherwise the server knows the name, or will know it by
    /// then.
    pub(crate) is_new: bool,
    /// The columns whose types were found to match, with the checks of their values.
    pub(crate) checked: Option<(Describe, Checks)>,
}

impl PreparedStatements {
    /// Gives each name this beginning, in place of `bowline`.
    pub(crate) fn with_prefix(mut self, prefix: String) -> Self {
        self.prefix = prefix;
        self
    }

    /// Keeps no statements any more.
    pub(crate) fn stop(&mut self) {
        self.full = 0;
        self.set_enabled(false);
    }

    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            prefix: "bowline".to_owned(),
            statements: HashMap::default(),
            count: 0,
            unconfirmed: Vec::new(),
            to_close: Vec::new(),
            capacity,
            full: capacity,
            clock: 0,
            named: 0,
            evicted: 0,
        }
    }

    /// Returns the name of a statement; for a new one, the statement that is used least is evicted.
    pub(crate) fn name_for(
        &mut self,
        path: &SearchPathKey,
        text: &Arc<Text>,
        parameters: &Parameters,
    ) -> StatementName {
        self.clock += 1;
        let alike = self.statements.get_mut(&text.hash());
        if let Some(statement) = alike.and_then(|alike| {
            alike
                .iter_mut()
                .find(|known| known.is(path, text, parameters))
        }) {
            statement.used = self.clock;
            statement.uses = (statement.uses + 1).min(MAX_USES);
            return StatementName {
                name: Arc::clone(&statement.name),
                is_new: false,
                checked: statement.checked.clone(),
            };
        }
        if self.count >= self.capacity {
            self.evict();
        }
        self.named += 1;
        let name: Arc<CStr> = CString::new(format!("{}_{}", self.prefix, self.named))
            .expect("letters and digits hold no NUL")
            .into();
        self.statements
            .entry(text.hash())
            .or_default()
            .push(PreparedStatement {
                path: Arc::clone(path),
                text: Arc::clone(text),
                types: parameters.types().into(),
                name: Arc::clone(&name),
                uses: 1,
                used: self.clock,
                checked: None,
            });
        self.count += 1;
        self.unconfirmed.push(Arc::clone(&name));
        StatementName {
            name,
            is_new: true,
            checked: None,
        }
    }

    /// Records that the types of this statement's answers match.
    pub(crate) fn set_checked(&mut self, name: &CStr, describe: Describe, checks: Checks) {
        let mut all = self.statements.values_mut().flatten();
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
        while self.count > self.capacity {
            self.evict();
        }
    }

    /// Returns the names to close along with the next pipeline.
    pub(crate) fn to_close(&self) -> &[Arc<CStr>] {
        &self.to_close
    }

    /// Takes over the names that the server confirmed, and forgets new ones that it did not.
    pub(crate) fn confirm(&mut self, prepared: &[Arc<CStr>], closed: &[Arc<CStr>]) {
        if !closed.is_empty() {
            self.to_close.retain(|name| !closed.contains(name));
        }
        if self.unconfirmed.is_empty() {
            return;
        }
        for name in std::mem::take(&mut self.unconfirmed) {
            if !prepared.contains(&name) {
                self.remove(&name);
            }
        }
    }

    /// Forgets all statements and closes them, because the server no longer accepts them.
    pub(crate) fn forget_all(&mut self) {
        let all = self.statements.drain().flat_map(|(_, alike)| alike);
        self.to_close.extend(all.map(|statement| statement.name));
        self.count = 0;
        self.unconfirmed.clear();
    }

    /// Forgets all statements, because the server has closed them itself.
    pub(crate) fn clear(&mut self) {
        self.statements.clear();
        self.count = 0;
        self.unconfirmed.clear();
        self.to_close.clear();
    }

    /// Closes the statement that is used least; of several, the one that was not used for the
    /// longest time.
    fn evict(&mut self) {
        // A scan is cheap enough: it happens once for a new statement, which costs the server far
        // more.
        let all = self.statements.values().flatten();
        let Some(least) = all.min_by_key(|statement| (statement.uses, statement.used)) else {
            return;
        };
        let name = Arc::clone(&least.name);
        self.remove(&name);
        self.to_close.push(name);
        self.evicted += 1;
        // Halving lets statements that were used often once, and no longer are, be evicted too.
        if self.evicted >= HALVE_AFTER * self.capacity {
            self.evicted = 0;
            for statement in self.statements.values_mut().flatten() {
                statement.uses /= 2;
            }
        }
    }

    fn remove(&mut self, name: &CStr) {
        for alike in self.statements.values_mut() {
            if let Some(index) = alike.iter().position(|statement| *statement.name == *name) {
                alike.swap_remove(index);
                self.count -= 1;
                break;
            }
        }
        self.statements.retain(|_, alike| !alike.is_empty());
    }
}

impl PreparedStatement {
    fn is(&self, path: &SearchPathKey, text: &Arc<Text>, parameters: &Parameters) -> bool {
        (Arc::ptr_eq(&self.text, text) || self.text.sql() == text.sql())
            && (Arc::ptr_eq(&self.path, path) || self.path == *path)
            && *self.types == *parameters.types()
    }
}

#[cfg(test)]
mod tests {
    use diesel::pg::PgTypeMetadata;

    use super::*;

    fn names(prepared: &PreparedStatements) -> Vec<&std::ffi::CStr> {
        prepared.to_close().iter().map(AsRef::as_ref).collect()
    }

    /// Returns the name under which SQL is planned, and whether it is new.
    fn name_for(prepared: &mut PreparedStatements, sql: &str, types: &[u32]) -> (String, bool) {
        let parameters = Parameters::collect(|collected| {
            for oid in types {
                collected.metadata.push(PgTypeMetadata::new(*oid, 0));
                collected.binds.push(None);
            }
            Ok(())
        })
        .expect("values");
        let text = Arc::new(Text::new(sql));
        let name_for = prepared.name_for(&"".into(), &text, &parameters);
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
    fn the_least_used_statement_is_evicted_and_closed() {
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
    fn an_unconfirmed_statement_is_prepared_again() {
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
    fn the_search_path_is_part_of_a_statements_key() {
        let mut prepared = PreparedStatements::new(2);
        let a = Arc::new(Text::new("a"));
        let first = prepared.name_for(&"ta".into(), &a, &Parameters::default());
        let second = prepared.name_for(&"tb".into(), &a, &Parameters::default());
        assert!(first.is_new && second.is_new);
        assert!(
            !prepared
                .name_for(&"ta".into(), &a, &Parameters::default())
                .is_new
        );
    }

    #[test]
    fn single_uses_do_not_evict_a_frequent_statement() {
        let mut prepared = PreparedStatements::new(10);
        assert_eq!(name_for(&mut prepared, "often", &[]), new(1));
        name_for(&mut prepared, "often", &[]);
        for number in 0..10_000 {
            name_for(&mut prepared, &format!("once {number}"), &[]);
            if number % 20 == 0 {
                assert_eq!(name_for(&mut prepared, "often", &[]), known(1), "{number}");
            }
        }
    }

    #[test]
    fn a_statement_no_longer_used_is_evicted_in_the_end() {
        let mut prepared = PreparedStatements::new(3);
        for _ in 0..100 {
            name_for(&mut prepared, "once often", &[]);
        }
        for number in 0..1_000 {
            name_for(&mut prepared, &format!("later {}", number / 2), &[]);
        }
        assert!(name_for(&mut prepared, "once often", &[]).1);
    }
}
