//! Tests of the pool without a server: a replacement for a session counts its instances.

mod herd;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{Location, resume_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::holders::Caller;
use super::shared::growth::Jitter;
use super::shared::{Lease, PoolLimits, Resource, SharedPool, lock};
use crate::deadline::A_YEAR;
use crate::error::{Error, Result};
use crate::no_session::NoSession;
use crate::session::activity::{SessionActivity, this_thread};

struct Counted {
    activity: Arc<SessionActivity>,
    live: Arc<AtomicU32>,
    name: Arc<str>,
}

impl Counted {
    fn new(live: &Arc<AtomicU32>) -> Self {
        live.fetch_add(1, SeqCst);
        Self {
            activity: Arc::new(SessionActivity::new(0)),
            live: Arc::clone(live),
            name: "nowhere".into(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.live.fetch_sub(1, SeqCst);
    }
}

impl Resource for Counted {
    fn activity(&self) -> &Arc<SessionActivity> {
        &self.activity
    }

    fn server_name(&self) -> &Arc<str> {
        &self.name
    }

    fn set_close_reason(&mut self, _: &'static str) {}
}

fn limits(max: u32) -> PoolLimits {
    PoolLimits {
        max,
        max_waiting: u32::MAX,
        max_lifetime: A_YEAR,
        idle_timeout: A_YEAR,
        leak_threshold: A_YEAR,
    }
}

/// Returns a pool that has no server to ask.
fn new_pool(
    limits: PoolLimits,
    connect: impl Fn() -> Result<Counted> + Send + Sync + 'static,
) -> Arc<SharedPool<Counted>> {
    SharedPool::new(limits, connect, |_, _| Ok(BTreeMap::new()))
}

fn take(shared: &Arc<SharedPool<Counted>>, limit: Duration) -> Result<Lease<Counted>> {
    let caller = Caller {
        location: Location::caller(),
        thread: Some(this_thread()),
    };
    shared.take(caller, Instant::now() + limit, false)
}

const SOON: Duration = Duration::from_secs(10);

fn until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !what() {
        assert!(Instant::now() < deadline, "it never came to be");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A generator of pseudo-random numbers that are the same in each run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn sessions_are_given_in_the_order_of_asking() {
    let live = Arc::default();
    let shared = new_pool(limits(1), move || Ok(Counted::new(&live)));
    let first = take(&shared, SOON).expect("a session");
    let served = Arc::new(Mutex::new(Vec::new()));
    let waiting: Vec<_> = (0..8)
        .map(|number| {
            let (served, asking) = (Arc::clone(&served), Arc::clone(&shared));
            let waiter = thread::spawn(move || {
                let lease = take(&asking, SOON).expect("a session in time");
                lock(&served).push(number);
                lease.give_back();
            });
            until(|| shared.gauges.read().waiting > number);
            waiter
        })
        .collect();
    first.give_back();
    for waiter in waiting {
        waiter.join().expect("no panic");
    }
    assert_eq!(*lock(&served), (0..8).collect::<Vec<_>>());
    shared.close_now();
}

#[test]
fn who_gives_up_at_the_deadline_leaves_no_trace() {
    let live = Arc::default();
    let shared = new_pool(limits(1), move || Ok(Counted::new(&live)));
    let lease = take(&shared, SOON).expect("a session");
    let asking = Arc::clone(&shared);
    let other = thread::spawn(move || take(&asking, Duration::from_millis(20)).err());
    let error = other.join().expect("no panic").expect("none is free");
    assert!(
        matches!(error.no_session(), Some(NoSession::Exhausted { holders, .. }) if holders.len() == 1)
    );
    lease.give_back();
    let again = take(&shared, Duration::from_millis(20)).expect("the same session");
    assert_eq!(shared.gauges.read().opened, 1);
    again.give_back();
    shared.close_now();
}

#[test]
fn no_mix_of_callers_exceeds_the_maximum_or_loses_any() {
    for seed in 1..=24_u64 {
        let mut random = Seeded(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let max = u32::try_from(1 + random.below(6)).expect("a small number");
        let (live, most, connects) = (
            Arc::new(AtomicU32::new(0)),
            Arc::new(AtomicU32::new(0)),
            AtomicUsize::new(0),
        );
        let made = Arc::clone(&live);
        let fails = random.below(3) == 0;
        let shared = new_pool(limits(max), move || {
            let count = connects.fetch_add(1, SeqCst);
            thread::sleep(Duration::from_micros(count as u64 % 7 * 300));
            match count % 9 {
                3 if fails => Err(Error::unavailable("it is down")),
                5 if fails => resume_unwind(Box::new("a bug")),
                7 if fails => Err(Error::query("a mistake")),
                _ => Ok(Counted::new(&made)),
            }
        });
        let callers: Vec<_> = (0..2 + random.below(14))
            .map(|caller| {
                let (shared, live, most) =
                    (Arc::clone(&shared), Arc::clone(&live), Arc::clone(&most));
                let mut random = Seeded(seed * 1000 + caller + 1);
                thread::spawn(move || {
                    for _ in 0..60 {
                        let limit = Duration::from_micros(random.below(20_000));
                        let Ok(lease) = take(&shared, limit) else {
                            continue;
                        };
                        most.fetch_max(live.load(SeqCst), SeqCst);
                        thread::sleep(Duration::from_micros(random.below(300)));
                        match random.below(10) {
                            0 => drop(lease),
                            1 => {
                                shared.mark_outdated(lease.item().generation);
                                lease.give_back();
                            }
                            _ => lease.give_back(),
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.join().expect("no panic");
        }
        assert!(most.load(SeqCst) <= max, "seed {seed}");
        until(|| shared.gauges.read().connecting == 0);
        let rest = shared.gauges.read();
        assert_eq!((rest.in_use, rest.waiting), (0, 0), "seed {seed}");
        // The capacity is intact: as many sessions as before can be taken at once, and no more.
        let all: Vec<_> = (0..max).map(|_| patiently(&shared)).collect();
        assert_eq!(live.load(SeqCst), max, "seed {seed}");
        assert!(take(&shared, Duration::from_millis(1)).is_err());
        all.into_iter().for_each(Lease::give_back);
        shared.close(Instant::now() + SOON).expect("all are back");
        assert_eq!(live.load(SeqCst), 0, "seed {seed}");
    }
}

/// Returns a session, whatever fails before it.
fn patiently(shared: &Arc<SharedPool<Counted>>) -> Lease<Counted> {
    let deadline = Instant::now() + SOON;
    loop {
        match take(shared, SOON) {
            Ok(lease) => return lease,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

#[test]
fn a_thousand_panics_in_connect_cost_no_capacity() {
    let live = Arc::new(AtomicU32::new(0));
    let (made, connects) = (Arc::clone(&live), AtomicUsize::new(0));
    let shared = new_pool(limits(3), move || {
        if connects.fetch_add(1, SeqCst) < 1000 {
            resume_unwind(Box::new("a bug"));
        }
        Ok(Counted::new(&made))
    });
    let mut panics = 0;
    let first = loop {
        match take(&shared, SOON) {
            Ok(lease) => break lease,
            Err(error) => {
                assert!(error.message().contains("a bug"), "{error}");
                panics += 1;
            }
        }
    };
    assert_eq!(panics, 1000);
    let others = [take(&shared, SOON), take(&shared, SOON)].map(|lease| lease.expect("a session"));
    assert_eq!((live.load(SeqCst), shared.gauges.read().size), (3, 3));
    others.into_iter().chain([first]).for_each(Lease::give_back);
    shared.close_now();
}

#[test]
fn a_lasting_failure_ends_all_waits_at_once() {
    let shared = new_pool(limits(4), || {
        thread::sleep(Duration::from_millis(50));
        Err(Error::config("no such role", "make it"))
    });
    let asked = Instant::now();
    let callers: Vec<_> = (0..12)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || take(&shared, SOON).err())
        })
        .collect();
    for caller in callers {
        let error = caller.join().expect("no panic").expect("a failure");
        assert_eq!(error.message(), "no such role");
    }
    assert!(asked.elapsed() < Duration::from_secs(2));
    until(|| shared.gauges.read().connecting == 0);
    assert_eq!(shared.gauges.read().size, 0);
    shared.close_now();
}

#[test]
fn a_server_that_is_down_is_tried_once_at_a_time() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let shared = new_pool(limits(8), move || {
        counted.fetch_add(1, SeqCst);
        Err(Error::unavailable("it is down"))
    });
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || take(&shared, Duration::from_secs(1)).err())
        })
        .collect();
    for caller in callers {
        let error = caller.join().expect("no panic").expect("it is down");
        assert!(
            matches!(error.no_session(), Some(NoSession::ServerDown { cause: Some(cause), .. }) if cause == "it is down"),
            "{error}"
        );
    }
    // Pauses of 50, 100, 200, 400 and 500 ms, of which at least half is kept; a first attempt by
    // each connector.
    let made = attempts.load(SeqCst);
    assert!((2..=14).contains(&made), "{made}");
    until(|| shared.gauges.read().connecting == 0);
    let made = attempts.load(SeqCst);
    thread::sleep(Duration::from_millis(700));
    assert_eq!(attempts.load(SeqCst), made);
    shared.close_now();
}

#[test]
fn who_asks_while_too_many_wait_fails_at_once() {
    let live = Arc::default();
    let limits = PoolLimits {
        max_waiting: 3,
        ..limits(1)
    };
    let shared = new_pool(limits, move || Ok(Counted::new(&live)));
    let lease = take(&shared, SOON).expect("a session");
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || take(&shared, SOON).map(Lease::give_back))
        })
        .collect();
    until(|| callers.iter().filter(|caller| caller.is_finished()).count() == 1);
    lease.give_back();
    let refused: Vec<_> = callers
        .into_iter()
        .filter_map(|caller| caller.join().expect("no panic").err())
        .collect();
    assert_eq!(refused.len(), 1);
    assert!(matches!(
        refused[0].no_session(),
        Some(NoSession::TooManyWaiting { .. })
    ));
    shared.close_now();
}

#[test]
fn lifetimes_begun_together_end_apart() {
    for _ in 0..100 {
        let mut jitter = Jitter::new();
        let minute = Duration::from_secs(60);
        let lifetimes: BTreeSet<_> = (0..20).map(|_| jitter.shorten(minute)).collect();
        let gaps = lifetimes.iter().zip(lifetimes.iter().skip(1));
        assert!(
            gaps.clone()
                .all(|(one, next)| *next - *one > Duration::from_millis(100))
        );
        assert_eq!(gaps.count(), 19);
        assert!(
            lifetimes
                .iter()
                .all(|lifetime| *lifetime <= minute && *lifetime >= minute.mul_f64(0.9))
        );
    }
}

#[test]
fn idle_sessions_end_without_anybody_asking() {
    for (lifetime, idle) in [
        (Duration::from_millis(200), A_YEAR),
        (A_YEAR, Duration::from_millis(200)),
    ] {
        let live = Arc::new(AtomicU32::new(0));
        let made = Arc::clone(&live);
        let limits = PoolLimits {
            max_lifetime: lifetime,
            idle_timeout: idle,
            ..limits(5)
        };
        let shared = new_pool(limits, move || Ok(Counted::new(&made)));
        let all: Vec<_> = (0..5)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || take(&shared, SOON).expect("a session"))
            })
            .collect();
        let all: Vec<_> = all
            .into_iter()
            .map(|taken| taken.join().expect("no panic"))
            .collect();
        all.into_iter().for_each(Lease::give_back);
        assert_eq!(live.load(SeqCst), 5);
        until(|| live.load(SeqCst) == 0);
        assert_eq!(shared.gauges.read().size, 0);
        shared.close_now();
    }
}

#[test]
fn closing_ends_in_time_and_leaves_no_session() {
    for seed in 1..=20_u64 {
        let live = Arc::new(AtomicU32::new(0));
        let made = Arc::clone(&live);
        let shared = new_pool(limits(3), move || {
            thread::sleep(Duration::from_millis(3));
            Ok(Counted::new(&made))
        });
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    while let Ok(lease) = take(&shared, SOON) {
                        lease.give_back();
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_micros(Seeded(seed * 7919).below(9000)));
        shared.close(Instant::now() + SOON).expect("all come back");
        for caller in callers {
            caller.join().expect("no panic");
        }
        assert_eq!((live.load(SeqCst), shared.gauges.read().size), (0, 0));
    }
}

#[test]
fn callers_who_all_gave_up_leave_a_pool_that_works() {
    let live = Arc::default();
    let shared = new_pool(limits(1), move || Ok(Counted::new(&live)));
    let lease = take(&shared, SOON).expect("a session");
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || take(&shared, Duration::from_millis(30)).err())
        })
        .collect();
    for caller in callers {
        let error = caller.join().expect("no panic").expect("none came back");
        assert!(matches!(
            error.no_session(),
            Some(NoSession::Exhausted { .. })
        ));
    }
    lease.give_back();
    take(&shared, SOON)
        .expect("the session is back")
        .give_back();
    assert_eq!(shared.gauges.read().waiting, 0);
    shared.close_now();
}

#[test]
fn nobody_waits_in_vain_while_a_session_can_be_made() {
    let live = Arc::default();
    let limits = PoolLimits {
        max_waiting: 0,
        ..limits(2)
    };
    let shared = new_pool(limits, move || Ok(Counted::new(&live)));
    let both =
        [take(&shared, SOON), take(&shared, SOON)].map(|lease| lease.expect("a new session"));
    let asking = Arc::clone(&shared);
    let refused = thread::spawn(move || take(&asking, SOON).err());
    let error = refused.join().expect("no panic").expect("none is left");
    assert!(matches!(
        error.no_session(),
        Some(NoSession::TooManyWaiting { .. })
    ));
    both.into_iter().for_each(Lease::give_back);
    shared.close_now();
}

#[test]
fn a_later_checkout_does_not_get_an_earlier_failure() {
    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    let (live, waits, mended) = (Arc::default(), Mutex::new(waits), AtomicUsize::new(0));
    let shared = new_pool(limits(1), move || {
        if mended.fetch_add(1, SeqCst) > 0 {
            return Ok(Counted::new(&live));
        }
        lock(&waits).recv().ok();
        Err(Error::config("a wrong password", "mend it"))
    });
    let ask = || {
        let shared = Arc::clone(&shared);
        thread::spawn(move || take(&shared, SOON).map(Lease::give_back))
    };
    let before = ask();
    until(|| shared.gauges.read().connecting == 1 && shared.lock().last_attempt.is_some());
    let after = ask();
    until(|| shared.gauges.read().waiting == 2);
    go_on.send(()).expect("it is waited for");
    let told = before.join().expect("no panic").expect_err("it failed");
    assert_eq!(told.message(), "a wrong password");
    assert!(after.join().expect("no panic").is_ok());
    shared.close_now();
}
