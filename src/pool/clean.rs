//! Returns the sessions of tasks, which cannot wait when they are dropped.

use std::time::Duration;

use tokio::runtime::Handle;

use super::check_in;
use super::shared::Lease;
use crate::session::Session;

/// Cleans a session in a task of its own, and then gives it back or closes it.
///
/// Without a runtime it is closed at once. So it is if the runtime shuts down before the server has
/// answered.
pub(super) fn by_a_task(mut lease: Lease<Session>, call_timeout: Duration) {
    match Handle::try_current() {
        Ok(runtime) => {
            runtime.spawn(check_in(lease, call_timeout));
        }
        Err(_) => lease.item_mut().session.set_close_reason("no_runtime"),
    }
}
