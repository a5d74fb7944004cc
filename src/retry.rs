//! Which failures are worth another try, how often, and after which pause.
//!
//! Only failures that PostgreSQL itself declares to be nobody's fault are retried: a serialization
//! failure and a deadlock (PostgreSQL manual, 13.5). Both are certain: nothing of the attempt is left.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use crate::sqlstate::SqlState;

/// How often and how patiently conflicts are retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often the work is tried in all; 1 for no retry.
    pub attempts: u32,
    /// The longest first pause; it doubles with each attempt.
    pub base: Duration,
    /// The longest pause.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, with pauses of up to 20 ms at first and 1 s at most.
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(20),
            cap: Duration::from_secs(1),
        }
    }
}

impl RetryPolicy {
    /// No retry.
    pub const fn never() -> Self {
        Self {
            attempts: 1,
            base: Duration::ZERO,
            cap: Duration::ZERO,
        }
    }

    /// The pause before the next attempt; `None` if there is to be none.
    ///
    /// `attempt` is the one that failed, counted from 1. The pause is anywhere between nothing and the
    /// longest ("full jitter"), so that those who collided do not collide again.
    pub(crate) fn pause(
        &self,
        attempt: u32,
        failure: Option<SqlState>,
        deadline: Instant,
    ) -> Option<Duration> {
        if attempt >= self.attempts || !failure.is_some_and(is_conflict) {
            return None;
        }
        let longest = self
            .base
            .saturating_mul(1_u32 << (attempt - 1).min(16))
            .min(self.cap);
        let pause = longest.mul_f64(random());
        (Instant::now() + pause < deadline).then_some(pause)
    }
}

/// Whether PostgreSQL asks for the whole transaction to be tried again.
pub(crate) fn is_conflict(state: SqlState) -> bool {
    matches!(
        state,
        SqlState::SERIALIZATION_FAILURE | SqlState::DEADLOCK_DETECTED
    )
}

/// A number from 0 up to 1.
pub(crate) fn random() -> f64 {
    // The keys of a new `RandomState` differ each time, and so does the hash of nothing under them.
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Duration = Duration::from_secs(60);

    #[test]
    fn a_conflict_is_retried_until_the_attempts_are_spent() {
        let policy = RetryPolicy::default();
        let deadline = Instant::now() + LATER;
        assert!(
            policy
                .pause(4, Some(SqlState::DEADLOCK_DETECTED), deadline)
                .is_some()
        );
        assert_eq!(
            policy.pause(5, Some(SqlState::DEADLOCK_DETECTED), deadline),
            None
        );
    }

    #[test]
    fn nothing_else_is_retried() {
        let deadline = Instant::now() + LATER;
        for failure in [
            None,
            Some(SqlState::UNIQUE_VIOLATION),
            Some(SqlState::QUERY_CANCELED),
        ] {
            assert_eq!(RetryPolicy::default().pause(1, failure, deadline), None);
        }
    }

    #[test]
    fn no_pause_is_longer_than_the_cap_or_ends_after_the_deadline() {
        let policy = RetryPolicy {
            attempts: 40,
            ..RetryPolicy::default()
        };
        for attempt in 1..40 {
            let pause = policy.pause(
                attempt,
                Some(SqlState::SERIALIZATION_FAILURE),
                Instant::now() + LATER,
            );
            assert!(pause.is_some_and(|pause| pause <= policy.cap));
        }
        assert_eq!(
            policy.pause(1, Some(SqlState::SERIALIZATION_FAILURE), Instant::now()),
            None
        );
    }
}
