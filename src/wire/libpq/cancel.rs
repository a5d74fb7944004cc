//! Asks the server to cancel the statement of a connection.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use pq_sys as pq;

use super::{Connection, LibpqError, Polling, borrow, copy, polling};

/// A request to cancel the statement of a connection, sent on a second connection (`PGcancelConn`).
///
/// The second connection is encrypted and verified like the first (PostgreSQL manual, 32.7).
#[derive(Debug)]
pub(crate) struct Cancel(NonNull<pq::PGcancelConn>);

// SAFETY: as for `Connection`.
unsafe impl Send for Cancel {}

impl Cancel {
    pub(crate) fn start(connection: &Connection) -> Result<Self, LibpqError> {
        // SAFETY: the connection is valid; the cancel object copies what it needs from it.
        let cancel = unsafe { pq::PQcancelCreate(connection.0.as_ptr()) };
        let cancel = Self(NonNull::new(cancel).ok_or("libpq is out of memory")?);
        // SAFETY: the object is valid.
        if unsafe { pq::PQcancelStart(cancel.0.as_ptr()) } == 1 {
            Ok(cancel)
        } else {
            Err(cancel.message())
        }
    }

    pub(crate) fn poll(&mut self) -> Polling {
        // SAFETY: the object is valid.
        polling(unsafe { pq::PQcancelPoll(self.0.as_ptr()) })
    }

    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        // SAFETY: the object is valid.
        borrow(unsafe { pq::PQcancelSocket(self.0.as_ptr()) })
    }

    pub(crate) fn message(&self) -> LibpqError {
        // SAFETY: the object is valid, and the string is copied before any other call.
        copy(unsafe { pq::PQcancelErrorMessage(self.0.as_ptr()) })
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        // SAFETY: the object is valid and this is the last use.
        unsafe { pq::PQcancelFinish(self.0.as_ptr()) };
    }
}
