//! Settings that are sent with a call, read by policies of row level security.

use bowline::testing::LocalServer;
use bowline::{Database, ErrorKind, Result, Row, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::sql_types::BigInt;
use testkit::{PgBouncer, Proxy};

const SCHEMA: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL);
    INSERT INTO orders VALUES (1, 7), (2, 7), (3, 8);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (user_id = NULLIF(current_setting('app.user_id', true), '')::bigint);
    CREATE ROLE clerk LOGIN NOSUPERUSER NOBYPASSRLS;
    GRANT SELECT, INSERT, UPDATE ON orders TO clerk;";

#[derive(Debug, Row)]
struct Order {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Starts a server with the policy, and opens its database as a role to which the policy applies.
fn shop() -> (LocalServer, Database) {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut admin = Session::connect(&server.config("postgres")).expect("a connection");
    admin.batch_execute(SCHEMA).expect("a schema");
    let config = server.config("postgres").user("clerk").max_size(1);
    let db = config.open().expect("a database");
    (server, db)
}

fn count(db: &Database) -> Result<i64> {
    db.run(sql_query("SELECT count(*) FROM orders").one::<i64>())
}

#[test]
fn rows_of_others_are_invisible() {
    let (_server, db) = shop();
    let (ann, ben) = (
        db.with_setting("app.user_id", 7),
        db.with_setting("app.user_id", 8),
    );
    // Without the setting there are no rows, neither on a new session nor on one that had the
    // setting before.
    assert_eq!(count(&db).expect("a count"), 0);
    assert_eq!(count(&ann).expect("a count"), 2);
    assert_eq!(count(&ben).expect("a count"), 1);
    assert_eq!(count(&db).expect("a count"), 0);

    let work = |tx: &mut Session| {
        let all = sql_query("SELECT id FROM orders ORDER BY id").all::<Order>();
        let run: Vec<i64> = tx.run(all)?.iter().map(|order| order.id).collect();
        let all = sql_query("SELECT id FROM orders ORDER BY id").all::<Order>();
        let streamed: Result<Vec<Order>> = tx.stream(all)?.collect();
        let all = sql_query("SELECT id FROM orders ORDER BY id").all::<i64>();
        let copied: Result<Vec<i64>> = tx.copy_out(all)?.collect();
        let ids = |orders: Vec<Order>| orders.iter().map(|order| order.id).collect::<Vec<_>>();
        Ok((run, ids(streamed?), copied?))
    };
    let seen = ann.transaction(work).expect("a transaction");
    assert_eq!(seen, (vec![1, 2], vec![1, 2], vec![1, 2]));
    // The first statement of a transaction can be a stream too.
    let streamed = ben.transaction(|tx| {
        let all = sql_query("SELECT id FROM orders").all::<Order>();
        tx.stream(all)?
            .map(|order| Ok(order?.id))
            .collect::<Result<Vec<i64>>>()
    });
    assert_eq!(streamed.expect("a stream"), [3]);
    let copied = ben.transaction(|tx| {
        let all = sql_query("SELECT id FROM orders").all::<i64>();
        tx.copy_out(all)?.collect::<Result<Vec<i64>>>()
    });
    assert_eq!(copied.expect("a COPY"), [3]);
    let foreign = sql_query("INSERT INTO orders VALUES (9, 8)").affected();
    let refused = ann.run(foreign).expect_err("it is another's");
    assert_eq!(refused.kind(), ErrorKind::Query, "{refused}");
    let others = sql_query("UPDATE orders SET id = id + 10 WHERE user_id = 8").affected();
    assert_eq!(ann.run(others).expect("no row"), 0);
}

#[test]
fn a_value_is_only_a_value() {
    let (_server, db) = shop();
    let odd = "a'); DROP TABLE orders; -- \\";
    let read = db
        .with_setting("app.user's", odd)
        .run(sql_query("SELECT current_setting($$app.user's$$)").one::<String>());
    let refused = read.expect_err("PostgreSQL takes no such name");
    assert!(refused.message().contains("app.user's"), "{refused}");
    let read = db
        .with_setting("app.name", odd)
        .run(sql_query("SELECT current_setting('app.name')").one::<String>());
    assert_eq!(read.expect("a value"), odd);
    assert!(!format!("{:?}", db.with_setting("app.name", "secret-value")).contains("secret-value"));
}

#[test]
fn a_stream_without_a_transaction_is_refused() {
    let (_server, db) = shop();
    let ann = db.with_setting("app.user_id", 7);
    let all = sql_query("SELECT id FROM orders").all::<Order>();
    let refused = ann
        .stream(all)
        .map(drop)
        .expect_err("it would lack the setting");
    insta::assert_snapshot!(
        format!("{refused}\nhint: {}", refused.hint().expect("a hint")),
        @r"
    a stream or COPY on the database takes no transaction options or settings, and moves no write mark
    hint: use the session of Database::transaction, which has them
    "
    );
}

#[test]
fn a_copy_into_a_table_with_policies_is_refused() {
    let (_server, db) = shop();
    let rows: &[u8] = b"9\t7\n";
    let copied = db
        .with_setting("app.user_id", 7)
        .transaction(|tx| tx.copy_in_from("COPY orders FROM STDIN", rows));
    let refused = copied.expect_err("PostgreSQL does not check policies for it");
    let server = refused.server().expect("the server's answer");
    assert_eq!(server.sqlstate, SqlState::FEATURE_NOT_SUPPORTED);
    assert!(
        server
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("INSERT")),
        "{refused:#?}"
    );
}

#[test]
fn a_setting_takes_no_round_trip_and_no_reset() {
    let (server, _db) = shop();
    let proxy = Proxy::start(&server).expect("a proxy");
    let config = proxy.config("postgres").user("clerk").max_size(1);
    let db = config.open().expect("a database");
    let ann = db.with_setting("app.user_id", 7);
    let find = || sql_query("SELECT id FROM orders WHERE id = 1").optional::<Order>();
    ann.run(find()).expect("a row");
    ann.run(find()).expect("a row");
    proxy.take_round_trips();
    for _ in 0..5 {
        assert!(ann.run(find()).expect("a query").is_some());
    }
    assert_eq!(proxy.take_round_trips(), 5);
    proxy.take_round_trips();
    ann.transaction(|tx| {
        tx.run(find())?;
        tx.run(find())
    })
    .expect("a transaction");
    assert_eq!(proxy.take_round_trips(), 3);
}

#[test]
fn a_setting_is_bound_and_its_statement_prepared() {
    let (server, _db) = shop();
    let proxy = Proxy::start(&server).expect("a proxy");
    let config = proxy.config("postgres").user("clerk").max_size(1);
    let db = config.open().expect("a database");
    let find = || sql_query("SELECT id FROM orders WHERE id = 1").optional::<Order>();
    for user in [71, 72] {
        proxy.record();
        db.with_setting("app.user_id", user)
            .run(find())
            .expect("a query");
        let recording = proxy.take_recording();
        let sent = |tag| {
            recording
                .iter()
                .filter(move |message| message.bytes.first() == Some(&tag))
        };
        let is_written = |message: &testkit::Message| {
            String::from_utf8_lossy(&message.bytes).contains(&user.to_string())
        };
        assert!(!sent(b'P').any(is_written));
        assert_eq!(sent(b'B').filter(|message| is_written(message)).count(), 1);
        let is_set = |message: &&testkit::Message| {
            String::from_utf8_lossy(&message.bytes).contains("set_config")
        };
        assert_eq!(sent(b'P').filter(is_set).count(), usize::from(user == 71));
    }
}

#[test]
fn a_named_setting_is_empty_on_each_session() {
    let (server, _db) = shop();
    let config = server.config("postgres").user("clerk").max_size(1);
    let db = config
        .local_setting("app.user_id")
        .open()
        .expect("a database");
    // Without the second argument, a name that the session does not know is an error.
    let read = || sql_query("SELECT current_setting('app.user_id')").one::<String>();
    assert_eq!(db.run(read()).expect("a value"), "");
    let own = db.with_setting("app.user_id", 7).run(read());
    assert_eq!(own.expect("a value"), "7");
    assert_eq!(db.run(read()).expect("a value"), "");
    let bouncer = PgBouncer::start(&server);
    let config = bouncer.config("postgres").pooler(true);
    let config = config.local_setting("app.user_id");
    let db = config.open().expect("a database");
    assert_eq!(db.run(read()).expect("a value"), "");
}

#[test]
fn in_a_test_the_setting_ends_with_its_call() {
    let (server, _db) = shop();
    let config = server.config("postgres").user("clerk");
    let mut session = Session::connect(&config).expect("a connection");
    session.begin_test_transaction().expect("a transaction");
    let db = Database::pinned(session);
    let ann = db.with_setting("app.user_id", 7);
    assert_eq!(count(&ann).expect("a count"), 2);
    assert_eq!(count(&db).expect("a count"), 0);
    let seen = ann.transaction(|tx| tx.run(sql_query("SELECT count(*) FROM orders").one::<i64>()));
    assert_eq!(seen.expect("a transaction"), 2);
    assert_eq!(count(&db).expect("a count"), 0);
}

#[test]
fn a_setting_reaches_no_other_call_through_pgbouncer() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let bouncer = PgBouncer::start(&server);
    let db = bouncer
        .config("postgres")
        .pooler(true)
        .open()
        .expect("a database");
    let read =
        || sql_query("SELECT coalesce(current_setting('app.user_id', true), '')").one::<String>();
    for user in 0..20 {
        let own = db.with_setting("app.user_id", user).run(read());
        assert_eq!(own.expect("a value"), user.to_string());
        assert_eq!(db.run(read()).expect("a value"), "");
    }
}
