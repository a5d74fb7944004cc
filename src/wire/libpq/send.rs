//! Sends messages to the server and receives results.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::{self, NonNull};

use pq_sys as pq;

use super::{Connection, LibpqError, ResultSet};

impl Connection {
    pub(crate) fn enter_pipeline(&mut self) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQenterPipelineMode(self.0.as_ptr()) } == 1)
    }

    pub(crate) fn exit_pipeline(&mut self) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQexitPipelineMode(self.0.as_ptr()) } == 1)
    }

    /// Queues a Sync without flushing.
    pub(crate) fn send_sync(&mut self) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQsendPipelineSync(self.0.as_ptr()) } == 1)
    }

    /// Queues a simple query, which may hold several statements.
    pub(crate) fn send_simple(&mut self, sql: &CStr) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid and the string ends with NUL.
        self.check(unsafe { pq::PQsendQuery(self.0.as_ptr(), sql.as_ptr()) } == 1)
    }

    /// Queues a Parse for a named statement.
    pub(crate) fn send_prepare(
        &mut self,
        name: &CStr,
        sql: &CStr,
        types: &[u32],
    ) -> Result<(), LibpqError> {
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
    pub(crate) fn send_prepared<'v>(
        &mut self,
        name: &CStr,
        values: impl ExactSizeIterator<Item = Option<&'v [u8]>>,
    ) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid, the name ends with NUL, the arrays have `count` items
        // and point to values that outlive the call.
        let sent = with_arrays(values, |count, values, lengths, formats| unsafe {
            pq::PQsendQueryPrepared(
                self.0.as_ptr(),
                name.as_ptr(),
                count,
                values,
                lengths,
                formats,
                BINARY,
            )
        })?;
        self.check(sent == 1)
    }

    /// Queues Parse, Bind and Execute of the unnamed statement; the answer comes in binary.
    pub(crate) fn send_unnamed<'v>(
        &mut self,
        sql: &CStr,
        types: &[u32],
        values: impl ExactSizeIterator<Item = Option<&'v [u8]>>,
    ) -> Result<(), LibpqError> {
        if types.len() != values.len() {
            return Err("each value needs a type".to_owned());
        }
        // SAFETY: as in `send_prepared`; `types` has as many items as there are values.
        let sent = with_arrays(values, |count, values, lengths, formats| unsafe {
            pq::PQsendQueryParams(
                self.0.as_ptr(),
                sql.as_ptr(),
                count,
                types.as_ptr(),
                values,
                lengths,
                formats,
                BINARY,
            )
        })?;
        self.check(sent == 1)
    }

    /// Queues a Close of a named statement.
    pub(crate) fn send_close(&mut self, name: &CStr) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid and the name ends with NUL.
        self.check(unsafe { pq::PQsendClosePrepared(self.0.as_ptr(), name.as_ptr()) } == 1)
    }

    /// Writes the queued messages; returns false if some are left because the socket is full.
    pub(crate) fn flush(&mut self) -> Result<bool, LibpqError> {
        // SAFETY: the connection is valid.
        match unsafe { pq::PQflush(self.0.as_ptr()) } {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(self.message()),
        }
    }

    /// Reads the data that has arrived, without waiting.
    pub(crate) fn consume_input(&mut self) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQconsumeInput(self.0.as_ptr()) } == 1)
    }

    /// Returns whether `next_result` would have to wait.
    pub(crate) fn is_busy(&mut self) -> bool {
        // SAFETY: the connection is valid.
        unsafe { pq::PQisBusy(self.0.as_ptr()) == 1 }
    }

    /// Returns the next result; `None` after the last result of a command. To be called when not
    /// busy.
    pub(crate) fn next_result(&mut self) -> Option<ResultSet> {
        // SAFETY: the connection is valid; the result is owned by the caller from here.
        NonNull::new(unsafe { pq::PQgetResult(self.0.as_ptr()) }).map(ResultSet::new)
    }

    /// Returns the rows of the query that is answered next in chunks of this many, as they arrive.
    pub(crate) fn set_chunked_rows_mode(&mut self, rows: i32) -> Result<(), LibpqError> {
        // SAFETY: the connection is valid.
        self.check(unsafe { pq::PQsetChunkedRowsMode(self.0.as_ptr(), rows) } == 1)
    }

    /// Undoes [`Connection::set_chunked_rows_mode`] after a simple query; it would hold for the
    /// first answer of a pipeline.
    ///
    /// libpq forgets the mode as soon as it begins to send outside of a pipeline. So it is given no
    /// query, which it refuses only after that; nothing is sent.
    pub(crate) fn clear_chunked_rows_mode(&mut self) {
        // SAFETY: the connection is valid, and libpq itself checks the query for NULL.
        unsafe { pq::PQsendQuery(self.0.as_ptr(), ptr::null()) };
    }
}

const BINARY: c_int = 1;

/// The number of values for which the arrays are on the stack; most statements have fewer.
const FEW: usize = 8;

/// Gives `send` the arrays that libpq takes for bound values: pointers to them, their lengths and
/// their formats, and before them their number.
#[inline]
fn with_arrays<'v>(
    all: impl ExactSizeIterator<Item = Option<&'v [u8]>>,
    send: impl FnOnce(c_int, *const *const c_char, *const c_int, *const c_int) -> c_int,
) -> Result<c_int, LibpqError> {
    /// The formats of a few values.
    static FORMATS: [c_int; FEW] = [BINARY; FEW];

    let count = parameter_count(all.len())?;
    if all.len() <= FEW {
        let (mut values, mut lengths) = ([ptr::null(); FEW], [0; FEW]);
        for ((pointer, size), value) in values.iter_mut().zip(&mut lengths).zip(all) {
            (*pointer, *size) = (start(value), length(value)?);
        }
        let (values, lengths) = (values.as_ptr(), lengths.as_ptr());
        return Ok(send(count, values, lengths, FORMATS.as_ptr()));
    }
    let (mut values, mut lengths) = (Vec::with_capacity(all.len()), Vec::new());
    for value in all {
        lengths.push(length(value)?);
        values.push(start(value));
    }
    let formats = vec![BINARY; values.len()];
    let (values, lengths) = (values.as_ptr(), lengths.as_ptr());
    Ok(send(count, values, lengths, formats.as_ptr()))
}

fn start(value: Option<&[u8]>) -> *const c_char {
    value.map_or(ptr::null(), |bytes| bytes.as_ptr().cast())
}

fn length(value: Option<&[u8]>) -> Result<c_int, LibpqError> {
    c_int::try_from(value.map_or(0, <[u8]>::len))
        .map_err(|_| "a bound value is larger than 2 GiB".to_owned())
}

fn parameter_count(count: usize) -> Result<c_int, LibpqError> {
    // The protocol counts parameters in 16 bits (PostgreSQL manual, 55.7, Bind).
    u16::try_from(count)
        .map(c_int::from)
        .map_err(|_| format!("a statement takes at most 65535 parameters, this one has {count}"))
}
