//! The key of a table's rows, of which many are sent as one array for each column.

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, HasSqlType};
use diesel::{Column, Expression};

use super::Query;
use super::ahead::EncodedAhead;

/// A row with a key. `row_key!` implements it.
#[doc(hidden)]
pub trait RowKey {
    /// The type of the key: of its column, or a tuple.
    type Key;

    /// Adds an array for each column of the key.
    fn collect_keys(keys: &[&Self::Key], arrays: &mut KeyArrays<'_>);
}

/// A collector of the columns of several keys.
#[doc(hidden)]
#[derive(Debug)]
pub struct KeyArrays<'v>(&'v mut EncodedAhead);

impl<'v> KeyArrays<'v> {
    pub(super) fn new(values: &'v mut EncodedAhead) -> Self {
        Self(values)
    }

    /// Adds the values of the next column as an array.
    pub fn add<'r, C, T>(&mut self, values: impl Iterator<Item = &'r T>)
    where
        C: Column,
        <C as Expression>::SqlType: 'static,
        Pg: HasSqlType<<C as Expression>::SqlType> + HasSqlType<Array<<C as Expression>::SqlType>>,
        T: ToSql<<C as Expression>::SqlType, Pg> + 'r,
    {
        self.add_as::<C::SqlType, T>(values);
    }

    /// Adds the values of the next column as an array of an SQL type.
    pub fn add_as<'r, ST: 'static, T>(&mut self, values: impl Iterator<Item = &'r T>)
    where
        Pg: HasSqlType<ST> + HasSqlType<Array<ST>>,
        T: ToSql<ST, Pg> + 'r,
    {
        let values: Vec<&T> = values.collect();
        self.0.push::<Array<ST>, [&T]>(&values);
    }
}

impl<O, A> Query<O, A> {
    /// Binds keys, as an array for each column.
    #[doc(hidden)]
    pub fn keys<R: RowKey>(mut self, keys: &[R::Key]) -> Self {
        let keys: Vec<&R::Key> = keys.iter().collect();
        R::collect_keys(&keys, &mut KeyArrays::new(&mut self.values));
        self
    }
}
