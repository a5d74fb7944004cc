//! Connection strings, read by libpq itself.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::{CString, c_char};
use std::ptr::{self, NonNull};

use pq_sys as pq;

use super::{Connection, LibpqError, copy};

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
    // SAFETY: libpq made the array and gave it away.
    Ok(unsafe { collect(options) })
}

/// No server's balancing is named so; makes libpq stop before it connects.
const NOWHERE: &str = "nowhere at all";

/// All parameters that have a value once libpq has added what the service file, the environment and its own
/// defaults say; nothing is connected to. The error is libpq's, of a parameter that it refuses.
pub(crate) fn complete_parameters(
    notification: &[(String, String)],
) -> Result<Vec<(String, String)>, LibpqError> {
    let (stopped, complete) = stop_short(notification)?;
    if stopped.contains(NOWHERE) {
        Ok(complete)
    } else {
        Err(stopped)
    }
}

/// The same, whether or not libpq would refuse the parameters.
pub(crate) fn fill_in_parameters(
    notification: &[(String, String)],
) -> Result<Vec<(String, String)>, LibpqError> {
    stop_short(notification).map(|(_, filled_in)| filled_in)
}

/// What libpq says as it stops short of connecting, and what it would have connected by.
fn stop_short(
    notification: &[(String, String)],
) -> Result<(LibpqError, Vec<(String, String)>), LibpqError> {
    // libpq checks this one after it has filled in all the others. The file of passwords is not looked at, since
    // libpq writes to stderr when others can read it.
    const INSTEAD: [(&str, &str); 2] = [
        ("load_balance_hosts", NOWHERE),
        ("passfile", "/dev/null/none"),
    ];
    let is_kept = |name: &str| INSTEAD.iter().all(|(instead, _)| *instead != name);
    let mut parameters: Vec<_> = notification
        .iter()
        .filter(|(name, _)| is_kept(name))
        .cloned()
        .collect();
    parameters.extend(INSTEAD.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let connection = Connection::start(&parameters)?;
    // SAFETY: the connection is valid, and the array that is made from it is given away.
    let options = unsafe { pq::PQconninfo(connection.0.as_ptr()) };
    let options = NonNull::new(options).ok_or("libpq is out of memory")?;
    // SAFETY: libpq made the array and gave it away.
    let mut filled_in = unsafe { collect(options) };
    filled_in.retain(|(name, _)| is_kept(name));
    Ok((connection.message(), filled_in))
}

/// The parameters of an array that have a value; frees the array.
///
/// # Safety
/// The array is libpq's and nobody else's.
unsafe fn collect(options: NonNull<pq::PQconninfoOption>) -> Vec<(String, String)> {
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
    parameters
}

/// A connection string that libpq cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidConninfo;
