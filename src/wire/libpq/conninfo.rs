//! Connection strings, read by libpq itself.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{CString, c_char};
use std::ptr::{self, NonNull};

use pq_sys as pq;

use super::{Connection, LibpqError, copy};

/// Returns the parameters that a connection string holds, by libpq's own rules, without defaults
/// from the environment.
///
/// The error says nothing about the string, because libpq's message may quote the password.
pub(crate) fn parse_conninfo(conninfo: &str) -> Result<Vec<(String, String)>, InvalidConninfo> {
    let conninfo = CString::new(conninfo).map_err(|_| InvalidConninfo)?;
    let mut message: *mut c_char = ptr::null_mut();
    // SAFETY: the string ends with NUL; `message` receives an allocation of libpq's or stays NULL.
    let options = unsafe { pq::PQconninfoParse(conninfo.as_ptr(), &mut message) };
    if !message.is_null() {
        // SAFETY: libpq allocated the message, and this function owns it.
        unsafe { pq::PQfreemem(message.cast()) };
    }
    let options = NonNull::new(options).ok_or(InvalidConninfo)?;
    // SAFETY: libpq allocated the array, and this function owns it.
    Ok(unsafe { collect(options) })
}

/// An invalid value, which makes libpq stop before it connects.
const NOWHERE: &str = "nowhere at all";

/// Returns all parameters that have a value once libpq has added those of the service file, the
/// environment and its own defaults; does not connect. The error is libpq's message for a parameter
/// that it refuses.
pub(crate) fn complete_parameters(
    given: &[(String, String)],
) -> Result<Vec<(String, String)>, LibpqError> {
    let (stopped, complete) = stop_short(given)?;
    if stopped.contains(NOWHERE) {
        Ok(complete)
    } else {
        Err(stopped)
    }
}

/// As [`complete_parameters`], whether or not libpq would refuse the parameters.
pub(crate) fn fill_in_parameters(
    given: &[(String, String)],
) -> Result<Vec<(String, String)>, LibpqError> {
    stop_short(given).map(|(_, filled_in)| filled_in)
}

/// Returns libpq's message when it stops before connecting, and the parameters that it would have
/// used.
fn stop_short(
    given: &[(String, String)],
) -> Result<(LibpqError, Vec<(String, String)>), LibpqError> {
    // libpq checks this one after it has filled in all others. The password file is not read,
    // because libpq writes to stderr if others can read it.
    const INSTEAD: [(&str, &str); 2] = [
        ("load_balance_hosts", NOWHERE),
        ("passfile", "/dev/null/none"),
    ];
    let is_kept = |name: &str| INSTEAD.iter().all(|(instead, _)| *instead != name);
    let mut parameters: Vec<_> = given
        .iter()
        .filter(|(name, _)| is_kept(name))
        .cloned()
        .collect();
    parameters.extend(INSTEAD.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let connection = Connection::start(&parameters)?;
    // SAFETY: the connection is valid, and this function owns the array that libpq allocates.
    let options = unsafe { pq::PQconninfo(connection.0.as_ptr()) };
    let options = NonNull::new(options).ok_or("libpq is out of memory")?;
    // SAFETY: libpq allocated the array, and this function owns it.
    let mut filled_in = unsafe { collect(options) };
    filled_in.retain(|(name, _)| is_kept(name));
    Ok((connection.message(), filled_in))
}

/// Returns the parameters of an array that have a value; frees the array.
///
/// # Safety
/// The array must have been allocated by libpq, and is not used elsewhere.
unsafe fn collect(options: NonNull<pq::PQconninfoOption>) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut option = options.as_ptr();
    // SAFETY: the array ends with an item whose keyword is NULL; the strings are copied before it
    // is freed.
    unsafe {
        while let Some(keyword) = copy((*option).keyword) {
            if let Some(value) = copy((*option).val) {
                parameters.push((keyword, value));
            }
            option = option.add(1);
        }
        pq::PQconninfoFree(options.as_ptr());
    }
    parameters
}

/// A connection string that libpq cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidConninfo;
