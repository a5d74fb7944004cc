//! What a proxy was told to do, and what it has seen.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::link::Link;
use super::messages::Messages;

/// One of the two ways through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What the client says.
    ToServer,
    /// What the server says.
    ToClient,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In good order, as when the other process ends.
    Fin,
    /// By a reset of the TCP connection, as when a machine or a firewall forgot it; on a Unix socket the same as `Fin`.
    Rst,
}

/// How much was passed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// All bytes, those of connecting included.
    pub bytes: u64,
    /// Messages of PostgreSQL's protocol that were passed on whole; those that are encrypted are not counted.
    pub messages: u64,
}

/// One message of PostgreSQL's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which way it went.
    pub direction: Direction,
    /// The whole of it: a byte for its type, four for its length, and the rest. The client's first has no type.
    pub bytes: Vec<u8>,
}

/// Whether connections are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Door {
    #[default]
    Open,
    Refusing,
    Deaf,
}

#[derive(Debug, Default)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) stopped: bool,
    pub(super) wanted: Door,
    door: Door,
    pub(super) frozen: bool,
    pub(super) delays: [Duration; 2],
    pub(super) cuts: [Option<(u64, Ending)>; 2],
    pub(super) links: BTreeMap<usize, Arc<Link>>,
    pub(super) connections: usize,
    pub(super) trips: usize,
    pub(super) passed: [Passed; 2],
    pub(super) recording: Option<Vec<Message>>,
}

/// What is to become of a piece.
pub(super) enum Leave {
    Pass,
    /// So many bytes of it pass, and then the connection ends.
    Cut(usize, Ending),
    /// The connection was cut in the other direction.
    Gone,
}

/// A door is moved by a thread that does nothing else.
const PATIENCE: Duration = Duration::from_secs(10);

impl Control {
    /// Looks at the state or changes it, and lets those who wait look again.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.lock());
        self.changed.notify_all();
        done
    }

    /// `None` once the proxy is gone.
    pub(super) fn wanted_door(&self) -> Option<Door> {
        let state = self.lock();
        (!state.stopped).then_some(state.wanted)
    }

    pub(super) fn door_is(&self, door: Door) {
        self.with(|state| state.door = door);
    }

    pub(super) fn wait_for_door(&self, door: Door) {
        drop(
            self.changed
                .wait_timeout_while(self.lock(), PATIENCE, |state| state.door != door),
        );
    }

    /// Waits until a piece may pass, and counts what of it does; an end is a piece without bytes.
    pub(super) fn leave(
        &self,
        direction: Direction,
        piece: &[u8],
        messages: &mut Messages,
        link: &Link,
    ) -> Leave {
        let arrived = Instant::now();
        let mut state = self.lock();
        loop {
            let due = arrived + state.delays[direction as usize];
            let left = due.saturating_duration_since(Instant::now());
            if state.stopped || !state.frozen && left.is_zero() {
                break;
            }
            let pause = if state.frozen { PATIENCE } else { left };
            state = self
                .changed
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if link.is_cut.load(Ordering::SeqCst) {
            return Leave::Gone;
        }
        let (mut bytes, mut leave) = (piece.len(), Leave::Pass);
        if let Some((left, ending)) = state.cuts[direction as usize].filter(|_| bytes > 0) {
            let passing = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - passing as u64;
            state.cuts[direction as usize] = (left > 0).then_some((left, ending));
            // The last byte that may pass ends it by itself, so that nobody has to say more for the end to come.
            if left == 0 {
                link.is_cut.store(true, Ordering::SeqCst);
                (bytes, leave) = (passing, Leave::Cut(passing, ending));
            }
        }
        let spoke = match direction {
            Direction::ToServer => {
                link.asking.fetch_or(bytes > 0, Ordering::SeqCst);
                false
            }
            Direction::ToClient => bytes > 0 && link.asking.swap(false, Ordering::SeqCst),
        };
        state.trips += usize::from(spoke);
        let State {
            passed, recording, ..
        } = &mut *state;
        let passed = &mut passed[direction as usize];
        passed.bytes += bytes as u64;
        messages.take(&piece[..bytes], |message| {
            passed.messages += 1;
            if let Some(recording) = recording {
                recording.push(Message {
                    direction,
                    bytes: message.to_owned(),
                });
            }
        });
        leave
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
