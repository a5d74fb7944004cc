//! First come, first served, with a deadline.
//!
//! r2d2 lets whoever runs take a session past those who wait. Here as many turns are given out as there
//! may be sessions, in the order of asking, so that r2d2 never has a queue of its own.

use std::collections::{BTreeMap, VecDeque};
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

type Holder = (&'static Location<'static>, Instant);

/// Who waits for a turn, and who has one.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: u32,
    waiting: VecDeque<Arc<Waiter>>,
    /// By number of turn, so the longest held comes first.
    holders: BTreeMap<u64, Holder>,
    turns: u64,
}

#[derive(Debug, Default)]
struct Waiter {
    called: Condvar,
    /// Guarded by the lock of the state.
    has_turn: std::sync::atomic::AtomicBool,
}

/// The right to one session; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    queue: Arc<Queue>,
    number: u64,
}

impl Queue {
    pub(super) fn new(turns: u32) -> Self {
        let state = State {
            free: turns,
            waiting: VecDeque::new(),
            holders: BTreeMap::new(),
            turns: 0,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// A turn, once all who asked before have had theirs; `None` at the deadline.
    pub(super) fn wait(
        queue: &Arc<Self>,
        deadline: Instant,
        holder: &'static Location<'static>,
    ) -> Option<Turn> {
        use std::sync::atomic::Ordering::Relaxed;
        let mut state = queue.lock();
        if state.free > 0 && state.waiting.is_empty() {
            state.free -= 1;
        } else {
            let waiter = Arc::new(Waiter::default());
            state.waiting.push_back(Arc::clone(&waiter));
            while !waiter.has_turn.load(Relaxed) {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    state.waiting.retain(|other| !Arc::ptr_eq(other, &waiter));
                    return None;
                }
                state = waiter
                    .called
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
        state.turns += 1;
        let number = state.turns;
        state.holders.insert(number, (holder, Instant::now()));
        Some(Turn {
            queue: Arc::clone(queue),
            number,
        })
    }

    /// Who has a turn and since when, the longest first.
    pub(super) fn holders(&self) -> Vec<Holder> {
        self.lock().holders.values().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.holders.remove(&self.number);
        match state.waiting.pop_front() {
            Some(next) => {
                next.has_turn
                    .store(true, std::sync::atomic::Ordering::Relaxed);
                next.called.notify_one();
            }
            None => state.free += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn turns_are_given_in_the_order_of_asking() {
        let queue = Arc::new(Queue::new(1));
        let first = Queue::wait(&queue, soon(), Location::caller()).expect("a free turn");
        let (tell, order) = mpsc::channel();
        let waiting: Vec<_> = (0..5)
            .map(|number| {
                let (asked, tell, queue) = (Arc::clone(&queue), tell.clone(), Arc::clone(&queue));
                let waiter = thread::spawn(move || {
                    let turn =
                        Queue::wait(&queue, soon(), Location::caller()).expect("a turn in time");
                    tell.send(number).expect("somebody listens");
                    drop(turn);
                });
                while asked.lock().waiting.len() <= number {
                    thread::yield_now();
                }
                waiter
            })
            .collect();
        drop(first);
        waiting
            .into_iter()
            .for_each(|waiter| waiter.join().expect("no panic"));
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn who_gives_up_at_the_deadline_leaves_no_trace() {
        let queue = Arc::new(Queue::new(1));
        let turn = Queue::wait(&queue, soon(), Location::caller()).expect("a free turn");
        assert!(
            Queue::wait(
                &queue,
                Instant::now() + Duration::from_millis(10),
                Location::caller()
            )
            .is_none()
        );
        drop(turn);
        assert!(Queue::wait(&queue, soon(), Location::caller()).is_some());
    }
}
