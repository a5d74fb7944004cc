//! The example of a web service, over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bowline::{AsyncDatabase, Session, StatementDsl as _, sql_query};
use testkit::{Ending, Proxy, Recorder};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{server, test_database};

#[path = "../../../examples/axum.rs"]
mod service;

/// Sends a request, and returns the status and the body of the response.
fn ask(at: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).expect("the service");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

type Served = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Starts the service. Returns its address, what stops it, and its task.
async fn serve(db: AsyncDatabase) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<Served>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let at = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.expect("it is asked to stop") };
    (
        at,
        stop,
        tokio::spawn(service::serve(listener, db, stopped)),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_opens_accounts_and_moves_money() {
    let database = test_database();
    let db = database.open().expect("a server").into_async();
    let (at, stop, serving) = serve(db.clone()).await;
    let accounts = database.open().expect("a server");
    let answers = tokio::task::spawn_blocking(move || {
        let open = |body| ask(at, "POST", "/accounts", body);
        let send = |body| ask(at, "POST", "/transfers", body);
        let transfer =
            |amount| format!(r#"{{"sender_id": 1, "receiver_id": 2, "amount": {amount}}}"#);
        let refused = open(r#"{"username": "ann", "balance": 100}"#);
        let nameless = open("{}");
        let ann = open(r#"{"username": "ann"}"#);
        let deposit = bank::AccountChanges {
            balance: Some(100),
            ..Default::default()
        };
        let deposit = bank::Account::update(bank::AccountId(1), deposit);
        accounts.run(deposit).expect("ann's account");
        [
            refused,
            nameless,
            ann,
            open(r#"{"username": "bob"}"#),
            open(r#"{"username": "ann"}"#),
            send(&transfer(30)),
            send(&transfer(71)),
            send(&transfer(-1)),
            ask(at, "GET", "/accounts/2", ""),
            ask(at, "GET", "/accounts/3", ""),
            ask(at, "GET", "/healthz", ""),
        ]
    });
    let answers = answers.await.expect("no panic");
    stop.send(()).expect("it waits");
    serving.await.expect("no panic").expect("an orderly end");
    db.session().await.expect_err("the database is closed");
    let statuses = answers.each_ref().map(|(status, _)| *status);
    assert_eq!(
        statuses,
        [422, 422, 201, 201, 409, 201, 409, 422, 200, 404, 200]
    );
    assert!(
        answers[10].1.contains("of 10 sessions in use"),
        "{}",
        answers[10].1
    );
    assert!(answers[0].1.contains("unknown field `balance`"));
    assert!(answers[1].1.contains("missing field `username`"));
    assert_eq!(answers[4].1, "the username is taken");
    assert_eq!(answers[6].1, "there is not enough money");
    let bob: serde_json::Value = serde_json::from_str(&answers[8].1).expect("JSON");
    assert_eq!(
        (&bob["username"], &bob["balance"]),
        (&"bob".into(), &30.into())
    );
}

/// The target of the service's own spans.
const SERVICE: &str = concat!(module_path!(), "::service");

#[test]
fn the_spans_of_statements_are_in_that_of_the_request() {
    let database = test_database();
    let recorder = Recorder::default();
    recorder.listen(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let db = database.open().expect("a server").into_async();
            let (at, stop, serving) = serve(db).await;
            let asked = tokio::task::spawn_blocking(move || ask(at, "GET", "/accounts/7", ""));
            assert_eq!(asked.await.expect("no panic").0, 404);
            stop.send(()).expect("it waits");
            serving.await.expect("no panic").expect("an orderly end");
        });
    });
    let requests = recorder.spans(SERVICE);
    let request = requests.first().expect("the span of the request");
    assert_eq!(request.get("path"), Some("/accounts/7"));
    assert_eq!(request.get("status"), Some("404"));
    let statements = recorder.spans("bowline::statement");
    let statement = statements.first().expect("the span of the statement");
    assert_eq!(statement.get("code.function.name"), Some("Account::get"));
    assert_eq!(statement.parent, Some(SERVICE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_stops_in_order_and_reports_its_health() {
    let database = test_database();
    let proxy = Proxy::start_tcp(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    let (at, stop, serving) = serve(db.into_async()).await;
    let health = || {
        let asked = tokio::task::spawn_blocking(move || ask(at, "GET", "/healthz", ""));
        async { asked.await.expect("no panic").0 }
    };
    assert_eq!(health().await, 200);
    // A request that runs when the service is asked to stop is answered.
    let mut witness = Session::connect(&database.config()).expect("a server");
    let lock = sql_query("BEGIN").affected();
    witness.run(lock).expect("a transaction");
    let lock = sql_query("LOCK accounts").affected();
    witness.run(lock).expect("a lock");
    let waiting =
        tokio::task::spawn_blocking(move || ask(at, "POST", "/accounts", r#"{"username": "ann"}"#));
    let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while witness.run(sql_query(waits).affected()).expect("a count") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(()).expect("it waits");
    witness
        .run(sql_query("COMMIT").affected())
        .expect("unlocked");
    assert_eq!(waiting.await.expect("no panic").0, 201);
    serving.await.expect("no panic").expect("an orderly end");
    // Without a server and a session, the service is not well.
    let db = proxy.config(database.name()).open().expect("a server");
    let (at, stop, serving) = serve(db.into_async()).await;
    proxy.refuse();
    proxy.cut(Ending::Rst);
    let asked = tokio::task::spawn_blocking(move || {
        ask(at, "GET", "/accounts/1", "");
        ask(at, "GET", "/healthz", "").0
    });
    assert_eq!(asked.await.expect("no panic"), 503);
    stop.send(()).expect("it waits");
    serving.await.expect("no panic").expect("an orderly end");
}
