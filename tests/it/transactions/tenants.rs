//! A schema for each tenant: the same generated code on `Database::with_schema`.

use std::path::Path;

use bank::schema::accounts;
use bank::{Account, AccountChanges, AccountConstraint, AccountStatus};
use bowline::testing::TestDatabase;
use bowline::{
    Database, ErrorKind, Outcome, Result, Session, SqlState, StatementDsl as _, sql_query,
};
use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::query_dsl::methods::SelectDsl as _;
use diesel_migrations::FileBasedMigrations;
use testkit::{PgBouncer, Proxy};

use crate::generated::roles;
use crate::generated::tickets::{Person, PersonChanges, PersonConstraint};
use crate::support::{MIGRATIONS, balance, new_account, server, test_database};

const ODD: &str = "Tenant \"7\"; DROP";

fn quoted(schema: &str) -> String {
    format!("\"{}\"", schema.replace('"', "\"\""))
}

fn migrations() -> FileBasedMigrations {
    FileBasedMigrations::from_path(Path::new(MIGRATIONS)).expect("the migrations")
}

/// Creates schemas with the tables of the bank.
fn bank_in(database: &TestDatabase, schemas: &[&str]) -> Database {
    let db = database.config().max_size(1).open().expect("a database");
    for schema in schemas {
        let create = format!("CREATE SCHEMA {}", quoted(schema));
        db.run(sql_query(create).affected()).expect("a schema");
        let ran = db.with_schema(schema).migrate(migrations());
        assert_eq!(ran.expect("its tables").len(), 10);
    }
    db
}

fn names(db: &Database) -> Vec<String> {
    let all = Account::list(bowline::Page::first(10));
    let accounts = db.run(all).expect("accounts");
    accounts.into_iter().map(|found| found.username).collect()
}

#[test]
fn the_same_code_serves_each_schema() {
    let database = test_database();
    let db = bank_in(&database, &["tenant_1", ODD]);
    let (one, odd) = (db.with_schema("tenant_1"), db.with_schema(ODD));
    // Each has an enum of its own, read and written by the same function.
    let ann = one.run(Account::insert(new_account("ann"))).expect("a row");
    let frozen = AccountChanges {
        status: Some(AccountStatus::Frozen),
        ..balance(7)
    };
    let changed = one.run(Account::update(ann.id, frozen)).expect("a row");
    assert_eq!(changed.status, AccountStatus::Frozen);
    let bob = odd.run(Account::insert(new_account("bob"))).expect("a row");
    assert_eq!(bob.status, AccountStatus::Active);
    assert_eq!(names(&one), ["ann"]);
    assert_eq!(names(&odd), ["bob"]);
    assert!(names(&db).is_empty());

    // Transactions, savepoints, units of work, streams and COPY in a transaction likewise.
    let seen = odd.transaction(|tx| {
        tx.savepoint(|tx| tx.run(Account::insert(new_account("eve"))))?;
        let all = accounts::table.select(accounts::username).all::<String>();
        let streamed: Result<Vec<String>> = tx.stream(all)?.collect();
        tx.run(Account::insert(new_account("dan")))?;
        Ok(streamed?.len())
    });
    assert_eq!(seen.expect("a transaction"), 2);
    assert_eq!(names(&odd), ["bob", "eve", "dan"]);
    let mut work = one.unit_of_work();
    work.add(Account::insert(new_account("kim")));
    let _ = work.commit().expect("a commit");
    assert_eq!(names(&one), ["ann", "kim"]);

    // A violated constraint is that of the generated enum.
    let again = one.run(Account::insert(new_account("ann")));
    let refused = again.expect_err("she exists");
    assert_eq!(
        refused.constraint::<AccountConstraint>(),
        Some(AccountConstraint::UsernameKey)
    );
}

#[test]
fn a_schema_takes_no_round_trip_of_its_own() {
    let database = test_database();
    bank_in(&database, &["tenant_1", "tenant_2"]);
    let proxy = Proxy::start(&server()).expect("a proxy");
    let config = proxy.config(database.name()).max_size(1);
    let db = config.open().expect("a database");
    let tenants = [db.with_schema("tenant_1"), db.with_schema("tenant_2")];
    let find = || Account::find_by_username("ann");
    for tenant in &tenants {
        for name in ["ann", "eve"] {
            let insert = Account::insert(new_account(name));
            tenant.run((insert, Account::count())).expect("rows");
        }
        tenant.run(find()).expect("a row");
    }
    proxy.take_round_trips();
    proxy.record();
    for tenant in &tenants {
        assert!(tenant.run(find()).expect("a query").is_some());
        let insert = Account::insert(new_account("bob"));
        tenant.run((insert, Account::count())).expect("rows");
    }
    assert_eq!(proxy.take_round_trips(), 4);
    // Statements stay prepared: by schema, since each plans them for other tables.
    let recording = proxy.take_recording();
    let parsed = |message: &&testkit::Message| message.bytes.first() == Some(&b'P');
    let parsed: Vec<_> = recording.iter().filter(parsed).collect();
    let texts = parsed
        .iter()
        .map(|message| String::from_utf8_lossy(&message.bytes));
    let new: Vec<_> = texts.filter(|text| text.contains("bowline_")).collect();
    assert!(new.is_empty(), "{new:#?}");
    proxy.take_round_trips();
    tenants[0]
        .transaction(|tx| {
            tx.run(find())?;
            tx.run(find())
        })
        .expect("a transaction");
    assert_eq!(proxy.take_round_trips(), 3);
}

#[test]
fn a_schema_that_does_not_exist_is_named() {
    let database = test_database();
    let db = database.open().expect("a database");
    let none = db.with_schema("tenant_9");
    let refusals = [
        none.run(Account::count()).map(drop),
        // Here the enum is looked up first.
        none.run(Account::insert(new_account("ann"))).map(drop),
        none.transaction(|tx| tx.run(Account::count())).map(drop),
        none.migrate(migrations()).map(drop),
    ];
    for refused in refusals {
        let refused = refused.expect_err("no such schema");
        assert_eq!(refused.sqlstate(), Some(SqlState::INVALID_SCHEMA_NAME));
        assert_eq!(refused.message(), "schema \"tenant_9\" does not exist");
        assert_eq!(refused.outcome(), Outcome::NotCommitted);
    }
    assert!(names(&db).is_empty());
}

#[test]
fn a_schema_without_the_privilege_is_named() {
    let server = bowline::testing::LocalServer::private(&[]).unwrap_or_else(|e| panic!("{e}"));
    let mut admin = Session::connect(&server.config("postgres")).expect("a connection");
    let setup = "CREATE SCHEMA tenant_1; CREATE TABLE t (id int); CREATE ROLE clerk LOGIN;
        GRANT SELECT ON t TO clerk;";
    admin.batch_execute(setup).expect("a schema");
    let db = server.config("postgres").user("clerk").open();
    let tenant = db.expect("a database").with_schema("tenant_1");
    let refused = tenant.run(sql_query("SELECT count(*) FROM t").one::<i64>());
    let refused = refused.expect_err("it may not use the schema");
    assert_eq!(refused.message(), "permission denied for schema tenant_1");
}

#[test]
fn what_would_lack_the_schema_is_refused() {
    let database = test_database();
    let db = database.open().expect("a database").with_schema("tenant_1");
    let session = db
        .session()
        .map(drop)
        .expect_err("it would lack the schema");
    insta::assert_snapshot!(
        format!("{session}\nhint: {}", session.hint().expect("a hint")),
        @"
    a session of a database with the schema `tenant_1` would not have it
    hint: use the session of Database::transaction, which has it
    "
    );
    let all = accounts::table.select(accounts::username).all::<String>();
    let stream = db.stream(all).map(drop).expect_err("it would lack it");
    assert_eq!(stream.kind(), ErrorKind::Query);
}

#[test]
fn in_a_test_the_schema_ends_with_its_call() {
    let database = test_database();
    bank_in(&database, &["tenant_1"]);
    let mut session = Session::connect(&database.config()).expect("a connection");
    session.begin_test_transaction().expect("a transaction");
    let db = Database::pinned(session);
    let tenant = db.with_schema("tenant_1");
    tenant
        .run(Account::insert(new_account("ann")))
        .expect("a row");
    assert!(names(&db).is_empty());
    assert_eq!(names(&tenant), ["ann"]);
    db.run(Account::insert(new_account("bob"))).expect("a row");
    assert_eq!(names(&db), ["bob"]);
}

#[test]
fn a_schema_reaches_no_other_call_through_pgbouncer() {
    let database = test_database();
    bank_in(&database, &["tenant_1", "tenant_2"]);
    let bouncer = PgBouncer::start(&server());
    let config = bouncer.config(database.name()).pooler(true);
    let db = config.open().expect("a database");
    let (one, two) = (db.with_schema("tenant_1"), db.with_schema("tenant_2"));
    for round in 0..5 {
        let name = format!("one {round}");
        one.run(Account::insert(new_account(&name))).expect("a row");
        assert_eq!(names(&one).len(), round + 1);
        assert!(names(&two).is_empty());
        assert!(names(&db).is_empty());
    }
}

#[tokio::test]
async fn a_schema_travels_with_asynchronous_calls() {
    let database = test_database();
    let db = bank_in(&database, &["tenant_1"]).into_async();
    let tenant = db.with_schema("tenant_1");
    let insert = Account::insert(new_account("ann"));
    tenant.run(insert).await.expect("a row");
    let seen = tenant
        .transaction(async |tx| tx.run(Account::count()).await)
        .await;
    assert_eq!(seen.expect("a transaction"), 1);
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    let refused = tenant.session().await.map(drop);
    assert!(refused.is_err());
}

/// A table that the setting `qualified` names is the same for each tenant, even if a tenant has a
/// table of that name.
#[test]
fn a_qualified_table_is_that_of_public() {
    let (_test, db) = roles::database();
    for create in [
        "CREATE SCHEMA tenant_1",
        "CREATE TABLE tenant_1.people (LIKE public.people INCLUDING ALL)",
    ] {
        db.run(sql_query(create).affected()).expect("a table");
    }
    let tenant = db.with_schema("tenant_1");
    let ann = roles::person(&tenant, "ann");
    let changes = PersonChanges {
        full_name: Some(Some("Ann".into())),
        ..PersonChanges::default()
    };
    let changed = tenant.run(Person::update(ann.id, changes)).expect("a row");
    assert_eq!(db.run(Person::get(ann.id)).expect("a row"), changed);
    let own = || sql_query("SELECT count(*) FROM people").one::<i64>();
    assert_eq!(tenant.run(own()).expect("a count"), 0);
    assert_eq!(tenant.run(Person::count()).expect("a count"), 1);

    // Nor is a constraint of the one table taken for that of the other.
    let twice = |table: &str| {
        let insert =
            format!("INSERT INTO {table} (email, password_hash) VALUES ('b', ''), ('b', '')");
        let refused = tenant.run(sql_query(insert).affected());
        refused
            .expect_err("a duplicate")
            .constraint::<PersonConstraint>()
    };
    assert_eq!(twice("public.people"), Some(PersonConstraint::EmailKey));
    assert_eq!(twice("people"), None);
}
