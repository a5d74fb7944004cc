//! Types that migrations created, looked up by name: created again, moved, and with the same name
//! in several schemas.

use bowline::testing::TestDatabase;
use bowline::{Database, Error, ErrorKind, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use testkit::Proxy;

use crate::support::{server, test_database};

mod sql_types {
    #[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
    #[diesel(postgres_type(name = "mood"))]
    pub struct Mood;
}

bowline::__generated::pg_enum! {
    /// A mood.
    pub enum Mood: sql_types::Mood {
        Sad = "sad",
        Glad = "glad",
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use super::sql_types::Mood;

    people (id) {
        id -> BigInt,
        mood -> Mood,
    }
}

const PEOPLE: &str = "CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE people (id bigserial PRIMARY KEY, mood mood NOT NULL);";

fn insert(mood: Mood) -> impl bowline::Statement<Output = Mood> {
    diesel::insert_into(people::table)
        .values(people::mood.eq(mood))
        .returning(people::mood)
        .one()
}

fn count(mood: Mood) -> impl bowline::Statement<Output = i64> {
    people::table.filter(people::mood.eq(mood)).count().one()
}

fn has_any(moods: Vec<Mood>) -> impl bowline::Statement<Output = i64> {
    people::table
        .filter(people::mood.eq_any(moods))
        .count()
        .one()
}

/// Creates a database with the table `people`, a pool that has used it, and another session.
fn people() -> (TestDatabase, Database, Session) {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    session.batch_execute(PEOPLE).expect("DDL");
    let db = database.config().max_size(2).open().expect("a server");
    assert_eq!(use_all(&db), 2);
    (database, db, session)
}

/// Inserts and filters, outside and inside of a transaction. Returns the number of new rows.
fn use_all(db: &Database) -> i64 {
    let before = db.run(count(Mood::Sad)).expect("a count");
    db.run(insert(Mood::Sad)).expect("a row");
    db.transaction(|tx| {
        tx.run(insert(Mood::Sad))?;
        tx.run((count(Mood::Glad), has_any(vec![Mood::Sad])))
    })
    .expect("a row");
    db.run(has_any(vec![Mood::Sad, Mood::Glad]))
        .expect("a count")
        - before
}

#[test]
fn a_recreated_or_moved_type_is_looked_up_again() {
    for ddl in [
        "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('sad', 'glad');
         ALTER TABLE people ALTER mood TYPE mood USING mood::text::mood",
        "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('sad', 'glad');
         ALTER TABLE people ALTER mood TYPE mood USING mood::text::mood; DROP TYPE mood_old",
        "DROP TABLE people; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad', 'glad');
         CREATE TABLE people (id bigserial PRIMARY KEY, mood mood NOT NULL)",
        "CREATE SCHEMA moved; ALTER TYPE mood SET SCHEMA moved; ALTER DATABASE {} SET search_path TO moved, public",
        "CREATE SCHEMA first; CREATE TYPE first.mood AS ENUM ('sad', 'glad');
         ALTER TABLE people ALTER mood TYPE first.mood USING mood::text::first.mood; DROP TYPE public.mood;
         ALTER TYPE first.mood SET SCHEMA public",
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TYPE mood AS ENUM ('sad', 'glad');
         CREATE TABLE people (id bigserial PRIMARY KEY, mood mood NOT NULL)",
        "ALTER SCHEMA public RENAME TO old; CREATE SCHEMA public; CREATE TYPE mood AS ENUM ('sad', 'glad');
         CREATE TABLE people (id bigserial PRIMARY KEY, mood mood NOT NULL)",
        "CREATE TYPE new AS ENUM ('sad', 'glad'); ALTER TABLE people ALTER mood TYPE new USING mood::text::new;
         DROP TYPE mood; ALTER TYPE new RENAME TO mood",
    ] {
        let (database, db, mut other) = people();
        let ddl = ddl.replace("{}", database.name());
        other.batch_execute(&ddl).expect("DDL");
        for _ in 0..2 {
            assert_eq!(use_all(&db), 2, "{ddl}");
        }
    }
}

#[test]
fn a_transaction_that_meets_a_new_type_is_retried_once() {
    let (_database, db, mut other) = people();
    other
        .batch_execute(
            "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('sad', 'glad');
             ALTER TABLE people ALTER mood TYPE mood USING mood::text::mood",
        )
        .expect("DDL");
    let attempts = std::cell::Cell::new(0);
    let inserted = db.transaction(|tx| {
        attempts.set(attempts.get() + 1);
        tx.run(insert(Mood::Glad))
    });
    assert_eq!((inserted.expect("a row"), attempts.get()), (Mood::Glad, 2));
}

#[test]
fn a_mistake_beside_a_named_type_fails_after_one_retry() {
    let (database, _db, _other) = people();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy
        .config(database.name())
        .max_size(1)
        .open()
        .expect("a server");
    let wrong = || {
        sql_query("SELECT count(*) FROM people WHERE mood = $1 AND no_such_function(id)")
            .bind::<sql_types::Mood, _>(Mood::Sad)
            .one::<i64>()
    };
    db.run(count(Mood::Sad)).expect("a count");
    proxy.take_round_trips();
    let error = db.run(wrong()).expect_err("no such function");
    assert_eq!(error.sqlstate(), Some(SqlState::UNDEFINED_FUNCTION));
    // The statement, the look-up, the statement.
    assert_eq!((proxy.take_round_trips(), proxy.connections()), (3, 1));
    assert_eq!(error.attempts(), 1);
}

/// Creates two schemas, each with an enum of the same name and different labels.
fn tenants() -> (TestDatabase, Proxy, Database) {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    for tenant in ["ta", "tb"] {
        session
            .batch_execute(&format!(
                "CREATE SCHEMA {tenant}; SET search_path TO {tenant}; {PEOPLE} CREATE ROLE {tenant}_{0};
                 GRANT USAGE ON SCHEMA {tenant} TO {tenant}_{0};
                 GRANT ALL ON ALL TABLES IN SCHEMA {tenant} TO {tenant}_{0};
                 GRANT ALL ON ALL SEQUENCES IN SCHEMA {tenant} TO {tenant}_{0};
                 RESET search_path",
                database.name()
            ))
            .expect("DDL");
    }
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).max_size(1).open();
    (database, proxy, db.expect("a server"))
}

/// Sets the search path of a transaction to a tenant's schema.
type Set = fn(&mut Session, &str) -> Result<usize, Error>;

#[test]
fn a_schema_for_each_tenant_has_its_own_types() {
    let (_database, proxy, db) = tenants();
    let ways: [Set; 4] = [
        |tx, tenant| {
            tx.run(sql_query(format!("SET LOCAL search_path TO {tenant}, public")).affected())
        },
        |tx, tenant| {
            let set =
                sql_query("SELECT set_config('search_path', $1, true)").bind::<Text, _>(tenant);
            tx.run(set.affected())
        },
        |tx, tenant| {
            let set = sql_query("SELECT set_config($1, $2, true)")
                .bind::<Text, _>("search_path")
                .bind::<Text, _>(tenant);
            tx.run(set.affected())
        },
        |tx, tenant| {
            tx.batch_execute(&format!("SET LOCAL search_path = {tenant}"))?;
            Ok(1)
        },
    ];
    for set in ways {
        for round in 0..3 {
            for tenant in ["ta", "tb"] {
                proxy.take_round_trips();
                let done = db.transaction(|tx| {
                    set(tx, tenant)?;
                    tx.run(insert(Mood::Sad))?;
                    tx.run(has_any(vec![Mood::Sad]))
                });
                assert!(done.expect("a count") > 0);
                let trips = proxy.take_round_trips();
                // The path, two statements, the commit; the first time the look-up too.
                assert!(trips == 4 || (round == 0 && trips <= 5), "{tenant} {trips}");
            }
        }
    }
    // A search path that `ROLLBACK TO SAVEPOINT` in SQL undid.
    db.transaction(|tx| {
        tx.run(sql_query("SET LOCAL search_path TO ta").affected())?;
        tx.run(insert(Mood::Sad))?;
        tx.run(sql_query("SAVEPOINT by_hand").affected())?;
        tx.run(sql_query("SET LOCAL search_path TO tb").affected())?;
        tx.run(insert(Mood::Sad))?;
        tx.run(sql_query("ROLLBACK TO SAVEPOINT by_hand").affected())?;
        tx.run(insert(Mood::Sad))
    })
    .expect("two rows of ta");
    // Set in the same round trip as the statement, and undone with it.
    for tenant in ["ta", "tb", "ta"] {
        let set = || sql_query(format!("SET LOCAL search_path TO {tenant}")).affected();
        db.run((set(), insert(Mood::Glad))).expect("a row");
        let (_, glad) = db.run((set(), count(Mood::Glad))).expect("a count");
        assert!(glad > 0);
    }
    proxy.take_round_trips();
    let set = sql_query("SET LOCAL search_path TO tb").affected();
    db.run((set, insert(Mood::Glad))).expect("a row");
    assert_eq!(proxy.take_round_trips(), 1);
}

#[test]
fn a_path_that_is_rolled_back_takes_its_types_along() {
    let (_database, _proxy, db) = tenants();
    let set = |tx: &mut Session, tenant: &str| {
        tx.run(sql_query(format!("SET search_path TO {tenant}")).affected())
    };
    db.transaction(|tx| {
        set(tx, "ta")?;
        tx.run(insert(Mood::Sad))?;
        let undone: Result<(), Error> = tx.savepoint(|tx| {
            set(tx, "tb")?;
            tx.run(insert(Mood::Sad))?;
            tx.run(sql_query("SELECT 1/0").affected()).map(drop)
        });
        assert!(undone.is_err());
        tx.run(insert(Mood::Sad))
    })
    .expect("two rows of ta");
    // The setting was for the session, which the pool has reset since.
    let there = |tenant: &str| {
        db.run(sql_query(format!("SELECT count(*) FROM {tenant}.people")).one::<i64>())
            .expect("a count")
    };
    assert_eq!((there("ta"), there("tb")), (2, 0));
}

#[test]
fn a_role_whose_schema_is_in_the_path_has_its_own_types() {
    let (database, _proxy, db) = tenants();
    let mut session = Session::connect(&database.config()).expect("a server");
    for tenant in ["ta", "tb"] {
        session
            .batch_execute(&format!(
                "ALTER SCHEMA {tenant} RENAME TO {tenant}_{}",
                database.name()
            ))
            .expect("DDL");
    }
    for _ in 0..2 {
        for tenant in ["ta", "tb"] {
            let role = format!("{tenant}_{}", database.name());
            db.transaction(|tx| {
                tx.run(sql_query(format!("SET LOCAL ROLE {role}")).affected())?;
                tx.run(insert(Mood::Sad))
            })
            .unwrap_or_else(|error| panic!("{role}: {error:?}"));
        }
    }
    session
        .batch_execute(&format!(
            "DROP OWNED BY ta_{0}, tb_{0}; DROP ROLE ta_{0}, tb_{0}",
            database.name()
        ))
        .expect("DDL");
}

#[test]
fn a_search_path_set_by_a_function_is_noticed() {
    let (database, _proxy, db) = tenants();
    let mut session = Session::connect(&database.config()).expect("a server");
    session
        .batch_execute(
            "CREATE FUNCTION enter(tenant text) RETURNS text LANGUAGE sql
             AS $$ SELECT set_config('search_path', tenant, true) $$",
        )
        .expect("DDL");
    for tenant in ["ta", "tb", "ta"] {
        db.transaction(|tx| {
            let enter = sql_query("SELECT public.enter($1)").bind::<Text, _>(tenant);
            tx.run(enter.affected())?;
            tx.run(insert(Mood::Sad))
        })
        .unwrap_or_else(|error| panic!("{tenant}: {error:?}"));
    }
}

#[test]
fn answers_of_a_tenant_are_checked_by_its_columns() {
    let (database, _proxy, db) = tenants();
    let mut session = Session::connect(&database.config()).expect("a server");
    session
        .batch_execute("ALTER TABLE tb.people ADD note float8 DEFAULT 1; ALTER TABLE ta.people ADD note bigint DEFAULT 1")
        .expect("DDL");
    let notes = |tenant: &str| {
        db.transaction(|tx| {
            tx.run(sql_query(format!("SET LOCAL search_path TO {tenant}")).affected())?;
            tx.run(insert(Mood::Sad))?;
            tx.run(sql_query("SELECT max(note) AS note FROM people").one::<Option<i64>>())
        })
    };
    for _ in 0..2 {
        assert_eq!(notes("ta").expect("a number"), Some(1));
        assert!(matches!(&notes("tb"), Err(error) if error.kind() == ErrorKind::Decode));
    }
}
