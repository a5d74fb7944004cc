//! A web service for the bank, with axum.
//!
//! `DATABASE_URL=.. cargo run --example axum`, then
//! `curl -d '{"username": "ann"}' -H 'content-type: application/json' localhost:3000/accounts`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bank::{
    Account, AccountChanges, AccountConstraint, AccountId, AccountValues, NewAccount, NewTransfer,
    Transfer,
};
use bowline::{AsyncDatabase, Database, Error, ErrorKind, Result, TransactionOptions};
use serde::Deserialize;

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
pub(crate) fn router(db: AsyncDatabase) -> Router {
    Router::new()
        .route("/accounts", post(open_account))
        .route("/accounts/{id}", get(account))
        .route("/transfers", post(send))
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
        let (status, text) = match (error.kind(), error.constraint()) {
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
        };
        // The details go to the log of the service, not to its clients.
        tracing::warn!(%status, %error, outcome = ?error.outcome(), "a request failed");
        (status, text).into_response()
    }
}

#[tokio::main]
#[cfg_attr(test, expect(dead_code, reason = "the tests bring their own server"))]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Database::from_env()?.into_async();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, router(db)).await?)
}
