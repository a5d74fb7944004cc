//! One result of the server.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{CStr, c_int};
use std::num::NonZeroU32;
use std::ptr::NonNull;

use pq_sys as pq;

use super::copy;

/// One result (`PGresult`), which never changes.
#[derive(Debug)]
pub(crate) struct ResultSet(pub(super) NonNull<pq::PGresult>);

// SAFETY: a PGresult is plain memory of its own that libpq never touches again once handed out, and
// the functions used here only read it (PostgreSQL manual, 32.20).
unsafe impl Send for ResultSet {}
// SAFETY: as above.
unsafe impl Sync for ResultSet {}

/// The kind of a result (`PQresultStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultStatus {
    Empty,
    Command,
    Rows,
    /// A part of the rows; more follow.
    Chunk,
    CopyIn,
    CopyOut,
    PipelineSync,
    PipelineAborted,
    Error,
}

/// The fields of an error or notice (`PQresultErrorField`).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field {
    Severity = b'V' as isize,
    SqlState = b'C' as isize,
    Message = b'M' as isize,
    Detail = b'D' as isize,
    Hint = b'H' as isize,
    Position = b'P' as isize,
    InternalPosition = b'p' as isize,
    InternalQuery = b'q' as isize,
    Context = b'W' as isize,
    Schema = b's' as isize,
    Table = b't' as isize,
    Column = b'c' as isize,
    DataType = b'd' as isize,
    Constraint = b'n' as isize,
    SourceFile = b'F' as isize,
    SourceLine = b'L' as isize,
    SourceFunction = b'R' as isize,
}

impl ResultSet {
    pub(crate) fn status(&self) -> ResultStatus {
        use pq::ExecStatusType as S;
        // SAFETY: the result is valid.
        match unsafe { pq::PQresultStatus(self.0.as_ptr()) } {
            S::PGRES_EMPTY_QUERY => ResultStatus::Empty,
            S::PGRES_COMMAND_OK => ResultStatus::Command,
            S::PGRES_TUPLES_OK => ResultStatus::Rows,
            S::PGRES_SINGLE_TUPLE | S::PGRES_TUPLES_CHUNK => ResultStatus::Chunk,
            S::PGRES_COPY_IN | S::PGRES_COPY_BOTH => ResultStatus::CopyIn,
            S::PGRES_COPY_OUT => ResultStatus::CopyOut,
            S::PGRES_PIPELINE_SYNC => ResultStatus::PipelineSync,
            S::PGRES_PIPELINE_ABORTED => ResultStatus::PipelineAborted,
            _ => ResultStatus::Error,
        }
    }

    pub(crate) fn error_field(&self, field: Field) -> Option<String> {
        // SAFETY: the result is valid and the string is copied.
        copy(unsafe { pq::PQresultErrorField(self.0.as_ptr(), field as c_int) })
    }

    /// Returns libpq's whole message; for errors of libpq itself, which have no fields.
    pub(crate) fn error_message(&self) -> String {
        // SAFETY: the result is valid and the string is copied.
        copy(unsafe { pq::PQresultErrorMessage(self.0.as_ptr()) })
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    /// Returns the command tag, such as `INSERT 0 1` or `COMMIT`.
    pub(crate) fn command_tag(&self) -> String {
        // SAFETY: the result is valid and the string is copied.
        copy(unsafe { pq::PQcmdStatus(self.0.as_ptr()) }).unwrap_or_default()
    }

    /// Returns the number in the command tag; 0 for a command that has none.
    pub(crate) fn rows_affected(&self) -> usize {
        // SAFETY: the result is valid and the string is copied.
        let text = copy(unsafe { pq::PQcmdTuples(self.0.as_ptr()) }).unwrap_or_default();
        text.parse().unwrap_or(0)
    }

    pub(crate) fn row_count(&self) -> usize {
        // SAFETY: the result is valid.
        usize::try_from(unsafe { pq::PQntuples(self.0.as_ptr()) }).unwrap_or(0)
    }

    pub(crate) fn column_count(&self) -> usize {
        // SAFETY: the result is valid.
        usize::try_from(unsafe { pq::PQnfields(self.0.as_ptr()) }).unwrap_or(0)
    }

    pub(crate) fn column_name(&self, column: usize) -> Option<&str> {
        let column = self.column_index(column)?;
        // SAFETY: the result is valid and the column is one of its own.
        let name = unsafe { pq::PQfname(self.0.as_ptr(), column) };
        // SAFETY: a name that is not NULL ends with NUL and lives as long as the result.
        NonNull::new(name).and_then(|name| unsafe { CStr::from_ptr(name.as_ptr()) }.to_str().ok())
    }

    /// Returns the OID of the column's type.
    pub(crate) fn column_type(&self, column: usize) -> Option<NonZeroU32> {
        let column = self.column_index(column)?;
        // SAFETY: the result is valid and the column is one of its own.
        NonZeroU32::new(unsafe { pq::PQftype(self.0.as_ptr(), column) })
    }

    /// Returns whether it is a column of a table or view, not an expression.
    pub(crate) fn is_of_a_table(&self, column: usize) -> bool {
        let Some(column) = self.column_index(column) else {
            return false;
        };
        // SAFETY: the result is valid and the column is one of its own.
        unsafe { pq::PQftable(self.0.as_ptr(), column) != 0 }
    }

    /// Returns the bytes of a value; `None` if it is NULL, or if the row or column does not exist.
    pub(crate) fn value(&self, row: usize, column: usize) -> Option<&[u8]> {
        let column = self.column_index(column)?;
        let row = c_int::try_from(row)
            .ok()
            .filter(|_| row < self.row_count())?;
        // SAFETY: the result is valid, row and column are of its own, the bytes live as long as it does.
        unsafe {
            if pq::PQgetisnull(self.0.as_ptr(), row, column) == 1 {
                return None;
            }
            let start = pq::PQgetvalue(self.0.as_ptr(), row, column);
            let length =
                usize::try_from(pq::PQgetlength(self.0.as_ptr(), row, column)).unwrap_or(0);
            Some(std::slice::from_raw_parts(start.cast(), length))
        }
    }

    fn column_index(&self, column: usize) -> Option<c_int> {
        c_int::try_from(column)
            .ok()
            .filter(|_| column < self.column_count())
    }
}

impl Drop for ResultSet {
    fn drop(&mut self) {
        // SAFETY: the result is valid and this is the last use.
        unsafe { pq::PQclear(self.0.as_ptr()) };
    }
}
