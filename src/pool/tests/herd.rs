//! Many pools that lose their server at once.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::thread;
use std::time::{Duration, Instant};

use super::{Counted, Lease, limits, lock, new_pool, take};
use crate::error::Error;

/// The time for which the server is away.
const AWAY: Duration = Duration::from_secs(2);

/// The width of a bucket in which attempts are counted.
const BUCKET: Duration = Duration::from_millis(50);

/// Callers of a pool that wait at once.
const CALLERS: usize = 5;

/// Each pool has sessions that the server has closed, and callers ask while the server starts.
///
/// `script/herd` runs it with more pools, and shows the figures.
#[test]
fn a_herd_does_not_beat_a_starting_server() {
    let pools = std::env::var("BOWLINE_HERD");
    let pools: usize = pools.map_or(20, |pools| pools.parse().expect("a number"));
    let (live, attempts) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(Mutex::new(Vec::new())),
    );
    let lost = Instant::now() + Duration::from_secs(2);
    let up = lost + AWAY;
    let all: Vec<_> = (0..pools)
        .map(|_| {
            let (live, attempts) = (Arc::clone(&live), Arc::clone(&attempts));
            new_pool(limits(10), move || {
                let now = Instant::now();
                lock(&attempts).push(now);
                if now < lost || now >= up {
                    return Ok(Counted::new(&live));
                }
                Err(Error::unavailable("the database system is starting up"))
            })
        })
        .collect();
    let served = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for pool in &all {
            let open = || take(pool, Duration::from_secs(30)).expect("a session");
            let mut first = [open(), open(), open(), open()];
            scope.spawn(move || {
                thread::sleep(lost.saturating_duration_since(Instant::now()));
                first.iter_mut().for_each(Lease::set_lost);
            });
            for _ in 0..CALLERS {
                scope.spawn(|| {
                    thread::sleep(lost.saturating_duration_since(Instant::now()));
                    let session = take(pool, Duration::from_secs(30)).expect("a session");
                    lock(&served).push(Instant::now());
                    session.give_back();
                });
            }
        }
    });
    let attempts = lock(&attempts);
    let between = |from: Instant, to: Instant| {
        let during = attempts.iter().filter(|at| (from..to).contains(*at));
        during.count()
    };
    let first = between(lost, lost + BUCKET);
    let settled = lost + AWAY / 2;
    let buckets = (0..).map(|number| settled + BUCKET * number);
    let buckets = buckets.take_while(|from| *from + BUCKET < up);
    let largest = buckets.map(|from| between(from, from + BUCKET)).max();
    let largest = largest.unwrap_or_default();
    let last = lock(&served).iter().max().copied().expect("callers");
    println!(
        "{pools} pools with {CALLERS} callers: {first} attempts to connect in the first 50 ms, {} in {AWAY:?}, at most \
         {largest} in 50 ms once the pauses have grown; all served {:?} after the server",
        between(lost, up),
        last.saturating_duration_since(up)
    );
    // With pauses of 250 to 500 ms, an eighth to a quarter of the pools try in 50 ms.
    assert!(largest <= pools / 2, "{largest} of {pools} at once");
    // Each pool tries alone, with pauses that double.
    assert!(between(lost, up) <= pools * 12);
    assert_eq!(lock(&served).len(), pools * CALLERS);
}
