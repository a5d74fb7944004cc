//! A web service for the bank, with axum.
//!
//! `DATABASE_URL=.. cargo run --example axum`, then
//! `curl -d '{"username": "ann"}' -H 'content-type: application/json' localhost:3000/accounts`.
//!
//! It has what a service needs beside its routes: limits of time, a check of its health, a span for
//! each request, one function that decides on the status of an error, and an orderly end.

use std::future::IntoFuture as _;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bank::{
    Account, AccountChanges, AccountConstraint, AccountId, AccountValues, NewAccount, NewTransfer,
    Transfer,
};
use bowline::{AsyncDatabase, Database, Error, ErrorKind, Result, TransactionOptions};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Instrument as _;

/// The fields that a client may send. `AccountValues` as a body would let it set its own balance.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenAccount {
    username: String,
    email: Option<String>,
}

/// The fields that a client may send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendMoney {
    sender_id: AccountId,
    receiver_id: AccountId,
    amount: i64,
}

/// The routes of the service.
fn router(db: AsyncDatabase) -> Router {
    Router::new()
        .route("/accounts", post(open_account))
        .route("/accounts/{id}", get(account))
        .route("/transfers", post(send))
        .layer(from_fn(traced))
        .route("/healthz", get(healthz))
        .with_state(db)
}

async fn open_account(
    State(db): State<AsyncDatabase>,
    Json(body): Json<OpenAccount>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    let username = body.username.into();
    let new = AccountValues {
        email: body.email.map(Into::into),
        ..NewAccount { username }.into()
    };
    let account = db.run(Account::insert(new)).await?;
    Ok((StatusCode::CREATED, Json(account)))
}

async fn account(
    State(db): State<AsyncDatabase>,
    Path(id): Path<AccountId>,
) -> Result<Json<Account>, Failure> {
    Ok(Json(db.run(Account::get(id)).await?))
}

/// Moves money, or returns the reason why not. If two transfers conflict, one of them is retried.
async fn send(
    State(db): State<AsyncDatabase>,
    Json(body): Json<SendMoney>,
) -> Result<(StatusCode, Json<Transfer>), Failure> {
    let new = NewTransfer {
        sender_id: body.sender_id,
        receiver_id: body.receiver_id,
        amount: body.amount,
    };
    let transfer = db
        .with_options(TransactionOptions::serializable())
        .transaction(async |tx| {
            let accounts = (Account::get(new.sender_id), Account::get(new.receiver_id));
            let (sender, receiver) = tx.run(accounts).await?;
            let balance = |cents| AccountChanges {
                balance: Some(cents),
                ..Default::default()
            };
            let (_, _, transfer) = tx
                .run((
                    Account::update(sender.id, balance(sender.balance - new.amount)),
                    Account::update(receiver.id, balance(receiver.balance + new.amount)),
                    Transfer::insert(new.clone()),
                ))
                .await?;
            Ok(transfer)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(transfer)))
}

/// Returns 200 with the counters of the pool while it has a session, and otherwise asks the server
/// for one.
///
/// So a check takes no round trip, unless the service was idle for long or the server is gone.
async fn healthz(State(db): State<AsyncDatabase>) -> (StatusCode, String) {
    let state = db.pool_state();
    let counters = format!(
        "{} of {} sessions in use, {} waiting",
        state.in_use, state.max, state.waiting
    );
    if state.size > 0 {
        return (StatusCode::OK, counters);
    }
    match db.with_timeout(HEALTH).session().await {
        Ok(_) => (StatusCode::OK, counters),
        Err(error) => {
            tracing::warn!(%error, "the database cannot be reached");
            (StatusCode::SERVICE_UNAVAILABLE, counters)
        }
    }
}

/// The time that a check of the service's health may take.
const HEALTH: Duration = Duration::from_secs(1);

/// The time that a call of the database may take, waiting for a session included.
const CALL: Duration = Duration::from_secs(5);

/// The time that a request may take as a whole. Its future is dropped then: the running statement
/// is cancelled, and its transaction is rolled back.
const REQUEST: Duration = Duration::from_secs(10);

/// The time that work in progress may take once the service was asked to stop.
const SHUTDOWN: Duration = Duration::from_secs(15);

/// Runs a request in a span of its own, which the spans of its statements are in, and within
/// [`REQUEST`].
async fn traced(request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        status = tracing::field::Empty,
    );
    let response = async {
        let response = tokio::time::timeout(REQUEST, next.run(request)).await;
        response.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
    };
    let response = response.instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    response
}

/// The response to a failed request.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let (status, text) = status(&error);
        // The details go to the log of the service, not to its clients.
        tracing::warn!(%status, %error, outcome = ?error.outcome(), "a request failed");
        (status, text).into_response()
    }
}

/// Returns the status and the text for a client: the only place that decides on them.
///
/// What a client can do decides: choose another name (409), correct the request (404, 422), or try
/// again later (503). Whatever else happens is a fault of the service (500).
fn status(error: &Error) -> (StatusCode, &'static str) {
    match (error.kind(), error.constraint()) {
        (_, Some(AccountConstraint::UsernameKey)) => {
            (StatusCode::CONFLICT, "the username is taken")
        }
        (_, Some(AccountConstraint::BalanceCheck)) => {
            (StatusCode::CONFLICT, "there is not enough money")
        }
        (ErrorKind::NotFound, _) => (StatusCode::NOT_FOUND, "there is no such account"),
        (ErrorKind::Constraint, _) => (StatusCode::UNPROCESSABLE_ENTITY, "that cannot be"),
        (ErrorKind::Conflict | ErrorKind::Timeout | ErrorKind::Unavailable, _) => {
            (StatusCode::SERVICE_UNAVAILABLE, "try again later")
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong"),
    }
}

/// Serves until `stop` is done. Requests in progress are answered, and then the database is closed.
pub(crate) async fn serve(
    listener: TcpListener,
    db: AsyncDatabase,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        stopping.send(()).ok();
    };
    let serving = axum::serve(listener, router(db.with_timeout(CALL)))
        .with_graceful_shutdown(stop)
        .into_future();
    let overdue = async {
        stopped.await.ok();
        tokio::time::sleep(SHUTDOWN).await;
    };
    tokio::select! {
        served = serving => served?,
        () = overdue => tracing::warn!("requests were not answered in time"),
    }
    // Names the places that hold a session, if there are any.
    Ok(db.close(SHUTDOWN).await?)
}

/// Waits until an operator or the system asks the service to stop.
async fn asked_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("a handler of SIGTERM");
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.expect("a handler of SIGINT"),
    }
}

#[tokio::main]
#[cfg_attr(test, expect(dead_code, reason = "the tests bring their own server"))]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let db = Database::from_env()?.into_async();
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    serve(listener, db, asked_to_stop()).await
}
