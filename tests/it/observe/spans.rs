//! Spans, and the event of a slow statement.

use std::time::Duration;

use bank::Account;
use bowline::{
    Database, Page, Result, Statement as _, StatementDsl as _, TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use testkit::Recorder;

use crate::support::{new_account, server, test_database};

#[bowline::test]
fn a_statement_span_has_its_sql_and_function(db: Database) -> Result<()> {
    let recorder = Recorder::default();
    recorder.listen(|| db.run(Account::insert(new_account("ann"))))?;
    let spans = recorder.spans("bowline::statement");
    let span = spans.first().expect("a span");
    assert_eq!(spans.len(), 1);
    let text = span.get("db.query.text").expect("the SQL");
    assert!(
        text.starts_with("INSERT INTO accounts") && text.contains("$1"),
        "{text}"
    );
    for (field, value) in [
        ("db.system.name", "postgresql"),
        ("db.operation.name", "INSERT"),
        ("code.function.name", "Account::insert"),
        ("otel.name", "Account::insert"),
        ("otel.kind", "client"),
        ("db.response.returned_rows", "1"),
        ("bowline.attempt", "1"),
        ("bowline.round_trips", "1"),
        ("server.port", "5432"),
    ] {
        assert_eq!(span.get(field), Some(value), "{field}");
    }
    assert!(span.number("bowline.sent_bytes") > text.len() as f64);
    assert!(span.number("bowline.received_bytes") > 8.0);
    assert!(span.number("bowline.wire_seconds") > 0.0);
    assert!(span.number("bowline.decode_seconds") > 0.0);
    assert_eq!(span.get("error.type"), None);
    Ok(())
}

#[bowline::test]
fn no_value_is_shown(db: Database) -> Result<()> {
    let recorder = Recorder::default();
    recorder.listen(|| {
        db.run(Account::insert(new_account("s3cretmarker")))?;
        db.run(Account::insert(new_account("s3cretmarker")))
            .expect_err("a duplicate");
        db.run(Account::find_by_username("s3cretmarker"))
    })?;
    let seen = recorder.everything();
    assert!(!seen.contains("s3cretmarker"), "{seen}");
    assert!(seen.contains("Account::find_by_username"));
    Ok(())
}

#[bowline::test]
fn a_failed_statement_has_its_sqlstate_in_its_span(db: Database) -> Result<()> {
    let recorder = Recorder::default();
    recorder.listen(|| {
        db.run(sql_query("SELECT 1/0").affected())
            .expect_err("a failure")
    });
    let spans = recorder.spans("bowline::statement");
    let span = &spans[0];
    assert_eq!(span.get("error.type"), Some("22012"));
    assert_eq!(span.get("db.response.status_code"), Some("22012"));
    assert_eq!(span.get("otel.status_code"), Some("ERROR"));
    Ok(())
}

#[bowline::test]
fn a_tuple_is_one_span_that_names_all_its_functions(db: Database) -> Result<()> {
    let recorder = Recorder::default();
    recorder.listen(|| {
        db.run((
            Account::insert(new_account("ann")),
            Account::count(),
            Account::list(Page::first(10)),
        ))
    })?;
    let spans = recorder.spans("bowline::statement");
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].get("db.operation.name"), Some("BATCH"));
    assert_eq!(spans[0].get("db.operation.batch.size"), Some("3"));
    assert_eq!(
        spans[0].get("code.function.name"),
        Some("Account::insert, Account::count, Account::list")
    );
    assert_eq!(spans[0].get("db.response.returned_rows"), Some("3"));
    Ok(())
}

#[test]
fn a_transaction_span_has_statements_and_outcome() {
    let database = test_database();
    let db = database.open().expect("a server");
    let recorder = Recorder::default();
    recorder.listen(|| {
        db.with_options(TransactionOptions::serializable())
            .transaction(|tx| {
                let ann = tx.run(Account::insert(new_account("ann")))?;
                tx.savepoint(|tx| tx.run(Account::get(ann.id)))
            })
            .expect("a commit");
        db.transaction(|tx| {
            tx.run(Account::count())?;
            tx.run(sql_query("SELECT 1/0").affected())
        })
        .expect_err("a failure");
    });
    let transactions = recorder.spans("bowline::transaction");
    assert_eq!(transactions.len(), 2);
    let [done, failed] = [&transactions[0], &transactions[1]];
    assert_eq!(
        done.get("bowline.begin"),
        Some("BEGIN ISOLATION LEVEL SERIALIZABLE")
    );
    // Two statements and the commit.
    assert_eq!(done.get("bowline.outcome"), Some("committed"));
    assert_eq!(done.get("bowline.statements"), Some("3"));
    assert_eq!(done.get("bowline.round_trips"), Some("3"));
    assert_eq!(failed.get("bowline.outcome"), Some("not committed"));
    let statements = recorder.spans("bowline::statement");
    let operations: Vec<_> = statements
        .iter()
        .filter_map(|span| span.get("db.operation.name"))
        .collect();
    assert_eq!(
        operations,
        ["INSERT", "SELECT", "COMMIT", "SELECT", "SELECT", "ROLLBACK"]
    );
    assert!(
        statements
            .iter()
            .all(|span| span.parent == Some("bowline::transaction"))
    );
}

#[test]
fn a_checkout_span_has_the_caller_and_the_wait() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let recorder = Recorder::default();
    let held = db.session().expect("a session");
    let waiting = std::thread::spawn({
        let (db, recorder) = (db.clone(), recorder.clone());
        move || recorder.listen(|| db.run(Account::count()))
    });
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while db.pool_state().waiting == 0 {
        assert!(std::time::Instant::now() < deadline, "nobody waits");
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(100));
    drop(held);
    let counted = waiting.join().expect("no panic");
    assert_eq!(counted.expect("a count"), 0);
    let checkouts = recorder.spans("bowline::checkout");
    assert_eq!(checkouts.len(), 1);
    let place = checkouts[0].get("code.file.path");
    assert!(place.is_some_and(|file| file.ends_with("spans.rs")));
    assert!(checkouts[0].number("bowline.wait_seconds") > 0.05);
    let statements = recorder.spans("bowline::statement");
    assert!(statements[0].number("bowline.wait_seconds") > 0.05);
}

#[test]
fn each_attempt_of_a_retried_statement_is_numbered() {
    let database = test_database();
    let db = database.open().expect("a server");
    let mut session = db.session().expect("a session");
    session
        .batch_execute(
            "CREATE SEQUENCE tries;
             CREATE FUNCTION conflict() RETURNS bigint LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('tries') < 3 THEN RAISE SQLSTATE '40001'; END IF;
                 RETURN 1;
             END $$",
        )
        .expect("a function");
    drop(session);
    let recorder = Recorder::default();
    let run = || db.run(sql_query("SELECT conflict()").affected());
    assert_eq!(recorder.listen(run).expect("the third attempt"), 1);
    let statements = recorder.spans("bowline::statement");
    let attempts: Vec<_> = statements
        .iter()
        .filter_map(|span| span.get("bowline.attempt"))
        .collect();
    assert_eq!(attempts, ["1", "2", "3"]);
}

#[bowline::test]
fn diesels_own_calls_scripts_and_streams_are_seen_too(db: Database) -> Result<()> {
    let recorder = Recorder::default();
    recorder.listen(|| {
        let mut session = db.session()?;
        session.batch_execute("SELECT 1; SELECT 2")?;
        let number: i64 =
            diesel::select(diesel::dsl::sql::<BigInt>("7::bigint")).get_result(&mut *session)?;
        assert_eq!(number, 7);
        let numbers = diesel::dsl::sql::<BigInt>("SELECT generate_series(1::bigint, 5000)");
        let sum: i64 = session.stream(numbers.all::<i64>())?.sum::<Result<i64>>()?;
        assert_eq!(sum, 5000 * 5001 / 2);
        Ok::<_, bowline::Error>(())
    })?;
    let statements = recorder.spans("bowline::statement");
    assert_eq!(
        statements[0].get("db.query.text"),
        Some("SELECT 1; SELECT 2")
    );
    assert_eq!(statements[1].get("db.query.text"), Some("SELECT 7::bigint"));
    assert_eq!(statements[2].get("db.response.returned_rows"), Some("5000"));
    Ok(())
}

#[bowline::test]
fn a_copy_is_a_span_with_its_rows_and_bytes(db: Database) -> Result<()> {
    let recorder = Recorder::default();
    let mut out = Vec::new();
    recorder.listen(|| {
        let mut session = db.session()?;
        let into = "COPY accounts (username) FROM STDIN";
        session.copy_in_from(into, &b"ann\nbob\n"[..])?;
        session.copy_out_to("COPY (SELECT username FROM accounts) TO STDOUT", &mut out)?;
        session
            .copy_in_from(into, &b"ann\n"[..])
            .expect_err("a duplicate");
        Ok::<_, bowline::Error>(())
    })?;
    assert_eq!(out, b"ann\nbob\n");
    let spans = recorder.spans("bowline::statement");
    let [copied_in, copied_out, failed] = &spans[..] else {
        panic!("three spans are expected: {spans:?}");
    };
    for (span, moved) in [
        (copied_in, "bowline.sent_bytes"),
        (copied_out, "bowline.received_bytes"),
    ] {
        assert_eq!(span.get("db.operation.name"), Some("COPY"));
        assert_eq!(span.get("bowline.affected_rows"), Some("2"));
        assert_eq!(span.get(moved), Some("8"));
    }
    assert_eq!(copied_in.get("bowline.round_trips"), Some("2"));
    assert_eq!(copied_out.get("bowline.round_trips"), Some("1"));
    assert_eq!(failed.get("error.type"), Some("23505"));
    Ok(())
}

#[bowline::test]
fn each_fetch_of_a_cursor_is_a_span(db: Database) -> Result<()> {
    let recorder = Recorder::default();
    recorder.listen(|| {
        db.transaction(|tx| {
            let numbers = diesel::dsl::sql::<BigInt>("SELECT generate_series(1::bigint, 5)");
            let mut cursor = tx.cursor(numbers.all::<i64>().named("numbers"))?;
            assert_eq!(cursor.fetch(2)?, [1, 2]);
            assert_eq!(cursor.fetch_all()?, [3, 4, 5]);
            Ok::<_, bowline::Error>(())
        })
    })?;
    let spans = recorder.spans("bowline::statement");
    let first = spans[0].get("db.query.text").expect("the SQL");
    assert!(first.starts_with("DECLARE") && first.contains("; FETCH FORWARD 2"));
    assert_eq!(spans[0].get("code.function.name"), Some("numbers"));
    assert_eq!(spans[0].get("db.response.returned_rows"), Some("2"));
    let second = spans[1].get("db.query.text").expect("the SQL");
    assert!(second.starts_with("FETCH ALL"), "{second}");
    assert_eq!(spans[1].get("db.response.returned_rows"), Some("3"));
    Ok(())
}

#[test]
fn an_async_call_stays_within_its_outer_span() {
    let database = test_database();
    let db = database.open().expect("a server").into_async();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let recorder = Recorder::default();
    recorder.listen(|| {
        let request = tracing::debug_span!(target: "bowline_request", "request");
        let _entered = request.enter();
        runtime.block_on(db.run(Account::count())).expect("a count");
    });
    let statements = recorder.spans("bowline::statement");
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0].parent, Some("bowline_request"));
}

/// Opens a database on which every statement counts as slow.
fn with_slow_statements() -> (Database, bowline::testing::TestDatabase) {
    let database = test_database();
    let config = database.config().slow_statement(Duration::ZERO);
    let db = config.explain_slow(true).open().expect("a server");
    (db, database)
}

#[test]
fn a_slow_statement_is_an_event_with_its_plan() {
    let (db, _database) = with_slow_statements();
    let recorder = Recorder::default();
    let found = recorder.listen(|| db.run(Account::find_by_username("ann")));
    assert_eq!(found.expect("an answer"), None);
    let events = recorder.events("bowline::slow");
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event.level, Some(tracing::Level::WARN));
    assert_eq!(
        event.get("code.function.name"),
        Some("Account::find_by_username")
    );
    assert!(event.number("bowline.duration_seconds") > 0.0);
    let plan = event.get("bowline.plan").expect("a plan");
    assert!(plan.contains("on accounts"), "{plan}");
    assert_eq!(event.parent, Some("bowline::statement"));
}

#[test]
fn a_plan_takes_one_round_trip_and_runs_nothing_again() {
    let database = test_database();
    let proxy = testkit::Proxy::start(&server()).expect("a proxy");
    let config = proxy.config(database.name()).slow_statement(Duration::ZERO);
    let db = config.explain_slow(true).open().expect("a server");
    proxy.take_round_trips();
    let recorder = Recorder::default();
    recorder
        .listen(|| db.run(Account::insert(new_account("ann"))))
        .expect("an account");
    assert_eq!(proxy.take_round_trips(), 2);
    assert_eq!(recorder.events("bowline::slow").len(), 1);
    // Without a subscriber, no plan is requested.
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
    assert_eq!(proxy.take_round_trips(), 1);
}

#[test]
fn a_cancelled_slow_statement_has_its_plan_in_time() {
    let database = test_database();
    let config = database.config().slow_statement(Duration::from_millis(50));
    let config = config.parameter("options", "-c statement_timeout=100");
    let db = config.explain_slow(true).open().expect("a server");
    let recorder = Recorder::default();
    let sleep = || sql_query("SELECT pg_sleep(30)").affected();
    recorder.listen(|| {
        db.run(sleep()).expect_err("too slow for the server");
        db.with_timeout(Duration::from_millis(70))
            .run(sleep())
            .expect_err("too slow for the caller");
    });
    let events = recorder.events("bowline::slow");
    assert_eq!(events.len(), 2);
    assert!(
        events[0]
            .get("bowline.plan")
            .is_some_and(|plan| plan.contains("Result"))
    );
    assert_eq!(events[1].get("bowline.plan"), None);
}

#[test]
fn a_failed_plan_leaves_the_transaction_intact() {
    let (db, _database) = with_slow_statements();
    // The planner calls the function, and the second call fails.
    let fails_to_plan_again = "CREATE SEQUENCE plans;
         CREATE FUNCTION once() RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$
         BEGIN
             IF nextval('plans') > 1 THEN RAISE 'planned again'; END IF;
             RETURN 1;
         END $$";
    let mut session = db.session().expect("a session");
    session.batch_execute(fails_to_plan_again).expect("done");
    drop(session);
    let recorder = Recorder::default();
    let work = |tx: &mut bowline::Session| {
        tx.run(Account::insert(new_account("ann")))?;
        tx.run(sql_query("SELECT once()").affected())?;
        tx.run(Account::count())
    };
    let count = recorder.listen(|| db.transaction(work)).expect("a commit");
    assert_eq!(count, 1);
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
    let events = recorder.events("bowline::slow");
    let about = |text: &str| {
        let about = |event: &&testkit::recorder::Seen| {
            event
                .get("db.query.text")
                .is_some_and(|sql| sql.contains(text))
        };
        events.iter().find(about).expect("an event").clone()
    };
    assert_eq!(about("once()").get("bowline.plan"), None);
    assert!(about("INSERT").get("bowline.plan").is_some());
    assert!(about("count").get("bowline.plan").is_some());
}

#[test]
fn the_server_knows_the_programs_name() {
    #[derive(bowline::Row)]
    struct Name {
        #[diesel(sql_type = Text)]
        application_name: String,
    }
    let name = |config: &bowline::Config| {
        let mut session = bowline::Session::connect(config).expect("a server");
        let own = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let name = session.run(sql_query(own).one::<Name>()).expect("a name");
        name.application_name
    };
    let config = server().config("postgres");
    let program = std::env::current_exe().expect("a program");
    let program = program.file_name().and_then(|name| name.to_str());
    assert_eq!(Some(name(&config).as_str()), program);
    assert_eq!(name(&config.application_name("the bank")), "the bank");
}
