//! The versions of the linked libraries, and the encryption of a connection.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::CStr;

use pq_sys as pq;

use super::{Connection, copy};

/// Returns libpq's version as a number.
pub(crate) fn libpq_version() -> i32 {
    // SAFETY: needs nothing.
    unsafe { pq::PQlibVersion() }
}

/// Returns OpenSSL's version as text; `None` with the system's libpq, which is linked to another
/// OpenSSL.
pub(crate) fn openssl_version() -> Option<String> {
    #[cfg(feature = "bundled")]
    // SAFETY: needs nothing, and gives a string that is there for ever.
    return copy(unsafe { openssl_sys::OpenSSL_version(openssl_sys::OPENSSL_VERSION) }.cast_mut());
    #[cfg(not(feature = "bundled"))]
    None
}

impl Connection {
    /// Returns an attribute of the encryption (`protocol`, `cipher`); `None` if the connection is
    /// not encrypted.
    pub(crate) fn encryption(&self, attribute: &CStr) -> Option<String> {
        // SAFETY: the connection is valid, the name ends with NUL, and the string is copied before any other call.
        unsafe {
            let is_encrypted = pq::PQsslInUse(self.0.as_ptr()) != 0;
            let value = pq::PQsslAttribute(self.0.as_ptr(), attribute.as_ptr());
            copy(value.cast_mut()).filter(|_| is_encrypted)
        }
    }
}
