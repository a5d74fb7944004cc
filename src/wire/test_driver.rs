//! Has callers that block wait as tasks do, for this crate's own tests.
//!
//! Both faces run the same futures, and differ only in their waits. With
//! `BOWLINE_TEST_DRIVER=tokio` in the environment, a test that is written for threads waits by
//! tokio: for the socket, for a session of the pool, and for the pause before a retry. So each test
//! of a fault is a test of both drivers. A build with optimizations has no such switch.

use std::future::pending;
use std::sync::LazyLock;
use std::thread;

use tokio::runtime::{Builder, Handle};

/// The variable of the environment that names the driver.
const VARIABLE: &str = "BOWLINE_TEST_DRIVER";

/// The runtime that reports events, on a thread of its own; `None` if the variable is not set.
static RUNTIME: LazyLock<Option<Handle>> = LazyLock::new(|| {
    if std::env::var_os(VARIABLE).is_none_or(|driver| driver != "tokio") {
        return None;
    }
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    let handle = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(pending::<()>()));
    Some(handle)
});

/// Returns the runtime that drives callers that block; `None` on a thread that belongs to a runtime
/// already, which must not wait for another one.
pub(crate) fn runtime() -> Option<&'static Handle> {
    let runtime = RUNTIME.as_ref()?;
    Handle::try_current().is_err().then_some(runtime)
}
