//! Who has a session: where it was asked for, since when, and what is done with it.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::no_session::Holder;
use crate::session::activity::{ActivityState, SessionActivity};

/// A caller that asks for a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) place: &'static Location<'static>,
    pub(super) thread: usize,
}

/// The table of holders; its numbers are used again, so that it grows no larger than the pool.
#[derive(Debug, Default)]
pub(super) struct Holders {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Entry {
    place: &'static Location<'static>,
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
            place: caller.place,
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

    /// Returns the location where this thread took a session that it still has.
    pub(super) fn of_thread(&self, thread: usize) -> Option<&'static Location<'static>> {
        let mut entries = self.entries.iter().flatten();
        entries
            .find(|entry| entry.activity.thread() == thread)
            .map(|entry| entry.place)
    }

    pub(super) fn backend_pids(&self) -> Vec<i32> {
        let entries = self.entries.iter().flatten();
        entries.map(|entry| entry.activity.backend_pid()).collect()
    }

    /// Returns all of them, who has held for longest in front.
    pub(super) fn list(&self) -> Vec<Holder> {
        let mut holders: Vec<_> = self.entries.iter().flatten().map(Entry::tell).collect();
        holders.sort_by_key(|holder| std::cmp::Reverse(holder.held));
        holders
    }

    /// Returns the holders that have had a session for this long and were not reported yet, and when the next will
    /// have.
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
                overdue.push(entry.tell());
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        (overdue, next)
    }
}

impl Entry {
    fn tell(&self) -> Holder {
        let doing = self.activity.doing();
        let state = match doing.state {
            ActivityState::Active => "active",
            ActivityState::Idle => "idle",
            ActivityState::IdleInTransaction => "idle in transaction",
        };
        Holder {
            location: self.place,
            held: self.since.elapsed(),
            backend_pid: self.activity.backend_pid(),
            state,
            state_for: doing.since.elapsed(),
            sql: doing.sql,
            server: None,
        }
    }
}
