//! The check of one call, apart from tokens: text in, text out.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use bowline_catalog::query::{Checker, Query, Rows};
use bowline_plan::plan::{InlineQuery, NoCode, inline};

use super::message::Mistake;
use super::schema::{self, Schema};

/// A query that was checked, from which the macro writes its expansion.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) query: InlineQuery,
    pub(crate) returns_rows: bool,
    /// The files on which the result depends.
    pub(crate) files: Vec<PathBuf>,
}

/// The stack size, which is that of the engine for deeply nested SQL. The system commits only the
/// used part.
const STACK: usize = 256 << 20;

/// The time limit. A usual query takes less than a thousandth of it.
const LONGEST: Duration = Duration::from_secs(60);

/// Checks SQL in a thread with a deep stack, for a limited time. `nullable` has one item for each
/// argument: whether it can be NULL.
pub(crate) fn check(package: &Path, sql: &str, nullable: &[bool]) -> Result<Checked, Mistake> {
    let (package, sql, nullable) = (package.to_owned(), sql.to_owned(), nullable.to_owned());
    within(LONGEST, move || {
        let schema = schema::of(&package)?;
        against(&schema, &sql, &nullable)
    })
}

/// Runs a function in a thread; fails if it panics or takes too long.
fn within<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce() -> Result<T, Mistake> + Send + 'static,
) -> Result<T, Mistake> {
    let (sender, receiver) = channel();
    let started = thread::Builder::new().stack_size(STACK).spawn(move || {
        // The receiver is gone after the time limit.
        drop(sender.send(work()));
    });
    let running = started.map_err(|error| Mistake::new(format!("no thread starts: {error}")))?;
    match receiver.recv_timeout(longest) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => Err(Mistake::new(format!(
            "the check of this query takes longer than {} seconds",
            longest.as_secs()
        ))
        .hint("please report it: https://github.com/bowline-rs/bowline/issues")),
        Err(RecvTimeoutError::Disconnected) => {
            let why = running.join().err().map(|panic| reason(&*panic));
            Err(Mistake::new(format!(
                "the check of this query failed: {}",
                why.unwrap_or_default()
            ))
            .hint("this is a bug: https://github.com/bowline-rs/bowline/issues"))
        }
    }
}

/// Returns the message of a panic.
pub(crate) fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

/// Checks SQL against a schema.
pub(crate) fn against(
    schema: &Arc<Schema>,
    sql: &str,
    nullable: &[bool],
) -> Result<Checked, Mistake> {
    let (written, given) = (parameters(sql), nullable.len());
    if given > written {
        return Err(Mistake::new(miscounted(written, given)));
    }
    let checker = Checker::new(&schema.catalog).for_version(schema.postgres);
    let query = checker.check_with(sql, nullable);
    let query = query.and_then(Query::without_omitted);
    let query = query.map_err(|fault| Mistake {
        code: fault.code,
        message: fault.message,
        span: Some(fault.span),
        hint: fault.hint,
    })?;
    if given < query.parameters.len() {
        return Err(Mistake {
            span: used(sql, given),
            ..Mistake::new(miscounted(query.parameters.len(), given))
        });
    }
    let planned = inline(
        &schema.catalog,
        &schema.plan,
        &query,
        nullable,
        &schema.module,
    );
    let planned = planned.map_err(|wrong| no_code(sql, wrong))?;
    Ok(Checked {
        query: planned,
        returns_rows: query.rows != Rows::Affected,
        files: schema.files.clone(),
    })
}

fn no_code(sql: &str, wrong: NoCode) -> Mistake {
    let parameter = wrong.parameter.and_then(|index| used(sql, index));
    Mistake {
        code: None,
        message: wrong.message,
        span: parameter.or_else(|| named(sql, &wrong.column?)),
        hint: Some(wrong.hint),
    }
}

/// Returns the position of a parameter's first use.
fn used(sql: &str, index: usize) -> Option<std::ops::Range<usize>> {
    let text = format!("${}", index + 1);
    let token = bowline_sql::tokens(sql).find(|token| token.text() == text)?;
    Some(token.start()..token.end())
}

/// Returns the position of a name; `None` unless it occurs exactly once.
fn named(sql: &str, column: &str) -> Option<std::ops::Range<usize>> {
    let quoted = format!("\"{column}\"");
    let tokens = bowline_sql::tokens(sql);
    let mut named = tokens.filter(|token| token.text() == quoted || token.is_word(column));
    let only = named.next().filter(|_| named.next().is_none())?;
    Some(only.start()..only.end())
}

/// Returns the highest number of a parameter in the SQL.
fn parameters(sql: &str) -> usize {
    let numbers = bowline_sql::tokens(sql).filter_map(|token| {
        let digits = token.text().strip_prefix('$')?;
        digits.parse::<usize>().ok()
    });
    numbers.max().unwrap_or(0)
}

fn miscounted(parameters: usize, arguments: usize) -> String {
    let plural = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let are = if arguments == 1 { "is" } else { "are" };
    format!(
        "the query has {}, and {} {are} given",
        plural(parameters, "parameter"),
        plural(arguments, "argument")
    )
}

#[cfg(test)]
mod tests;
