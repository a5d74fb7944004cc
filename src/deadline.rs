//! Points in time that calls must end by.

use std::time::{Duration, Instant};

/// The longest limit that is told apart from "for ever".
pub(crate) const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// This long from now; a limit that no clock can hold is a year.
pub(crate) fn after(limit: Duration) -> Instant {
    Instant::now() + limit.min(A_YEAR)
}
