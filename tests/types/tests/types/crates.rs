//! The types of the crates that settings name: what they hold, and what they do not.

use std::ops::Bound;

use bowline::types::jiff;
use bowline::types::pgvector::{HalfVector, SparseVector, Vector, sql_types as vectors};
use bowline::types::rust_decimal::Decimal;
use bowline::{Database, Result, StatementDsl as _, sql_query};
use diesel::sql_types;

use super::values::read;

macro_rules! of_one_column {
    ($name:ident, $sql:ty, $rust:ty) => {
        #[derive(bowline::Row, Debug, PartialEq)]
        struct $name {
            #[diesel(sql_type = $sql)]
            v: $rust,
        }
    };
}

of_one_column!(ClockOfJiff, sql_types::Time, jiff::Time);
of_one_column!(DateOfJiff, sql_types::Date, jiff::Date);
of_one_column!(TimestampOfJiff, sql_types::Timestamp, jiff::DateTime);
of_one_column!(MomentOfJiff, sql_types::Timestamptz, jiff::Timestamp);
of_one_column!(
    RangeOfJiff,
    bowline::types::range_markers::jiff::Tstzrange,
    (Bound<jiff::Timestamp>, Bound<jiff::Timestamp>)
);
of_one_column!(Number, sql_types::Numeric, Decimal);
of_one_column!(
    Numbers,
    sql_types::Array<sql_types::Nullable<sql_types::Numeric>>,
    Vec<Option<Decimal>>
);

#[bowline::test]
fn the_crate_jiff_reads_no_other_times(db: Database) -> Result<()> {
    assert_eq!(read::<ClockOfJiff>(&db, "'24:00'::time"), None);
    for (date, fits) in [
        ("infinity", false),
        ("-infinity", false),
        ("5874897-12-31", false),
        ("10000-01-01", false),
        ("9999-12-30", true),
        ("0001-12-31 BC", true),
        ("4713-11-24 BC", true),
        ("1999-12-31", true),
    ] {
        let read_date = read::<DateOfJiff>(&db, &format!("'{date}'::date"));
        assert_eq!(read_date.is_some(), fits, "{date}: {read_date:?}");
        // No timestamp is as late.
        if date.starts_with('5') {
            continue;
        }
        let timestamp = read::<TimestampOfJiff>(&db, &format!("'{date}'::timestamp"));
        assert_eq!(timestamp.is_some(), fits, "{date}: {timestamp:?}");
        let moment = read::<MomentOfJiff>(&db, &format!("'{date}'::timestamptz"));
        assert_eq!(moment.is_some(), fits, "{date}: {moment:?}");
    }
    let empty = read::<RangeOfJiff>(&db, "'empty'::tstzrange");
    let default = jiff::Timestamp::default;
    assert_eq!(
        empty.map(|range| range.v),
        Some((Bound::Excluded(default()), Bound::Excluded(default())))
    );
    Ok(())
}

/// PostgreSQL writes each value as jiff does, before and after 2000, and takes it back.
#[bowline::test]
fn times_of_jiff_are_those_of_the_server(db: Database) -> Result<()> {
    for at in [
        "1969-12-31T23:59:59.999999Z",
        "1999-12-31T23:59:59.000001Z",
        "2000-01-01T00:00:00Z",
        "2026-11-30T08:20:00.5Z",
        "-004712-11-24T00:00:00Z",
    ] {
        let at: jiff::Timestamp = serde_json::from_value(at.into()).expect("a time");
        let local = jiff::DateTime(::jiff::tz::TimeZone::UTC.to_datetime(at.0));
        let (date, clock) = (jiff::Date(local.date()), jiff::Time(local.time()));
        let written = sql_query(
            "SELECT $1, $2, $3, $4, $1 = $2 AT TIME ZONE 'UTC', $2 = $3 + $4, \
             extract(epoch FROM $1)::numeric * 1000000",
        )
        .bind::<sql_types::Timestamptz, _>(at)
        .bind::<sql_types::Timestamp, _>(local)
        .bind::<sql_types::Date, _>(date)
        .bind::<sql_types::Time, _>(clock);
        type Written = (
            jiff::Timestamp,
            jiff::DateTime,
            jiff::Date,
            jiff::Time,
            bool,
            bool,
            Decimal,
        );
        let seen = db.run(written.one::<Written>())?;
        let since = Decimal::from(at.as_microsecond());
        assert_eq!(seen, (at, local, date, clock, true, true, since), "{at}");
    }
    // What is less than a microsecond is cut off.
    let fine = jiff::Time(::jiff::civil::time(23, 59, 59, 999_999_999));
    let written = sql_query("SELECT $1::text").bind::<sql_types::Time, _>(fine);
    assert_eq!(db.run(written.one::<String>())?, "23:59:59.999999");
    Ok(())
}

#[bowline::test]
fn the_crate_rust_decimal_reads_numbers_of_28_digits(db: Database) -> Result<()> {
    let most = "79228162514264337593543950335";
    for (number, expected) in [
        ("NaN", None),
        ("Infinity", None),
        ("-Infinity", None),
        ("1e29", None),
        ("79228162514264337593543950336", None),
        (most, Some(most)),
        (
            "-0.0000000000000000000000000001",
            Some("-0.0000000000000000000000000001"),
        ),
        ("1.50", Some("1.50")),
        ("0", Some("0")),
        ("10000", Some("10000")),
        // More digits behind the point than the type holds are rounded.
        (
            "0.00000000000000000000000000006",
            Some("0.0000000000000000000000000001"),
        ),
    ] {
        let found = read::<Number>(&db, &format!("'{number}'::numeric"));
        let found = found.map(|number| number.v.to_string());
        assert_eq!(found.as_deref(), expected, "{number}");
    }
    let list = read::<Numbers>(&db, "'{1.5,NULL}'::numeric[]").map(|list| list.v);
    assert_eq!(list, Some(vec![Some(Decimal::new(15, 1)), None]));
    for number in ["0.1", "-12345678.9", "100000000", most] {
        let number: Decimal = number.parse().expect("a number");
        let written = sql_query("SELECT $1, $1::text").bind::<sql_types::Numeric, _>(number);
        let (read, text) = db.run(written.one::<(Decimal, String)>())?;
        assert_eq!((read, text), (number, number.to_string()));
    }
    Ok(())
}

/// Types with the names of the extension's, whose values are the bytes that are sent.
const VECTORS: &str = "DO $$
    DECLARE name text;
    BEGIN
        FOREACH name IN ARRAY ARRAY['vector', 'halfvec', 'sparsevec'] LOOP
            EXECUTE format('CREATE TYPE %I', name);
            EXECUTE format('CREATE FUNCTION %I(cstring) RETURNS %I AS $f$byteain$f$ LANGUAGE internal STRICT', name || '_in', name);
            EXECUTE format('CREATE FUNCTION %I(%I) RETURNS cstring AS $f$byteaout$f$ LANGUAGE internal STRICT', name || '_out', name);
            EXECUTE format('CREATE FUNCTION %I(internal) RETURNS %I AS $f$bytearecv$f$ LANGUAGE internal STRICT', name || '_recv', name);
            EXECUTE format('CREATE FUNCTION %I(%I) RETURNS bytea AS $f$byteasend$f$ LANGUAGE internal STRICT', name || '_send', name);
            EXECUTE format('CREATE TYPE %1$I (INPUT = %2$I, OUTPUT = %3$I, RECEIVE = %4$I, SEND = %5$I)', name, name || '_in', name || '_out', name || '_recv', name || '_send');
        END LOOP;
    END $$";

/// The extension is not at hand: types of its names take the bytes as they are, which are those
/// that its documentation describes.
#[bowline::test]
fn vectors_are_sent_in_the_form_of_the_extension(db: Database) -> Result<()> {
    db.run(sql_query(VECTORS).affected())?;
    let dense = Vector::from(vec![1.0, -2.5]);
    let half = HalfVector::from_f32_slice(&[1.0, -2.5]);
    let sparse = SparseVector::from_dense(&[0.0, 1.0, 0.0, -2.5]);
    #[derive(bowline::Row)]
    struct Seen {
        #[diesel(sql_type = sql_types::Text)]
        dense: String,
        #[diesel(sql_type = sql_types::Text)]
        half: String,
        #[diesel(sql_type = sql_types::Text)]
        sparse: String,
        #[diesel(sql_type = sql_types::Array<vectors::Vector>)]
        list: Vec<Vector>,
        #[diesel(sql_type = vectors::HalfVector)]
        half_again: HalfVector,
        #[diesel(sql_type = vectors::SparseVector)]
        sparse_again: SparseVector,
    }
    let sent = sql_query(
        "SELECT v::text AS dense, h::text AS half, s::text AS sparse, ARRAY[v] AS list, \
         h AS half_again, s AS sparse_again FROM (SELECT $1 AS v, $2 AS h, $3 AS s) AS q",
    )
    .bind::<vectors::Vector, _>(dense.clone())
    .bind::<vectors::HalfVector, _>(half.clone())
    .bind::<vectors::SparseVector, _>(sparse.clone());
    let seen = db.run(sent.one::<Seen>())?;
    assert_eq!(seen.dense, r"\x000200003f800000c0200000");
    assert_eq!(seen.half, r"\x000200003c00c100");
    assert_eq!(
        seen.sparse,
        r"\x00000004000000020000000000000001000000033f800000c0200000"
    );
    assert_eq!(seen.list, [dense]);
    assert_eq!(seen.half_again, half);
    assert_eq!(seen.sparse_again, sparse);
    Ok(())
}
