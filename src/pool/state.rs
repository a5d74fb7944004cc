//! The pool in numbers, to be read without its lock.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::observe::metrics;

/// The pool in numbers; each is true by itself, though another may have changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolState {
    /// Sessions that are open.
    pub size: u32,
    /// Those of them that nobody has.
    pub idle: u32,
    /// Those of them that somebody has.
    pub in_use: u32,
    /// Sessions that are being made.
    pub connecting: u32,
    /// Callers who wait for one.
    pub waiting: u32,
    /// How many sessions there may be at most.
    pub max: u32,
    /// Sessions that were opened so far.
    pub opened: u64,
}

impl PoolState {
    /// Of a single session that is always open.
    pub(crate) fn of_one(in_use: bool) -> Self {
        Self {
            size: 1,
            idle: u32::from(!in_use),
            in_use: u32::from(in_use),
            connecting: 0,
            waiting: 0,
            max: 1,
            opened: 1,
        }
    }
}

#[derive(Debug)]
pub(super) struct Gauges {
    size: AtomicU32,
    in_use: AtomicU32,
    connecting: AtomicU32,
    waiting: AtomicU32,
    opened: AtomicU64,
    max: u32,
    /// The server and database, once there was a session.
    pub(super) name: OnceLock<Arc<str>>,
}

impl Gauges {
    pub(super) fn new(max: u32) -> Self {
        Self {
            size: AtomicU32::new(0),
            in_use: AtomicU32::new(0),
            connecting: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            opened: AtomicU64::new(0),
            max,
            name: OnceLock::new(),
        }
    }

    pub(super) fn set(&self, size: u32, in_use: u32, connecting: u32, waiting: u32) {
        self.size.store(size, Relaxed);
        self.in_use.store(in_use, Relaxed);
        self.connecting.store(connecting, Relaxed);
        self.waiting.store(waiting, Relaxed);
        if let Some(name) = self.name.get() {
            metrics::pool(name, self.read());
        }
    }

    pub(super) fn count_opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> PoolState {
        let (size, in_use) = (self.size.load(Relaxed), self.in_use.load(Relaxed));
        PoolState {
            size,
            idle: size.saturating_sub(in_use),
            in_use,
            connecting: self.connecting.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
            max: self.max,
            opened: self.opened.load(Relaxed),
        }
    }
}
