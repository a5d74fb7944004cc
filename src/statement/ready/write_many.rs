//! Writes of many rows in one round trip.

use std::collections::HashMap;

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, HasSqlType};
use diesel::{Column, Expression};

use super::ahead::EncodedAhead;
use super::column_values::{ColumnArrays, ColumnValues, GivenArrays, GivenColumns};
use super::row_key::{KeyArrays, RowKey};
use super::{AnswerRow, Given, Query, StaticSql, Write};
use crate::chunks::MAX_PARAMETERS;
use crate::command::text::ColumnSet;
use crate::error::Result;
use crate::statement::{Answers, Encoder, Sealed, Statement};

/// A write of many rows, which returns them as stored, in the order in which they were given.
///
/// All rows are written, or none, in one round trip. Rows that give values for the same columns
/// are one command, whose SQL does not depend on their number. A row that a trigger suppresses is
/// missing in the output.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct WriteMany<R> {
    commands: Vec<Part<R>>,
    /// The number of all rows.
    rows: usize,
}

/// The rows that one command writes.
#[derive(Debug)]
struct Part<R> {
    query: Query<Vec<R>, Write>,
    /// The numbers of the rows.
    numbers: Vec<usize>,
}

impl<R> WriteMany<R> {
    /// Returns an insert with an array for each column; the gap `{rows}` of the SQL is for them.
    ///
    /// Rows without any value are inserted one by one.
    #[doc(hidden)]
    pub fn by_columns<V: ColumnArrays>(rows: Vec<impl Into<V>>, sql: &'static StaticSql) -> Self {
        let rows: Vec<V> = rows.into_iter().map(Into::into).collect();
        let command = |(set, numbers): (ColumnSet, Vec<usize>)| {
            let mut values = EncodedAhead::default();
            let given = arrays(
                &mut values,
                set,
                numbers.iter().map(|number| &rows[*number]),
            );
            Part {
                query: Query {
                    given: Some(Box::new([given, Given::default()])),
                    values,
                    ..Query::new(sql)
                },
                numbers,
            }
        };
        Self {
            rows: rows.len(),
            commands: alike(rows.iter(), false).into_iter().map(command).collect(),
        }
    }

    /// Returns an insert with parameters for each value; the gap `{new}` of the SQL is for the
    /// columns and rows.
    ///
    /// `unnest` would take an array of arrays apart to its last elements, so this is the form for a
    /// table with a column that is an array. A command has up to 256 rows, and the numbers of rows
    /// are few, so that few statements are prepared.
    #[doc(hidden)]
    pub fn by_rows<V: ColumnValues>(rows: Vec<impl Into<V>>, sql: &'static StaticSql) -> Self {
        let rows: Vec<V> = rows.into_iter().map(Into::into).collect();
        let mut commands = Vec::new();
        for (set, numbers) in alike(rows.iter(), false) {
            let mut given = Given {
                set,
                names: V::COLUMNS,
                casts: V::CASTS,
                rows: 1,
            };
            let columns = given.len();
            let mut rest = numbers.as_slice();
            while !rest.is_empty() {
                given.rows = rows_at_once(rest.len(), columns);
                let (part, later) = rest.split_at(given.rows);
                rest = later;
                let mut values = EncodedAhead::default();
                for number in part {
                    rows[*number].collect(&mut GivenColumns::new(&mut values));
                }
                commands.push(Part {
                    query: Query {
                        given: Some(Box::new([given.clone(), Given::default()])),
                        values,
                        ..Query::new(sql)
                    },
                    numbers: part.to_vec(),
                });
            }
        }
        Self {
            rows: rows.len(),
            commands,
        }
    }

    /// Returns an update of rows by their keys, with an array for each column that is changed.
    #[doc(hidden)]
    pub fn by_keys<V: ColumnArrays>(changes: Vec<(R::Key, V)>, sql: &'static StaticSql) -> Self
    where
        R: RowKey,
    {
        let bind = |values: &mut EncodedAhead, numbers: &[usize]| {
            let keys = numbers.iter().map(|number| &changes[*number].0);
            R::collect_keys(&keys.collect::<Vec<_>>(), &mut KeyArrays::new(values));
        };
        Self::by_arrays(changes.iter().map(|(_, changes)| changes), sql, bind)
    }

    /// Returns an update of rows by their keys and versions.
    #[doc(hidden)]
    pub fn by_versions<C, V, N>(changes: Vec<(R::Key, N, V)>, sql: &'static StaticSql) -> Self
    where
        R: RowKey,
        V: ColumnArrays,
        C: Column,
        <C as Expression>::SqlType: 'static,
        Pg: HasSqlType<<C as Expression>::SqlType> + HasSqlType<Array<<C as Expression>::SqlType>>,
        N: ToSql<<C as Expression>::SqlType, Pg>,
    {
        let bind = |values: &mut EncodedAhead, numbers: &[usize]| {
            let rows = || numbers.iter().map(|number| &changes[*number]);
            let keys: Vec<&R::Key> = rows().map(|(key, _, _)| key).collect();
            let mut arrays = KeyArrays::new(values);
            R::collect_keys(&keys, &mut arrays);
            arrays.add::<C, N>(rows().map(|(_, version, _)| version));
        };
        Self::by_arrays(changes.iter().map(|(_, _, changes)| changes), sql, bind)
    }

    fn by_arrays<'v, V: ColumnArrays + 'v>(
        changes: impl ExactSizeIterator<Item = &'v V> + Clone,
        sql: &'static StaticSql,
        bind_keys: impl Fn(&mut EncodedAhead, &[usize]),
    ) -> Self {
        let rows: Vec<&V> = changes.clone().collect();
        let command = |(set, numbers): (ColumnSet, Vec<usize>)| {
            let mut values = EncodedAhead::default();
            bind_keys(&mut values, &numbers);
            let given = arrays(&mut values, set, numbers.iter().map(|number| rows[*number]));
            Part {
                query: Query {
                    given: Some(Box::new([Given::default(), given])),
                    values,
                    ..Query::new(sql)
                },
                numbers,
            }
        };
        Self {
            rows: rows.len(),
            commands: alike(changes, true).into_iter().map(command).collect(),
        }
    }
}

/// Returns the number of rows of the next command, of those that are left.
fn rows_at_once(left: usize, columns: usize) -> usize {
    let is_fit = |rows: &usize| *rows <= left && rows * columns <= MAX_PARAMETERS;
    [256, 32, 4].into_iter().find(is_fit).unwrap_or(1)
}

/// Returns the numbers of the rows that give values for the same columns. Rows without any value
/// are one group, or one each.
fn alike<'v, V: ColumnValues + 'v>(
    rows: impl Iterator<Item = &'v V>,
    joins_empty: bool,
) -> Vec<(ColumnSet, Vec<usize>)> {
    let mut alike: Vec<(ColumnSet, Vec<usize>)> = Vec::new();
    let mut groups: HashMap<ColumnSet, usize> = HashMap::new();
    for (number, row) in rows.enumerate() {
        let set = GivenColumns::set_of(row);
        match groups.get(&set) {
            Some(group) if joins_empty || !set.is_empty() => alike[*group].1.push(number),
            _ => {
                groups.insert(set.clone(), alike.len());
                alike.push((set, vec![number]));
            }
        }
    }
    alike
}

/// Adds the values of rows as an array for each column.
fn arrays<'v, V: ColumnArrays + 'v>(
    values: &mut EncodedAhead,
    set: ColumnSet,
    rows: impl Iterator<Item = &'v V>,
) -> Given {
    let rows: Vec<&V> = rows.collect();
    V::collect_arrays(&rows, &mut GivenArrays::new(values, &set));
    Given {
        set,
        names: V::COLUMNS,
        casts: V::CASTS,
        rows: 1,
    }
}

impl<R> Sealed for WriteMany<R> {}

impl<R: AnswerRow> Statement for WriteMany<R> {
    type Output = Vec<R>;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.commands
            .iter()
            .try_for_each(|part| part.query.push(encoder))
    }

    fn decode(&self, answers: &mut Answers) -> Result<Vec<R>> {
        if let [part] = self.commands.as_slice() {
            return part.query.decode(answers);
        }
        let mut stored: Vec<Option<R>> = Vec::new();
        stored.resize_with(self.rows, || None);
        for part in &self.commands {
            let rows = part.query.decode(answers)?;
            for (number, row) in part.numbers.iter().zip(rows) {
                stored[*number] = Some(row);
            }
        }
        Ok(stored.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::sql_types::{Array, Integer};

    struct Tags(Vec<i32>);

    impl ColumnValues for Tags {
        const COLUMNS: &'static [&'static str] = &["tags"];

        fn collect(&self, given: &mut GivenColumns<'_>) {
            given.add_as::<Array<Integer>, _>(&self.0);
        }
    }

    #[test]
    fn rows_with_arrays_are_few_commands() {
        static SQL: StaticSql = StaticSql {
            sql: "INSERT INTO a {new}",
            ..StaticSql::EMPTY
        };
        for (rows, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (38, vec![32, 4, 1, 1]),
            (600, vec![256, 256, 32, 32, 4, 4, 4, 4, 4, 4]),
        ] {
            let new: Vec<Tags> = (0..rows).map(|number| Tags(vec![number])).collect();
            let all = WriteMany::<()>::by_rows::<Tags>(new, &SQL);
            let numbers = all.commands.iter().map(|part| part.numbers.len());
            assert_eq!(numbers.collect::<Vec<_>>(), expected);
            let numbers = all.commands.iter().flat_map(|part| &part.numbers);
            assert!(numbers.copied().eq(0..all.rows));
        }
        assert_eq!(rows_at_once(1000, 300), 32);
        assert_eq!(rows_at_once(1000, 65_535), 1);
    }
}
