//! Typed COPY: Rust rows in PostgreSQL's binary format (PostgreSQL manual, COPY, "Binary Format").
//!
//! This is the fastest way to load or to read many rows. Rows are encoded while they are made and
//! decoded while they arrive; neither side holds all of them.

mod columns;
mod encode;

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::ops::DerefMut;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use diesel::pg::{CopyTarget, Pg, PgMetadataLookup, PgQueryBuilder};
use diesel::query_builder::{AstPass, QueryBuilder as _, QueryFragment};
use diesel::result::QueryResult;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::HasSqlType;

use crate::command::columns::{Checks, Columns, Describe, check_values};
use crate::command::types::TypeLookup;
use crate::command::{Command, ReadAs};
use crate::error::{Error, Result};
use crate::retry::is_about_types;
use crate::session::Session;
use crate::session::copy::{Copy, CopyDirection, PIECE, Taken};
use crate::sql_text::single_statement::bare;
use crate::statement::{RowReader, RowStatement, Statement};
use crate::wire::answer::{Answer, ColumnDescription, Packing};
use crate::wire::executor::block_on;
use crate::wire::row::SessionRow;

/// A row for columns of this SQL type: a tuple with a value for each column.
///
/// The trait is sealed by its methods, which only tuples implement.
pub trait CopyRow<ST> {
    /// The number of columns.
    #[doc(hidden)]
    const WIDTH: usize;

    /// Encodes the value of this column, counted from 0.
    #[doc(hidden)]
    fn encode<'b>(&'b self, column: usize, out: &mut Output<'b, '_, Pg>) -> serialize::Result;

    /// Looks up the types of the columns, so that unknown types are recorded.
    #[doc(hidden)]
    fn types(lookup: &mut (dyn PgMetadataLookup + 'static));

    /// Adds the columns of the values.
    #[doc(hidden)]
    fn describe(columns: &mut Columns);
}

macro_rules! rows {
    ($($V:ident $ST:ident $index:tt),+) => {
        impl<$($V, $ST),+> CopyRow<($($ST,)+)> for ($($V,)+)
        where
            $($V: ToSql<$ST, Pg>, Pg: HasSqlType<$ST>,)+
        {
            const WIDTH: usize = [$($index),+].len();

            fn encode<'b>(
                &'b self,
                column: usize,
                out: &mut Output<'b, '_, Pg>,
            ) -> serialize::Result {
                match column {
                    $($index => <$V as ToSql<$ST, Pg>>::to_sql(&self.$index, out),)+
                    _ => Err("the row has no such column".into()),
                }
            }

            fn types(lookup: &mut (dyn PgMetadataLookup + 'static)) {
                $(drop(<Pg as HasSqlType<$ST>>::metadata(lookup));)+
            }

            fn describe(columns: &mut Columns) {
                $(columns.positional::<$ST>();)+
            }
        }
    };
}

rows!(V0 S0 0);
rows!(V0 S0 0, V1 S1 1);
rows!(V0 S0 0, V1 S1 1, V2 S2 2);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4, V5 S5 5);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4, V5 S5 5, V6 S6 6);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4, V5 S5 5, V6 S6 6, V7 S7 7);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4, V5 S5 5, V6 S6 6, V7 S7 7, V8 S8 8);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4, V5 S5 5, V6 S6 6, V7 S7 7, V8 S8 8, V9 S9 9);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4, V5 S5 5, V6 S6 6, V7 S7 7, V8 S8 8, V9 S9 9, V10 S10 10);
rows!(V0 S0 0, V1 S1 1, V2 S2 2, V3 S3 3, V4 S4 4, V5 S5 5, V6 S6 6, V7 S7 7, V8 S8 8, V9 S9 9, V10 S10 10, V11 S11 11);

/// The beginning of every binary COPY: the signature, no flags, no extension.
const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const SIGNATURE: usize = 11;
/// The end of every binary COPY: a row of -1 columns.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

impl Session {
    /// Loads rows into these columns, or into a whole table, by binary COPY; returns the number of
    /// rows.
    ///
    /// Loads all rows or none, in two round trips, however many rows. Each step may take as long as
    /// one call. If the server refuses a row, or a row cannot be encoded, [`Error::row`] returns
    /// its number. Columns that are not named take their defaults. Binary COPY has no types, so the
    /// types of the columns are compared before anything is sent, in the same round trips.
    ///
    /// ```
    /// # use bank::schema::accounts;
    /// # fn load(session: &mut bowline::Session) -> bowline::Result<u64> {
    /// let columns = (accounts::username, accounts::balance);
    /// session.copy_in(columns, (0..1000_i64).map(|n| (format!("user{n}"), n)))
    /// # }
    /// ```
    pub fn copy_in<C, R>(&mut self, columns: C, rows: impl IntoIterator<Item = R>) -> Result<u64>
    where
        C: CopyTarget,
        R: CopyRow<C::SqlType>,
    {
        let mut rows = rows.into_iter();
        let source = move |_: &mut Context<'_>| Poll::Ready(rows.next());
        block_on(copy_in(self, columns, source, true))
    }

    /// Returns the rows of a query by binary COPY, as they arrive: one round trip, however many
    /// rows.
    ///
    /// Rows are read by position, since the format has no names. Their types are compared first, by
    /// a cursor over the query, which is declared and closed in the same round trip. So the query
    /// must only read, and takes no parameters; [`Session::stream`] takes other queries.
    pub fn copy_out<S: RowStatement>(
        &mut self,
        mut rows: S,
    ) -> Result<CopiedRows<&mut Self, S::Row>> {
        let begin = CopiedRows::begin(self, &mut rows, S::reader(), S::describe, true);
        block_on(begin)
    }
}

/// `COPY table (columns) FROM STDIN`
struct CopyIn<C>(PhantomData<C>);

impl<C: CopyTarget> QueryFragment<Pg> for CopyIn<C> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("COPY ");
        C::walk_target(pass.reborrow())?;
        pass.push_sql(" FROM STDIN (FORMAT binary)");
        Ok(())
    }
}

/// Loads rows, which `source` returns as they are polled for, into columns. Without `may_block`, a
/// task that drops this does not wait for the end of the COPY.
pub(crate) fn copy_in<C, R, P, H>(
    session: H,
    _columns: C,
    source: P,
    may_block: bool,
) -> impl Future<Output = Result<u64>> + use<C, R, P, H>
where
    C: CopyTarget,
    R: CopyRow<C::SqlType>,
    P: FnMut(&mut Context<'_>) -> Poll<Option<R>>,
    H: DerefMut<Target = Session>,
{
    let mut builder = PgQueryBuilder::default();
    let sql = CopyIn::<C>(PhantomData).to_sql(&mut builder, &Pg);
    let sql = sql.map(|()| builder.finish());
    async move { copy_in_by::<C::SqlType, R>(session, sql?, source, may_block).await }
}

async fn copy_in_by<ST, R: CopyRow<ST>>(
    mut session: impl DerefMut<Target = Session>,
    sql: String,
    mut source: impl FnMut(&mut Context<'_>) -> Poll<Option<R>>,
    may_block: bool,
) -> Result<u64> {
    let mut first = poll_fn(&mut source).await;
    // It is borrowed for a change: a reference across a wait would demand `Sync` of rows.
    let known = session.known_types(|lookup| {
        R::types(lookup);
        // A value of a type with a name may have values of further types within.
        if lookup.take_has_looked_up()
            && let Some(first) = &mut first
        {
            drop(encode::rows::<ST, R>(
                std::slice::from_ref(first),
                lookup,
                &mut Vec::new(),
            ));
        }
    });
    let mut lookup = known.await?;
    let (question, names) = columns::of_target(&sql);
    let begin = Copy::begin(session, &sql, CopyDirection::In, Some(&question), may_block);
    let mut copy = begin.await?;
    if let Some(answer) = copy.described() {
        let mut expected = Columns::default();
        R::describe(&mut expected);
        columns::check_target(&expected, &names, &answer)
            .map_err(|error| error.with_sql(sql.as_str().into()))?;
    }
    let sent = send(&mut copy, first, source, &mut lookup).await;
    // The elements of an array carry the OID of their type.
    if sent
        .as_ref()
        .is_err_and(|error: &Error| error.sqlstate().is_some_and(is_about_types))
    {
        copy.session().forget_schema();
    }
    sent
}

/// Sends rows, and waits for the server's answer.
async fn send<ST, R: CopyRow<ST>>(
    copy: &mut Copy<impl DerefMut<Target = Session>>,
    first: Option<R>,
    mut source: impl FnMut(&mut Context<'_>) -> Poll<Option<R>>,
    lookup: &mut TypeLookup,
) -> Result<u64> {
    let mut piece = Vec::with_capacity(2 * PIECE);
    piece.extend_from_slice(&HEADER);
    let mut sent = 0;
    let (mut batch, mut size) = (Vec::with_capacity(encode::BATCH), 1);
    batch.extend(first);
    while !batch.is_empty() {
        let before = piece.len();
        encode::rows(&batch, lookup, &mut piece)
            .map_err(|(number, error)| error.with_row(sent + number))?;
        sent += batch.len() as u64;
        // Large rows are not kept in memory together.
        size = if piece.len() - before > PIECE {
            (size / 2).max(1)
        } else {
            (2 * size).min(encode::BATCH)
        };
        if piece.len() >= PIECE {
            copy.feed(&mut piece).await?;
        }
        batch.clear();
        poll_fn(|context| fill(&mut batch, size, &mut source, context)).await;
    }
    piece.extend_from_slice(&TRAILER);
    copy.feed(&mut piece).await?;
    copy.finish().await
}

/// Takes rows until there are this many, or no more.
fn fill<R>(
    batch: &mut Vec<R>,
    size: usize,
    source: &mut impl FnMut(&mut Context<'_>) -> Poll<Option<R>>,
    context: &mut Context<'_>,
) -> Poll<()> {
    while batch.len() < size {
        match ready!(source(context)) {
            Some(row) => batch.push(row),
            None => break,
        }
    }
    Poll::Ready(())
}

/// The SQL before a query that is copied.
const BEGINNING: &str = "COPY (\n";

/// The rows of a COPY as they arrive; returned by [`Session::copy_out`] and
/// [`Database::copy_out`](crate::Database::copy_out).
///
/// The first error ends them. If they are dropped early, the COPY is cancelled and the session can
/// be used further; within a transaction the transaction fails.
#[must_use = "rows are sent as they are taken"]
pub struct CopiedRows<H: DerefMut<Target = Session>, T> {
    copy: Copy<H>,
    arrived: CopyBuffer,
    rows: std::vec::IntoIter<SessionRow>,
    read: RowReader<T>,
    /// The checks of the values.
    checks: Option<Checks>,
    over: bool,
}

impl<H: DerefMut<Target = Session>, T> CopiedRows<H, T> {
    pub(crate) async fn begin(
        mut session: H,
        statement: &mut impl Statement,
        read: RowReader<T>,
        describe: Describe,
        may_block: bool,
    ) -> Result<Self> {
        let (text, is_dsl) = session.text_of(statement).await?;
        let text = bare(&text);
        let question = columns::of_query(&text)?;
        let sql = format!("{BEGINNING}{text}\n) TO STDOUT (FORMAT binary)");
        let begin = Copy::begin(
            session,
            &sql,
            CopyDirection::Out,
            Some(&question),
            may_block,
        );
        let mut copy = begin.await?;
        let mut checks = None;
        if let Some(answer) = copy.described() {
            let mut command = Command::plain(sql.as_str());
            (command.read_as, command.is_diesels) = (Some(ReadAs::new(describe)), is_dsl);
            let session = copy.session();
            command.path = session.search_path();
            let checked = session.check_answer(&mut command, &answer, None);
            checked
                .await
                .map_err(|error| error.with_sql(sql.as_str().into()))?;
            checks = command.read_as.and_then(|read_as| read_as.checks);
        }
        Ok(Self {
            copy,
            checks,
            arrived: CopyBuffer::default(),
            rows: Vec::new().into_iter(),
            read,
            over: false,
        })
    }

    /// Returns the next of the rows that have arrived.
    pub(crate) fn next_arrived(&mut self) -> Option<Result<T>> {
        self.rows.next().map(|row| (self.read)(&row))
    }

    /// Returns whether no more rows follow those that have arrived.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Waits for more rows, or for the end.
    pub(crate) async fn wait_for_rows(&mut self) -> Result<()> {
        let pulled = self.pull().await;
        self.over |= pulled.is_err();
        pulled
    }

    async fn pull(&mut self) -> Result<()> {
        match self.copy.take().await? {
            Taken::Data(data) => {
                let rows = self.arrived.rows(&data)?;
                if let (Some(rows), Some(checks)) = (&rows, &self.checks) {
                    check_values(rows, checks)?;
                }
                self.rows = rows
                    .map(SessionRow::all)
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .into_iter();
            }
            Taken::End(_) => self.over = true,
        }
        Ok(())
    }
}

impl<H: DerefMut<Target = Session>, T> Iterator for CopiedRows<H, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(row) = self.next_arrived() {
                return Some(row);
            }
            if self.is_over() {
                return None;
            }
            if let Err(error) = block_on(self.wait_for_rows()) {
                return Some(Err(error));
            }
        }
    }
}

impl<H: DerefMut<Target = Session>, T> fmt::Debug for CopiedRows<H, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopiedRows")
            .field("copy", &self.copy)
            .finish_non_exhaustive()
    }
}

/// The data of a binary COPY that has arrived but is not a whole row yet.
#[derive(Debug, Default)]
struct CopyBuffer {
    rest: Vec<u8>,
    begun: bool,
    columns: Option<Arc<[ColumnDescription]>>,
}

impl CopyBuffer {
    /// Returns the whole rows that have arrived; `None` if there are none.
    fn rows(&mut self, data: &[u8]) -> Result<Option<Answer>> {
        self.rest.extend_from_slice(data);
        let mut at = 0;
        if !self.begun {
            let Some(header) = self.rest.get(..HEADER.len()) else {
                return Ok(None);
            };
            if header[..SIGNATURE] != HEADER[..SIGNATURE] {
                return Err(not_binary());
            }
            at = HEADER.len();
            self.begun = true;
        }
        let mut packing = Packing::default();
        let mut rows = 0;
        while let Some((width, next)) = row(&self.rest, at, &mut packing)? {
            at = next;
            if width > 0 {
                rows += 1;
                self.columns.get_or_insert_with(|| {
                    (0..width)
                        .map(|_| ColumnDescription {
                            name: Box::from(""),
                            type_oid: None,
                            of_a_table: false,
                        })
                        .collect()
                });
            }
        }
        self.rest.drain(..at);
        let columns = self.columns.as_ref().filter(|_| rows > 0);
        Ok(columns.map(|columns| Answer::Packed(Box::new(packing.finish(Arc::clone(columns))))))
    }
}

/// Takes the row that begins here, if all of it has arrived. Returns the number of its columns, 0
/// for the end, and where the next row begins.
fn row(data: &[u8], start: usize, packing: &mut Packing) -> Result<Option<(usize, usize)>> {
    let Some(count) = data.get(start..start + 2) else {
        return Ok(None);
    };
    let Ok(count) = usize::try_from(i16::from_be_bytes([count[0], count[1]])) else {
        return Ok(Some((0, start + 2)));
    };
    // The whole row is parsed first, so that no part of an incomplete row is taken.
    let mut at = start + 2;
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let Some(length) = data.get(at..at + 4) else {
            return Ok(None);
        };
        let length = i32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        at += 4;
        match usize::try_from(length) {
            Err(_) => values.push(None),
            Ok(length) => match data.get(at..at + length) {
                None => return Ok(None),
                Some(value) => {
                    values.push(Some(value));
                    at += length;
                }
            },
        }
    }
    for value in values {
        packing
            .push(value)
            .ok_or_else(|| Error::decode("the rows of a COPY are larger than 4 GiB"))?;
    }
    Ok(Some((count, at)))
}

fn not_binary() -> Error {
    Error::decode("the server did not answer a COPY in binary format")
}
