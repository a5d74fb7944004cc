//! What is measured. Each workload has a file of its own.

mod b1_find;
mod b4_ten_updates;
mod b5_checkout;
mod b7_tpcb;

use crate::contender::Contender;
use crate::peers::{self, Peer};

/// A piece of work that each library does in its own way, one caller at a time.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// The name on the command line, such as `B1`.
    pub name: &'static str,
    /// What is done.
    pub title: &'static str,
    /// The contenders of a library.
    of: fn(&dyn Peer) -> Vec<Contender>,
    /// How often counting does it: in a short run, and in a long one.
    pub lengths: (usize, usize),
}

impl Workload {
    /// Returns the contenders of all libraries.
    pub fn contenders(self) -> Vec<Contender> {
        let peers = peers::all();
        peers.iter().flat_map(|peer| (self.of)(&**peer)).collect()
    }

    /// Returns the contender of this name.
    pub fn contender(self, name: &str) -> Option<Contender> {
        self.contenders()
            .into_iter()
            .find(|contender| contender.name == name)
    }
}

/// Returns all workloads, in the order of their names.
pub fn all() -> [Workload; 4] {
    [
        b1_find::FIND,
        b4_ten_updates::TEN_UPDATES,
        b5_checkout::CHECKOUT,
        b7_tpcb::TPCB,
    ]
}

/// Returns the workload of this name.
pub fn named(name: &str) -> Option<Workload> {
    all().into_iter().find(|workload| workload.name == name)
}
