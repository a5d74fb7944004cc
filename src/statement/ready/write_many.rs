//! Writes of many rows in one round trip.

use std::borrow::Cow;
use std::collections::HashMap;

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, HasSqlType};
use diesel::{Column, Expression};
use foldhash::fast::RandomState;

use super::ahead::EncodedAhead;
use super::column_values::{ColumnArrays, ColumnValues, GivenArrays, GivenColumns};
use super::given_keys::{GivenKeys, Repeated};
use super::row_key::{KeyArrays, RowKey};
use super::{AnswerRow, Given, Query, StaticSql, Write};
use crate::chunks::MAX_PARAMETERS;
use crate::command::ExpectedRows;
use crate::command::text::ColumnSet;
use crate::error::Result;
use crate::statement::{Answers, Encoder, Sealed, Statement};

/// A write of many rows, which returns them as stored, in the order in which they were given.
///
/// All rows are written, or none, in one round trip. Rows that give values for the same columns
/// are one command, whose SQL does not depend on their number. A row that a trigger suppresses is
/// missing in the output.
///
/// If two changes are for the same key, or two rows of an upsert have the same values of the
/// columns that decide, nothing is sent. The error is of the kind
/// [`Query`](crate::ErrorKind::Query) and has the numbers of the rows.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct WriteMany<R> {
    commands: Vec<Part<R>>,
    /// The number of all rows.
    rows: usize,
    /// The rows that have the same key, if some do.
    repeated: Option<SameKey>,
}

/// Two rows of a function with the same values of some columns.
#[derive(Debug)]
struct SameKey {
    rows: Repeated,
    function: &'static str,
    columns: Cow<'static, str>,
}

/// The rows that one command writes.
#[derive(Debug)]
struct Part<R> {
    query: Query<Vec<R>, Write>,
    expected: ExpectedRows,
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
        let mut keys = GivenKeys::default();
        let command = |(set, numbers): (ColumnSet, Vec<usize>)| {
            let mut values = EncodedAhead::default();
            let given = arrays(
                &mut values,
                set,
                numbers.iter().map(|number| &rows[*number]),
            );
            if let Some(columns) = once(sql, &given) {
                keys.add_arrays(&values, columns, &numbers);
            }
            Part {
                query: Query {
                    given: Some(Box::new([given, Given::default()])),
                    values,
                    ..Query::new(sql)
                },
                expected: ExpectedRows::Any,
                numbers,
            }
        };
        let commands = alike(rows.iter(), false).into_iter().map(command).collect();
        Self {
            rows: rows.len(),
            commands,
            repeated: same_columns(keys, sql),
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
        let mut keys = GivenKeys::default();
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
                if let Some(key) = once(sql, &given) {
                    keys.add_rows(&values, &key, columns, part);
                }
                commands.push(Part {
                    query: Query {
                        given: Some(Box::new([given.clone(), Given::default()])),
                        values,
                        ..Query::new(sql)
                    },
                    expected: ExpectedRows::Any,
                    numbers: part.to_vec(),
                });
            }
        }
        Self {
            rows: rows.len(),
            commands,
            repeated: same_columns(keys, sql),
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
            values.len()
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
            R::collect_keys(&keys, &mut KeyArrays::new(values));
            let columns = values.len();
            KeyArrays::new(values).add::<C, N>(rows().map(|(_, version, _)| version));
            columns
        };
        Self::by_arrays(changes.iter().map(|(_, _, changes)| changes), sql, bind)
    }

    /// Returns an update of rows by their keys, with a command for each: the columns that are
    /// changed can be arrays, which cannot be elements of one.
    #[doc(hidden)]
    pub fn one_by_one<V>(
        changes: Vec<(R::Key, V)>,
        function: &'static str,
        update: impl Fn(R::Key, V) -> Query<R, Write>,
    ) -> Self
    where
        R: RowKey + AnswerRow,
    {
        let repeated = same_key::<R>(changes.iter().map(|(key, _)| key), function);
        let queries = changes
            .into_iter()
            .map(|(key, changes)| update(key, changes));
        Self::of_queries(queries, repeated)
    }

    /// Returns an update of rows by their keys and versions, with a command for each.
    #[doc(hidden)]
    pub fn versions_one_by_one<V, N>(
        changes: Vec<(R::Key, N, V)>,
        function: &'static str,
        update: impl Fn(R::Key, N, V) -> Query<R, Write>,
    ) -> Self
    where
        R: RowKey + AnswerRow,
    {
        let repeated = same_key::<R>(changes.iter().map(|(key, _, _)| key), function);
        let update = |(key, version, changes)| update(key, version, changes);
        Self::of_queries(changes.into_iter().map(update), repeated)
    }

    fn of_queries(
        queries: impl Iterator<Item = Query<R, Write>>,
        repeated: Option<SameKey>,
    ) -> Self {
        let part = |(number, query): (usize, Query<R, Write>)| Part {
            query: query.returning(),
            expected: ExpectedRows::One,
            numbers: vec![number],
        };
        let commands: Vec<_> = queries.enumerate().map(part).collect();
        Self {
            rows: commands.len(),
            commands,
            repeated,
        }
    }

    fn by_arrays<'v, V: ColumnArrays + 'v>(
        changes: impl ExactSizeIterator<Item = &'v V> + Clone,
        sql: &'static StaticSql,
        bind_keys: impl Fn(&mut EncodedAhead, &[usize]) -> usize,
    ) -> Self {
        let rows: Vec<&V> = changes.clone().collect();
        let mut keys = GivenKeys::default();
        let command = |(set, numbers): (ColumnSet, Vec<usize>)| {
            let mut values = EncodedAhead::default();
            let columns = bind_keys(&mut values, &numbers);
            keys.add_arrays(&values, 0..columns, &numbers);
            let given = arrays(&mut values, set, numbers.iter().map(|number| rows[*number]));
            Part {
                query: Query {
                    given: Some(Box::new([Given::default(), given])),
                    values,
                    ..Query::new(sql)
                },
                expected: ExpectedRows::Any,
                numbers,
            }
        };
        let commands = alike(changes, true).into_iter().map(command).collect();
        Self {
            rows: rows.len(),
            commands,
            repeated: of_key(keys, sql.function),
        }
    }
}

/// Returns the places of the columns that can be given once; `None` if there are none, and for rows
/// that leave one to PostgreSQL.
fn once(sql: &StaticSql, given: &Given) -> Option<Vec<usize>> {
    let places = given.places(sql.once)?;
    (!places.is_empty()).then_some(places)
}

/// Returns the rows with the same values of the columns that can be given once.
fn same_columns(keys: GivenKeys, sql: &'static StaticSql) -> Option<SameKey> {
    Some(SameKey {
        rows: keys.repeated()?,
        function: sql.function,
        columns: sql.once.join(" and ").into(),
    })
}

/// Returns the rows with the same key.
fn of_key(keys: GivenKeys, function: &'static str) -> Option<SameKey> {
    Some(SameKey {
        rows: keys.repeated()?,
        function,
        columns: "key".into(),
    })
}

fn same_key<'k, R: RowKey>(
    given: impl Iterator<Item = &'k R::Key>,
    function: &'static str,
) -> Option<SameKey>
where
    R::Key: 'k,
{
    let given: Vec<&R::Key> = given.collect();
    let mut values = EncodedAhead::default();
    R::collect_keys(&given, &mut KeyArrays::new(&mut values));
    let rows: Vec<usize> = (0..given.len()).collect();
    let mut keys = GivenKeys::default();
    keys.add_arrays(&values, 0..values.len(), &rows);
    of_key(keys, function)
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
    let mut groups: HashMap<ColumnSet, usize, RandomState> = HashMap::default();
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
        if let Some(same) = &self.repeated {
            return Err(same.rows.error(same.function, &same.columns));
        }
        self.commands
            .iter()
            .try_for_each(|part| part.query.push_expecting(part.expected, encoder))
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
