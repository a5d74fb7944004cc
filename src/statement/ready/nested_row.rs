//! A row within a row, as a value that diesel reads.

use diesel::deserialize;
use diesel::pg::PgValue;

use super::record::Record;
use super::table_row::{AnswerRow, Fields};

/// Reads a row from the bytes of a record.
#[doc(hidden)]
pub fn read_record<R: AnswerRow>(value: PgValue<'_>) -> deserialize::Result<R> {
    let mut fields = Fields::of_record(Record::new(value.as_bytes())?);
    let row = R::read(&mut fields)?;
    match fields.unread() {
        0 => Ok(row),
        more => Err(format!("the row has {more} more columns than the program expects").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row_of::RECORD;
    use super::*;
    use std::num::NonZeroU32;

    use diesel::sql_types::{Array, BigInt, Nullable, Text};

    use crate::command::columns::Columns;

    #[derive(Debug, PartialEq)]
    struct Line {
        id: i64,
        note: Option<String>,
        tags: Vec<String>,
    }

    impl AnswerRow for Line {
        fn describe(_: &mut Columns) {}

        fn read(fields: &mut Fields<'_>) -> deserialize::Result<Self> {
            Ok(Self {
                id: fields.read_named::<BigInt, _>("id")?,
                note: fields.read_named::<Nullable<Text>, _>("note")?,
                tags: fields.read_named::<Array<Text>, _>("tags")?,
            })
        }
    }

    fn record(columns: &[(u32, Option<&[u8]>)]) -> Vec<u8> {
        let mut bytes = u32::try_from(columns.len()).unwrap().to_be_bytes().to_vec();
        for (oid, value) in columns {
            bytes.extend(oid.to_be_bytes());
            match value {
                None => bytes.extend((-1_i32).to_be_bytes()),
                Some(value) => {
                    bytes.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
                    bytes.extend(*value);
                }
            }
        }
        bytes
    }

    fn array(first: i32) -> Vec<u8> {
        let words = [1, 0, 25, 1, first, 1];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.push(b'x');
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Line, String> {
        let oid = NonZeroU32::new(RECORD).unwrap();
        read_record(PgValue::new(bytes, &oid)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_is_read_by_its_columns() {
        let id = 7_i64.to_be_bytes();
        let tags = array(1);
        let bytes = record(&[(20, Some(&id)), (25, None), (1009, Some(&tags))]);
        let line = Line {
            id: 7,
            note: None,
            tags: vec!["x".to_owned()],
        };
        assert_eq!(read(&bytes), Ok(line));
    }

    #[test]
    fn another_record_is_an_error() {
        let id = 7_i64.to_be_bytes();
        let (tags, from_0) = (array(1), array(0));
        for (columns, expected) in [
            (
                vec![(701, Some(&id[..])), (25, None), (1009, Some(&tags[..]))],
                "column \"id\": it has type float8, but the program expects int8",
            ),
            (
                vec![(20, Some(&id[..]))],
                "column \"note\": the row has no such column",
            ),
            (
                vec![
                    (20, Some(&id[..])),
                    (25, None),
                    (1009, Some(&tags)),
                    (25, None),
                ],
                "the row has 1 more columns than the program expects",
            ),
            (
                vec![(20, None), (25, None), (1009, Some(&tags))],
                "column \"id\": Unexpected null for non-null column",
            ),
            (
                vec![(20, Some(&id[..])), (25, None), (1009, Some(&from_0))],
                "column \"tags\": the array's subscripts begin at 0, and a Vec holds only those that begin at 1",
            ),
        ] {
            assert_eq!(read(&record(&columns)), Err(expected.to_owned()));
        }
    }

    #[test]
    fn incomplete_bytes_are_an_error() {
        let id = 7_i64.to_be_bytes();
        let tags = array(1);
        let bytes = record(&[(20, Some(&id)), (25, Some(b"a")), (1009, Some(&tags))]);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{length} bytes");
        }
    }
}
