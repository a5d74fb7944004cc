//! One result of the server.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{CStr, c_int};
use std::num::NonZeroU32;
use std::ptr::NonNull;

use pq_sys as pq;

use super::copy;

/// One result (`PGresult`), which never changes.
#[derive(Debug)]
pub(crate) struct ResultSet {
    result: NonNull<pq::PGresult>,
    rows: u32,
    /// The protocol counts columns in 16 bits.
    columns: u16,
    status: ResultStatus,
}

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

impl ResultStatus {
    /// Returns whether no other result of the same message follows.
    pub(crate) fn is_last(self) -> bool {
        match self {
            Self::Empty | Self::Command | Self::Rows | Self::PipelineAborted | Self::Error => true,
            Self::Chunk | Self::CopyIn | Self::CopyOut | Self::PipelineSync => false,
        }
    }
}

impl ResultSet {
    /// Takes over a result of libpq's.
    pub(super) fn new(result: NonNull<pq::PGresult>) -> Self {
        let status = status(result);
        let (rows, columns) = match status {
            ResultStatus::Command | ResultStatus::PipelineSync => (0, 0),
            // SAFETY: the result is valid.
            _ => unsafe {
                (
                    pq::PQntuples(result.as_ptr()),
                    pq::PQnfields(result.as_ptr()),
                )
            },
        };
        Self {
            result,
            status,
            rows: rows.try_into().unwrap_or(0),
            columns: columns.try_into().unwrap_or(0),
        }
    }

    pub(crate) fn status(&self) -> ResultStatus {
        self.status
    }

    pub(crate) fn error_field(&self, field: Field) -> Option<String> {
        // SAFETY: the result is valid and the string is copied.
        copy(unsafe { pq::PQresultErrorField(self.result.as_ptr(), field as c_int) })
    }

    /// Returns libpq's whole message; for errors of libpq itself, which have no fields.
    pub(crate) fn error_message(&self) -> String {
        // SAFETY: the result is valid and the string is copied.
        copy(unsafe { pq::PQresultErrorMessage(self.result.as_ptr()) })
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    /// Returns the command tag, such as `INSERT 0 1` or `COMMIT`.
    pub(crate) fn command_tag(&self) -> String {
        // SAFETY: the result is valid and the string is copied.
        copy(unsafe { pq::PQcmdStatus(self.result.as_ptr()) }).unwrap_or_default()
    }

    /// Returns the number in the command tag; 0 for a command that has none.
    pub(crate) fn rows_affected(&self) -> usize {
        self.count_in_tag().unwrap_or(0)
    }

    /// Returns the command tag, in place.
    pub(crate) fn tag(&self) -> &[u8] {
        // SAFETY: the result is valid.
        let tag = unsafe { pq::PQcmdStatus(self.result.as_ptr()) };
        if tag.is_null() {
            return &[];
        }
        // SAFETY: a string of libpq's that is not NULL ends with NUL, and lives as long as the
        // result.
        unsafe { CStr::from_ptr(tag) }.to_bytes()
    }

    /// Returns the number in the command tag: 1 of `INSERT 0 1`.
    pub(crate) fn count_in_tag(&self) -> Option<usize> {
        let digits = self
            .tag()
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit());
        let (mut count, mut unit) = (None, 1_usize);
        for digit in digits {
            let value = unit.checked_mul(usize::from(digit - b'0'))?;
            count = Some(count.unwrap_or(0_usize).checked_add(value)?);
            unit = unit.saturating_mul(10);
        }
        count
    }

    #[inline]
    pub(crate) fn row_count(&self) -> usize {
        self.rows as usize
    }

    #[inline]
    pub(crate) fn column_count(&self) -> usize {
        usize::from(self.columns)
    }

    pub(crate) fn column_name(&self, column: usize) -> Option<&str> {
        let column = self.column_index(column)?;
        // SAFETY: the result is valid and the column is one of its own.
        let name = unsafe { pq::PQfname(self.result.as_ptr(), column) };
        // SAFETY: a name that is not NULL ends with NUL and lives as long as the result.
        NonNull::new(name).and_then(|name| unsafe { CStr::from_ptr(name.as_ptr()) }.to_str().ok())
    }

    /// Returns the OID of the column's type.
    pub(crate) fn column_type(&self, column: usize) -> Option<NonZeroU32> {
        let column = self.column_index(column)?;
        // SAFETY: the result is valid and the column is one of its own.
        NonZeroU32::new(unsafe { pq::PQftype(self.result.as_ptr(), column) })
    }

    /// Returns whether it is a column of a table or view, not an expression.
    pub(crate) fn is_of_a_table(&self, column: usize) -> bool {
        let Some(column) = self.column_index(column) else {
            return false;
        };
        // SAFETY: the result is valid and the column is one of its own.
        unsafe { pq::PQftable(self.result.as_ptr(), column) != 0 }
    }

    /// Returns the bytes of a value; `None` if it is NULL, or if the row or column does not exist.
    #[inline]
    pub(crate) fn value(&self, row: usize, column: usize) -> Option<&[u8]> {
        if row >= self.row_count() || column >= self.column_count() {
            return None;
        }
        // Both are less than numbers of libpq's, which are `c_int`.
        let (row, column) = (row as c_int, column as c_int);
        // SAFETY: the result is valid, row and column are of its own, the bytes live as long as it
        // does.
        unsafe {
            let length = pq::PQgetlength(self.result.as_ptr(), row, column);
            // NULL has the length 0, as an empty value has.
            if length <= 0 && pq::PQgetisnull(self.result.as_ptr(), row, column) == 1 {
                return None;
            }
            let start = pq::PQgetvalue(self.result.as_ptr(), row, column);
            let length = usize::try_from(length).unwrap_or(0);
            Some(std::slice::from_raw_parts(start.cast(), length))
        }
    }

    fn column_index(&self, column: usize) -> Option<c_int> {
        c_int::try_from(column)
            .ok()
            .filter(|_| column < self.column_count())
    }
}

/// Returns the kind of a result.
fn status(result: NonNull<pq::PGresult>) -> ResultStatus {
    use pq::ExecStatusType as S;
    // SAFETY: the result is valid.
    match unsafe { pq::PQresultStatus(result.as_ptr()) } {
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

impl Drop for ResultSet {
    fn drop(&mut self) {
        // SAFETY: the result is valid and this is the last use.
        unsafe { pq::PQclear(self.result.as_ptr()) };
    }
}
