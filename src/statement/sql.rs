//! SQL written by hand, and the rows that it returns.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::RunQueryDsl;
use diesel::deserialize::{self, FromSql};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::row::{NamedRow, Row as _};
use diesel::serialize::ToSql;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Date, Double, Float, HasSqlType, Integer, Jsonb, Nullable, Oid,
    SmallInt, Text, Time, Timestamp, Timestamptz,
};

use super::query::{All, One, Optional, Reading, Rows};
use crate::command::columns::Columns;
use crate::wire::row::SessionRow;

/// Returns a statement of handwritten SQL, with `$1`, `$2`, .. for values that are bound in this
/// order.
///
/// Rows are read by column name as a type that derives [`Row`], or by position as a tuple or a
/// single value. Each column's type is compared with the type that the server reports.
///
/// ```
/// # use bowline::{Database, Result, sql_query, ErrorKind};
/// # use diesel::sql_types::BigInt;
/// #[derive(bowline::Row)]
/// struct Balance {
///     username: String,
///     balance: i64,
/// }
///
/// # fn richest(db: &Database) -> Result<(Vec<Balance>, i64)> {
/// let rich = sql_query("SELECT username, balance FROM accounts WHERE balance >= $1").bind::<BigInt, _>(1_000_000);
/// let count = sql_query("SELECT count(*) FROM accounts").one::<i64>();
/// db.run((rich.all::<Balance>(), count))
/// # }
/// ```
///
/// `diesel::sql_query` can be run too. Its rows derive diesel's `QueryableByName`, which hides
/// their types, so a column of another type is noticed only if its width differs.
pub fn sql_query<'a>(sql: impl Into<String>) -> Sql<'a> {
    Sql {
        sql: sql.into(),
        values: Vec::new(),
    }
}

/// A statement of handwritten SQL; returned by [`sql_query`].
#[derive(Clone)]
#[must_use = "a statement does nothing until it is run"]
pub struct Sql<'a> {
    sql: String,
    values: Vec<Arc<dyn Value + Send + Sync + 'a>>,
}

/// A value to bind.
trait Value {
    fn bind<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

/// A value `V` of the SQL type `ST`.
struct Bound<ST, V>(V, PhantomData<fn() -> ST>);

impl<ST, V: ToSql<ST, Pg>> Value for Bound<ST, V>
where
    Pg: HasSqlType<ST>,
{
    fn bind<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_bind_param_value_only::<ST, _>(&self.0)
    }
}

impl<'a> Sql<'a> {
    /// Binds the next value, as this SQL type.
    pub fn bind<ST, V>(mut self, value: V) -> Self
    where
        V: ToSql<ST, Pg> + Send + Sync + 'a,
        ST: 'a,
        Pg: HasSqlType<ST>,
    {
        self.values.push(Arc::new(Bound(value, PhantomData)));
        self
    }

    /// Adds more SQL at the end.
    pub fn sql_query(mut self, sql: impl AsRef<str>) -> Self {
        self.sql.push_str(sql.as_ref());
        self
    }

    /// Returns a statement that reads all rows as `T`.
    pub fn all<T: Row>(self) -> Rows<Self, ByHand, T, All> {
        Rows::new(self)
    }

    /// Returns a statement that reads exactly one row as `T`.
    ///
    /// Any other number of rows is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) or
    /// [`ErrorKind::TooManyRows`](crate::ErrorKind::TooManyRows), and nothing is committed.
    pub fn one<T: Row>(self) -> Rows<Self, ByHand, T, One> {
        Rows::new(self)
    }

    /// Returns a statement that reads one row or none as `T`.
    ///
    /// More than one row is [`ErrorKind::TooManyRows`](crate::ErrorKind::TooManyRows), and nothing
    /// is committed.
    pub fn optional<T: Row>(self) -> Rows<Self, ByHand, T, Optional> {
        Rows::new(self)
    }
}

impl QueryFragment<Pg> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.unsafe_to_cache_prepared();
        pass.push_sql(&self.sql);
        for value in &self.values {
            value.bind(pass.reborrow())?;
        }
        Ok(())
    }
}

impl QueryId for Sql<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Diesel's own methods can execute it. Its rows are read only as a statement's, where their types
/// are compared.
impl<C> RunQueryDsl<C> for Sql<'_> {}

impl fmt::Debug for Sql<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql")
            .field("sql", &self.sql)
            .field("values", &self.values.len())
            .finish()
    }
}

/// The reading of rows of handwritten SQL, by the columns that their Rust type names.
#[derive(Debug)]
pub enum ByHand {}

impl<T: Row> Reading<T> for ByHand {
    fn describe(columns: &mut Columns) {
        T::describe(columns);
    }

    fn read(row: &SessionRow) -> deserialize::Result<T> {
        T::read(row)
    }
}

/// A row of handwritten SQL, which names the SQL types of its columns.
///
/// A struct that derives it is read by the names of the columns. A field's SQL type is the default
/// of its Rust type ([`DefaultSqlType`]), or the type that an attribute names:
///
/// ```
/// #[derive(bowline::Row)]
/// struct Line {
///     number: i32,
///     #[row(sql_type = diesel::sql_types::Json, column = "data")]
///     body: serde_json::Value,
/// }
/// ```
///
/// `#[row(embed)]` reads a field that is itself a `Row` from the same columns. diesel's attributes
/// of the same meaning (`#[diesel(sql_type = ..)]`, `column_name`, `embed`, `table_name`) work too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not read from SQL written by hand",
    note = "derive `bowline::Row` in place of diesel's `QueryableByName`",
    note = "rows that derive `QueryableByName` are read from `diesel::sql_query`"
)]
pub trait Row: Sized {
    /// Adds the columns from which a row is read.
    #[doc(hidden)]
    fn describe(columns: &mut Columns);

    /// Reads a row.
    #[doc(hidden)]
    fn read(row: &SessionRow) -> deserialize::Result<Self>;
}

/// Reads one field of a row.
#[doc(hidden)]
pub fn row_value<ST, T>(row: &SessionRow, name: &str) -> deserialize::Result<T>
where
    T: FromSql<ST, Pg>,
{
    NamedRow::get::<ST, T>(row, name).map_err(|error| format!("column {name:?}: {error}").into())
}

/// The SQL type from which a Rust type is read unless an attribute names another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no SQL type of its own",
    note = "write it at the field: `#[row(sql_type = ..)]`"
)]
pub trait DefaultSqlType {
    /// The SQL type, as a type of `diesel::sql_types`.
    type SqlType: 'static;
}

macro_rules! default_sql_types {
    ($($(#[$attribute:meta])* $T:ty => $ST:ty,)+) => {
        $($(#[$attribute])* impl DefaultSqlType for $T {
            type SqlType = $ST;
        })+
    };
}

default_sql_types! {
    bool => Bool,
    i16 => SmallInt,
    i32 => Integer,
    i64 => BigInt,
    u32 => Oid,
    f32 => Float,
    f64 => Double,
    String => Text,
    Vec<u8> => Binary,
    chrono::NaiveDate => Date,
    chrono::NaiveTime => Time,
    chrono::NaiveDateTime => Timestamp,
    chrono::DateTime<chrono::Utc> => Timestamptz,
    serde_json::Value => Jsonb,
    #[cfg(feature = "uuid")]
    uuid::Uuid => diesel::sql_types::Uuid,
    #[cfg(feature = "numeric")]
    bigdecimal::BigDecimal => diesel::sql_types::Numeric,
    #[cfg(feature = "rust-decimal")]
    rust_decimal::Decimal => diesel::sql_types::Numeric,
    #[cfg(feature = "network-address")]
    ipnetwork::IpNetwork => diesel::sql_types::Inet,
}

impl<T: DefaultSqlType> DefaultSqlType for Option<T>
where
    T::SqlType: diesel::sql_types::SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
{
    type SqlType = Nullable<T::SqlType>;
}

impl<T: DefaultSqlType> DefaultSqlType for Vec<T> {
    type SqlType = Array<T::SqlType>;
}

/// A single value is read from the first column.
impl<T> Row for T
where
    T: DefaultSqlType + FromSql<T::SqlType, Pg>,
    Pg: HasSqlType<T::SqlType>,
{
    fn describe(columns: &mut Columns) {
        columns.positional::<T::SqlType>();
    }

    fn read(row: &SessionRow) -> deserialize::Result<Self> {
        row.get_value(0)
    }
}

macro_rules! tuples {
    ($($T:ident $index:tt),+) => {
        impl<$($T),+> Row for ($($T,)+)
        where
            $($T: DefaultSqlType + FromSql<$T::SqlType, Pg>, Pg: HasSqlType<$T::SqlType>,)+
        {
            fn describe(columns: &mut Columns) {
                $(columns.positional::<$T::SqlType>();)+
            }

            fn read(row: &SessionRow) -> deserialize::Result<Self> {
                Ok(($(row.get_value::<$T::SqlType, $T, _>($index)?,)+))
            }
        }
    };
}

tuples!(T0 0);
tuples!(T0 0, T1 1);
tuples!(T0 0, T1 1, T2 2);
tuples!(T0 0, T1 1, T2 2, T3 3);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4, T5 5);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4, T5 5, T6 6);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4, T5 5, T6 6, T7 7);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4, T5 5, T6 6, T7 7, T8 8);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4, T5 5, T6 6, T7 7, T8 8, T9 9);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4, T5 5, T6 6, T7 7, T8 8, T9 9, T10 10);
tuples!(T0 0, T1 1, T2 2, T3 3, T4 4, T5 5, T6 6, T7 7, T8 8, T9 9, T10 10, T11 11);
