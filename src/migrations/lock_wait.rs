//! How long a migration waits for a lock, and the pauses between its attempts.

use std::time::Duration;

use crate::random;

/// How long and how often a migration waits for a lock.
#[derive(Debug, Clone, Copy)]
pub struct LockWait {
    /// The longest wait of one attempt; `None` for no limit.
    pub timeout: Option<Duration>,
    /// The number of attempts, the first included.
    pub attempts: u32,
}

impl Default for LockWait {
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(5)),
            attempts: 10,
        }
    }
}

/// Returns the pause after an attempt: half a second, twice as long after each, at most ten
/// seconds, and between half and one and a half of that.
pub(super) fn pause_after(attempt: u32) -> Duration {
    let doubled = 0.5 * f64::from(2_u32.saturating_pow(attempt.min(10) - 1));
    Duration::from_secs_f64(doubled.min(10.0) * (0.5 + random::fraction()))
}
