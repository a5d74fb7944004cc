//! Code that a migration runs: DO blocks, functions that it calls, PL/pgSQL, and the values that
//! they need.
//!
//! The entry point is [`Program::statement`]. Code is replayed as it runs on a database that is
//! empty at first. Its conditions, loops and executed texts must be certain. They come from
//! constants, from variables, and from queries of system tables, which the state answers
//! (`evaluate`). A statement that depends on data, settings or roles is unknown. It is refused if
//! it could change the schema (`shapes`). Otherwise it is skipped, and the variables that it sets
//! become unknown.
//!
//! The budget for all migrations together is [`MAX_STEPS`] steps of evaluation and [`MAX_TEXT`]
//! characters of executed code. A block with an exception handler returns its share when it ends. A
//! program beyond the budget is refused. So are a function that calls itself, and an exception
//! whose handler depends on an error that replay does not foresee.

pub(crate) mod assignment;
pub(crate) mod block;
pub(crate) mod branches;
pub(crate) mod call;
pub(crate) mod citus;
pub(crate) mod evaluate;
pub(crate) mod execute;
pub(crate) mod handlers;
pub(crate) mod harmless_text;
pub(crate) mod may_change;
mod plain_code;
pub(crate) mod reach;
pub(crate) mod variables;
pub(crate) mod writes;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::analysis;
use crate::replay::ddl;
use crate::replay::program::variables::Variables;
use crate::replay::refusal::Result;
use crate::replay::state::State;
use crate::replay::syntax::tree::statement_kind;

/// The maximum number of steps of PL/pgSQL and its expressions. A long history takes about ten
/// thousand.
const MAX_STEPS: u32 = 2_000_000;

/// The maximum number of characters of PL/pgSQL that run. A loop that creates 256 partitions runs
/// 150,000.
const MAX_TEXT: usize = 500_000;

/// A running program: the state that it changes, and the state of the interpreter.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) state: State,
    /// The functions that are being replayed, to detect one that calls itself.
    pub(crate) calls: Vec<String>,
    pub(crate) variables: Variables,
    pub(crate) budget: Budget,
    /// Whether an unknown value is replaced by a number while a text is built.
    pub(crate) open_numbers: Cell<bool>,
    /// The functions that may change the catalog, with the version of the functions for which they
    /// were found.
    changing: RefCell<Option<(u64, Arc<BTreeSet<String>>)>>,
    /// The conditions of the exception handlers around the statement, outermost first.
    handlers: Vec<handlers::Caught>,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            state: State::new(analysis::overloads_called),
            calls: Vec::new(),
            variables: Variables::default(),
            budget: Budget::default(),
            open_numbers: Cell::default(),
            changing: RefCell::default(),
            handlers: Vec::new(),
        }
    }
}

/// The remaining budget of PL/pgSQL. A program that exceeds it is refused.
#[derive(Clone)]
pub(crate) struct Budget {
    steps: Cell<u32>,
    /// The remaining characters of code that may run. Each iteration of a loop counts again.
    text: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: Cell::new(MAX_STEPS),
            text: Cell::new(MAX_TEXT),
        }
    }
}

impl Budget {
    /// Counts a step. Returns false if the budget is used up.
    pub(crate) fn takes_a_step(&self) -> bool {
        let left = self.steps.get().saturating_sub(1);
        self.steps.set(left);
        left > 0
    }

    /// Counts a PL/pgSQL text that runs. Returns false if the budget is used up.
    pub(crate) fn runs_text(&self, length: usize) -> bool {
        let left = self.text.get().saturating_sub(length);
        self.text.set(left);
        left > 0
    }
}

impl Program {
    /// Returns a program that goes on from a state.
    pub(crate) fn of(state: State) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }

    /// Replays a statement. This is the entry point of the module.
    pub(crate) fn statement(&mut self, node: &SyntaxNode) -> Result<()> {
        let before = self.state.objects_before(node);
        let columns = self.state.distribution_columns();
        let done = self.apply(node);
        let done = done.and_then(|()| ddl::distributed::settle(&mut self.state, node, &columns));
        ddl::settle(&mut self.state, node, before.as_ref(), done)
    }

    /// Applies a statement that runs code. All other statements are passed to `ddl`.
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
                self.note_created_from_query(node);
            }
            kind if writes::may_write(kind) => self.note_writes(node),
            _ => {}
        }
        match kind {
            K::DO => self.do_block(node),
            K::CALL => self.call_procedure(node),
            // `RETURN ..` is the body of a function.
            K::SELECT | K::COMPOUND_SELECT | K::VALUES | K::PAREN_SELECT | K::RETURN_STMT => {
                self.call_in_query(node)
            }
            _ => ddl::apply(&mut self.state, node),
        }
    }

    /// Returns a copy of the program, to which an error in a block with exception handlers returns.
    pub(crate) fn savepoint(&self) -> Self {
        self.clone()
    }

    /// Rolls back to a savepoint. The used budget is not restored.
    pub(crate) fn roll_back(&mut self, savepoint: Self) {
        let budget = self.budget.clone();
        *self = Self {
            budget,
            ..savepoint
        };
    }

    /// Replays code that can change only triggers, policies and the like. If a part of it is not
    /// certain, rolls back and records gaps.
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
                self.note_attached_gaps(node);
                otherwise
            }
        };
        self.budget = budget;
        done
    }
}
