//! libpq behind safe types: the only module with `unsafe`.
//!
//! Each type owns one C object and frees it once. Nothing here blocks: connections are made with
//! `PQconnectStartParams` and put into non-blocking mode, and who waits for the socket is decided above.
//! Strings that come from libpq are copied out, so that no borrow outlives the object that lent it.
#![expect(unsafe_code, reason = "the C interface of libpq")]

mod answer;
mod cancel;
mod client;
mod conninfo;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr::{self, NonNull};

use pq_sys as pq;

use crate::wire::notification::Notification;

pub(crate) use answer::{Field, ResultSet, Status};
pub(crate) use cancel::Cancel;
pub(crate) use client::{libpq_version, openssl_version};
pub(crate) use conninfo::{
    InvalidConninfo, complete_parameters, fill_in_parameters, parse_conninfo,
};

/// What libpq says of itself when a call fails; not what a server said.
pub(crate) type Said = String;

/// One connection (`PGconn`).
#[derive(Debug)]
pub(crate) struct Connection(NonNull<pq::PGconn>);

// SAFETY: libpq allows a connection to move between threads as long as two do not use it at once
// (PostgreSQL manual, 32.20); every call here that touches it takes the value by reference, and
// `Connection` is not `Sync`.
unsafe impl Send for Connection {}

/// One address of a server, as libpq has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// As it was given: a name, an address, or the folder of a socket.
    pub(crate) host: String,
    /// Empty for a socket.
    pub(crate) address: String,
    pub(crate) port: String,
}

impl std::fmt::Display for Place {
    /// As libpq words it in its messages.
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

/// What `PQconnectPoll` and `PQcancelPoll` wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polling {
    Readable,
    Writable,
    Done,
    Failed,
}

/// What the server says of the transaction (`PQtransactionStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransactionStatus {
    Idle,
    Active,
    InTransaction,
    InError,
    /// The connection is gone.
    Unknown,
}

/// What a COPY TO STDOUT gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyOut {
    Data,
    /// More has to arrive first.
    Wait,
    /// It is over; the result tells how it ended.
    End,
}

/// A value of a bound parameter in binary form; `None` is NULL.
pub(crate) type BoundValue = Option<Vec<u8>>;

impl Connection {
    /// Begins to connect; `Connection::poll_connect` carries it on.
    ///
    /// A `dbname` is a name: a connection string in its place is not expanded, since libpq's errors would quote it.
    pub(crate) fn start(parameters: &[(String, String)]) -> Result<Self, Said> {
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
        let connection = Self(NonNull::new(connection).ok_or("libpq is out of memory")?);
        // SAFETY: the connection is valid; the receiver is a function of this file that keeps nothing.
        unsafe {
            pq::PQsetNoticeReceiver(connection.0.as_ptr(), Some(receive_notice), ptr::null_mut());
            // The one way to learn the SQLSTATE of a refusal to connect: it stands in the text.
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

    /// Lets no later call block; to be called once connected.
    pub(crate) fn set_nonblocking(&mut self) -> Result<(), Said> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQsetnonblocking(self.0.as_ptr(), 1) } == 0)
    }

    /// Whether libpq refused the parameters before it tried to connect.
    pub(crate) fn is_refused(&self) -> bool {
        // SAFETY: the connection is valid.
        unsafe { pq::PQstatus(self.0.as_ptr()) == pq::ConnStatusType::CONNECTION_BAD }
    }

    /// `false` once libpq has seen that the connection is gone.
    pub(crate) fn is_alive(&self) -> bool {
        // SAFETY: the connection is valid.
        unsafe { pq::PQstatus(self.0.as_ptr()) == pq::ConnStatusType::CONNECTION_OK }
    }

    /// Where it leads, or is tried to (`PQhost`, `PQhostaddr`, `PQport`).
    pub(crate) fn place(&self) -> Place {
        // SAFETY: the connection is valid, and the strings are copied.
        let [host, address, port] = unsafe {
            [
                copy(pq::PQhost(self.0.as_ptr())),
                copy(pq::PQhostaddr(self.0.as_ptr())),
                copy(pq::PQport(self.0.as_ptr())),
            ]
        }
        .map(Option::unwrap_or_default);
        Place {
            host,
            address,
            port,
        }
    }

    /// The socket, while there is one.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        // SAFETY: the connection is valid.
        borrow(unsafe { pq::PQsocket(self.0.as_ptr()) })
    }

    /// Ends the connection at once, so that the server gives up what it is doing.
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

    /// `15.18` gives 150018.
    pub(crate) fn server_version(&self) -> i32 {
        // SAFETY: the connection is valid.
        unsafe { pq::PQserverVersion(self.0.as_ptr()) }
    }

    /// A setting that the server tells of by itself (`PQparameterStatus`).
    pub(crate) fn parameter_status(&self, name: &CStr) -> Option<String> {
        // SAFETY: the connection is valid, the name ends with NUL, and the string is copied before any other call.
        copy(unsafe { pq::PQparameterStatus(self.0.as_ptr(), name.as_ptr()) })
    }

    /// The process id of the server's backend.
    pub(crate) fn backend_pid(&self) -> i32 {
        // SAFETY: the connection is valid.
        unsafe { pq::PQbackendPID(self.0.as_ptr()) }
    }

    /// The server's name or address, or the folder of its Unix socket; of several, the one that took the connection.
    pub(crate) fn host(&self) -> String {
        // SAFETY: the connection is valid and the string is copied.
        copy(unsafe { pq::PQhost(self.0.as_ptr()) }).unwrap_or_default()
    }

    /// The server's port.
    pub(crate) fn port(&self) -> u16 {
        // SAFETY: the connection is valid and the string is copied.
        let port = copy(unsafe { pq::PQport(self.0.as_ptr()) }).unwrap_or_default();
        port.parse().unwrap_or(5432)
    }

    /// The database.
    pub(crate) fn database(&self) -> String {
        // SAFETY: the connection is valid and the string is copied.
        copy(unsafe { pq::PQdb(self.0.as_ptr()) }).unwrap_or_default()
    }

    /// The password that libpq uses, wherever it took it from.
    pub(crate) fn password(&self) -> Option<String> {
        // SAFETY: the connection is valid and the string is copied.
        copy(unsafe { pq::PQpass(self.0.as_ptr()) })
    }

    /// The last message; empty when there is none.
    pub(crate) fn message(&self) -> Said {
        // SAFETY: the connection is valid, and the string is copied before any other call.
        copy(unsafe { pq::PQerrorMessage(self.0.as_ptr()) })
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    pub(crate) fn enter_pipeline(&mut self) -> Result<(), Said> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQenterPipelineMode(self.0.as_ptr()) } == 1)
    }

    pub(crate) fn exit_pipeline(&mut self) -> Result<(), Said> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQexitPipelineMode(self.0.as_ptr()) } == 1)
    }

    /// Queues a Sync without flushing.
    pub(crate) fn send_sync(&mut self) -> Result<(), Said> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQsendPipelineSync(self.0.as_ptr()) } == 1)
    }

    /// Queues a simple query, which may hold several statements.
    pub(crate) fn send_simple(&mut self, sql: &CStr) -> Result<(), Said> {
        // SAFETY: the connection is valid and the string ends with NUL.
        self.check(unsafe { pq::PQsendQuery(self.0.as_ptr(), sql.as_ptr()) } == 1)
    }

    /// Queues a Parse for a named statement.
    pub(crate) fn send_prepare(
        &mut self,
        name: &CStr,
        sql: &CStr,
        types: &[u32],
    ) -> Result<(), Said> {
        let count = parameter_count(types.len())?;
        // SAFETY: the connection is valid, the strings end with NUL, `types` has `count` items.
        let sent = unsafe {
            pq::PQsendPrepare(
                self.0.as_ptr(),
                name.as_ptr(),
                sql.as_ptr(),
                count,
                types.as_ptr(),
            )
        };
        self.check(sent == 1)
    }

    /// Queues Bind and Execute of a named statement; the answer comes in binary.
    pub(crate) fn send_prepared(&mut self, name: &CStr, values: &[BoundValue]) -> Result<(), Said> {
        let bound = Bound::new(values)?;
        // SAFETY: the connection is valid, the name ends with NUL, the arrays have `count` items and
        // point into `values`, which outlives the call.
        let sent = unsafe {
            pq::PQsendQueryPrepared(
                self.0.as_ptr(),
                name.as_ptr(),
                bound.count,
                bound.values.as_ptr(),
                bound.lengths.as_ptr(),
                bound.formats.as_ptr(),
                BINARY,
            )
        };
        self.check(sent == 1)
    }

    /// Queues Parse, Bind and Execute of the unnamed statement; the answer comes in binary.
    pub(crate) fn send_unnamed(
        &mut self,
        sql: &CStr,
        types: &[u32],
        values: &[BoundValue],
    ) -> Result<(), Said> {
        let bound = Bound::new(values)?;
        // SAFETY: as in `send_prepared`; `types` has as many items as `values`.
        let sent = unsafe {
            pq::PQsendQueryParams(
                self.0.as_ptr(),
                sql.as_ptr(),
                bound.count,
                types.as_ptr(),
                bound.values.as_ptr(),
                bound.lengths.as_ptr(),
                bound.formats.as_ptr(),
                BINARY,
            )
        };
        self.check(sent == 1)
    }

    /// Queues a Close of a named statement.
    pub(crate) fn send_close(&mut self, name: &CStr) -> Result<(), Said> {
        // SAFETY: the connection is valid and the name ends with NUL.
        self.check(unsafe { pq::PQsendClosePrepared(self.0.as_ptr(), name.as_ptr()) } == 1)
    }

    /// Writes what is queued; `false` when some is left because the socket is full.
    pub(crate) fn flush(&mut self) -> Result<bool, Said> {
        // SAFETY: the connection is valid.
        match unsafe { pq::PQflush(self.0.as_ptr()) } {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(self.message()),
        }
    }

    /// Reads what has arrived, without waiting.
    pub(crate) fn consume_input(&mut self) -> Result<(), Said> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQconsumeInput(self.0.as_ptr()) } == 1)
    }

    /// Whether `next_result` would have to wait.
    pub(crate) fn is_busy(&mut self) -> bool {
        // SAFETY: the connection is valid.
        unsafe { pq::PQisBusy(self.0.as_ptr()) == 1 }
    }

    /// The next result; `None` ends those of one command. To be called when not busy.
    pub(crate) fn next_result(&mut self) -> Option<ResultSet> {
        // SAFETY: the connection is valid; the result is owned by the caller from here.
        NonNull::new(unsafe { pq::PQgetResult(self.0.as_ptr()) }).map(ResultSet)
    }

    /// Hands out the rows of the query that is answered next in chunks of so many, as they arrive.
    pub(crate) fn hand_out_chunks(&mut self, rows: i32) -> Result<(), Said> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQsetChunkedRowsMode(self.0.as_ptr(), rows) } == 1)
    }

    /// Undoes `hand_out_chunks` after a simple query, which would else hold for the first answer of a pipeline.
    ///
    /// libpq forgets it as soon as it begins to send outside of a pipeline, so it is given no query, which it refuses
    /// only after that; nothing is sent.
    pub(crate) fn hand_out_whole(&mut self) {
        // SAFETY: the connection is valid, and libpq itself checks the query for NULL.
        unsafe { pq::PQsendQuery(self.0.as_ptr(), ptr::null()) };
    }

    /// Queues data of a COPY FROM STDIN; `false` if there is no room before a flush.
    pub(crate) fn put_copy_data(&mut self, data: &[u8]) -> Result<bool, Said> {
        let length = c_int::try_from(data.len())
            .map_err(|_| "a piece of COPY data is larger than 2 GiB".to_owned())?;
        // SAFETY: the connection is valid; the data outlives the call, which copies it.
        let put = unsafe { pq::PQputCopyData(self.0.as_ptr(), data.as_ptr().cast(), length) };
        self.check(put >= 0)?;
        Ok(put == 1)
    }

    /// Ends a COPY FROM STDIN; with a reason the server fails it, with an error that holds the reason.
    /// `false` if there is no room before a flush.
    pub(crate) fn put_copy_end(&mut self, reason: Option<&CStr>) -> Result<bool, Said> {
        let reason = reason.map_or(ptr::null(), CStr::as_ptr);
        // SAFETY: the connection is valid and the string is NULL or ends with NUL.
        let put = unsafe { pq::PQputCopyEnd(self.0.as_ptr(), reason) };
        self.check(put >= 0)?;
        Ok(put == 1)
    }

    /// Takes one piece of a COPY TO STDOUT, and puts it behind `data`.
    pub(crate) fn get_copy_data(&mut self, data: &mut Vec<u8>) -> CopyOut {
        let mut buffer: *mut c_char = ptr::null_mut();
        // SAFETY: the connection is valid; `buffer` is set only when the length is above zero.
        match unsafe { pq::PQgetCopyData(self.0.as_ptr(), &mut buffer, 1) } {
            0 => CopyOut::Wait,
            length => {
                let Some(length) = usize::try_from(length).ok().filter(|length| *length > 0) else {
                    return CopyOut::End;
                };
                // SAFETY: libpq allocated `length` bytes and gave them away; they are copied before they are freed.
                unsafe {
                    data.extend_from_slice(std::slice::from_raw_parts(buffer.cast(), length));
                    pq::PQfreemem(buffer.cast());
                }
                CopyOut::Data
            }
        }
    }

    /// The next notification that has been taken in.
    pub(crate) fn next_notification(&mut self) -> Option<Notification> {
        // SAFETY: the connection is valid; the notification is owned by the caller from here.
        let notification = NonNull::new(unsafe { pq::PQnotifies(self.0.as_ptr()) })?;
        // SAFETY: libpq gave away one allocation that holds the strings as well; they are copied before it is freed.
        unsafe {
            let said = notification.as_ref();
            let owned = Notification {
                channel: copy(said.relname).unwrap_or_default(),
                payload: copy(said.extra).unwrap_or_default(),
                pid: said.be_pid,
            };
            pq::PQfreemem(notification.as_ptr().cast());
            Some(owned)
        }
    }

    fn check(&self, ok: bool) -> Result<(), Said> {
        if ok { Ok(()) } else { Err(self.message()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection is valid and this is the last use.
        unsafe { pq::PQfinish(self.0.as_ptr()) };
    }
}

const BINARY: c_int = 1;

/// The arrays that libpq wants for bound values, pointing into them.
struct Bound {
    count: c_int,
    values: Vec<*const c_char>,
    lengths: Vec<c_int>,
    formats: Vec<c_int>,
}

impl Bound {
    fn new(values: &[BoundValue]) -> Result<Self, Said> {
        let lengths = values
            .iter()
            .map(|value| {
                c_int::try_from(value.as_ref().map_or(0, Vec::len))
                    .map_err(|_| "a bound value is larger than 2 GiB".to_owned())
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            count: parameter_count(values.len())?,
            values: values
                .iter()
                .map(|value| {
                    value
                        .as_ref()
                        .map_or(ptr::null(), |bytes| bytes.as_ptr().cast())
                })
                .collect(),
            lengths,
            formats: vec![BINARY; values.len()],
        })
    }
}

fn parameter_count(count: usize) -> Result<c_int, Said> {
    // The protocol counts parameters in 16 bits (PostgreSQL manual, 55.7, Bind).
    u16::try_from(count)
        .map(c_int::from)
        .map_err(|_| format!("a statement takes at most 65535 parameters, this one has {count}"))
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
    // SAFETY: a socket that is not negative is open, and the callers bind the borrow to the object that owns it.
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

/// Passes a notice of the server's on to `tracing`.
extern "C" fn receive_notice(_: *mut c_void, result: *const pq::PGresult) {
    let field = |field: Field| {
        // SAFETY: libpq lends a valid result for the length of this call, and the string is copied.
        copy(unsafe { pq::PQresultErrorField(result, field as c_int) }).unwrap_or_default()
    };
    let (severity, code, message) = (
        field(Field::Severity),
        field(Field::SqlState),
        field(Field::Message),
    );
    if severity == "WARNING" {
        tracing::warn!(target: "bowline::notice", code, "{message}");
    } else {
        tracing::debug!(target: "bowline::notice", severity, code, "{message}");
    }
}
