//! Notices of the server.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{c_int, c_void};

use pq_sys as pq;

use super::{Field, copy};

/// Passes a notice of the server on to `tracing`.
pub(super) extern "C" fn receive_notice(_: *mut c_void, result: *const pq::PGresult) {
    let field = |field: Field| {
        // SAFETY: libpq lends a valid result for the length of this call, and the string is copied.
        copy(unsafe { pq::PQresultErrorField(result, field as c_int) }).unwrap_or_default()
    };
    let (severity, code, message) = (
        field(Field::Severity),
        field(Field::SqlState),
        field(Field::Message),
    );
    let (detail, hint) = (field(Field::Detail), field(Field::Hint));
    if severity == "WARNING" {
        tracing::warn!(target: "bowline::notice", code, detail, hint, "{message}");
    } else {
        tracing::debug!(target: "bowline::notice", severity, code, detail, hint, "{message}");
    }
}
