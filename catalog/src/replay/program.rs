//! Code that a migration runs: DO blocks, functions that it calls, PL/pgSQL, and the values that they need.
//!
//! The door is [`Program::statement`]. Code is followed as it runs on a database that begins empty, where its
//! conditions, loops and executed texts are certain: from constants, from variables, and from queries of PostgreSQL's
//! own tables, which the state answers (`evaluate`). A statement that depends on data, on settings or on roles is
//! unknown, and is refused if it could change the schema (`shapes`); otherwise it is left out, and a variable that it
//! sets is unknown from there on.
//!
//! The budget is [`MOST_STEPS`] steps of evaluation and [`MOST_TEXT`] characters of executed code for all migrations
//! together, but for blocks with a handler: what such a block takes is given back when it ends. A program beyond it is
//! refused. A function that calls itself is refused, and so is
//! an exception whose handler depends on an error that replay does not foresee.

pub(crate) mod assignment;
pub(crate) mod block;
pub(crate) mod branches;
pub(crate) mod call;
pub(crate) mod evaluate;
pub(crate) mod execute;
pub(crate) mod handlers;
pub(crate) mod harmless_text;
pub(crate) mod reach;
pub(crate) mod shapes;
pub(crate) mod variables;
pub(crate) mod writes;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl;
use crate::replay::program::variables::Variables;
use crate::replay::refusal::Result;
use crate::replay::state::State;
use crate::replay::syntax::tree::statement_kind;

/// Steps of PL/pgSQL and of what it evaluates; a generous history takes some ten thousand.
const MOST_STEPS: u32 = 2_000_000;

/// Characters of PL/pgSQL; a loop that makes 256 partitions runs 150,000.
const MOST_TEXT: usize = 500_000;

/// A program that runs: the state that it changes, and what the interpreter keeps.
#[derive(Clone, Default)]
pub(crate) struct Program {
    pub(crate) state: State,
    /// Functions that are being followed, to find one that calls itself.
    pub(crate) calls: Vec<String>,
    pub(crate) variables: Variables,
    pub(crate) budget: Budget,
    /// Whether an unknown value is taken for a number while a text is put together.
    pub(crate) open_numbers: Cell<bool>,
    /// The functions that may change the catalog, with the version of the functions that they were found in.
    shaping: RefCell<Option<(u64, Arc<BTreeSet<String>>)>>,
    /// Whether they are being searched.
    finds_shaping: Cell<bool>,
    /// The conditions of the handlers around the statement, from the outermost on.
    handlers: Vec<handlers::Caught>,
}

/// How much PL/pgSQL may still do; a program that uses it up is refused.
#[derive(Clone)]
pub(crate) struct Budget {
    steps: Cell<u32>,
    /// How much text of it may still run, each turn of a loop anew.
    text: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: Cell::new(MOST_STEPS),
            text: Cell::new(MOST_TEXT),
        }
    }
}

impl Budget {
    /// Counts a step; false where there were too many.
    pub(crate) fn takes_a_step(&self) -> bool {
        let left = self.steps.get().saturating_sub(1);
        self.steps.set(left);
        left > 0
    }

    /// Counts a text of PL/pgSQL that runs; false where it was too much.
    pub(crate) fn runs_text(&self, length: usize) -> bool {
        let left = self.text.get().saturating_sub(length);
        self.text.set(left);
        left > 0
    }
}

impl Program {
    /// Follows a statement: the door of this module.
    pub(crate) fn statement(&mut self, node: &SyntaxNode) -> Result<()> {
        let before = self.state.objects_before(node);
        let done = self.apply(node);
        ddl::settle(&mut self.state, node, before.as_ref(), done)
    }

    /// Statements that run code; all others are DDL.
    pub(crate) fn apply(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let Some(kind) = statement_kind(node) else {
            return Ok(());
        };
        self.reaches_nothing(node)?;
        self.is_certain_to_succeed(node)?;
        match kind {
            K::CREATE_TABLE_AS | K::SELECT_INTO => {
                self.note_writes(node);
                self.note_made_of_query(node);
            }
            kind if writes::may_write(kind) => self.note_writes(node),
            _ => {}
        }
        match kind {
            K::DO => self.do_block(node),
            K::CALL => self.call_procedure(node),
            K::SELECT | K::COMPOUND_SELECT | K::VALUES | K::PAREN_SELECT => {
                self.call_in_query(node)
            }
            _ => ddl::apply(&mut self.state, node),
        }
    }

    /// What an error in a block with handlers goes back to.
    pub(crate) fn savepoint(&self) -> Self {
        self.clone()
    }

    /// Goes back to a savepoint; the budget that was used is used.
    pub(crate) fn roll_back(&mut self, savepoint: Self) {
        let budget = self.budget.clone();
        *self = Self {
            budget,
            ..savepoint
        };
    }

    /// Follows code that shapes nothing but what hangs on tables; what is not certain of it is noted.
    pub(crate) fn attempt<T>(
        &mut self,
        node: &SyntaxNode,
        otherwise: T,
        follow: impl FnOnce(&mut Self) -> Result<T>,
    ) -> T {
        let budget = self.budget.clone();
        let before = self.savepoint();
        let done = follow(self);
        let done = match done {
            Ok(done) => done,
            Err(_) => {
                self.roll_back(before);
                self.note_guard_gaps(node);
                otherwise
            }
        };
        self.budget = budget;
        done
    }
}
