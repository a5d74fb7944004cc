//! The state that statements may have left behind in a session on the server.

use crate::command::text::Text;
use crate::sql_text::session_state::{outlasts_discard, script_leaves_state};

/// The state that the next holder of the session would get.
#[derive(Debug)]
pub(super) struct Residue {
    /// Whether a statement may have left state behind. It stays set until the session is reset.
    /// Behind a pooler only [`Residue::touch`] sets it, because the server's session is shared.
    touched: bool,
    /// The number of advisory locks that guards hold. They are counted instead of marking the
    /// session, so that it is clean once they are released.
    locks: u32,
    /// The number of cursors that were declared; names of cursors are never used again.
    cursors: u64,
    is_pooled: bool,
    /// Whether a statement may have left state behind that `DISCARD ALL` does not remove; `None`
    /// while that is not noted.
    outlasts_discard: Option<bool>,
}

/// Returns whether a single statement begins or ends a transaction or savepoint, as this crate
/// writes it.
fn is_control(sql: &str) -> bool {
    ["BEGIN", "SAVEPOINT ", "RELEASE ", "ROLLBACK", "COMMIT"]
        .iter()
        .any(|word| sql.starts_with(word))
}

/// A record of whether the session was marked at some moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(bool);

impl Residue {
    pub(super) fn new(is_pooled: bool) -> Self {
        Self {
            touched: false,
            locks: 0,
            cursors: 0,
            is_pooled,
            outlasts_discard: None,
        }
    }

    /// Returns whether any state may be left behind.
    pub(super) fn is_touched(&self) -> bool {
        self.touched || self.locks > 0
    }

    /// Marks the session.
    pub(super) fn touch(&mut self) {
        self.touched = true;
    }

    /// Marks the session if this statement may leave state behind, or if the server may parse its
    /// text differently.
    pub(super) fn note_statement(&mut self, text: &Text, is_unsure: impl FnOnce() -> bool) {
        if self.outlasts_discard == Some(false) && !is_control(text.sql()) {
            self.note_lasting(text.sql());
        }
        if !self.touched && !self.is_pooled {
            self.touched = text.leaves_state() || is_unsure();
        }
    }

    /// As [`Residue::note_statement`], for a text of several statements.
    pub(super) fn note_script(&mut self, sql: &str, is_unsure: impl FnOnce() -> bool) {
        self.note_lasting(sql);
        if !self.touched && !self.is_pooled {
            self.touched = script_leaves_state(sql) || is_unsure();
        }
    }

    /// Notes from now on whether a statement leaves state behind that `DISCARD ALL` does not
    /// remove.
    #[cfg(feature = "testing")]
    pub(super) fn watch_lasting(&mut self) {
        self.outlasts_discard = Some(false);
    }

    /// Returns whether a statement since [`Residue::watch_lasting`] may have left such state
    /// behind; true if it was not watched.
    #[cfg(feature = "testing")]
    pub(super) fn may_be_lasting(&self) -> bool {
        self.outlasts_discard.unwrap_or(true)
    }

    fn note_lasting(&mut self, sql: &str) {
        if self.outlasts_discard == Some(false) {
            self.outlasts_discard = Some(outlasts_discard(sql));
        }
    }

    /// Notes that the server has discarded everything.
    pub(super) fn clear(&mut self) {
        (self.touched, self.locks) = (false, 0);
    }

    /// Returns a name for a cursor that no other cursor of the session has had.
    pub(super) fn next_cursor(&mut self) -> String {
        self.cursors += 1;
        format!("bowline_cursor_{}", self.cursors)
    }

    /// Returns whether the session is marked now, for [`Residue::restore`].
    pub(super) fn mark(&self) -> Mark {
        Mark(self.touched)
    }

    /// Restores an earlier mark, and ignores the statements since then.
    pub(super) fn restore(&mut self, mark: Mark) {
        self.touched = mark.0;
    }

    /// Counts an advisory lock that a guard holds.
    pub(super) fn lock_acquired(&mut self) {
        self.locks += 1;
    }

    /// Counts an advisory lock that a guard has released.
    pub(super) fn lock_released(&mut self) {
        self.locks = self.locks.saturating_sub(1);
    }
}
