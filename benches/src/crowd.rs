//! Many concurrent callers, on threads or as tasks.

use std::thread;
use std::time::{Duration, Instant};

use crate::target::{Numbers, Target, Tpcb};

/// The random values of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    pub user: i64,
    pub tpcb: Tpcb,
}

impl Draw {
    pub fn next(numbers: &mut Numbers, target: &Target) -> Self {
        Self {
            user: numbers.up_to(target.users),
            tpcb: Tpcb::next(numbers, target.scale),
        }
    }
}

/// The number of operations of each caller, and the duration of each operation.
#[derive(Debug, Default)]
pub struct Served {
    pub each: Vec<usize>,
    /// In ascending order; empty for a program that does not report them.
    pub times: Vec<Duration>,
    pub done: usize,
    pub took: Duration,
}

/// Runs concurrent callers for this long.
pub type Callers = Box<dyn FnMut(Duration) -> Served>;

/// One way of serving many callers.
pub struct Crowd {
    pub name: &'static str,
    start: Box<dyn Fn(&Target, Size) -> Callers>,
}

/// The number of callers, and of the sessions that they share.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub callers: usize,
    pub sessions: usize,
}

impl Crowd {
    /// Connects. This part is not measured.
    pub fn start(&self, target: &Target, size: Size) -> Callers {
        (self.start)(target, size)
    }

    /// Creates a crowd in another program.
    pub fn program(
        name: &'static str,
        run: impl Fn(&Target, Size, Duration) -> Served + Copy + 'static,
    ) -> Self {
        let start = move |target: &Target, size: Size| -> Callers {
            let target = target.clone();
            Box::new(move |limit| run(&target, size, limit))
        };
        Self {
            name,
            start: Box::new(start),
        }
    }

    /// Creates a crowd of threads; `open` creates the pool that they share.
    pub fn threads<P: Sync + 'static>(
        name: &'static str,
        open: impl Fn(&Target, usize) -> P + 'static,
        work: impl Fn(&P, Draw) + Copy + Sync + Send + 'static,
    ) -> Self {
        let start = move |target: &Target, size: Size| -> Callers {
            let (pool, target) = (open(target, size.sessions), target.clone());
            Box::new(move |limit| {
                let began = Instant::now();
                let caller = |number: usize| {
                    let mut numbers = Numbers::series(number as u64 + 1);
                    let mut times = Vec::new();
                    while began.elapsed() < limit {
                        let asked = Instant::now();
                        work(&pool, Draw::next(&mut numbers, &target));
                        times.push(asked.elapsed());
                    }
                    times
                };
                let times = thread::scope(|scope| {
                    let caller = &caller;
                    let callers: Vec<_> = (0..size.callers)
                        .map(|number| scope.spawn(move || caller(number)))
                        .collect();
                    callers
                        .into_iter()
                        .map(|caller| caller.join().expect("a caller does not panic"))
                        .collect()
                });
                served(times, began.elapsed())
            })
        };
        Self {
            name,
            start: Box::new(start),
        }
    }

    /// Creates a crowd of tasks on a runtime with two workers.
    #[cfg(feature = "asynchronous")]
    pub fn tasks<P, F>(
        name: &'static str,
        open: impl Fn(&Target, usize) -> P + 'static,
        work: impl Fn(P, Draw) -> F + Copy + Send + Sync + 'static,
    ) -> Self
    where
        P: Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let start = move |target: &Target, size: Size| -> Callers {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            let entered = runtime.enter();
            let (pool, target) = (
                open(target, size.sessions),
                std::sync::Arc::new(target.clone()),
            );
            drop(entered);
            Box::new(move |limit| {
                let began = Instant::now();
                let tasks: Vec<_> = (0..size.callers)
                    .map(|number| {
                        let (pool, target) = (pool.clone(), std::sync::Arc::clone(&target));
                        runtime.spawn(async move {
                            let mut numbers = Numbers::series(number as u64 + 1);
                            let mut times = Vec::new();
                            while began.elapsed() < limit {
                                let asked = Instant::now();
                                work(pool.clone(), Draw::next(&mut numbers, &target)).await;
                                times.push(asked.elapsed());
                            }
                            times
                        })
                    })
                    .collect();
                let times = runtime.block_on(async {
                    let mut times = Vec::new();
                    for task in tasks {
                        times.push(task.await.expect("a task does not panic"));
                    }
                    times
                });
                served(times, began.elapsed())
            })
        };
        Self {
            name,
            start: Box::new(start),
        }
    }
}

fn served(times: Vec<Vec<Duration>>, took: Duration) -> Served {
    let each = times.iter().map(Vec::len).collect();
    let mut times: Vec<Duration> = times.into_iter().flatten().collect();
    times.sort_unstable();
    Served {
        each,
        done: times.len(),
        times,
        took,
    }
}

impl Served {
    /// Returns the operations per second.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64()
    }

    /// Returns the time in seconds within which this share of the operations was done.
    pub fn within(&self, share: f64) -> f64 {
        let last = self.times.len().saturating_sub(1);
        let index = (last as f64 * share) as usize;
        self.times.get(index).map_or(0.0, Duration::as_secs_f64)
    }

    /// Returns the ratio of the operations of the slowest caller to those of the fastest one.
    pub fn fairness(&self) -> f64 {
        let (least, most) = (self.each.iter().min(), self.each.iter().max());
        match (least, most) {
            (Some(&least), Some(&most)) if most > 0 => least as f64 / most as f64,
            _ => 0.0,
        }
    }
}
