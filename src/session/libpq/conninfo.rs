//! Connection strings, read by libpq itself.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{CString, c_char};
use std::ptr::{self, NonNull};

use pq_sys as pq;

use super::copy;

/// The parameters that a connection string holds, by libpq's own rules, without defaults from the environment.
///
/// The error tells nothing of the string, because libpq's message quotes parts of it, at times the password.
pub(crate) fn parse_conninfo(conninfo: &str) -> Result<Vec<(String, String)>, InvalidConninfo> {
    let conninfo = CString::new(conninfo).map_err(|_| InvalidConninfo)?;
    let mut message: *mut c_char = ptr::null_mut();
    // SAFETY: the string ends with NUL; `message` receives an allocation of libpq's or stays NULL.
    let options = unsafe { pq::PQconninfoParse(conninfo.as_ptr(), &mut message) };
    if !message.is_null() {
        // SAFETY: libpq allocated the message and gave it away.
        unsafe { pq::PQfreemem(message.cast()) };
    }
    let options = NonNull::new(options).ok_or(InvalidConninfo)?;
    let mut parameters = Vec::new();
    let mut option = options.as_ptr();
    // SAFETY: the array ends with an item whose keyword is NULL; the strings are copied before it is freed.
    unsafe {
        while let Some(keyword) = copy((*option).keyword) {
            if let Some(value) = copy((*option).val) {
                parameters.push((keyword, value));
            }
            option = option.add(1);
        }
        pq::PQconninfoFree(options.as_ptr());
    }
    Ok(parameters)
}

/// A connection string that libpq cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidConninfo;
