//! A contender: one library's way of doing a workload.

use crate::target::Target;

/// Does the work this many times.
pub type Run = Box<dyn FnMut(usize)>;

/// One way of doing a workload. A library may have several: with and without a pool, in one round
/// trip or in many.
pub struct Contender {
    /// The library and the way, such as `bowline session`. Unique within a workload.
    pub name: &'static str,
    /// True if another program does the work; its costs cannot be counted in this process.
    pub is_program: bool,
    start: Box<dyn Fn(&Target) -> Run>,
}

impl Contender {
    /// Creates a contender from a function that connects and returns the work.
    pub fn new(name: &'static str, start: impl Fn(&Target) -> Run + 'static) -> Self {
        Self {
            name,
            is_program: false,
            start: Box::new(start),
        }
    }

    /// Creates a contender that runs another program.
    pub fn program(name: &'static str, start: impl Fn(&Target) -> Run + 'static) -> Self {
        Self {
            is_program: true,
            ..Self::new(name, start)
        }
    }

    /// Connects, and returns the work. This part is not measured.
    pub fn start(&self, target: &Target) -> Run {
        (self.start)(target)
    }
}

/// Returns a function that repeats work without arguments.
pub fn repeat(mut work: impl FnMut() + 'static) -> Run {
    Box::new(move |times| {
        for _ in 0..times {
            work();
        }
    })
}
