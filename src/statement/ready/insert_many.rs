//! Inserts of many rows in one round trip.

use std::collections::HashMap;

use super::ahead::EncodedAhead;
use super::column_values::{ColumnArrays, ColumnValues, GivenArrays, GivenColumns};
use super::{AnswerRow, Given, Query, StaticSql, Write};
use crate::command::text::ColumnSet;
use crate::error::Result;
use crate::statement::{Answers, Encoder, Sealed, Statement};

/// An insert of many rows, which returns them as stored, in the order in which they were given.
///
/// All rows are inserted, or none, in one round trip. Rows that give values for the same columns
/// are one `INSERT`, whose SQL does not depend on their number. A row that a trigger suppresses is
/// missing in the output.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct InsertMany<R> {
    inserts: Vec<Insert<R>>,
    /// The number of all rows.
    rows: usize,
}

/// The rows that one command inserts.
#[derive(Debug)]
struct Insert<R> {
    query: Query<Vec<R>, Write>,
    /// The numbers of the rows.
    numbers: Vec<usize>,
}

impl<R> InsertMany<R> {
    /// Returns an insert with an array for each column; the gap `{rows}` of the SQL is for them.
    ///
    /// Rows without any value are inserted one by one.
    #[doc(hidden)]
    pub fn by_columns<V: ColumnArrays>(rows: Vec<impl Into<V>>, sql: &'static StaticSql) -> Self {
        let rows: Vec<V> = rows.into_iter().map(Into::into).collect();
        let mut alike: Vec<(ColumnSet, Vec<usize>)> = Vec::new();
        let mut groups: HashMap<ColumnSet, usize> = HashMap::new();
        for (number, row) in rows.iter().enumerate() {
            let set = GivenColumns::set_of(row);
            match groups.get(&set) {
                Some(group) if !set.is_empty() => alike[*group].1.push(number),
                _ => {
                    groups.insert(set.clone(), alike.len());
                    alike.push((set, vec![number]));
                }
            }
        }
        let insert = |(set, numbers): (ColumnSet, Vec<usize>)| {
            let alike: Vec<&V> = numbers.iter().map(|number| &rows[*number]).collect();
            let mut values = EncodedAhead::default();
            V::collect_arrays(&alike, &mut GivenArrays::new(&mut values, &set));
            Insert {
                query: Query {
                    given: Some(Box::new([
                        Given {
                            set,
                            names: V::COLUMNS,
                            casts: V::CASTS,
                        },
                        Given::default(),
                    ])),
                    values,
                    ..Query::new(sql)
                },
                numbers,
            }
        };
        Self {
            rows: rows.len(),
            inserts: alike.into_iter().map(insert).collect(),
        }
    }

    /// Returns an insert with a command for each row; the gap `{new}` of the SQL is for its columns.
    ///
    /// An array of arrays cannot be sent for a column that is an array itself.
    #[doc(hidden)]
    pub fn by_rows<V: ColumnValues>(rows: Vec<impl Into<V>>, sql: &'static StaticSql) -> Self {
        let insert = |(number, row)| Insert {
            query: Query::new(sql).new_row::<V>(&Into::into(row)),
            numbers: vec![number],
        };
        Self {
            rows: rows.len(),
            inserts: rows.into_iter().enumerate().map(insert).collect(),
        }
    }
}

impl<R> Sealed for InsertMany<R> {}

impl<R: AnswerRow> Statement for InsertMany<R> {
    type Output = Vec<R>;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.inserts
            .iter()
            .try_for_each(|insert| insert.query.push(encoder))
    }

    fn decode(&self, answers: &mut Answers) -> Result<Vec<R>> {
        if let [insert] = self.inserts.as_slice() {
            return insert.query.decode(answers);
        }
        let mut stored: Vec<Option<R>> = Vec::new();
        stored.resize_with(self.rows, || None);
        for insert in &self.inserts {
            let rows = insert.query.decode(answers)?;
            for (number, row) in insert.numbers.iter().zip(rows) {
                stored[*number] = Some(row);
            }
        }
        Ok(stored.into_iter().flatten().collect())
    }
}
