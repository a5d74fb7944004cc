//! The search path of a session, followed by its statements and by the server's reports.

use bowline_sql::statements;

use crate::sql_text::search_path::{
    SearchPathChange, SearchPathKey, SearchPathSetting, is_unknown,
};

/// The search path: that of the session's start, unless a statement has set another.
#[derive(Debug, Default)]
pub(super) struct SearchPath {
    current: SearchPathSetting,
    /// The setting that is in effect once the transaction has been committed.
    session: SearchPathSetting,
    /// For each open transaction: its depth, and both settings at its beginning.
    saved: Vec<(u32, SearchPathSetting, SearchPathSetting)>,
    /// The first and the last path that the server reported.
    reported: Option<(String, String)>,
    /// True if the session's setting was changed in a transaction that the caller began with SQL.
    /// The end of that transaction is not observed.
    may_be_rolled_back: bool,
}

impl SearchPath {
    /// Returns the setting in effect.
    pub(super) fn setting(&self) -> &SearchPathSetting {
        &self.current
    }

    /// Returns the key of the setting in effect.
    pub(super) fn key(&self) -> SearchPathKey {
        self.current.key()
    }

    /// Returns the statements that set a path for one transaction. There are none if the path is in
    /// effect already.
    pub(super) fn set_local(&self, path: &SearchPathKey) -> Vec<String> {
        if *path == self.key() || is_unknown(path) {
            return Vec::new();
        }
        if path.is_empty() {
            return vec![
                "SET LOCAL ROLE NONE".to_owned(),
                "SET LOCAL search_path TO DEFAULT".to_owned(),
            ];
        }
        statements(path)
            .map(|statement| statement.text().to_owned())
            .collect()
    }

    /// Notes that a statement changed the search path, within a transaction or not.
    pub(super) fn apply(&mut self, change: &SearchPathChange, is_in_transaction: bool) {
        if change.is_local() && !is_in_transaction {
            return;
        }
        if change.is_rollback_to_savepoint() {
            let at_begin = self.saved.first().map(|(_, now, _)| now);
            if at_begin != Some(&self.current) {
                self.current.set_unknown();
            }
            return;
        }
        self.current.apply(change);
        if !change.is_local() {
            self.session = self.current.clone();
            self.may_be_rolled_back |= is_in_transaction && self.saved.is_empty();
        }
    }

    /// Notes that a transaction begins at this depth.
    pub(super) fn begin(&mut self, depth: u32) {
        self.saved
            .push((depth, self.current.clone(), self.session.clone()));
    }

    /// Notes that the transaction of this depth was rolled back, or all of them at depth 0.
    pub(super) fn rolled_back(&mut self, depth: u32) {
        while let Some((saved, now, session)) = self.saved.pop_if(|(saved, ..)| *saved >= depth) {
            (self.current, self.session) = (now, session);
            if saved == depth {
                break;
            }
        }
    }

    /// Notes that the transaction of this depth was committed, or all of them at depth 0.
    pub(super) fn committed(&mut self, depth: u32) {
        self.saved.retain(|(saved, ..)| *saved < depth);
        if self.saved.is_empty() {
            self.current = self.session.clone();
        }
    }

    /// Notes that the server has no transaction open.
    pub(super) fn set_idle(&mut self) {
        if !self.saved.is_empty() {
            return;
        }
        if std::mem::take(&mut self.may_be_rolled_back) {
            // The transaction may have been committed or rolled back.
            self.session.set_unknown();
        }
        if self.current != self.session {
            self.current = self.session.clone();
        }
    }

    /// Resets to the setting of the session's start.
    pub(super) fn reset(&mut self) {
        let reported = self.reported.take();
        *self = Self {
            reported: reported.map(|(first, _)| (first.clone(), first)),
            ..Self::default()
        };
    }

    /// Applies a search path that the server reports.
    pub(super) fn report(&mut self, path: Option<String>) {
        let Some(path) = path else { return };
        let Some((first, last)) = &mut self.reported else {
            self.reported = Some((path.clone(), path));
            return;
        };
        if *last != path {
            self.current.set_reported((*first != path).then_some(&path));
            *last = path;
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql_text::search_path::set_config;

    #[test]
    fn a_reported_path_is_applied() {
        let mut search_path = SearchPath::default();
        let mut report = |path: &str| {
            search_path.report(Some(path.to_owned()));
            search_path.key()
        };
        assert!(report("\"$user\", public").is_empty());
        assert_eq!(*report("ta"), *set_config("ta"));
        assert_eq!(*report("ta"), *set_config("ta"));
        assert!(report("\"$user\", public").is_empty());
    }

    #[test]
    fn rollback_to_a_savepoint_may_undo_a_path() {
        let change = |sql| SearchPathChange::of(sql, &[]).expect("a change");
        let mut search_path = SearchPath::default();
        search_path.begin(1);
        search_path.apply(&change("ROLLBACK TO SAVEPOINT a"), true);
        assert!(search_path.key().is_empty());
        search_path.apply(&change("SET LOCAL search_path TO ta"), true);
        search_path.apply(&change("ROLLBACK WORK TO a"), true);
        assert!(is_unknown(&search_path.key()));
        search_path.rolled_back(1);
        assert!(search_path.key().is_empty());
    }

    #[test]
    fn a_path_ends_with_its_transaction() {
        let change = |sql| SearchPathChange::of(sql, &[]).expect("a change");
        let mut search_path = SearchPath::default();
        search_path.begin(1);
        search_path.apply(&change("SET LOCAL search_path TO ta"), true);
        assert_eq!(*search_path.key(), *set_config("ta"));
        search_path.begin(2);
        search_path.apply(&change("SET search_path TO tb"), true);
        search_path.rolled_back(2);
        assert_eq!(*search_path.key(), *set_config("ta"));
        search_path.begin(2);
        search_path.apply(&change("SET search_path TO tc"), true);
        search_path.committed(2);
        assert_eq!(*search_path.key(), *set_config("tc"));
        search_path.committed(1);
        assert_eq!(*search_path.key(), *set_config("tc"));
        search_path.apply(&change("RESET search_path"), false);
        assert!(search_path.key().is_empty());
        // A local setting needs a transaction.
        search_path.apply(&change("SET LOCAL search_path TO ta"), false);
        assert!(search_path.key().is_empty());
        // A transaction that the caller began with SQL may have been rolled back.
        search_path.apply(&change("SET search_path TO ta"), true);
        search_path.set_idle();
        assert!(is_unknown(&search_path.key()));
    }
}
