//! Points in time by which calls must end.

use std::time::{Duration, Instant};

/// The longest limit; longer ones count as a year.
pub(crate) const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Returns the time after this limit; a limit longer than a year counts as a year.
pub(crate) fn after(limit: Duration) -> Instant {
    Instant::now() + limit.min(A_YEAR)
}
