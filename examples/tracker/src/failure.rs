//! The response to a request that fails.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bowline::{Error, ErrorKind};
use serde_json::json;

/// The reason why a request failed.
pub(crate) enum Failure {
    /// The database refused it, or could not be asked.
    Database(Error),
    /// A part of the request makes no sense.
    Request(StatusCode, String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    pub(crate) fn bad(error: impl std::fmt::Display) -> Self {
        Self::Request(StatusCode::BAD_REQUEST, error.to_string())
    }

    pub(crate) fn not_found() -> Self {
        Self::Request(StatusCode::NOT_FOUND, "there is no such thing".to_owned())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Request(status, error) => {
                return (status, Json(json!({ "error": error }))).into_response();
            }
            Self::Database(error) => error,
        };
        if let Some(constraint) = error.constraint_name() {
            let body = json!({ "error": "a rule is violated", "constraint": constraint });
            return (StatusCode::CONFLICT, Json(body)).into_response();
        }
        let (status, text) = match error.kind() {
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "there is no such thing"),
            ErrorKind::VersionChanged => (StatusCode::CONFLICT, "it was changed meanwhile"),
            ErrorKind::Conflict | ErrorKind::Timeout | ErrorKind::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "try again later")
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong"),
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}
