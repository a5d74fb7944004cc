//! The settings of a proxy, and its counters.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::link::Link;
use super::messages::Messages;

/// A direction through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// The way in which a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By an orderly shutdown, as when the other process ends.
    Fin,
    /// By a reset of the TCP connection, as when a firewall loses its state. On a Unix socket it is
    /// the same as `Fin`.
    Rst,
}

/// The amount of forwarded data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Bytes, including those of connecting.
    pub bytes: u64,
    /// Complete messages of PostgreSQL's protocol; encrypted ones are not counted.
    pub messages: u64,
}

/// One message of PostgreSQL's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The direction of the message.
    pub direction: Direction,
    /// The whole message: one byte of type, four bytes of length, the body. The client's first
    /// message has no type.
    pub bytes: Vec<u8>,
}

/// The treatment of new connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Door {
    #[default]
    Open,
    Refusing,
    /// The kernel completes a new connection, and the proxy does not accept it.
    Silent,
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

/// The decision on a piece of data.
pub(super) enum Leave {
    Pass,
    /// This number of bytes is forwarded, and then the connection ends.
    Cut(usize, Ending),
    /// The connection was cut in the other direction.
    Gone,
}

/// The longest wait for the thread that accepts connections.
const PATIENCE: Duration = Duration::from_secs(10);

impl Control {
    /// Reads or changes the state, and wakes the waiting threads.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.lock());
        self.changed.notify_all();
        done
    }

    /// Returns the wanted treatment of new connections, or `None` after the proxy was dropped.
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

    /// Waits until a piece may be forwarded, and counts its forwarded bytes. An empty piece is the
    /// end of the connection.
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
            // The connection ends with the last allowed byte, without waiting for further data.
            if left == 0 {
                link.is_cut.store(true, Ordering::SeqCst);
                (bytes, leave) = (passing, Leave::Cut(passing, ending));
            }
        }
        let answered = match direction {
            Direction::ToServer => {
                link.asking.fetch_or(bytes > 0, Ordering::SeqCst);
                false
            }
            Direction::ToClient => bytes > 0 && link.asking.swap(false, Ordering::SeqCst),
        };
        state.trips += usize::from(answered);
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
