//! The example of a web service, over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::support::test_database;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_opens_accounts_and_moves_money() {
    let database = test_database();
    let db = database.open().expect("a server").into_async();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let at = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move { axum::serve(listener, service::router(db)).await });
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
        ]
    });
    let answers = answers.await.expect("no panic");
    serving.abort();
    let statuses = answers.each_ref().map(|(status, _)| *status);
    assert_eq!(statuses, [422, 422, 201, 201, 409, 201, 409, 422, 200, 404]);
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
