//! The functions of libpq that the workloads need, as a connection and a result.
#![expect(unsafe_code, reason = "a C library without a layer")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use chrono::{DateTime, Duration, TimeZone as _, Utc};
use pq_sys::{
    ExecStatusType, PGconn, PGresult, PQclear, PQconnectdb, PQenterPipelineMode, PQerrorMessage,
    PQexec, PQexecPrepared, PQfinish, PQgetResult, PQgetisnull, PQgetlength, PQgetvalue, PQntuples,
    PQpipelineSync, PQprepare, PQputCopyData, PQputCopyEnd, PQresultStatus, PQsendQueryPrepared,
    PQsetChunkedRowsMode, PQsocket, PQstatus,
};

use crate::db::{User, UserId};

/// A connection.
pub struct Connection(*mut PGconn);

// SAFETY: libpq allows a connection on any thread, one thread at a time.
unsafe impl Send for Connection {}

/// A result.
pub struct Answer(*mut PGresult);

impl Drop for Connection {
    fn drop(&mut self) {
        unsafe { PQfinish(self.0) }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        unsafe { PQclear(self.0) }
    }
}

impl Connection {
    pub fn open(url: &str) -> Self {
        let url = CString::new(url).expect("a URL without NUL");
        let connection = Self(unsafe { PQconnectdb(url.as_ptr()) });
        assert!(
            unsafe { PQstatus(connection.0) } == pq_sys::ConnStatusType::CONNECTION_OK,
            "{}",
            connection.error()
        );
        connection
    }

    /// Returns the socket, which a checkout tests.
    pub fn socket(&self) -> c_int {
        unsafe { PQsocket(self.0) }
    }

    fn error(&self) -> String {
        unsafe { CStr::from_ptr(PQerrorMessage(self.0)) }
            .to_string_lossy()
            .into_owned()
    }

    pub fn prepare(&self, name: &CStr, sql: &CStr) {
        let answer = unsafe { PQprepare(self.0, name.as_ptr(), sql.as_ptr(), 0, ptr::null()) };
        self.check(&Answer(answer));
    }

    fn check(&self, answer: &Answer) {
        use ExecStatusType::{
            PGRES_COMMAND_OK, PGRES_COPY_IN, PGRES_PIPELINE_SYNC, PGRES_TUPLES_CHUNK,
            PGRES_TUPLES_OK,
        };
        let good = [
            PGRES_COMMAND_OK,
            PGRES_COPY_IN,
            PGRES_PIPELINE_SYNC,
            PGRES_TUPLES_CHUNK,
            PGRES_TUPLES_OK,
        ];
        let status = unsafe { PQresultStatus(answer.0) };
        assert!(good.contains(&status), "{}", self.error());
    }

    /// Executes a prepared statement, with parameters and results in binary.
    pub fn execute<const N: usize>(&self, name: &CStr, values: [&[u8]; N]) -> Answer {
        let (pointers, lengths, formats) = parameters(values);
        let answer = Answer(unsafe {
            PQexecPrepared(
                self.0,
                name.as_ptr(),
                N as c_int,
                pointers.as_ptr(),
                lengths.as_ptr(),
                formats.as_ptr(),
                1,
            )
        });
        self.check(&answer);
        answer
    }

    /// Adds the execution of a prepared statement to a pipeline.
    pub fn queue<const N: usize>(&self, name: &CStr, values: [&[u8]; N]) {
        let (pointers, lengths, formats) = parameters(values);
        let queued = unsafe {
            PQsendQueryPrepared(
                self.0,
                name.as_ptr(),
                N as c_int,
                pointers.as_ptr(),
                lengths.as_ptr(),
                formats.as_ptr(),
                1,
            )
        };
        assert!(queued == 1, "{}", self.error());
    }

    /// Sends the pipeline and reads its answers; without BEGIN its statements are one transaction.
    pub fn synchronize(&self, statements: usize) {
        assert!(unsafe { PQpipelineSync(self.0) } == 1, "{}", self.error());
        for _ in 0..statements {
            let answer = Answer(unsafe { PQgetResult(self.0) });
            self.check(&answer);
            assert!(unsafe { PQgetResult(self.0) }.is_null());
        }
        self.check(&Answer(unsafe { PQgetResult(self.0) }));
    }

    /// Reads the rows of a queued query in chunks of at most this many.
    pub fn in_chunks(&self, rows: c_int, mut each: impl FnMut(&Answer)) {
        assert!(unsafe { PQsetChunkedRowsMode(self.0, rows) } == 1);
        loop {
            let answer = Answer(unsafe { PQgetResult(self.0) });
            if answer.0.is_null() {
                return;
            }
            self.check(&answer);
            each(&answer);
        }
    }

    /// Begins a COPY from the client.
    pub fn start_copy(&self, sql: &CStr) {
        self.check(&Answer(unsafe { PQexec(self.0, sql.as_ptr()) }));
    }

    /// Sends a piece of the data of a COPY.
    pub fn put(&self, data: &[u8]) {
        let sent = unsafe { PQputCopyData(self.0, data.as_ptr().cast(), data.len() as c_int) };
        assert!(sent == 1, "{}", self.error());
    }

    /// Ends the data of a COPY, and waits for the answer.
    pub fn end_copy(&self) {
        let sent = unsafe { PQputCopyEnd(self.0, ptr::null()) };
        assert!(sent == 1, "{}", self.error());
        self.check(&Answer(unsafe { PQgetResult(self.0) }));
        assert!(unsafe { PQgetResult(self.0) }.is_null());
    }

    pub fn pipelined(self) -> Self {
        assert!(unsafe { PQenterPipelineMode(self.0) } == 1);
        self
    }
}

/// Returns pointers, lengths and formats of parameters in binary.
fn parameters<const N: usize>(values: [&[u8]; N]) -> ([*const c_char; N], [c_int; N], [c_int; N]) {
    (
        values.map(|value| value.as_ptr().cast()),
        values.map(|value| value.len() as c_int),
        [1; N],
    )
}

impl Answer {
    pub fn rows(&self) -> c_int {
        unsafe { PQntuples(self.0) }
    }

    /// Returns the bytes of a field; `None` for NULL.
    pub fn field(&self, row: c_int, column: c_int) -> Option<&[u8]> {
        if unsafe { PQgetisnull(self.0, row, column) } == 1 {
            return None;
        }
        let (value, length) = unsafe {
            (
                PQgetvalue(self.0, row, column),
                PQgetlength(self.0, row, column),
            )
        };
        Some(unsafe { std::slice::from_raw_parts(value.cast(), length as usize) })
    }

    pub fn bigint(&self, row: c_int, column: c_int) -> i64 {
        let bytes = self.field(row, column).expect("a value");
        i64::from_be_bytes(bytes.try_into().expect("eight bytes"))
    }

    pub fn text(&self, row: c_int, column: c_int) -> Option<String> {
        let bytes = self.field(row, column)?;
        Some(String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }

    /// Reads a timestamptz: microseconds since 2000-01-01.
    pub fn timestamptz(&self, row: c_int, column: c_int) -> DateTime<Utc> {
        let origin = Utc.with_ymd_and_hms(2000, 1, 1, 0, 0, 0).single();
        origin.expect("a date") + Duration::microseconds(self.bigint(row, column))
    }

    pub fn user(&self, row: c_int) -> User {
        User {
            id: UserId(self.bigint(row, 0)),
            name: self.text(row, 1).expect("a name"),
            email: self.text(row, 2).expect("an address"),
            balance: self.bigint(row, 3),
            created_at: self.timestamptz(row, 4),
            note: self.text(row, 5),
        }
    }
}
