//! Rust reads the value that a column holds, or gets an error.

mod edges;

use bowline::testing::TestDatabase;
use bowline::{Config, Database, Error, ErrorKind, Outcome, Session, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use testkit::Proxy;

use crate::support::{server, test_database};

diesel::table! {
    tt (id) {
        id -> BigInt,
        v -> BigInt,
    }
}

diesel::table! {
    texts (a) {
        a -> Text,
        b -> Text,
        c -> Text,
        d -> Text,
    }
}

#[derive(bowline::Row, Debug, PartialEq)]
struct Number {
    n: i64,
}

#[derive(bowline::Row, Debug, PartialEq)]
struct Word {
    #[row(sql_type = diesel::sql_types::Text, column = "n")]
    word: String,
}

/// Creates a database with a table `tt` of one row, and a pool of one session.
fn with_table() -> (TestDatabase, Database, Session) {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    session
        .batch_execute(
            "CREATE TABLE tt (id bigint PRIMARY KEY, v bigint); INSERT INTO tt VALUES (1, 7)",
        )
        .expect("DDL");
    let db = database.config().max_size(1).open().expect("a server");
    (database, db, session)
}

fn without_names(config: Config) -> Session {
    Session::connect(&config.statement_cache(0)).expect("a server")
}

/// Returns true if the error names the column and both types.
fn is_mismatch(error: &Error, column: &str, actual: &str, expected: &str) -> bool {
    let message = error.message();
    (error.kind() == ErrorKind::Decode)
        && message.contains(&format!("{column:?}"))
        && message.contains(&format!("type {actual},"))
        && message.ends_with(&format!("expects {expected}"))
        && error.hint().is_some()
}

#[test]
fn a_column_of_another_type_in_sql_by_hand_is_an_error() {
    let config = server().config("postgres");
    let sessions = [
        Session::connect(&config).expect("a server"),
        without_names(config),
    ];
    for mut session in sessions {
        for (value, actual) in [
            ("1.5::float8", "float8"),
            ("now()", "timestamptz"),
            ("'12:00'::time", "time"),
            ("5::money", "money"),
            ("'0/1'::pg_lsn", "pg_lsn"),
            ("'1'::xid8", "xid8"),
            ("'08:00:2b:01:02:03:04:05'::macaddr8", "macaddr8"),
            ("'12345678'::name", "name"),
            ("'12345678'::text", "text"),
            ("'12345678'::bytea", "bytea"),
            ("1::int4", "int4"),
            ("NULL::float8", "float8"),
            ("'{}'::int8[]", "int8[]"),
        ] {
            let query = || sql_query(format!("SELECT {value} AS n"));
            for _ in 0..2 {
                let by_name = session
                    .run(query().one::<Number>())
                    .expect_err("another type");
                assert!(is_mismatch(&by_name, "n", actual, "int8"), "{by_name:?}");
                let single = session.run(query().all::<i64>()).expect_err("another type");
                assert!(is_mismatch(&single, "n", actual, "int8"), "{single:?}");
                let tuple = session
                    .run(query().optional::<(i64,)>())
                    .expect_err("another type");
                assert!(is_mismatch(&tuple, "n", actual, "int8"), "{tuple:?}");
            }
        }
        let error = session
            .run(sql_query("SELECT 1 AS m").all::<Number>())
            .expect_err("no column n");
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains('m')),
            "{error:?}"
        );
    }
}

#[test]
fn a_column_that_was_altered_under_a_pool_is_an_error() {
    let (database, db, mut other) = with_table();
    let all = || tt::table.select(tt::v).all::<i64>();
    assert_eq!(db.run(all()).expect("a row"), [7]);
    for (to, default, actual) in [
        ("double precision", "1.5", "float8"),
        ("timestamptz", "now()", "timestamptz"),
        ("text", "'12345678'", "text"),
    ] {
        other
            .batch_execute(&format!(
                "ALTER TABLE tt ALTER v DROP DEFAULT, ALTER v TYPE {to} USING {default}"
            ))
            .expect("DDL");
        let wrong = |error: Error| {
            assert!(is_mismatch(&error, "v", actual, "int8"), "{error:?}");
            error.outcome()
        };
        assert_eq!(
            wrong(db.run(all()).expect_err("another type")),
            Outcome::NotCommitted
        );
        let pair = (sql_query("SELECT 1").affected(), all());
        let error = db.run(pair).expect_err("another type");
        assert_eq!(
            error.statement_index().map(|it| (it.index, it.total)),
            Some((1, 2))
        );
        wrong(error);
        wrong(
            db.transaction(|tx| tx.run(all()))
                .expect_err("another type"),
        );
        wrong(
            db.transaction(|tx| Ok::<_, Error>(tt::table.select(tt::v).load::<i64>(tx)?))
                .expect_err("another type"),
        );
        let mut stream = db.stream(all());
        let streamed = match &mut stream {
            Ok(stream) => stream.next().expect("an error").expect_err("another type"),
            Err(_) => stream.map(drop).expect_err("another type"),
        };
        wrong(streamed);
        wrong(
            db.transaction(|tx| tx.cursor(all())?.fetch(1))
                .expect_err("another type"),
        );
        wrong(db.copy_out(all()).map(drop).expect_err("another type"));
        let mut unnamed = without_names(database.config());
        wrong(unnamed.run(all()).expect_err("another type"));
        // The write is committed, and the error reports it.
        let update = diesel::update(tt::table).set(tt::id.eq(1)).returning(tt::v);
        assert_eq!(
            wrong(db.run(update.all::<i64>()).expect_err("another type")),
            Outcome::Committed
        );
        // Within a transaction it is not committed.
        let update = diesel::update(tt::table).set(tt::id.eq(2)).returning(tt::v);
        let error = db
            .transaction(|tx| tx.run(update.clone().one::<i64>()))
            .expect_err("another type");
        assert_eq!(wrong(error), Outcome::NotCommitted);
        other
            .batch_execute("ALTER TABLE tt ALTER v TYPE bigint USING 7")
            .expect("DDL");
        assert_eq!(db.run(all()).expect("a row"), [7]);
    }
}

#[test]
fn binary_copy_refuses_a_column_of_another_type() {
    let (_database, db, mut other) = with_table();
    for (to, actual) in [
        ("double precision", "double precision"),
        ("timestamptz", "timestamp with time zone"),
        ("integer", "integer"),
        ("text", "text"),
        ("money", "money"),
        ("pg_lsn", "pg_lsn"),
        ("macaddr8", "macaddr8"),
    ] {
        other
            .batch_execute(&format!("ALTER TABLE tt DROP v; ALTER TABLE tt ADD v {to}"))
            .expect("DDL");
        let error = db
            .copy_in((tt::id, tt::v), [(2_i64, 7_i64)])
            .expect_err("another type");
        assert_eq!(error.kind(), ErrorKind::Query, "{error:?}");
        let message = error.message();
        assert!(
            message.contains("\"v\"") && message.contains(actual),
            "{error:?}"
        );
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        let whole = db
            .copy_in(tt::table, [(2_i64, 7_i64)])
            .expect_err("another type");
        assert!(whole.message().contains(actual), "{whole:?}");
        let within = db.transaction(|tx| tx.copy_in((tt::v,), [(7_i64,)]));
        assert!(within.is_err());
        assert_eq!(db.run(tt::table.count().one::<i64>()).expect("a count"), 1);
    }
    other
        .batch_execute("CREATE DOMAIN amount AS bigint CHECK (VALUE > 0); ALTER TABLE tt DROP v; ALTER TABLE tt ADD v amount")
        .expect("DDL");
    assert_eq!(
        db.copy_in((tt::id, tt::v), [(2_i64, 7_i64)])
            .expect("a row"),
        1
    );
    db.copy_in((tt::id, tt::v), [(3_i64, -7_i64)])
        .expect_err("the domain's check");
}

#[test]
fn a_copy_of_a_query_that_fails_has_its_position() {
    let (_database, db, _other) = with_table();
    let bad = "SELECT v FROM tt WHERE nothing = 1";
    let error = db
        .copy_out(sql_query(bad).all::<i64>())
        .map(drop)
        .expect_err("no such column");
    let (position, sent) = (
        error.position().expect("a position"),
        error.sql().expect("SQL"),
    );
    assert!(
        sent[position - 1..].starts_with("nothing"),
        "{position} {sent}"
    );
    let error = db
        .copy_out(sql_query("INSERT INTO tt VALUES (5, 5) RETURNING v").all::<i64>())
        .map(drop)
        .expect_err("it writes");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("stream")),
        "{error:?}"
    );
}

#[test]
fn types_with_the_same_bytes_are_read_and_written() {
    let (_database, db, mut other) = with_table();
    other
        .batch_execute(
            "CREATE DOMAIN word AS varchar(9); CREATE DOMAIN words AS word; CREATE TYPE mood AS ENUM ('sad', 'glad');
             CREATE TABLE texts (a varchar(5), b char(5), c name, d words);",
        )
        .expect("DDL");
    let row = (
        "a".to_owned(),
        "b".to_owned(),
        "c".to_owned(),
        "d".to_owned(),
    );
    assert_eq!(db.copy_in(texts::table, [row.clone()]).expect("a row"), 1);
    let back = db
        .run(texts::table.one::<(String, String, String, String)>())
        .expect("a row");
    assert_eq!(back, (row.0, "b    ".to_owned(), row.2, row.3));
    for (value, word) in [
        ("'sad'::mood", "sad"),
        ("'x'::words", "x"),
        ("'x'::\"char\"", "x"),
        ("'{\"a\":1}'::json", "{\"a\":1}"),
        ("current_user::name", "postgres"),
        ("pg_sleep(0)", ""),
    ] {
        let query = || sql_query(format!("SELECT {value} AS n"));
        assert_eq!(db.run(query().one::<Word>()).expect(value).word, word);
        let mut stream = db.stream(query().all::<String>()).expect(value);
        assert_eq!(stream.next().expect("a row").expect(value), word);
    }
    let lists = [
        ("ARRAY['sad', 'glad']::mood[]", vec!["sad", "glad"]),
        ("ARRAY['x']::words[]", vec!["x"]),
        ("ARRAY['x']::varchar[]", vec!["x"]),
    ];
    for (value, list) in lists {
        let read = db.run(sql_query(format!("SELECT {value}")).one::<Vec<String>>());
        assert_eq!(read.expect(value), list);
    }
    let oid = db
        .run(sql_query("SELECT 'tt'::regclass").one::<u32>())
        .expect("an OID");
    let is_same = sql_query("SELECT 'tt'::regclass = $1").bind::<diesel::sql_types::Oid, _>(oid);
    assert!(db.run(is_same.one::<bool>()).expect("a row"));
    // A NULL without a type.
    assert_eq!(
        db.run(sql_query("SELECT NULL AS n").one::<Option<i64>>())
            .expect("a row"),
        None
    );
    // A timestamptz is read as the type that diesel uses for Timestamp.
    db.run(diesel::select(diesel::dsl::now).one::<chrono::NaiveDateTime>())
        .expect("a time");
    // Types with another binary format are refused, also where only the server knows the type.
    for value in ["'sad'::mood", "ROW(1)::tt_row", "ARRAY['sad']::mood[]"] {
        other
            .batch_execute("DROP TYPE IF EXISTS tt_row; CREATE TYPE tt_row AS (x bigint)")
            .expect("DDL");
        let error = db
            .run(sql_query(format!("SELECT {value} AS n")).one::<i64>())
            .expect_err(value);
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
    }
}

diesel::define_sql_function! {
    /// Declared as an earlier migration left it; on the server it returns text now.
    fn code(x: BigInt) -> Nullable<BigInt>;
}

/// A column of a query that holds text, or NULL.
#[derive(bowline::Row, Debug, PartialEq)]
struct Code {
    n: Option<i64>,
}

#[test]
fn a_null_says_nothing_of_the_value_that_follows() {
    let (_database, db, mut other) = with_table();
    other
        .batch_execute(
            "CREATE FUNCTION code(x bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
             $$ SELECT CASE WHEN x > 15000 THEN 'abcdefgh' END $$;
             CREATE TABLE many AS SELECT x FROM generate_series(1::bigint, 20000) AS x",
        )
        .expect("DDL");
    let called = |x: i64| diesel::select(code(x)).one::<Option<i64>>();
    let wrong = |column: &str, error: Error| {
        assert!(is_mismatch(&error, column, "text", "int8"), "{error:?}");
    };
    assert_eq!(db.run(called(1)).expect("a NULL"), None);
    wrong("code", db.run(called(20_000)).expect_err("a text"));
    let pair = db.run((called(1), called(20_000)));
    wrong("code", pair.expect_err("a text"));
    let all = db.run(vec![called(1), called(20_000)]);
    wrong("code", all.expect_err("a text"));
    let by_hand = || sql_query("SELECT code(x) AS n FROM many ORDER BY x").all::<Code>();
    let mut streamed = db.stream(by_hand()).expect("NULLs");
    let (nulls, error) = (0..)
        .map(|n| (n, streamed.next()))
        .find_map(|(n, row)| {
            let row = row.expect("it ends with an error");
            row.err().map(|error| (n, error))
        })
        .expect("an error");
    assert!(nulls > 0, "the first part holds NULLs only");
    wrong("n", error);
    drop(streamed);
    let fetched = db.transaction(|tx| {
        let mut cursor = tx.cursor(by_hand())?;
        assert_eq!(cursor.fetch(1)?, [Code { n: None }]);
        cursor.fetch_all()
    });
    wrong("n", fetched.expect_err("a text"));
    let copied = sql_query("SELECT code(x) AS n FROM many ORDER BY x").all::<Option<i64>>();
    let copied = db.copy_out(copied).expect("NULLs");
    let copied: bowline::Result<Vec<_>> = copied.collect();
    wrong("n", copied.expect_err("a text"));
    let one = sql_query("SELECT 'abcdefgh' AS n").all::<Option<i64>>();
    let copied: bowline::Result<Vec<_>> = db.copy_out(one).and_then(Iterator::collect);
    wrong("n", copied.expect_err("a text"));
    let nulls = sql_query("SELECT NULL AS n").all::<Option<i64>>();
    let copied: bowline::Result<Vec<_>> = db.copy_out(nulls).and_then(Iterator::collect);
    assert_eq!(copied.expect("a NULL"), [None]);
}

#[test]
fn a_type_check_takes_at_most_one_trip_for_the_pool() {
    let (database, proxy) = (test_database(), Proxy::start(&server()).expect("a proxy"));
    let db = proxy.config(database.name()).open().expect("a server");
    db.run(sql_query("CREATE TABLE tt (id bigint, v bigint)").affected())
        .expect("DDL");
    db.run(sql_query("CREATE TYPE mood AS ENUM ('sad')").affected())
        .expect("DDL");
    proxy.take_round_trips();
    let trips = |work: &dyn Fn()| {
        work();
        proxy.take_round_trips()
    };
    let typed = || {
        db.run(tt::table.all::<(i64, i64)>()).expect("rows");
    };
    assert_eq!((trips(&typed), trips(&typed)), (1, 1));
    let by_hand = || {
        db.run(sql_query("SELECT 1::int8 AS n").one::<Number>())
            .expect("a row");
    };
    assert_eq!((trips(&by_hand), trips(&by_hand)), (1, 1));
    let in_doubt = || {
        db.run(sql_query("SELECT 'sad'::mood AS n").one::<Word>())
            .expect("a row");
    };
    assert_eq!((trips(&in_doubt), trips(&in_doubt)), (2, 1));
    let copied = || {
        db.copy_in((tt::id, tt::v), [(1_i64, 1_i64)])
            .expect("a row");
    };
    assert_eq!(trips(&copied), 2);
}

#[test]
fn a_row_names_its_types_or_takes_those_of_rust() {
    #[derive(bowline::Row, Debug, PartialEq)]
    struct Inner {
        r#type: String,
    }
    #[derive(bowline::Row, Debug, PartialEq)]
    struct Mixed {
        /// A comment.
        pub id: bank::AccountId,
        #[row(sql_type = diesel::sql_types::Json, column = "data")]
        body: serde_json::Value,
        #[diesel(sql_type = diesel::sql_types::Nullable<BigInt>)]
        count: Option<i64>,
        tags: Vec<Option<String>>,
        #[row(embed)]
        inner: Inner,
    }
    let mut session = Session::connect(&server().config("postgres")).expect("a server");
    let query = "SELECT 'x' AS type, ARRAY['a', NULL] AS tags, NULL::int8 AS count, '1'::json AS data, 4::int8 AS id";
    assert_eq!(
        session.run(sql_query(query).one::<Mixed>()).expect("a row"),
        Mixed {
            id: bank::AccountId(4),
            body: serde_json::json!(1),
            count: None,
            tags: vec![Some("a".to_owned()), None],
            inner: Inner {
                r#type: "x".to_owned()
            },
        }
    );
    let jsonb = query.replace("::json ", "::jsonb ");
    let error = session
        .run(sql_query(jsonb).one::<Mixed>())
        .expect_err("another type");
    assert!(is_mismatch(&error, "data", "jsonb", "json"), "{error:?}");
}
