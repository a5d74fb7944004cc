//! The migrations that code was generated from, and whether the database has run them.
//!
//! `bowline::migrations!` checks at compile time that the code matches the directory. Whether the
//! database matches the code can be known only at run time. It is checked once, when the pool
//! opens.

mod attempts;
mod backfill;
mod blockers;
pub(crate) mod bookkeeping;
mod finishing;
mod history;
mod list;
mod lock;
mod lock_wait;
mod observer;
mod recorder;
mod run;
mod step;

pub use list::{Migration, Migrations};
pub(crate) use run::migrate;
#[cfg(feature = "testing")]
pub(crate) use run::migrate_folder;

/// The parts that [`Database::migrate`](crate::Database::migrate) and the command share.
#[doc(hidden)]
pub mod migrating {
    pub use crate::wire::interrupt::{GiveUp, interruptible};

    pub use super::attempts::run_step;
    pub use super::blockers::Blocker;
    pub use super::bookkeeping::{Bookkeeping, Direction, Recorded};
    pub use super::finishing::finishing;
    pub use super::history::{Origin, Record};
    pub use super::lock::{KEY, LockHolder, NotLocked, holder, is_behind_pooler, locked};
    pub use super::lock_wait::LockWait;
    pub use super::observer::Observer;
    pub use super::step::{Step, StepError};
}
