//! The columns that a row to insert, or a struct of changes, gives values for.

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, HasSqlType};
use diesel::{Column, Expression};

use super::ahead::EncodedAhead;
use crate::command::text::ColumnSet;

/// A struct with a value for each of some columns. `column_values!` implements it.
#[doc(hidden)]
pub trait ColumnValues {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The casts of their parameters, such as `text::tsvector`; empty if there are none.
    const CASTS: &'static [&'static str] = &[];

    /// Adds the values, in the order of the columns.
    fn collect(&self, given: &mut GivenColumns<'_>);
}

/// A struct whose values can be sent as one array for each column. `column_arrays!` implements it.
#[doc(hidden)]
pub trait ColumnArrays: ColumnValues + Sized {
    /// Adds an array for each column that the rows give a value for.
    fn collect_arrays(rows: &[&Self], given: &mut GivenArrays<'_>);
}

/// A collector of the values of one row.
#[doc(hidden)]
#[derive(Debug)]
pub struct GivenColumns<'v> {
    /// `None` where only the set is wanted.
    values: Option<&'v mut EncodedAhead>,
    set: ColumnSet,
    next: usize,
}

impl<'v> GivenColumns<'v> {
    pub(super) fn new(values: &'v mut EncodedAhead) -> Self {
        Self {
            values: Some(values),
            set: ColumnSet::default(),
            next: 0,
        }
    }

    /// Returns the columns that a row gives values for.
    pub(super) fn set_of<V: ColumnValues>(row: &V) -> ColumnSet {
        let mut given = Self {
            values: None,
            set: ColumnSet::default(),
            next: 0,
        };
        row.collect(&mut given);
        given.set
    }

    pub(super) fn finish(self) -> ColumnSet {
        self.set
    }

    /// Adds the value of the next column.
    pub fn add<C, T>(&mut self, value: &T)
    where
        C: Column,
        Pg: HasSqlType<<C as Expression>::SqlType>,
        T: ToSql<<C as Expression>::SqlType, Pg>,
    {
        self.add_as::<C::SqlType, T>(value);
    }

    /// Adds the value of the next column, as an SQL type.
    pub fn add_as<ST, T>(&mut self, value: &T)
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg>,
    {
        if let Some(values) = &mut self.values {
            values.push::<ST, T>(value);
        }
        self.set.insert(self.next);
        self.next += 1;
    }

    /// Adds the value of the next column, if it is given.
    pub fn add_if<C, T>(&mut self, value: &Option<T>)
    where
        C: Column,
        Pg: HasSqlType<<C as Expression>::SqlType>,
        T: ToSql<<C as Expression>::SqlType, Pg>,
    {
        self.add_if_as::<C::SqlType, T>(value);
    }

    /// Adds the value of the next column, as an SQL type, if it is given.
    pub fn add_if_as<ST, T>(&mut self, value: &Option<T>)
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg>,
    {
        match value {
            Some(value) => self.add_as::<ST, T>(value),
            None => self.next += 1,
        }
    }
}

/// A collector of the columns of several rows that give values for the same columns.
#[doc(hidden)]
#[derive(Debug)]
pub struct GivenArrays<'v> {
    values: &'v mut EncodedAhead,
    set: &'v ColumnSet,
    next: usize,
}

impl<'v> GivenArrays<'v> {
    pub(super) fn new(values: &'v mut EncodedAhead, set: &'v ColumnSet) -> Self {
        Self {
            values,
            set,
            next: 0,
        }
    }

    /// Adds the values of the next column as an array, if the rows give any.
    pub fn add<'r, C, T>(&mut self, values: impl Iterator<Item = &'r T>)
    where
        C: Column,
        <C as Expression>::SqlType: 'static,
        Pg: HasSqlType<<C as Expression>::SqlType> + HasSqlType<Array<<C as Expression>::SqlType>>,
        T: ToSql<<C as Expression>::SqlType, Pg> + 'r,
    {
        self.add_as::<C::SqlType, T>(values);
    }

    /// Adds the values of the next column as an array of an SQL type, if the rows give any.
    pub fn add_as<'r, ST: 'static, T>(&mut self, values: impl Iterator<Item = &'r T>)
    where
        Pg: HasSqlType<ST> + HasSqlType<Array<ST>>,
        T: ToSql<ST, Pg> + 'r,
    {
        if self.set.contains(self.next) {
            let values: Vec<&T> = values.collect();
            self.values.push::<Array<ST>, [&T]>(&values);
        }
        self.next += 1;
    }
}
