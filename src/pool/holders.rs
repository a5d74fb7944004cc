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
    /// The thread that blocks; `None` for a task, which may hold several sessions at once.
    pub(super) thread: Option<usize>,
}

/// The table of the sessions and their holders. Its indexes are used again, so that it grows no
/// larger than the pool.
#[derive(Debug, Default)]
pub(super) struct Holders {
    entries: Vec<Option<Entry>>,
    in_use: u32,
}

/// A session.
#[derive(Debug)]
struct Entry {
    activity: Arc<SessionActivity>,
    /// Its holder, while it is in use.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    location: &'static Location<'static>,
    since: Instant,
    is_reported: bool,
}

impl Holders {
    /// Enters a session; returns its index in the table.
    pub(super) fn add_session(&mut self, activity: Arc<SessionActivity>) -> usize {
        let entry = Some(Entry {
            activity,
            held: None,
        });
        if let Some(free) = self.entries.iter().position(Option::is_none) {
            self.entries[free] = entry;
            return free;
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Removes a session, in use or not.
    pub(super) fn remove_session(&mut self, slot: usize) {
        self.give_back(slot);
        if let Some(entry) = self.entries.get_mut(slot) {
            *entry = None;
        }
    }

    /// Enters the holder of a session.
    pub(super) fn take(&mut self, slot: usize, caller: Caller, now: Instant) {
        if let Some(Some(entry)) = self.entries.get_mut(slot) {
            entry.activity.set_thread(caller.thread.unwrap_or_default());
            self.in_use += u32::from(entry.held.is_none());
            entry.held = Some(Held {
                location: caller.location,
                since: now,
                is_reported: false,
            });
        }
    }

    /// Removes the holder of a session.
    pub(super) fn give_back(&mut self, slot: usize) {
        if let Some(Some(entry)) = self.entries.get_mut(slot) {
            self.in_use -= u32::from(entry.held.take().is_some());
        }
    }

    /// Returns the number of sessions in use.
    pub(super) fn len(&self) -> u32 {
        self.in_use
    }

    fn held(&self) -> impl Iterator<Item = (&Arc<SessionActivity>, &Held)> {
        let entries = self.entries.iter().flatten();
        entries.filter_map(|entry| Some((&entry.activity, entry.held.as_ref()?)))
    }

    /// Returns the location where this thread took a session that it still holds.
    pub(super) fn of_thread(&self, thread: usize) -> Option<&'static Location<'static>> {
        let mut held = self.held();
        held.find(|(activity, _)| activity.thread() == thread)
            .map(|(_, held)| held.location)
    }

    pub(super) fn backend_pids(&self) -> Vec<i32> {
        self.held()
            .map(|(activity, _)| activity.backend_pid())
            .collect()
    }

    /// Returns all holders, the longest first.
    pub(super) fn list(&self) -> Vec<Holder> {
        let mut holders: Vec<_> = self
            .held()
            .map(|(activity, held)| held.describe(activity))
            .collect();
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
            let Some(held) = entry.held.as_mut().filter(|held| !held.is_reported) else {
                continue;
            };
            let due = held.since + threshold;
            if due <= now {
                held.is_reported = true;
                overdue.push(held.describe(&entry.activity));
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        (overdue, next)
    }
}

impl Held {
    /// Returns the holder as an error or a report shows it.
    fn describe(&self, activity: &SessionActivity) -> Holder {
        let doing = activity.doing_since(self.since);
        let state = match doing.state {
            ActivityState::Active => "active",
            ActivityState::Idle => "idle",
            ActivityState::IdleInTransaction => "idle in transaction",
        };
        Holder {
            location: self.location,
            held: self.since.elapsed(),
            backend_pid: activity.backend_pid(),
            state,
            state_for: doing.since.elapsed(),
            sql: doing.sql,
            server: None,
        }
    }
}
