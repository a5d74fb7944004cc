//! The callers that hold sessions: their source location, the time of the checkout, and the
//! activity of the session.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::no_session::Holder;
use crate::session::activity::{ActivityState, SessionActivity};

/// A caller that asks for a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) location: &'static Location<'static>,
    pub(super) thread: usize,
}

/// The table of holders. Its indexes are reused, so that it grows no larger than the pool.
#[derive(Debug, Default)]
pub(super) struct Holders {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Entry {
    location: &'static Location<'static>,
    since: Instant,
    activity: Arc<SessionActivity>,
    reported: bool,
}

impl Holders {
    pub(super) fn add(
        &mut self,
        caller: Caller,
        activity: Arc<SessionActivity>,
        now: Instant,
    ) -> usize {
        activity.clear(caller.thread);
        let entry = Some(Entry {
            location: caller.location,
            since: now,
            activity,
            reported: false,
        });
        match self.free.pop() {
            Some(number) => {
                self.entries[number] = entry;
                number
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        }
    }

    pub(super) fn remove(&mut self, number: usize) {
        if self.entries[number].take().is_some() {
            self.free.push(number);
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.entries.len() - self.free.len()).unwrap_or(u32::MAX)
    }

    /// Returns the location where this thread took a session that it still holds.
    pub(super) fn of_thread(&self, thread: usize) -> Option<&'static Location<'static>> {
        let mut entries = self.entries.iter().flatten();
        entries
            .find(|entry| entry.activity.thread() == thread)
            .map(|entry| entry.location)
    }

    pub(super) fn backend_pids(&self) -> Vec<i32> {
        let entries = self.entries.iter().flatten();
        entries.map(|entry| entry.activity.backend_pid()).collect()
    }

    /// Returns all holders, the longest first.
    pub(super) fn list(&self) -> Vec<Holder> {
        let mut holders: Vec<_> = self.entries.iter().flatten().map(Entry::describe).collect();
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.held));
        holders
    }

    /// Returns the holders that have held a session for this long and were not reported yet. Also
    /// returns when the next one is due.
    pub(super) fn overdue(
        &mut self,
        threshold: Duration,
        now: Instant,
    ) -> (Vec<Holder>, Option<Instant>) {
        let (mut overdue, mut next) = (Vec::new(), None::<Instant>);
        for entry in self.entries.iter_mut().flatten() {
            let due = entry.since + threshold;
            if entry.reported {
                continue;
            }
            if due <= now {
                entry.reported = true;
                overdue.push(entry.describe());
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        (overdue, next)
    }
}

impl Entry {
    /// Returns the holder as an error or a report shows it.
    fn describe(&self) -> Holder {
        let doing = self.activity.doing();
        let state = match doing.state {
            ActivityState::Active => "active",
            ActivityState::Idle => "idle",
            ActivityState::IdleInTransaction => "idle in transaction",
        };
        Holder {
            location: self.location,
            held: self.since.elapsed(),
            backend_pid: self.activity.backend_pid(),
            state,
            state_for: doing.since.elapsed(),
            sql: doing.sql,
            server: None,
        }
    }
}
