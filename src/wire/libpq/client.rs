//! The linked libraries, and how a connection is encrypted.
#![expect(unsafe_code, reason = "the C interface of libpq")]

use std::ffi::CStr;

use pq_sys as pq;

use super::{Connection, copy};

/// libpq's version as one number.
pub(crate) fn libpq_version() -> i32 {
    // SAFETY: needs nothing.
    unsafe { pq::PQlibVersion() }
}

/// OpenSSL's version as its own text; unknown with the system's libpq, which brings its own OpenSSL.
pub(crate) fn openssl_version() -> Option<String> {
    #[cfg(feature = "bundled")]
    // SAFETY: needs nothing, and gives a string that is there for ever.
    return copy(unsafe { openssl_sys::OpenSSL_version(openssl_sys::OPENSSL_VERSION) }.cast_mut());
    #[cfg(not(feature = "bundled"))]
    None
}

impl Connection {
    /// Returns an attribute of its encryption (`protocol`, `cipher`); `None` where it is not encrypted.
    pub(crate) fn encryption(&self, attribute: &CStr) -> Option<String> {
        // SAFETY: the connection is valid, the name ends with NUL, and the string is copied before any other call.
        unsafe {
            let is_encrypted = pq::PQsslInUse(self.0.as_ptr()) != 0;
            let value = pq::PQsslAttribute(self.0.as_ptr(), attribute.as_ptr());
            copy(value.cast_mut()).filter(|_| is_encrypted)
        }
    }
}
