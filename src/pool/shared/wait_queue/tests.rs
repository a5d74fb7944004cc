//! Tests of [`WaitQueue`] with random events and no threads, and of a pool under many short calls.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::deadline::A_YEAR;
use crate::pool::holders::Caller;
use crate::pool::shared::{PoolLimits, SharedPool, refused};
use crate::session::activity::{SessionActivity, this_thread};

struct Resource(Arc<SessionActivity>);

impl super::Resource for Resource {
    fn activity(&self) -> &Arc<SessionActivity> {
        &self.0
    }

    fn server_name(&self) -> &Arc<str> {
        static NAME: std::sync::OnceLock<Arc<str>> = std::sync::OnceLock::new();
        NAME.get_or_init(|| "nowhere".into())
    }

    fn set_close_reason(&mut self, _: &'static str) {}
}

fn new_pool(max: u32) -> Arc<SharedPool<Resource>> {
    let limits = PoolLimits {
        max,
        max_waiting: u32::MAX,
        max_lifetime: A_YEAR,
        idle_timeout: A_YEAR,
        leak_threshold: A_YEAR,
    };
    let connect = || Ok(Resource(Arc::new(SessionActivity::new(0))));
    SharedPool::new(limits, connect, |_, _| Ok(BTreeMap::new()))
}

fn caller() -> Caller {
    Caller {
        location: Location::caller(),
        thread: Some(this_thread()),
    }
}

fn task() -> Caller {
    Caller {
        thread: None,
        ..caller()
    }
}

/// The deadline of a checkout that is expected to succeed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns open sessions of a pool.
fn open_sessions(count: usize) -> Vec<Item<Resource>> {
    let pool = new_pool(count as u32);
    let lease = || {
        let lease = pool.take(caller(), Instant::now() + TIMEOUT, false);
        let mut lease = lease.expect("a session");
        lease.item.take().expect("it has one")
    };
    // One thread for each session: a thread that holds a session may be refused another one.
    let items = thread::scope(|scope| {
        let all: Vec<_> = (0..count).map(|_| scope.spawn(lease)).collect();
        all.into_iter()
            .map(|one| one.join().expect("no panic"))
            .collect()
    });
    pool.close_now();
    items
}

/// A generator of pseudo-random numbers that are the same in each run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("a small number")
    }
}

/// Fails if a session is idle and a caller waits, but none was woken.
fn assert_woken(queue: &WaitQueue<Resource>, event: usize) {
    if queue.idle.is_empty() || queue.waiting.is_empty() {
        return;
    }
    let woken = queue.woken.as_ref().expect("a waiter was woken");
    let waits = queue.waiting.iter().any(|other| Arc::ptr_eq(other, woken));
    assert!(
        waits,
        "after event {event}, a caller that does not wait was woken"
    );
}

#[test]
fn a_returned_session_goes_to_a_waiting_task_at_once() {
    let now = Instant::now();
    for (first, is_given) in [(task(), true), (caller(), false)] {
        let mut queue = WaitQueue::<Resource>::new();
        queue.last_turn = now;
        queue.queue(Arc::new(Waiter::new(first, now)), false);
        queue.queue(Arc::new(Waiter::new(caller(), now)), false);
        assert_eq!(queue.take_due_waiter(now).is_some(), is_given);
        // The thread behind it has its turn once it has waited for long enough.
        assert!(queue.take_due_waiter(now).is_none());
        assert!(queue.take_due_waiter(now + TURN).is_some());
    }
}

#[test]
fn a_waiter_is_woken_whenever_a_session_is_idle() {
    let mut random = Seeded(0x9E37_79B9_7F4A_7C15);
    let mut queue = WaitQueue::new();
    let mut held = open_sessions(4);
    // Waiters to notify: they can retry, or have got a session or a failure.
    let mut notified: Vec<Arc<Waiter<Resource>>> = Vec::new();
    let mut served = 0;
    let mut now = Instant::now();
    for _ in 0..20_000 {
        now += Duration::from_micros(random.below(400) as u64);
        let event = random.below(12);
        match event {
            // A caller begins to wait.
            0 | 1 if queue.idle.is_empty() && queue.waiting.len() < 12 => {
                let caller = [task, caller][random.below(2)]();
                queue.queue(Arc::new(Waiter::new(caller, now)), random.below(8) == 0);
            }
            // A caller that does not wait takes an idle session.
            2 | 8..12 => held.extend(queue.take()),
            // A session is returned.
            3 | 4 if !held.is_empty() => {
                let item = held.swap_remove(random.below(held.len()));
                match queue.take_due_waiter(now) {
                    Some(_) => {
                        served += 1;
                        held.push(item);
                    }
                    None => notified.extend(queue.put_idle(item)),
                }
            }
            // A waiter that was notified retries.
            5 if !notified.is_empty() => {
                let waiter = notified.swap_remove(random.below(notified.len()));
                // A waiter that was served or failed since does not retry.
                if queue
                    .waiting
                    .iter()
                    .any(|other| Arc::ptr_eq(other, &waiter))
                    && let Some((item, next)) = queue.retry(&waiter, now)
                {
                    served += 1;
                    held.push(item);
                    notified.extend(next);
                }
            }
            // The deadline of a waiter passes.
            6 if !queue.waiting.is_empty() && random.below(4) == 0 => {
                let timed_out = Arc::clone(&queue.waiting[random.below(queue.waiting.len())]);
                notified.extend(queue.remove_waiter(&timed_out));
            }
            // An error fails the callers that have waited for some time.
            7 if random.below(16) == 0 => {
                let since = now.checked_sub(Duration::from_micros(800)).expect("a time");
                notified.extend(queue.fail(since, refused::closed));
            }
            _ => {}
        }
        assert_woken(&queue, event);
        assert_eq!(queue.idle.len() + held.len(), 4);
    }
    assert!(served > 1_000, "{served}");
}

#[test]
fn no_caller_waits_long_among_short_calls() {
    let pool = new_pool(1);
    let is_over = AtomicBool::new(false);
    let take = || {
        let lease = pool.take(caller(), Instant::now() + TIMEOUT, false);
        lease.expect("a session in time").give_back();
    };
    take();
    let longest = thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    take();
                }
            });
        }
        let waits = (0..200).map(|_| {
            let asked = Instant::now();
            take();
            asked.elapsed()
        });
        let longest = waits.max();
        is_over.store(true, Ordering::Relaxed);
        longest
    });
    // 2 s rather than `TURN`: other processes delay these threads.
    assert!(
        longest.expect("200 waits") < Duration::from_secs(2),
        "{longest:?}"
    );
    pool.close_now();
}

#[test]
fn the_longest_waiter_goes_first_after_its_time() {
    let mut queue = WaitQueue::new();
    let mut held = open_sessions(2);
    let began = Instant::now();
    let at = |micros| began + Duration::from_micros(micros);
    queue.last_turn = began;
    let waiters = [0, 100].map(|asked| Arc::new(Waiter::new(caller(), at(asked))));
    for waiter in &waiters {
        queue.queue(Arc::clone(waiter), false);
    }
    // Too early: the session becomes idle, and the first one is woken for it.
    assert!(queue.take_due_waiter(at(150)).is_none());
    let woken = queue
        .put_idle(held.pop().expect("one of two"))
        .expect("a waiter");
    assert!(Arc::ptr_eq(&woken, &waiters[0]));
    // A running caller takes it, and the first one finds nothing.
    held.extend(queue.take());
    assert!(queue.retry(&woken, at(160)).is_none());
    let first = queue.take_due_waiter(at(200)).expect("its turn");
    assert!(Arc::ptr_eq(&first, &waiters[0]));
    // The next turn comes after the same time again.
    assert!(queue.take_due_waiter(at(399)).is_none());
    let second = queue.take_due_waiter(at(400)).expect("its turn");
    assert!(Arc::ptr_eq(&second, &waiters[1]));
}

#[cfg(feature = "tokio")]
mod tasks;
