//! Builds the catalog from SQL migrations, without a server.
//!
//! Each statement is applied as PostgreSQL would apply it. A statement that cannot be replayed is
//! refused, with its position and a hint. No statement is skipped because it is unknown.
//!
//! The modules form layers. Each uses only those below it:
//!
//! - `history`: the files in order, and the refused statements. `own_table`: diesel's table.
//! - `program`: code that a migration runs (DO, functions, PL/pgSQL), with a budget.
//! - `ddl`: a function for each DDL statement. `ddl::apply` is the list of the supported ones.
//! - `analysis`: the columns of queries, the calls in expressions, by the query engine.
//! - `state`: the database so far, with all writes to it.
//! - `builtin`: PostgreSQL's built-in types, functions and operators.
//! - `syntax`: readers of the syntax tree. `refusal`: the reasons for refusing a statement.
//! - `watch`: an observer of statements, for `lint`.
//! - `named`: statements that only name objects, for `commute`.

mod analysis;
pub(crate) mod builtin;
mod ddl;
mod history;
mod named;
mod own_table;
mod program;
mod refusal;
pub(crate) mod state;
pub(crate) mod syntax;
pub(crate) mod watch;

use bowline_migrations::SqlFile;

use crate::Catalog;
use history::History;
use program::Program;
use state::State;
use watch::Watch;

pub(crate) use named::replay_each_after;
pub use refusal::Refusal;

#[cfg(test)]
pub(crate) use syntax::words::tokens_of;

/// The result of replaying migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The catalog after all statements that were replayed.
    pub catalog: Catalog,
    /// The refused statements, in order. The catalog is exact only if there are none.
    pub refusals: Vec<Refusal>,
}

/// Applies the files in order. Each is the `up.sql` of a migration.
pub fn replay<'a>(files: impl IntoIterator<Item = &'a SqlFile>) -> Replayed {
    replay_with(files, None::<fn(usize, &Catalog)>)
}

/// Applies the files in order. Calls `after` with the catalog after each file, and with the file's
/// index, from 0 on.
///
/// # Panics
/// If no thread can be started.
pub fn replay_each<'a>(
    files: impl IntoIterator<Item = &'a SqlFile>,
    after: impl FnMut(usize, &Catalog) + Send,
) -> Replayed {
    replay_with(files, Some(after))
}

fn replay_with<'a>(
    files: impl IntoIterator<Item = &'a SqlFile>,
    after: Option<impl FnMut(usize, &Catalog) + Send>,
) -> Replayed {
    let files: Vec<&SqlFile> = files.into_iter().collect();
    on_a_deep_stack(|| in_order(&files, after))
}

/// Runs replay on a thread of its own: deeply nested SQL needs a deep stack, of which the system
/// commits only the used part.
fn on_a_deep_stack<T: Send>(replay: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(syntax::nesting::STACK);
        let running = thread
            .spawn_scoped(scope, replay)
            .expect("a process that has begun can start one thread");
        match running.join() {
            Ok(replayed) => replayed,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Applies the files in order, and shows each statement to `watch`.
///
/// # Panics
/// If no thread can be started.
pub(crate) fn replay_watched(files: &[&SqlFile], watch: &mut (impl Watch + Send)) -> Replayed {
    on_a_deep_stack(|| {
        let mut history = History::default();
        let mut refusals = Vec::new();
        if !own_table::is_named(files) {
            history.make_own_table();
        }
        for (number, file) in files.iter().enumerate() {
            history.begin_migration();
            watch.begin(number, &history.program.state);
            history.watched_file(file, &mut refusals, watch);
        }
        history.take_own_table();
        history.finish(refusals)
    })
}

/// Returns the state after more statements; `None` if one of them cannot be replayed.
pub(crate) fn state_after(state: State, statements: &str) -> Option<State> {
    state_or_reason(state, statements).ok()
}

/// Returns the state after more statements; fails with the reason if one of them cannot be
/// replayed.
pub(crate) fn state_or_reason(
    state: State,
    statements: &str,
) -> std::result::Result<State, String> {
    let tree = syntax::parse::parse(statements)
        .map_err(|_| format!("it cannot be parsed: {}", bowline_sql::one_line(statements)))?;
    let mut program = Program::of(state);
    for statement in syntax::tree::statements(&tree) {
        program
            .statement(&statement)
            .map_err(|refused| refused.why)?;
    }
    Ok(program.state)
}

/// Returns true if a statement does nothing without the extension Citus.
pub(crate) fn is_of_citus(node: &squawk_syntax::SyntaxNode) -> bool {
    program::citus::is_of_citus(node)
}

/// Returns the positions of the statements that do nothing without the extension Citus: those that
/// create it, and queries that only call its functions. A server without it cannot run them.
///
/// A text that cannot be parsed has none.
pub fn citus_statements(text: &str) -> Vec<std::ops::Range<usize>> {
    let Ok(tree) = syntax::parse::parse(text) else {
        return Vec::new();
    };
    syntax::tree::statements(&tree)
        .filter(program::citus::is_of_citus)
        .map(|node| {
            let range = node.text_range();
            range.start().into()..range.end().into()
        })
        .collect()
}

fn in_order(files: &[&SqlFile], mut after: Option<impl FnMut(usize, &Catalog)>) -> Replayed {
    let mut history = History::default();
    let mut refusals = Vec::new();
    if !own_table::is_named(files) {
        history.make_own_table();
    }
    for (number, file) in files.iter().enumerate() {
        history.begin_migration();
        history.file(file, &mut refusals);
        if let Some(after) = &mut after {
            let own = history.take_own_table();
            history.program.state.keep_routines();
            after(number, history.program.state.catalog());
            history.put_back(own);
        }
    }
    history.take_own_table();
    history.finish(refusals)
}

#[cfg(test)]
mod tests;
