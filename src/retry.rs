//! Which failures are retried, how often, and after which pause.
//!
//! Only whole transactions are retried, and only when it is certain that the attempt left no
//! changes. That is decided by what the session saw, never by the caller's error.

mod budget;
mod class;

use std::time::{Duration, Instant};

use crate::observe::metrics;
pub(crate) use crate::random::fraction as random;
pub(crate) use budget::Budget;
pub(crate) use class::{Class, Failure, is_about_types, is_stale};

/// The rules by which failures are retried: which, how often, and after which pause.
///
/// | | SQLSTATE | tried again |
/// |---|---|---|
/// | a conflict with another transaction | 40001, 40P01 | up to `attempts` |
/// | no connection, because the server is starting, stopped or full | 57P03, 53300, .. | up to
/// `attempts` |
/// | the connection lost before the commit was sent | 57P01, 57P02, 57P05, 08000, 08003, 08006, .. | up to `reconnects`, on a new session |
/// | a standby where a server that accepts writes is needed | 25006 | once, on a new session |
/// | a schema that changed under prepared statements | 26000, 0A000, XX000 | once, on a new session |
/// | a recreated or moved type, whose OID a statement holds | 42704, 42804, 42846, 42883 | once, on a new session |
/// | a lock that was not available | 55P03, 55006 | if `locks` is set |
/// | a commit that was not answered | | only if it is found that nothing was committed |
///
/// No other failure is retried. All pauses and attempts end with the call's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The number of attempts in all; 1 for no retry.
    pub attempts: u32,
    /// The longest first pause; it doubles with each attempt. At least 100 ms if there is no
    /// connection.
    pub base: Duration,
    /// The longest pause. At least 5 s if there is no connection.
    pub cap: Duration,
    /// The number of these attempts that may be retries after a lost connection.
    pub reconnects: u32,
    /// Whether the work is retried when a lock was not available: because of `NOWAIT` or
    /// `lock_timeout`, or because an object is in use.
    pub locks: bool,
    /// The limit on the load that all retries of a database may add.
    pub budget: RetryBudget,
}

/// A limit on the load that retries add, so that they do not make an outage worse.
///
/// A [`Database`](crate::Database) and its clones share one budget. Retries after conflicts do not
/// count: a conflict means that another transaction succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// The number of retries that are available at the start, and the most that can be saved up.
    pub burst: u32,
    /// The number of retries gained for each hundred units of work that succeed.
    pub percent: u32,
}

impl Default for RetryPolicy {
    /// Returns a policy of five attempts, with pauses of up to 20 ms at first and 1 s at most. Two
    /// of them may follow a lost connection.
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(20),
            cap: Duration::from_secs(1),
            reconnects: 2,
            locks: false,
            budget: RetryBudget::default(),
        }
    }
}

impl Default for RetryBudget {
    /// Returns a budget of ten retries, and one more for every ten units of work that succeed.
    fn default() -> Self {
        Self {
            burst: 10,
            percent: 10,
        }
    }
}

impl RetryPolicy {
    /// Returns the policy without retries.
    pub const fn never() -> Self {
        Self {
            attempts: 1,
            base: Duration::ZERO,
            cap: Duration::ZERO,
            reconnects: 0,
            locks: false,
            budget: RetryBudget {
                burst: 0,
                percent: 0,
            },
        }
    }

    /// Returns the longest pause after this many attempts.
    fn longest(&self, class: Class, attempt: u32) -> Duration {
        const CONNECTING: (Duration, Duration) =
            (Duration::from_millis(100), Duration::from_secs(5));
        let (base, cap) = match class {
            Class::Connecting | Class::Throttled => {
                (self.base.max(CONNECTING.0), self.cap.max(CONNECTING.1))
            }
            _ => (self.base, self.cap),
        };
        base.saturating_mul(1 << (attempt - 1).min(16)).min(cap)
    }
}

/// The retries of one call.
#[derive(Debug)]
pub(crate) struct Retries<'b> {
    policy: RetryPolicy,
    budget: &'b Budget,
    deadline: Instant,
    /// The attempt under way, counted from 1.
    attempt: u32,
    lost: u32,
    standby: u32,
    stale: u32,
}

impl<'b> Retries<'b> {
    pub(crate) fn new(policy: RetryPolicy, budget: &'b Budget, deadline: Instant) -> Self {
        Self {
            policy,
            budget,
            deadline,
            attempt: 1,
            lost: 0,
            standby: 0,
            stale: 0,
        }
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns whether this is the first attempt, and a lost connection leads to another one.
    pub(crate) fn may_reconnect(&self) -> bool {
        self.attempt == 1 && self.policy.attempts > 1 && self.policy.reconnects > 0
    }

    /// Prevents further attempts, because the transaction around the work would have to be retried.
    pub(crate) fn stop(&mut self) {
        self.policy = RetryPolicy::never();
    }

    /// Begins the next attempt and returns the pause before it; `None` if there is to be none.
    ///
    /// The pause is random, between zero and the longest ("full jitter"), so that transactions that
    /// collided do not collide again. If the server is full, it is at least half of the longest.
    pub(crate) fn next(&mut self, failure: &Failure) -> Option<Duration> {
        let class = failure.class(self.policy.locks)?;
        let (spent, allowed) = match class {
            Class::Lost => (&mut self.lost, self.policy.reconnects),
            Class::Standby => (&mut self.standby, 1),
            Class::Stale => (&mut self.stale, 1),
            Class::Conflict
            | Class::Lock
            | Class::Connecting
            | Class::Throttled
            | Class::Without => (&mut 0, u32::MAX),
        };
        if self.attempt >= self.policy.attempts || *spent >= allowed {
            return None;
        }
        let longest = self.policy.longest(class, self.attempt);
        let pause = match class {
            Class::Throttled => longest.mul_f64(0.5 + random() / 2.0),
            Class::Without => Duration::ZERO,
            _ => longest.mul_f64(random()),
        };
        if Instant::now() + pause >= self.deadline {
            return None;
        }
        if !matches!(class, Class::Conflict | Class::Without) && !self.budget.take() {
            tracing::warn!(
                target: "bowline::retry",
                class = class.name(),
                "not tried again: the budget for retries is spent"
            );
            return None;
        }
        *spent += 1;
        tracing::info!(
            target: "bowline::retry",
            attempt = self.attempt,
            class = class.name(),
            sqlstate = failure.sqlstate.as_ref().map(|state| state.code()),
            ?pause,
            "trying again"
        );
        metrics::retried(class.name());
        self.attempt += 1;
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlstate::SqlState;

    const LATER: Duration = Duration::from_secs(600);

    fn conflict() -> Failure {
        Failure::of(SqlState::SERIALIZATION_FAILURE)
    }

    /// Returns how often this failure is retried.
    fn retries(policy: RetryPolicy, failure: &Failure) -> usize {
        let budget = Budget::new(policy.budget);
        let mut retries = Retries::new(policy, &budget, Instant::now() + LATER);
        (0..100)
            .take_while(|_| retries.next(failure).is_some())
            .count()
    }

    #[test]
    fn each_class_is_retried_as_often_as_its_row_says() {
        let policy = RetryPolicy {
            attempts: 9,
            ..RetryPolicy::default()
        };
        let lost = Failure {
            lost: true,
            ..Failure::default()
        };
        let stale = Failure {
            stale: true,
            ..Failure::of(SqlState::FEATURE_NOT_SUPPORTED)
        };
        let standby = Failure {
            standby: true,
            ..Failure::of(SqlState::READ_ONLY_SQL_TRANSACTION)
        };
        let lock = Failure::of(SqlState::LOCK_NOT_AVAILABLE);
        for (failure, often) in [
            (conflict(), 8),
            (Failure::of(SqlState::CANNOT_CONNECT_NOW), 8),
            (Failure::of(SqlState::TOO_MANY_CONNECTIONS), 8),
            (lost, 2),
            (stale, 1),
            (standby, 1),
            (lock.clone(), 0),
            (Failure::of(SqlState::UNIQUE_VIOLATION), 0),
        ] {
            assert_eq!(retries(policy, &failure), often, "{failure:?}");
        }
        let opted = RetryPolicy {
            locks: true,
            ..policy
        };
        assert_eq!(retries(opted, &lock), 8);
        assert_eq!(retries(RetryPolicy::never(), &conflict()), 0);
    }

    #[test]
    fn the_budget_limits_retries_of_outages_not_of_conflicts() {
        let policy = RetryPolicy {
            attempts: 50,
            ..RetryPolicy::default()
        };
        let full = Failure::of(SqlState::TOO_MANY_CONNECTIONS);
        assert_eq!(retries(policy, &full), 10);
        assert_eq!(retries(policy, &conflict()), 49);
    }

    #[test]
    fn no_pause_exceeds_the_cap_or_the_deadline() {
        let policy = RetryPolicy {
            attempts: 40,
            ..RetryPolicy::default()
        };
        let budget = Budget::new(policy.budget);
        let mut patient = Retries::new(policy, &budget, Instant::now() + LATER);
        for _ in 1..40 {
            assert!(
                patient
                    .next(&conflict())
                    .is_some_and(|pause| pause <= policy.cap)
            );
        }
        let mut late = Retries::new(policy, &budget, Instant::now());
        assert_eq!(late.next(&conflict()), None);
    }

    #[test]
    fn a_full_server_is_given_at_least_half_of_the_pause() {
        let budget = Budget::new(RetryBudget::default());
        let mut retries = Retries::new(RetryPolicy::default(), &budget, Instant::now() + LATER);
        let full = Failure::of(SqlState::TOO_MANY_CONNECTIONS);
        for longest in [100, 200, 400, 800].map(Duration::from_millis) {
            let pause = retries.next(&full).expect("a retry");
            assert!(pause >= longest / 2 && pause <= longest, "{pause:?}");
        }
    }
}
