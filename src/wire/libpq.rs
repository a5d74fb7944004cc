//! libpq behind safe types: the only module with `unsafe`.
//!
//! Each type owns one C object and frees it once. Nothing here blocks: connections are made with
//! `PQconnectStartParams` and put into non-blocking mode; the driver waits for the socket.
//! Strings that come from libpq are copied, so that no borrow outlives the object that owns them.
#![expect(unsafe_code, reason = "the C interface of libpq")]

mod answer;
mod cancel;
mod client;
mod conninfo;
mod copy_data;
mod notice;
mod process;
mod send;
#[cfg(feature = "tokio")]
mod socket;

use std::ffi::{CStr, CString, c_char};
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr::{self, NonNull};

use pq_sys as pq;

use crate::wire::notification::Notification;
#[cfg(feature = "tokio")]
use crate::wire::reactor::Registration;

pub(crate) use answer::{Field, ResultSet, ResultStatus};
pub(crate) use cancel::Cancel;
pub(crate) use client::{libpq_version, openssl_version};
pub(crate) use conninfo::{
    InvalidConninfo, complete_parameters, fill_in_parameters, parse_conninfo,
};
pub(crate) use copy_data::CopyOut;
pub(crate) use process::process_id;
#[cfg(feature = "tokio")]
pub(crate) use socket::register;

/// libpq's message for a call that failed; not a message of the server.
pub(crate) type LibpqError = String;

/// One connection (`PGconn`), and the registration of its socket.
#[derive(Debug)]
pub(crate) struct Connection(NonNull<pq::PGconn>, #[cfg(feature = "tokio")] Registration);

// SAFETY: libpq allows a connection to move between threads as long as two do not use it at once
// (PostgreSQL manual, 32.20); every call here that touches it takes the value by reference, and
// `Connection` is not `Sync`.
unsafe impl Send for Connection {}

/// One address of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HostAddress {
    /// The host as it was given: a name, an address, or the directory of a socket.
    pub(crate) host: String,
    /// The IP address; empty for a socket.
    pub(crate) address: String,
    pub(crate) port: String,
}

impl std::fmt::Display for HostAddress {
    /// Formats the address as libpq's messages do.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            host,
            address,
            port,
        } = self;
        if host.starts_with(['/', '@']) {
            write!(f, "on socket \"{host}/.s.PGSQL.{port}\"")
        } else if address.is_empty() || host == address {
            write!(f, "at \"{host}\", port {port}")
        } else {
            write!(f, "at \"{host}\" ({address}), port {port}")
        }
    }
}

/// The state of `PQconnectPoll` and `PQcancelPoll`: the event that they wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polling {
    Readable,
    Writable,
    Done,
    Failed,
}

/// The state of the server's transaction (`PQtransactionStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionStatus {
    Idle,
    Active,
    InTransaction,
    InError,
    /// The connection is gone.
    Unknown,
}

impl Connection {
    /// Begins to connect; `Connection::poll_connect` continues.
    ///
    /// A `dbname` is always a name: libpq does not expand a connection string in its place, since
    /// its errors would quote the string.
    pub(crate) fn start(parameters: &[(String, String)]) -> Result<Self, LibpqError> {
        let strings = |pick: fn(&(String, String)) -> &str| {
            parameters
                .iter()
                .map(|parameter| {
                    CString::new(pick(parameter))
                        .map_err(|_| "a connection parameter holds a NUL byte".to_owned())
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let (keys, values) = (strings(|(key, _)| key)?, strings(|(_, value)| value)?);
        let terminated = |strings: &[CString]| {
            strings
                .iter()
                .map(|string| string.as_ptr())
                .chain([ptr::null()])
                .collect::<Vec<_>>()
        };
        let (keys, values) = (terminated(&keys), terminated(&values));
        // SAFETY: both arrays end with NULL and their strings live until the call returns.
        let connection = unsafe { pq::PQconnectStartParams(keys.as_ptr(), values.as_ptr(), 0) };
        let connection = Self(
            NonNull::new(connection).ok_or("libpq is out of memory")?,
            #[cfg(feature = "tokio")]
            Registration::default(),
        );
        // SAFETY: the connection is valid; the receiver is a function of this file that keeps
        // nothing.
        unsafe {
            pq::PQsetNoticeReceiver(
                connection.0.as_ptr(),
                Some(notice::receive_notice),
                ptr::null_mut(),
            );
            // The SQLSTATE of a refusal to connect is available in the verbose message only.
            pq::PQsetErrorVerbosity(connection.0.as_ptr(), pq::PGVerbosity::PQERRORS_VERBOSE);
        };
        Ok(connection)
    }

    pub(crate) fn poll_connect(&mut self) -> Polling {
        // SAFETY: the connection is valid.
        let polling = polling(unsafe { pq::PQconnectPoll(self.0.as_ptr()) });
        if polling == Polling::Done {
            // SAFETY: the connection is valid.
            unsafe { pq::PQsetErrorVerbosity(self.0.as_ptr(), pq::PGVerbosity::PQERRORS_DEFAULT) };
        }
        polling
    }

    /// Makes later calls non-blocking; to be called once connected.
    pub(crate) fn set_nonblocking(&mut self) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQsetnonblocking(self.0.as_ptr(), 1) } == 0)
    }

    /// Returns whether libpq refused the parameters before it tried to connect.
    pub(crate) fn is_refused(&self) -> bool {
        // SAFETY: the connection is valid.
        unsafe { pq::PQstatus(self.0.as_ptr()) == pq::ConnStatusType::CONNECTION_BAD }
    }

    /// Returns whether the connection is open, as far as libpq has seen.
    pub(crate) fn is_alive(&self) -> bool {
        // SAFETY: the connection is valid.
        unsafe { pq::PQstatus(self.0.as_ptr()) == pq::ConnStatusType::CONNECTION_OK }
    }

    /// Returns the address that is connected, or is being tried (`PQhost`, `PQhostaddr`, `PQport`).
    pub(crate) fn address(&self) -> HostAddress {
        // SAFETY: the connection is valid, and the strings are copied.
        let [host, address, port] = unsafe {
            [
                copy(pq::PQhost(self.0.as_ptr())),
                copy(pq::PQhostaddr(self.0.as_ptr())),
                copy(pq::PQport(self.0.as_ptr())),
            ]
        }
        .map(Option::unwrap_or_default);
        HostAddress {
            host,
            address,
            port,
        }
    }

    /// Returns the socket, while there is one.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        // SAFETY: the connection is valid.
        borrow(unsafe { pq::PQsocket(self.0.as_ptr()) })
    }

    /// Returns the registration of the socket.
    #[cfg(feature = "tokio")]
    pub(crate) fn registration(&mut self) -> &mut Registration {
        &mut self.1
    }

    /// Shuts the socket down at once, so that the server gives up its statement.
    pub(crate) fn shut_down(&self) {
        if let Some(socket) = self.socket() {
            rustix::net::shutdown(socket, rustix::net::Shutdown::Both).ok();
        }
    }

    pub(crate) fn transaction_status(&self) -> TransactionStatus {
        // SAFETY: the connection is valid.
        match unsafe { pq::PQtransactionStatus(self.0.as_ptr()) } {
            pq::PGTransactionStatusType::PQTRANS_IDLE => TransactionStatus::Idle,
            pq::PGTransactionStatusType::PQTRANS_ACTIVE => TransactionStatus::Active,
            pq::PGTransactionStatusType::PQTRANS_INTRANS => TransactionStatus::InTransaction,
            pq::PGTransactionStatusType::PQTRANS_INERROR => TransactionStatus::InError,
            _ => TransactionStatus::Unknown,
        }
    }

    /// Returns the server's version as a number: 150018 for `15.18`.
    pub(crate) fn server_version(&self) -> i32 {
        // SAFETY: the connection is valid.
        unsafe { pq::PQserverVersion(self.0.as_ptr()) }
    }

    /// Returns a setting that the server reports by itself (`PQparameterStatus`).
    pub(crate) fn parameter_status(&self, name: &CStr) -> Option<String> {
        // SAFETY: the connection is valid, the name ends with NUL, and the string is copied before
        // any other call.
        copy(unsafe { pq::PQparameterStatus(self.0.as_ptr(), name.as_ptr()) })
    }

    /// Returns the process id of the server's backend.
    pub(crate) fn backend_pid(&self) -> i32 {
        // SAFETY: the connection is valid.
        unsafe { pq::PQbackendPID(self.0.as_ptr()) }
    }

    /// Returns the server's name or address, or the directory of its Unix socket. If several were
    /// given, returns the one that is connected.
    pub(crate) fn host(&self) -> String {
        // SAFETY: the connection is valid and the string is copied.
        copy(unsafe { pq::PQhost(self.0.as_ptr()) }).unwrap_or_default()
    }

    /// Returns the server's port.
    pub(crate) fn port(&self) -> u16 {
        // SAFETY: the connection is valid and the string is copied.
        let port = copy(unsafe { pq::PQport(self.0.as_ptr()) }).unwrap_or_default();
        port.parse().unwrap_or(5432)
    }

    /// Returns the name of the database.
    pub(crate) fn database(&self) -> String {
        // SAFETY: the connection is valid and the string is copied.
        copy(unsafe { pq::PQdb(self.0.as_ptr()) }).unwrap_or_default()
    }

    /// Returns the password that libpq uses, from wherever it was read.
    pub(crate) fn password(&self) -> Option<String> {
        // SAFETY: the connection is valid and the string is copied.
        copy(unsafe { pq::PQpass(self.0.as_ptr()) })
    }

    /// Returns the last message; empty when there is none.
    pub(crate) fn message(&self) -> LibpqError {
        // SAFETY: the connection is valid, and the string is copied before any other call.
        copy(unsafe { pq::PQerrorMessage(self.0.as_ptr()) })
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    /// Returns the next notification that libpq has read.
    pub(crate) fn next_notification(&mut self) -> Option<Notification> {
        // SAFETY: the connection is valid; the notification is owned by the caller from here.
        let notification = NonNull::new(unsafe { pq::PQnotifies(self.0.as_ptr()) })?;
        // SAFETY: libpq gave away one allocation that holds the strings as well; they are copied
        // before it is freed.
        unsafe {
            let fields = notification.as_ref();
            let owned = Notification {
                channel: copy(fields.relname).unwrap_or_default(),
                payload: copy(fields.extra).unwrap_or_default(),
                pid: fields.be_pid,
            };
            pq::PQfreemem(notification.as_ptr().cast());
            Some(owned)
        }
    }

    fn check(&self, ok: bool) -> Result<(), LibpqError> {
        if ok { Ok(()) } else { Err(self.message()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection is valid and this is the last use.
        unsafe { pq::PQfinish(self.0.as_ptr()) };
    }
}

fn polling(status: pq::PostgresPollingStatusType) -> Polling {
    match status {
        pq::PostgresPollingStatusType::PGRES_POLLING_READING => Polling::Readable,
        pq::PostgresPollingStatusType::PGRES_POLLING_WRITING
        | pq::PostgresPollingStatusType::PGRES_POLLING_ACTIVE => Polling::Writable,
        pq::PostgresPollingStatusType::PGRES_POLLING_OK => Polling::Done,
        pq::PostgresPollingStatusType::PGRES_POLLING_FAILED => Polling::Failed,
    }
}

fn borrow<'a>(socket: RawFd) -> Option<BorrowedFd<'a>> {
    // SAFETY: a socket that is not negative is open, and the callers bind the borrow to the object
    // that owns it.
    (socket >= 0).then(|| unsafe { BorrowedFd::borrow_raw(socket) })
}

fn copy(text: *const c_char) -> Option<String> {
    // SAFETY: a string of libpq's that is not NULL ends with NUL; it is copied at once.
    (!text.is_null()).then(|| {
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned()
    })
}
