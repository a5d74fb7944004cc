//! The columns of an answer, compared with the types that Rust reads them as.
//!
//! diesel decodes bytes by the SQL type that it expects of a column, and does not see the type that
//! the server reports. A `double precision` read as `bigint` has the right width, but is another
//! number. So the expected types are compared with the types of the answer. That is done once for
//! each prepared statement, and for each answer of an unnamed one. Types that diesel knows by name
//! are not looked up for the comparison. The server decides about types in doubt, once for a pool.

mod built_in;
mod values;

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::sync::Arc;

use diesel::expression::QueryMetadata;
use diesel::pg::{
    FailedToLookupTypeError, Pg, PgMetadataCacheKey, PgMetadataLookup, PgTypeMetadata,
};
use diesel::sql_types::HasSqlType;

use crate::command::types::{SqlType, TypeName, TypePair};
use crate::error::{Error, Result};
use crate::wire::answer::Answer;
pub(crate) use values::ValueCheck;

/// Collects the columns that a Rust type is read from.
pub(crate) type Describe = fn(&mut Columns);

/// The columns that a Rust type is read from, in the order of its fields.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Columns {
    names: Names,
    all: Vec<ReadColumn>,
    /// Whether diesel's own `load` reads them. Mismatches that diesel itself refuses are then left
    /// to diesel.
    is_diesels: bool,
}

/// One column, as Rust reads it.
#[derive(Debug, PartialEq, Eq)]
struct ReadColumn {
    /// `None` for one that is read by its position.
    name: Option<&'static str>,
    /// `None` if it is unknown.
    sql_type: Option<SqlType>,
}

/// The types that were asked for by name, each under two OIDs that stand for it and for its array.
#[derive(Debug, Default)]
struct Names(Vec<TypeName>);

/// The first OID that stands for a name. The server assigns such OIDs after four billion others.
const FIRST_NAME: u32 = 0xffff_0000;

/// The first OID that is not built in (PostgreSQL's `FirstNormalObjectId`).
pub(crate) const FIRST_NORMAL: u32 = 16384;

/// The checks of values in answers whose columns have the right types; none for most.
pub(crate) type Checks = Arc<[(usize, ValueCheck)]>;

/// The result of comparing the columns.
#[derive(Debug)]
pub(crate) struct Compared {
    /// Pairs of types that only the server can judge, with the number of the column.
    pub(crate) doubts: Vec<(usize, TypePair)>,
    pub(crate) checks: Vec<(usize, ValueCheck)>,
}

impl PgMetadataLookup for Names {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let name = TypeName {
            schema: schema.map(str::to_owned),
            name: type_name.to_owned(),
        };
        let number = self.0.iter().position(|known| *known == name);
        let number = number.unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        });
        let oid = u32::try_from(number).map(|number| FIRST_NAME + 2 * number);
        PgTypeMetadata::from_result(oid.map(|oid| (oid, oid + 1)).map_err(|_| {
            let key = PgMetadataCacheKey::new(schema.map(Cow::Borrowed), Cow::Borrowed(type_name));
            FailedToLookupTypeError::new(key.into_owned())
        }))
    }
}

/// Names the columns of a typed query: one for each of its SQL types, by position.
pub(crate) fn by_position<ST>(columns: &mut Columns)
where
    Pg: QueryMetadata<ST>,
{
    let mut found = Vec::new();
    <Pg as QueryMetadata<ST>>::row_metadata(&mut columns.names, &mut found);
    for metadata in found {
        columns.push(None, metadata.as_ref());
    }
}

/// Names the columns as [`by_position`] does, for diesel's own `load`, which accepts any subscripts
/// of an array, and has an error of its own for integers of another width.
pub(crate) fn by_position_as_diesel<ST>(columns: &mut Columns)
where
    Pg: QueryMetadata<ST>,
{
    columns.is_diesels = true;
    by_position::<ST>(columns);
}

impl Columns {
    /// Adds a column that is read by its name, as this SQL type.
    pub fn named<ST>(&mut self, name: &'static str)
    where
        Pg: HasSqlType<ST>,
    {
        let metadata = <Pg as HasSqlType<ST>>::metadata(&mut self.names);
        self.push(Some(name), Some(&metadata));
    }

    /// Adds a column that is read by its position, as this SQL type.
    pub fn positional<ST>(&mut self)
    where
        Pg: HasSqlType<ST>,
    {
        let metadata = <Pg as HasSqlType<ST>>::metadata(&mut self.names);
        self.push(None, Some(&metadata));
    }

    /// Compares a column with one of a table that is written to: it has the same type, or a domain
    /// over that type.
    pub(crate) fn check_target(
        &self,
        number: usize,
        name: &str,
        type_oid: u32,
        base: u32,
        type_name: &str,
    ) -> Result<()> {
        let sent = self
            .all
            .get(number)
            .and_then(|column| column.sql_type.as_ref());
        match sent {
            Some(sent) if !sent.is_stored_in(type_oid, base) => Err(Error::query(format!(
                "column {name:?} has type {type_name}, but the program sends {sent}"
            ))
            .with_hint(
                "run the migrations, or `bowline generate` if the database is ahead of the program",
            )),
            _ => Ok(()),
        }
    }

    fn push(&mut self, name: Option<&'static str>, metadata: Option<&PgTypeMetadata>) {
        let oid = metadata.and_then(|metadata| metadata.oid().ok());
        let sql_type = oid.and_then(|oid| self.sql_type(oid));
        self.all.push(ReadColumn { name, sql_type });
    }

    /// Returns the type of an OID that diesel gave. 0 stands for an array of arrays, which has no
    /// OID.
    fn sql_type(&self, oid: u32) -> Option<SqlType> {
        let named = oid.checked_sub(FIRST_NAME).and_then(|number| {
            let name = self.names.0.get(usize::try_from(number / 2).ok()?)?;
            Some(SqlType::Named {
                name: name.clone(),
                is_array: number % 2 == 1,
            })
        });
        match oid {
            0 => None,
            oid => Some(named.unwrap_or(SqlType::BuiltIn(oid))),
        }
    }

    /// Compares the columns with those of an answer.
    ///
    /// `is_dsl` is true for a diesel query, and false for handwritten SQL.
    pub(crate) fn compare(&self, answer: &Answer, is_dsl: bool) -> Result<Compared> {
        let mut compared = Compared {
            doubts: Vec::new(),
            checks: Vec::new(),
        };
        // A query without types (diesel's `sql_query`) is not compared: diesel checks the width.
        if self
            .all
            .iter()
            .any(|column| column.name.is_none() && column.sql_type.is_none())
        {
            return Ok(compared);
        }
        for (number, column) in self.all.iter().enumerate() {
            let Some(number) = column.find(number, answer)? else {
                // If there are too few columns, reading the row fails.
                break;
            };
            let (Some(expected), Some(actual)) = (&column.sql_type, answer.column_type(number))
            else {
                continue;
            };
            let actual = actual.get();
            match expected.reads(actual) {
                Some(true) => {}
                Some(false) if self.is_diesels && expected.differs_in_width(actual) => {}
                Some(false) if is_dsl && is_current_timestamp(expected, actual, number, answer) => {
                }
                Some(false) if is_untyped(actual, number, answer) => {
                    compared.checks.push(only_null(expected, number, answer));
                }
                Some(false) => return Err(mismatch(answer, number, &type_name(actual), expected)),
                None => compared.doubts.push((number, (actual, expected.clone()))),
            }
            if let Some(check) = ValueCheck::of(expected, actual, !self.is_diesels) {
                compared.checks.push((number, check));
            }
        }
        Ok(compared)
    }
}

/// Checks an attribute or a bound of a range: its type, if known, has to be read as this SQL type.
pub(crate) fn check_value<ST>(
    value: Option<&[u8]>,
    actual: Option<NonZeroU32>,
) -> std::result::Result<(), String>
where
    Pg: HasSqlType<ST>,
{
    let mut columns = Columns::default();
    columns.positional::<ST>();
    let expected = columns.all.pop().and_then(|column| column.sql_type);
    let Some(expected) = expected else {
        return Ok(());
    };
    let actual = match (actual, &expected) {
        (Some(actual), _) => actual.get(),
        (None, SqlType::BuiltIn(oid)) => *oid,
        (None, SqlType::Named { .. }) => FIRST_NORMAL,
    };
    if expected.reads(actual) == Some(false) {
        return Err(format!(
            "it has type {}, and {expected} was expected",
            type_name(actual)
        ));
    }
    match (ValueCheck::of(&expected, actual, true), value) {
        (Some(check), Some(value)) => check.check(value),
        _ => Ok(()),
    }
}

impl ReadColumn {
    /// Returns the index of the column in the answer.
    fn find(&self, number: usize, answer: &Answer) -> Result<Option<usize>> {
        let mut all = 0..answer.column_count();
        let Some(name) = self.name else {
            return Ok(all.nth(number));
        };
        match all.find(|column| answer.column_name(*column) == Some(name)) {
            Some(found) => Ok(Some(found)),
            None => {
                let names: Vec<_> = (0..answer.column_count())
                    .filter_map(|column| answer.column_name(column))
                    .collect();
                Err(
                    Error::decode(format!("the answer has no column {name:?}")).with_hint(format!(
                        "name it in the SQL with AS; the answer has: {}",
                        names.join(", ")
                    )),
                )
            }
        }
    }
}

/// Returns whether it may be CURRENT_TIMESTAMP, which diesel calls a Timestamp.
fn is_current_timestamp(expected: &SqlType, actual: u32, number: usize, answer: &Answer) -> bool {
    *expected == SqlType::BuiltIn(built_in::TIMESTAMP)
        && actual == built_in::TIMESTAMPTZ
        && !answer.is_of_a_table(number)
}

/// Returns whether it may be a NULL of no type, which the server calls text.
pub(crate) fn is_untyped(actual: u32, number: usize, answer: &Answer) -> bool {
    actual == built_in::TEXT && !answer.is_of_a_table(number)
}

/// Returns the check of a column whose type matches as long as all its values are NULL: one answer,
/// or a part of it, says nothing about the next.
pub(crate) fn only_null(expected: &SqlType, number: usize, answer: &Answer) -> (usize, ValueCheck) {
    let name = answer.column_name(number).unwrap_or_default();
    (
        number,
        ValueCheck::OnlyNull {
            column: name.into(),
            expected: expected.clone(),
        },
    )
}

impl SqlType {
    /// Returns whether values of a type are read as this one; `None` where only the server can say.
    pub(crate) fn reads(&self, actual: u32) -> Option<bool> {
        match self {
            Self::BuiltIn(expected) if *expected == actual => Some(true),
            Self::BuiltIn(built_in::RECORD | built_in::RECORD_ARRAY) if actual >= FIRST_NORMAL => {
                Some(true)
            }
            // An enum read as text, an extension's type, an array of a domain.
            Self::BuiltIn(_) if actual >= FIRST_NORMAL => None,
            Self::BuiltIn(expected) => Some(built_in::reads(*expected, actual)),
            Self::Named { .. } if actual >= FIRST_NORMAL => Some(true),
            // A domain, whose values arrive as those of its base type, or a built-in type.
            Self::Named { .. } => None,
        }
    }

    /// Returns whether a value in doubt passes where the server cannot be asked.
    pub(crate) fn may_read(&self) -> bool {
        match self {
            Self::BuiltIn(oid) => *oid == built_in::TEXT || built_in::is_array(*oid),
            Self::Named { .. } => true,
        }
    }

    /// Returns whether values of this type are stored in a column of that one in binary.
    fn is_stored_in(&self, type_oid: u32, base: u32) -> bool {
        match self {
            Self::BuiltIn(built_in::RECORD | built_in::RECORD_ARRAY) => type_oid >= FIRST_NORMAL,
            Self::BuiltIn(sent) => built_in::is_stored_in(*sent, base),
            Self::Named { .. } => type_oid >= FIRST_NORMAL,
        }
    }

    /// Returns whether both are integers, of which diesel refuses those of another width.
    fn differs_in_width(&self, actual: u32) -> bool {
        let is_integer = |oid: u32| matches!(oid, 20 | 21 | 23);
        matches!(self, Self::BuiltIn(expected) if is_integer(*expected) && is_integer(actual))
    }

    fn is_array(&self) -> bool {
        match self {
            Self::BuiltIn(oid) => built_in::is_array(*oid),
            Self::Named { is_array, .. } => *is_array,
        }
    }
}

impl std::fmt::Display for SqlType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn(oid) => f.write_str(&type_name(*oid)),
            Self::Named { name, is_array } => {
                if let Some(schema) = &name.schema {
                    write!(f, "{schema}.")?;
                }
                f.write_str(&name.name)?;
                f.write_str(if *is_array { "[]" } else { "" })
            }
        }
    }
}

/// Returns the name of a type, as far as it is known here.
pub(crate) fn type_name(oid: u32) -> Cow<'static, str> {
    built_in::name(oid).unwrap_or_else(|| format!("a type of this database (OID {oid})").into())
}

/// Returns the error of a column that has another type.
pub(crate) fn mismatch(answer: &Answer, column: usize, actual: &str, expected: &SqlType) -> Error {
    let name = answer.column_name(column).unwrap_or_default();
    wrong_type(name, actual, expected)
}

/// Returns the error of a column of this name that has another type.
pub(crate) fn wrong_type(name: &str, actual: &str, expected: &SqlType) -> Error {
    Error::decode(format!(
        "column {name:?} has type {actual}, but the program expects {expected}"
    ))
    .with_hint(
        "run the migrations, or `bowline generate` if the database is ahead of the program; in SQL by hand, \
         cast the column or change the type of the field",
    )
}

/// Checks the values of an answer whose columns have the right types.
pub(crate) fn check_values(answer: &Answer, checks: &Checks) -> Result<()> {
    for (column, check) in checks.iter() {
        for row in 0..answer.row_count() {
            let Some(value) = answer.value(row, *column) else {
                continue;
            };
            if let ValueCheck::OnlyNull { column, expected } = check {
                return Err(wrong_type(column, &type_name(built_in::TEXT), expected));
            }
            if let Err(why) = check.check(value) {
                let name = answer.column_name(*column).unwrap_or_default();
                return Err(Error::decode(format!("column {name:?}: {why}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::{
        Array, BigInt, Double, Inet, Integer, Nullable, Oid, Record, Text, Timestamp,
    };

    use super::*;

    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "mood", schema = "tenant"))]
    struct Mood;

    fn types<ST>() -> Vec<Option<SqlType>>
    where
        Pg: QueryMetadata<ST>,
    {
        let mut columns = Columns::default();
        by_position::<ST>(&mut columns);
        let all = columns.all.into_iter();
        all.map(|column| column.sql_type).collect()
    }

    fn reads<ST: diesel::sql_types::SingleValue>(actual: u32) -> Option<bool>
    where
        Pg: HasSqlType<ST>,
    {
        types::<ST>()[0].as_ref().expect("a type").reads(actual)
    }

    #[test]
    fn the_types_of_a_query_are_found_by_position() {
        let name = || TypeName {
            schema: Some("tenant".to_owned()),
            name: "mood".to_owned(),
        };
        let named = |is_array| SqlType::Named {
            name: name(),
            is_array,
        };
        assert_eq!(
            types::<(BigInt, (Nullable<Text>, Mood), Array<Nullable<Mood>>)>(),
            [
                Some(SqlType::BuiltIn(20)),
                Some(SqlType::BuiltIn(25)),
                Some(named(false)),
                Some(named(true))
            ]
        );
        assert_eq!(types::<Array<Array<Integer>>>(), [None]);
        assert_eq!(
            types::<diesel::expression::expression_types::Untyped>(),
            [None]
        );
    }

    #[test]
    fn only_types_with_the_same_bytes_are_read_for_each_other() {
        for (same, name) in [
            (reads::<BigInt>(20), "int8"),
            (reads::<Text>(1043), "varchar"),
            (reads::<Text>(1042), "bpchar"),
            (reads::<Text>(19), "name"),
            (reads::<Array<Text>>(1015), "varchar[]"),
            (reads::<Oid>(2205), "regclass"),
            (reads::<Record<(Integer,)>>(20_000), "a composite type"),
            (reads::<Mood>(20_000), "an enum"),
        ] {
            assert_eq!(same, Some(true), "{name}");
        }
        for (other, name) in [
            (reads::<BigInt>(701), "float8"),
            (reads::<BigInt>(1184), "timestamptz"),
            (reads::<BigInt>(1083), "time"),
            (reads::<BigInt>(790), "money"),
            (reads::<Double>(20), "int8"),
            (reads::<Timestamp>(1184), "timestamptz"),
            (reads::<Inet>(650), "cidr"),
            (reads::<Text>(17), "bytea"),
            (reads::<Text>(3802), "jsonb"),
            (reads::<Integer>(26), "oid"),
            (reads::<Array<Integer>>(1021), "float4[]"),
            (reads::<Array<BigInt>>(20), "int8"),
        ] {
            assert_eq!(other, Some(false), "{name}");
        }
        for doubt in [
            reads::<Text>(20_000),
            reads::<Mood>(25),
            reads::<BigInt>(20_000),
        ] {
            assert_eq!(doubt, None);
        }
    }
}
