//! The number of retries that a database has left.

use std::sync::atomic::{AtomicU32, Ordering};

use super::RetryBudget;

/// A bucket of retries: each success adds a part of a retry, and each retry takes a whole one.
#[derive(Debug)]
pub(crate) struct Budget {
    /// The retries left, in hundredths of a retry.
    left: AtomicU32,
    full: u32,
    per_success: u32,
}

const ONE: u32 = 100;

impl Budget {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        let full = budget.burst.saturating_mul(ONE);
        Self {
            left: AtomicU32::new(full),
            full,
            per_success: budget.percent,
        }
    }

    /// Adds the part of a retry that a successful unit of work earns.
    pub(crate) fn succeeded(&self) {
        // The bucket is mostly full. Then nothing is written, and threads do not contend for its
        // cache line.
        if self.left.load(Ordering::Relaxed) < self.full {
            self.change(|left| Some(left.saturating_add(self.per_success).min(self.full)));
        }
    }

    /// Takes one retry; returns false if there is none.
    pub(crate) fn take(&self) -> bool {
        self.change(|left| left.checked_sub(ONE))
    }

    #[allow(deprecated, reason = "`try_update` needs a later Rust than ours")]
    fn change(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_successes_allow_a_retry_up_to_the_burst() {
        let budget = Budget::new(RetryBudget {
            burst: 2,
            percent: 10,
        });
        assert!(budget.take() && budget.take() && !budget.take());
        (0..9).for_each(|_| budget.succeeded());
        assert!(!budget.take());
        budget.succeeded();
        assert!(budget.take() && !budget.take());
        (0..1000).for_each(|_| budget.succeeded());
        assert!(budget.take() && budget.take() && !budget.take());
    }
}
