//! Returns the sessions of tasks, which cannot wait when they are dropped.

use std::time::Duration;

use tokio::runtime::Handle;

use super::check_in;
use super::shared::Lease;
use crate::session::Session;
#[cfg(all(feature = "testing", debug_assertions))]
use crate::wire::test_driver;

/// Cleans a session in a task of its own, and then gives it back or closes it.
///
/// Without a runtime it is closed at once. So it is if the runtime shuts down before the server has
/// answered.
pub(super) fn by_a_task(mut lease: Lease<Session>, call_timeout: Duration) {
    let Ok(runtime) = Handle::try_current() else {
        #[cfg(all(feature = "testing", debug_assertions))]
        if let Some(runtime) = test_driver::runtime() {
            return runtime.block_on(check_in(lease, call_timeout));
        }
        return lease.item_mut().session.set_close_reason("no_runtime");
    };
    runtime.spawn(check_in(lease, call_timeout));
}
