//! Runs any SQL and returns its results as PostgreSQL's text: for consoles and scripts, which know
//! no Rust types.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::Session;
use crate::error::Result;
use crate::wire::libpq::{ResultSet, ResultStatus};
use crate::wire::protocol::SimpleQueryPart;

/// A part of the results of [`Session::simple_query`], in the order in which the server sends them.
#[derive(Debug)]
#[non_exhaustive]
pub enum SimpleQueryMessage<'a> {
    /// The columns of the rows that follow.
    RowDescription(&'a [SimpleColumn]),
    /// A row.
    Row(SimpleRow<'a>),
    /// A piece of the data of a `COPY .. TO STDOUT`.
    CopyData(&'a [u8]),
    /// The end of a statement, with its command tag, such as `INSERT 0 1`.
    CommandComplete(&'a str),
}

/// A column of a simple query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleColumn {
    /// Its name, which need not be unique.
    pub name: String,
    /// The OID of its type, as in `pg_type`.
    pub type_oid: u32,
}

/// A row of a simple query.
#[derive(Debug, Clone, Copy)]
pub struct SimpleRow<'a> {
    answer: &'a ResultSet,
    row: usize,
}

impl SimpleRow<'_> {
    /// Returns the number of columns.
    pub fn len(&self) -> usize {
        self.answer.column_count()
    }

    /// Returns whether the row has no columns, as that of a bare `SELECT`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the value of a column, counted from 0, as PostgreSQL's text; `None` if it is NULL or
    /// there is no such column.
    pub fn get(&self, column: usize) -> Option<Cow<'_, str>> {
        let value = self.answer.value(self.row, column)?;
        Some(String::from_utf8_lossy(value))
    }
}

impl Session {
    /// Runs any number of statements, separated by `;`, and passes their results to `each` as they
    /// arrive.
    ///
    /// PostgreSQL runs the statements in one transaction, unless they contain a BEGIN or COMMIT, or
    /// the session is in a transaction. Within
    /// [`Database::transaction`](crate::Database::transaction), a COMMIT or ROLLBACK is refused,
    /// and nothing is sent. If a statement fails after a COMMIT, CALL or DO that may have
    /// committed, the [`outcome`](crate::Error::outcome) is [`Unknown`](crate::Outcome::Unknown).
    ///
    /// Takes one round trip, and constant memory, since rows are not kept. Values are text, since
    /// no Rust type is given. The limit is that of one call, without the time that `each` takes. If
    /// `each` breaks, the server is asked to cancel the rest. That is an error, unless the
    /// statements had ended before.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// # use bowline::{Result, Session};
    /// # use bowline::session::SimpleQueryMessage;
    /// # fn print(session: &mut Session) -> Result<()> {
    /// session.simple_query("SELECT now(); SHOW work_mem", |message| {
    ///     if let SimpleQueryMessage::Row(row) = message {
    ///         println!("{}", row.get(0).unwrap_or_default());
    ///     }
    ///     ControlFlow::Continue(())
    /// })
    /// # }
    /// ```
    pub fn simple_query(
        &mut self,
        sql: &str,
        mut each: impl FnMut(SimpleQueryMessage<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut described = false;
        self.run_script_with(
            sql,
            Some(&mut |part| pass(&part, &mut described, &mut each)),
        )
        .map(drop)
    }
}

/// Passes a part to `each`; `described` is whether the columns of its statement were passed before.
fn pass(
    part: &SimpleQueryPart,
    described: &mut bool,
    each: &mut impl FnMut(SimpleQueryMessage<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (answer, tag) = match part {
        SimpleQueryPart::Copied(data) => return each(SimpleQueryMessage::CopyData(data)),
        SimpleQueryPart::Answer { result, tag } => (result, tag),
    };
    let status = answer.status();
    if matches!(status, ResultStatus::Chunk | ResultStatus::Rows) {
        if !std::mem::replace(described, true) {
            each(SimpleQueryMessage::RowDescription(&columns(answer)))?;
        }
        for row in 0..answer.row_count() {
            each(SimpleQueryMessage::Row(SimpleRow { answer, row }))?;
        }
    }
    match tag {
        // Empty text between two `;` is no statement.
        Some(tag) if status != ResultStatus::Empty => {
            *described = false;
            each(SimpleQueryMessage::CommandComplete(tag))
        }
        _ => ControlFlow::Continue(()),
    }
}

fn columns(answer: &ResultSet) -> Vec<SimpleColumn> {
    (0..answer.column_count())
        .map(|column| SimpleColumn {
            name: answer.column_name(column).unwrap_or_default().to_owned(),
            type_oid: answer.column_type(column).map_or(0, NonZeroU32::get),
        })
        .collect()
}
