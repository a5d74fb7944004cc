//! The versions of the linked libraries, and the encryption of a connection.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::CStr;

use pq_sys as pq;

use super::{Connection, copy};

/// Returns the version of libpq as a number: 180006 is 18.6.
pub(crate) fn libpq_version() -> i32 {
    // SAFETY: the function has no preconditions.
    unsafe { pq::PQlibVersion() }
}

/// Returns the version of OpenSSL as text. Returns `None` with the system's libpq, which may be
/// linked to another OpenSSL.
pub(crate) fn openssl_version() -> Option<String> {
    #[cfg(feature = "bundled")]
    // SAFETY: the function has no preconditions, and returns a static string.
    return copy(unsafe { openssl_sys::OpenSSL_version(openssl_sys::OPENSSL_VERSION) }.cast_mut());
    #[cfg(not(feature = "bundled"))]
    None
}

impl Connection {
    /// Returns an attribute of the encryption (`protocol`, `cipher`); `None` if the connection is
    /// not encrypted.
    pub(crate) fn encryption(&self, attribute: &CStr) -> Option<String> {
        // SAFETY: the connection is valid, the name ends with NUL, and the string is copied before
        // any other call.
        unsafe {
            let is_encrypted = pq::PQsslInUse(self.0.as_ptr()) != 0;
            let value = pq::PQsslAttribute(self.0.as_ptr(), attribute.as_ptr());
            copy(value.cast_mut()).filter(|_| is_encrypted)
        }
    }
}
