//! The schema after each statement, for questions about it that are no rules: whether the code of a
//! release still works on it.

use std::ops::Range;

use bowline_migrations::SqlFile;
use squawk_syntax::SyntaxNode;

use super::{actions, history};
use crate::Catalog;
use crate::replay::replay_watched;
use crate::replay::state::State;
use crate::replay::watch::Watch;

/// The schema after a statement, or after an action of an `ALTER TABLE` with several.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The index of the file.
    pub file: usize,
    /// The position of the statement or action in its text, in bytes.
    pub span: Range<usize>,
    /// The schema.
    pub catalog: &'a Catalog,
}

/// Replays files from the one with the index `first` on, after those before it, and shows the
/// schema after each of their statements. A statement that replay refuses changes nothing.
///
/// # Panics
/// If no thread can be started.
pub fn each_statement(files: &[&SqlFile], first: usize, see: impl FnMut(Moment<'_>) + Send) {
    let mut watcher = Watcher {
        see,
        first,
        file: 0,
    };
    replay_watched(files, &mut watcher);
}

struct Watcher<F> {
    see: F,
    first: usize,
    file: usize,
}

impl<F: FnMut(Moment<'_>)> Watcher<F> {
    fn show(&mut self, node: &SyntaxNode, mut state: State) {
        state.keep_routines();
        (self.see)(Moment {
            file: self.file,
            span: history::span(node),
            catalog: state.catalog(),
        });
    }
}

impl<F: FnMut(Moment<'_>) + Send> Watch for Watcher<F> {
    fn begin(&mut self, number: usize, _: &State) {
        self.file = number;
    }

    fn before(&mut self, _: &SyntaxNode, _: &State) -> bool {
        self.file >= self.first
    }

    fn after(&mut self, node: &SyntaxNode, start: Option<State>, state: &State) {
        let Some(start) = start else {
            return;
        };
        match actions::split(node, &start) {
            Some(actions) => {
                for action in actions {
                    self.show(&action.node, action.after);
                }
            }
            None => self.show(node, state.clone()),
        }
    }
}
