//! The first session of a user who is new to PostgreSQL, step by step, with Bowline only.
//!
//! Nothing is generated: SQL is written by hand, and a struct defines a row. The test reads from
//! top to bottom.

use bowline::testing::LocalServer;
use bowline::{Database, Error, Outcome, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Bool, Integer, Text};
use testkit::Recorder;
use testkit::tls::{PASSWORD, tls_server};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// A row of `table1`.
#[derive(Debug, PartialEq, bowline::Row)]
struct Thing {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Text)]
    description: String,
}

/// A row of `newtable`.
#[derive(Debug, PartialEq, bowline::Row)]
struct Flag {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Bool)]
    status: bool,
}

#[derive(bowline::Row)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn thing(id: i32, description: &str) -> Thing {
    Thing {
        id,
        description: description.to_owned(),
    }
}

#[test]
fn a_beginners_first_session() -> Result {
    // A server, as `bowline server start` gives one.
    let server = LocalServer::private(&[])?;

    // Create a database. CREATE DATABASE is sent from another database, which every server has.
    Session::connect(&server.config("postgres"))?.batch_execute("CREATE DATABASE first")?;
    let db = Database::connect(&server.url("first"))?;

    // Create a table.
    db.run(
        sql_query("CREATE TABLE table1 (id serial PRIMARY KEY, description varchar(30) NOT NULL)")
            .affected(),
    )?;

    // Insert two rows. A value is never a part of the SQL: it is sent separately, as $1.
    let insert = |description: &'static str| {
        sql_query("INSERT INTO table1 (description) VALUES ($1) RETURNING id, description")
            .bind::<Text, _>(description)
            .one::<Thing>()
    };
    let first = db.run(insert("New table"))?;
    assert_eq!(first, thing(1, "New table"));
    db.run(insert("called table 1"))?;

    // Read both back. Without ORDER BY a table has no order.
    let things = || sql_query("SELECT id, description FROM table1 ORDER BY id");
    let all: Vec<Thing> = db.run(things().all())?;
    assert_eq!(all, [thing(1, "New table"), thing(2, "called table 1")]);

    // A second table.
    db.run(
        sql_query("CREATE TABLE newtable (id int, status boolean NOT NULL DEFAULT false)")
            .affected(),
    )?;

    // Insert a row in a transaction. Other sessions see it only after the commit.
    let mut second_session = Session::connect(&server.config("first"))?;
    let flags = || sql_query("SELECT id, status FROM newtable").all::<Flag>();
    db.transaction_once(|tx| {
        tx.run(
            sql_query("INSERT INTO newtable (id, status) VALUES ($1, $2)")
                .bind::<Integer, _>(1)
                .bind::<Bool, _>(true)
                .exactly(1),
        )?;
        assert_eq!(second_session.run(flags())?, []);
        Ok::<(), Error>(())
    })?;
    let seen = second_session.run(flags())?;
    assert_eq!(
        seen,
        [Flag {
            id: 1,
            status: true
        }]
    );

    // List the tables.
    let tables = db.run(
        sql_query(
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        )
        .all::<Name>(),
    )?;
    let tables: Vec<_> = tables.into_iter().map(|table| table.name).collect();
    assert_eq!(tables, ["newtable", "table1"]);

    // Fetch one row, some, and all of them.
    let by_id = |id: i32| {
        sql_query("SELECT id, description FROM table1 WHERE id = $1").bind::<Integer, _>(id)
    };
    let one: Thing = db.run(by_id(2).one())?;
    assert_eq!(one.description, "called table 1");
    let perhaps: Option<Thing> = db.run(by_id(99).optional())?;
    assert_eq!(perhaps, None);
    let (some, rest) = db.transaction(|tx| {
        let mut cursor = tx.cursor(things().all::<Thing>())?;
        Ok::<_, Error>((cursor.fetch(1)?, cursor.fetch_all()?))
    })?;
    assert_eq!((some.len(), rest.len()), (1, 1));
    assert_eq!(db.run(things().all::<Thing>())?.len(), 2);

    // A value that is too long is an error, matched by its SQLSTATE. PostgreSQL does not report the
    // column: its message has only the type.
    let error = db
        .run(insert("longer than the thirty characters that fit"))
        .unwrap_err();
    assert_eq!(
        error.sqlstate(),
        Some(SqlState::STRING_DATA_RIGHT_TRUNCATION)
    );
    assert_eq!(SqlState::STRING_DATA_RIGHT_TRUNCATION.code(), "22001");
    assert_eq!(
        error.message(),
        "value too long for type character varying(30)"
    );
    assert_eq!(
        error.server().and_then(|server| server.column.as_deref()),
        None
    );
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    assert_eq!(db.run(things().all::<Thing>())?.len(), 2);
    Ok(())
}

#[test]
fn password_mistakes_are_reported_without_password() {
    // The server asks for passwords by SCRAM-SHA-256.
    let server = tls_server();
    let recorder = Recorder::default();
    let wrong = "s3cretmarker";
    for (config, message) in [
        (
            server.ann().password(wrong),
            "password authentication failed for user \"ann\"",
        ),
        (
            server.ann().user("nobody").password(wrong),
            "password authentication failed for user \"nobody\"",
        ),
        (
            server
                .config("ann")
                .parameter("sslmode", "require")
                .parameter("passfile", "/nowhere/pgpass"),
            "no password supplied",
        ),
    ] {
        let error = recorder
            .listen(|| config.clone().open())
            .expect_err("it is wrong");
        assert_eq!(error.message(), message);
        assert!(error.is_permanent() && error.hint().is_some());
        let mut told = format!("{config:?} {error} {error:?} {:?}", error.hint());
        let mut cause = std::error::Error::source(&error);
        while let Some(deeper) = cause {
            told.push_str(&format!("{deeper} {deeper:?}"));
            cause = deeper.source();
        }
        assert!(!told.contains(wrong), "{told}");
    }
    assert!(!recorder.everything().contains(wrong));
    assert!(!server.log().contains(wrong));
    // With the right password the database opens, and no output has it.
    let db = server.ann().open().expect("she may");
    assert!(!format!("{db:?}").contains(PASSWORD));
}
