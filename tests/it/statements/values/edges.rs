//! Each type that generated code reads, at the limits of its range: the result is the same value,
//! or `ErrorKind::Decode`.

use std::fmt::Debug;

use bowline::{Error, ErrorKind, Row, Session, sql_query};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::connection::SimpleConnection as _;
use serde_json::Value;

use crate::support::{server, test_database};

/// Reads an expression in every way, all of which have to agree. `Err` stands for `Decode`.
fn read<T: Row + Debug>(session: &mut Session, value: &str) -> Result<String, String> {
    let query = || sql_query(format!("SELECT {value} AS v"));
    let shown = |read: Result<T, Error>| match read {
        Ok(value) => Ok(format!("{value:?}")),
        Err(error) if error.kind() == ErrorKind::Decode => Err(error.message().to_owned()),
        Err(error) => panic!("{value}: {error:?}"),
    };
    let run = shown(session.run(query().one::<T>()));
    let streamed = session
        .stream(query().all::<T>())
        .map(|mut stream| stream.next().expect("a row"));
    let streamed = shown(streamed.and_then(|row| row));
    let copied = session
        .copy_out(query().all::<T>())
        .map(|mut rows| rows.next().expect("a row"));
    let copied = shown(copied.and_then(|row| row));
    assert_eq!(
        run.as_ref().ok(),
        streamed.as_ref().ok(),
        "{value}: {run:?} {streamed:?}"
    );
    assert_eq!(
        run.as_ref().ok(),
        copied.as_ref().ok(),
        "{value}: {run:?} {copied:?}"
    );
    run
}

/// Checks expressions against their expected values; `None` stands for `Decode`.
fn check<T: Row + Debug>(session: &mut Session, table: &[(&str, Option<&str>)]) {
    for (value, expected) in table {
        let read = read::<T>(session, value);
        assert_eq!(
            read.as_ref().ok().map(String::as_str),
            *expected,
            "{value}: {read:?}"
        );
    }
}

fn session() -> Session {
    Session::connect(&server().config("postgres")).expect("a server")
}

#[test]
fn numbers_are_the_same_at_their_edges() {
    let mut session = session();
    check::<i16>(
        &mut session,
        &[
            ("'-32768'::int2", Some("-32768")),
            ("'32767'::int2", Some("32767")),
        ],
    );
    check::<i32>(
        &mut session,
        &[
            ("'-2147483648'::int4", Some("-2147483648")),
            ("'2147483647'::int4", Some("2147483647")),
        ],
    );
    check::<i64>(
        &mut session,
        &[
            ("'-9223372036854775808'::int8", Some("-9223372036854775808")),
            ("9223372036854775807", Some("9223372036854775807")),
        ],
    );
    check::<u32>(
        &mut session,
        &[
            ("'4294967295'::oid", Some("4294967295")),
            ("0::oid", Some("0")),
        ],
    );
    check::<f32>(
        &mut session,
        &[
            ("'NaN'::float4", Some("NaN")),
            ("'-0'::float4", Some("-0.0")),
            ("'-Infinity'::float4", Some("-inf")),
            ("'3.4028235e38'::float4", Some("3.4028235e38")),
            ("'1e-45'::float4", Some("1e-45")),
        ],
    );
    check::<f64>(
        &mut session,
        &[
            ("'NaN'::float8", Some("NaN")),
            ("'-0'::float8", Some("-0.0")),
            ("'Infinity'::float8", Some("inf")),
            (
                "'1.7976931348623157e308'::float8",
                Some("1.7976931348623157e308"),
            ),
            ("'5e-324'::float8", Some("5e-324")),
        ],
    );
    check::<bool>(
        &mut session,
        &[("true", Some("true")), ("false", Some("false"))],
    );
}

#[test]
fn texts_and_bytes_are_the_same() {
    let mut session = session();
    check::<String>(
        &mut session,
        &[
            ("''::text", Some("\"\"")),
            ("'ab'::char(5)", Some("\"ab   \"")),
            ("'ab'::varchar(5)", Some("\"ab\"")),
            ("U&'\\+01F600'", Some("\"\u{1f600}\"")),
            ("NULL::text", None),
        ],
    );
    check::<Option<String>>(&mut session, &[("NULL::text", Some("None"))]);
    check::<Vec<u8>>(
        &mut session,
        &[
            ("''::bytea", Some("[]")),
            ("'\\x00ff'::bytea", Some("[0, 255]")),
        ],
    );
    check::<uuid::Uuid>(
        &mut session,
        &[(
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid",
            Some("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        )],
    );
}

#[test]
fn times_that_chrono_cannot_hold_are_no_other_times() {
    let mut session = session();
    check::<NaiveDate>(
        &mut session,
        &[
            ("'infinity'::date", None),
            ("'-infinity'::date", None),
            ("'4713-11-24 BC'::date", Some("-4712-11-24")),
            ("'0001-12-31 BC'::date", Some("0000-12-31")),
            ("'5874897-12-31'::date", None),
            ("'262142-12-31'::date", Some("+262142-12-31")),
        ],
    );
    check::<NaiveTime>(
        &mut session,
        &[
            ("'00:00'::time", Some("00:00:00")),
            ("'23:59:59.999999'::time", Some("23:59:59.999999")),
            ("'24:00'::time", None),
        ],
    );
    check::<Vec<NaiveTime>>(
        &mut session,
        &[
            ("ARRAY['23:59'::time]", Some("[23:59:00]")),
            ("ARRAY['00:00'::time, '24:00']", None),
        ],
    );
    check::<NaiveDateTime>(
        &mut session,
        &[
            ("'infinity'::timestamp", None),
            ("'-infinity'::timestamp", None),
            ("'294276-12-31 23:59:59.999999'::timestamp", None),
            (
                "'4713-11-24 00:00:00 BC'::timestamp",
                Some("-4712-11-24T00:00:00"),
            ),
            (
                "'1999-12-31 23:59:59.999999'::timestamp",
                Some("1999-12-31T23:59:59.999999"),
            ),
        ],
    );
    check::<DateTime<Utc>>(
        &mut session,
        &[
            ("'infinity'::timestamptz", None),
            ("'-infinity'::timestamptz", None),
            ("'294276-12-31 23:59:59.999999+00'::timestamptz", None),
            (
                "'0044-03-15 00:00:00+00 BC'::timestamptz",
                Some("-0043-03-15T00:00:00Z"),
            ),
        ],
    );
}

#[test]
fn arrays_that_a_vec_cannot_hold_are_no_other_arrays() {
    let mut session = session();
    check::<Vec<i32>>(
        &mut session,
        &[
            ("'{}'::int4[]", Some("[]")),
            ("'{1,2}'::int4[]", Some("[1, 2]")),
            ("'{1,NULL}'::int4[]", None),
            ("'{{1,2},{3,4}}'::int4[]", None),
            ("'[5:6]={1,2}'::int4[]", None),
            ("'[0:1]={1,2}'::int4[]", None),
            ("NULL::int4[]", None),
        ],
    );
    check::<Vec<Option<i32>>>(
        &mut session,
        &[
            ("'{1,NULL}'::int4[]", Some("[Some(1), None]")),
            ("'[2:2]={NULL}'::int4[]", None),
        ],
    );
    check::<Vec<i16>>(&mut session, &[("'1 2'::int2vector", Some("[1, 2]"))]);
}

#[test]
fn diesels_own_loading_takes_what_diesel_takes() {
    use diesel::prelude::*;
    use diesel::sql_types::{Array, Integer};
    let mut session = session();
    let array = diesel::dsl::sql::<Array<Integer>>("SELECT '[5:6]={1,2}'::int4[]");
    assert_eq!(array.load::<Vec<i32>>(&mut session), Ok(vec![vec![1, 2]]));
    let wide = diesel::dsl::sql::<Integer>("SELECT 1::int8");
    let error = wide.load::<i32>(&mut session).expect_err("another width");
    let error = Error::from(error);
    assert!(error.message().contains("4 bytes"), "{error}");
    let time = diesel::dsl::sql::<diesel::sql_types::Time>("SELECT '24:00'::time");
    time.load::<NaiveTime>(&mut session)
        .expect_err("no time of chrono's");
}

#[test]
fn numbers_in_json_are_not_rounded() {
    let mut session = session();
    check::<Value>(
        &mut session,
        &[
            ("'null'::jsonb", Some("Null")),
            (
                "'9007199254740993'::jsonb",
                Some("Number(9007199254740993)"),
            ),
            (
                "'18446744073709551615'::jsonb",
                Some("Number(18446744073709551615)"),
            ),
            ("'123456789012345678901234567890'::jsonb", None),
            ("'0.1'::jsonb", Some("Number(0.1)")),
            ("'{\"a\": [0.12345678901234567890123]}'::jsonb", None),
            ("'1e400'::jsonb", None),
            ("'1e-400'::jsonb", None),
            (
                "'\"123456789012345678901234567890\"'::jsonb",
                Some("String(\"123456789012345678901234567890\")"),
            ),
        ],
    );
    let deep = format!("'{}{}'::jsonb", "[".repeat(500), "]".repeat(500));
    assert!(read::<Value>(&mut session, &deep).is_err());
}

#[test]
fn a_label_that_an_enum_does_not_have_is_an_error() {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    session
        .batch_execute("ALTER TYPE account_status ADD VALUE 'lost'")
        .expect("DDL");
    check::<bank::AccountStatus>(
        &mut session,
        &[
            ("'frozen'::account_status", Some("Frozen")),
            ("'lost'::account_status", None),
        ],
    );
    check::<Vec<Option<bank::AccountStatus>>>(
        &mut session,
        &[
            (
                "ARRAY['frozen', NULL]::account_status[]",
                Some("[Some(Frozen), None]"),
            ),
            ("ARRAY['lost']::account_status[]", None),
            ("'[2:2]={frozen}'::account_status[]", None),
        ],
    );
}

#[cfg(feature = "numeric")]
#[test]
fn decimal_numbers_are_the_same_or_an_error() {
    let mut session = session();
    let digits = "9".repeat(300);
    check::<bowline::types::bigdecimal::BigDecimal>(
        &mut session,
        &[
            ("'NaN'::numeric", None),
            ("'Infinity'::numeric", None),
            ("'-Infinity'::numeric", None),
        ],
    );
    for text in [
        "0",
        "-0.0001",
        "1e-16383",
        "1e300",
        "10000",
        "0.00010000",
        "-12345678901234567890.0987654321",
        digits.as_str(),
    ] {
        let query = sql_query(format!("SELECT '{text}'::numeric, '{text}'::numeric::text"));
        let (number, written) = session
            .run(query.one::<(bowline::types::bigdecimal::BigDecimal, String)>())
            .expect("a number");
        let same: bowline::types::bigdecimal::BigDecimal = written.parse().expect("a number");
        assert_eq!(number, same, "{text}");
    }
}

#[cfg(feature = "network-address")]
#[test]
fn networks_are_the_same() {
    let mut session = session();
    check::<bowline::types::ipnetwork::IpNetwork>(
        &mut session,
        &[
            (
                "'10.1.2.3'::inet",
                Some("V4(Ipv4Network { addr: 10.1.2.3, prefix: 32 })"),
            ),
            (
                "'10.1.2.3/8'::inet",
                Some("V4(Ipv4Network { addr: 10.1.2.3, prefix: 8 })"),
            ),
            (
                "'0.0.0.0/0'::inet",
                Some("V4(Ipv4Network { addr: 0.0.0.0, prefix: 0 })"),
            ),
            (
                "'::1/128'::inet",
                Some("V6(Ipv6Network { addr: ::1, prefix: 128 })"),
            ),
            // In diesel, a network is `Cidr` and not `Inet`.
            ("'10.0.0.0/8'::cidr", None),
            ("'08:00:2b:01:02:03'::macaddr", None),
        ],
    );
}
