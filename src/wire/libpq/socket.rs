//! The registration of a socket with tokio.
#![expect(unsafe_code, reason = "tokio relies on the socket to stay open")]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::fcntl_dupfd_cloexec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a duplicate of a socket with the current runtime, for changes of this kind.
///
/// It is a duplicate because libpq may close its own at any time. Then another file could have the
/// number by the time that the runtime forgets the socket.
pub(crate) fn register(socket: BorrowedFd<'_>, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    let duplicate = fcntl_dupfd_cloexec(socket, 0)?;
    // SAFETY: the duplicate is owned by the registration, which never gives it away, so it stays
    // open until the runtime has forgotten it.
    let registered = unsafe { AsyncFd::register_with_interest(duplicate, interest) };
    registered.map_err(io::Error::from)
}
