//! An observer of the statements of migrations, for rules that need the schema before and after.

use squawk_syntax::SyntaxNode;

use crate::replay::state::State;

/// An observer of the statements that are replayed.
pub(crate) trait Watch {
    /// A migration begins; `number` is its index.
    fn begin(&mut self, number: usize, state: &State);

    /// A statement is replayed next. Returns true if `after` needs the state before it.
    fn before(&mut self, node: &SyntaxNode, state: &State) -> bool;

    /// The statement has been replayed, from `start` on. A refused one has not changed the state.
    fn after(&mut self, node: &SyntaxNode, start: Option<State>, state: &State);
}

/// No observer.
pub(crate) struct Unwatched;

impl Watch for Unwatched {
    fn begin(&mut self, _: usize, _: &State) {}

    fn before(&mut self, _: &SyntaxNode, _: &State) -> bool {
        false
    }

    fn after(&mut self, _: &SyntaxNode, _: Option<State>, _: &State) {}
}
