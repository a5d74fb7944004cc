//! How many retries a database has left.

use std::sync::atomic::{AtomicU32, Ordering};

use super::RetryBudget;

/// A bucket of retries: success fills it slowly, each retry takes one.
#[derive(Debug)]
pub(crate) struct Budget {
    /// In hundredths of a retry.
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

    /// A unit of work succeeded.
    pub(crate) fn succeeded(&self) {
        // Mostly full: then there is nothing to write, and no cache line to fight for.
        if self.left.load(Ordering::Relaxed) < self.full {
            self.change(|left| Some(left.saturating_add(self.per_success).min(self.full)));
        }
    }

    /// Takes one retry; `false` if there is none.
    pub(crate) fn take(&self) -> bool {
        self.change(|left| left.checked_sub(ONE))
    }

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
    fn ten_successes_earn_a_retry_and_no_more_than_the_burst_is_kept() {
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
