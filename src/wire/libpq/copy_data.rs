//! The data of a COPY.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use pq_sys as pq;

use super::{Connection, LibpqError};

/// The result of reading from a COPY TO STDOUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyOut {
    Data,
    /// More data has to arrive first.
    Wait,
    /// The COPY has ended; its result follows.
    End,
}

impl Connection {
    /// Queues data of a COPY FROM STDIN; returns false if there is no room before a flush.
    pub(crate) fn put_copy_data(&mut self, data: &[u8]) -> Result<bool, LibpqError> {
        let length = c_int::try_from(data.len())
            .map_err(|_| "a piece of COPY data is larger than 2 GiB".to_owned())?;
        // SAFETY: the connection is valid; the data outlives the call, which copies it.
        let put = unsafe { pq::PQputCopyData(self.0.as_ptr(), data.as_ptr().cast(), length) };
        self.check(put >= 0)?;
        Ok(put == 1)
    }

    /// Ends a COPY FROM STDIN. With a reason, the server fails it, with an error that contains the
    /// reason. Returns false if there is no room before a flush.
    pub(crate) fn put_copy_end(&mut self, reason: Option<&CStr>) -> Result<bool, LibpqError> {
        let reason = reason.map_or(ptr::null(), CStr::as_ptr);
        // SAFETY: the connection is valid and the string is NULL or ends with NUL.
        let put = unsafe { pq::PQputCopyEnd(self.0.as_ptr(), reason) };
        self.check(put >= 0)?;
        Ok(put == 1)
    }

    /// Reads one piece of a COPY TO STDOUT, and appends it to `data`.
    pub(crate) fn get_copy_data(&mut self, data: &mut Vec<u8>) -> CopyOut {
        let mut buffer: *mut c_char = ptr::null_mut();
        // SAFETY: the connection is valid; `buffer` is set only when the length is above zero.
        match unsafe { pq::PQgetCopyData(self.0.as_ptr(), &mut buffer, 1) } {
            0 => CopyOut::Wait,
            length => {
                let Some(length) = usize::try_from(length).ok().filter(|length| *length > 0) else {
                    return CopyOut::End;
                };
                // SAFETY: libpq allocated `length` bytes and gave them away; they are copied before
                // they are freed.
                unsafe {
                    data.extend_from_slice(std::slice::from_raw_parts(buffer.cast(), length));
                    pq::PQfreemem(buffer.cast());
                }
                CopyOut::Data
            }
        }
    }
}
