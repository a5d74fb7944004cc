//! Tests of tasks in the queue, polled by hand: a waker that notes its number, and no server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Wake, Waker};

use super::*;
use crate::pool::shared::{Lease, lock};

/// The numbers of the callers that were woken, in this order.
type Log = Arc<Mutex<Vec<usize>>>;

struct Noted(usize, Log);

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        lock(&self.1).push(self.0);
    }
}

type Checkout<'p> = Pin<Box<dyn Future<Output = Result<Lease<Resource>, Error>> + 'p>>;

/// A task that asks for a session.
struct Task<'p> {
    checkout: Checkout<'p>,
    waker: Waker,
}

impl<'p> Task<'p> {
    fn new(pool: &'p Arc<SharedPool<Resource>>, number: usize, woken: &Log) -> Self {
        let now = Instant::now();
        Self {
            checkout: Box::pin(pool.take_at(now, task(), move || now + TIMEOUT, false)),
            waker: Waker::from(Arc::new(Noted(number, Arc::clone(woken)))),
        }
    }

    fn poll(&mut self) -> Poll<Lease<Resource>> {
        let mut context = Context::from_waker(&self.waker);
        let checkout = self.checkout.as_mut().poll(&mut context);
        checkout.map(|lease| lease.expect("a session"))
    }

    fn lease(&mut self) -> Lease<Resource> {
        match self.poll() {
            Poll::Ready(lease) => lease,
            Poll::Pending => panic!("the session is not there"),
        }
    }
}

/// Runs a test with a pool of one session that is in use.
fn with_busy_pool(test: impl FnOnce(&Arc<SharedPool<Resource>>, Lease<Resource>)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    // The waits have deadlines.
    let _entered = runtime.enter();
    let pool = new_pool(1);
    let held = pool.take(caller(), Instant::now() + TIMEOUT, false);
    test(&pool, held.expect("a session"));
    pool.close_now();
}

#[test]
fn a_dropped_call_passes_its_turn_on() {
    with_busy_pool(|pool, held| {
        let woken = Log::default();
        let mut tasks: Vec<_> = (0..4).map(|n| Task::new(pool, n, &woken)).collect();
        for task in &mut tasks {
            assert!(task.poll().is_pending());
        }
        // This one waits in the queue, and has been given nothing.
        drop(tasks.remove(1));
        held.give_back();
        assert_eq!(*lock(&woken), [0]);
        // This one has been given the session, and has not been polled since.
        drop(tasks.remove(0));
        assert_eq!(*lock(&woken), [0, 2]);
        assert!(tasks[1].poll().is_pending());
        tasks[0].lease().give_back();
        assert_eq!(*lock(&woken), [0, 2, 3]);
        tasks[1].lease().give_back();
        assert_eq!(pool.gauges.read().waiting, 0);
        assert_eq!(pool.gauges.read().idle, 1);
    });
}

#[test]
fn a_task_that_asks_again_goes_behind_the_others() {
    with_busy_pool(|pool, held| {
        let woken = Log::default();
        let mut tasks: Vec<_> = (0..5).map(|n| Task::new(pool, n, &woken)).collect();
        for task in &mut tasks {
            assert!(task.poll().is_pending());
        }
        held.give_back();
        for _ in 0..4 {
            for (number, task) in tasks.iter_mut().enumerate() {
                task.lease().give_back();
                // It asks at once, as a task does that makes one call after the other.
                *task = Task::new(pool, number, &woken);
                assert!(task.poll().is_pending());
            }
        }
        let turns: Vec<_> = (0..21).map(|turn| turn % 5).collect();
        assert_eq!(*lock(&woken), turns);
    });
}

#[test]
fn threads_and_tasks_wait_in_one_queue() {
    with_busy_pool(|pool, held| {
        let woken = Log::default();
        let served = Log::default();
        thread::scope(|scope| {
            let queued = |number: u32| {
                while pool.gauges.read().waiting <= number {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            let ask = |number: usize| {
                let served = &served;
                scope.spawn(move || {
                    let lease = pool.take(caller(), Instant::now() + TIMEOUT, false);
                    lock(served).push(number);
                    lease.expect("a session in time").give_back();
                });
            };
            let mut first = Task::new(pool, 0, &woken);
            assert!(first.poll().is_pending());
            queued(0);
            ask(1);
            queued(1);
            let mut last = Task::new(pool, 2, &woken);
            assert!(last.poll().is_pending());
            held.give_back();
            let lease = first.lease();
            lock(&served).push(0);
            lease.give_back();
            let deadline = Instant::now() + TIMEOUT;
            while !lock(&woken).contains(&2) {
                assert!(Instant::now() < deadline, "the last one has its turn");
                thread::sleep(Duration::from_millis(1));
            }
            last.lease().give_back();
        });
        assert_eq!(*lock(&served), [0, 1]);
        assert_eq!(*lock(&woken), [0, 2]);
    });
}
