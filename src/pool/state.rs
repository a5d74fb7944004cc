//! The counters of the pool, which are read without its lock.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::no_session::PoolState;
use crate::observe::metrics;

#[derive(Debug)]
pub(super) struct Gauges {
    size: AtomicU32,
    in_use: AtomicU32,
    connecting: AtomicU32,
    waiting: AtomicU32,
    opened: AtomicU64,
    max: u32,
    /// The server and database, known after the first session.
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
        if metrics::IS_ON
            && let Some(name) = self.name.get()
        {
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
