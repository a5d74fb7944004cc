//! The workloads. Each has a separate file.

mod b10_tests;
mod b11_migrations;
mod b12_connect;
mod b13_tasks;
mod b14_bulk;
mod b1_find;
mod b2_stream;
mod b2b_load_and_insert;
mod b3_tree;
mod b4_ten_updates;
mod b5_checkout;
mod b6_copy;
mod b7_tpcb;
mod b9_compile;

use std::error::Error;
use std::fmt::Write as _;

use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::peers::{self, Peer};
use crate::rounds::{self, Rounds};
use crate::server::Server;
use crate::target::Target;

/// A workload with counted costs per operation.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// The name, which begins with the name of its part, such as `B1`.
    pub name: &'static str,
    /// Returns the contenders of a library.
    of: fn(&dyn Peer) -> Vec<Contender>,
    /// The number of operations in a short and in a long run.
    pub lengths: (usize, usize),
}

/// A workload with measured times.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The name on the command line, such as `B1`.
    pub name: &'static str,
    /// A description of the work.
    pub title: &'static str,
    /// Measures the work, and returns the Markdown below the title.
    pub measure: fn(&Server) -> Result<String, Box<dyn Error>>,
}

/// Returns all workloads with measured times.
pub fn parts() -> [Part; 14] {
    [
        b1_find::PART,
        b2_stream::PART,
        b2b_load_and_insert::PART,
        b3_tree::PART,
        b4_ten_updates::PART,
        b5_checkout::PART,
        b6_copy::PART,
        b7_tpcb::PART,
        b9_compile::PART,
        b10_tests::PART,
        b11_migrations::PART,
        b12_connect::PART,
        b13_tasks::PART,
        b14_bulk::PART,
    ]
}

/// Returns all workloads with counted costs.
pub fn all() -> [Workload; 10] {
    [
        b1_find::FIND,
        b2_stream::STREAM,
        b2b_load_and_insert::LOAD,
        b2b_load_and_insert::INSERT,
        b3_tree::TREE,
        b4_ten_updates::TEN_UPDATES,
        b5_checkout::CHECKOUT,
        b6_copy::COPY,
        b7_tpcb::TPCB,
        b12_connect::CONNECT,
    ]
}

impl Workload {
    /// Returns the contenders of all libraries.
    pub fn contenders(self) -> Vec<Contender> {
        contenders(self.of)
    }

    /// Returns the contender of this name.
    pub fn contender(self, name: &str) -> Option<Contender> {
        self.contenders()
            .into_iter()
            .find(|contender| contender.name == name)
    }

    /// Returns the name of the part that it belongs to.
    pub fn part(self) -> &'static str {
        self.name.split(' ').next().unwrap_or(self.name)
    }
}

/// Returns the crowds of tasks that find users.
pub fn task_finds() -> Vec<Crowd> {
    contenders(|peer| peer.task_find())
}

/// Returns the workload of this name.
pub fn named(name: &str) -> Option<Workload> {
    all().into_iter().find(|workload| workload.name == name)
}

/// Returns the contenders of all libraries for a workload.
fn contenders<C>(of: impl Fn(&dyn Peer) -> Vec<C>) -> Vec<C> {
    peers::all().iter().flat_map(|peer| of(&**peer)).collect()
}

/// Measures contenders in rounds, and writes a table below a line that describes the target.
fn in_rounds(
    server: &Server,
    target: &Target,
    what: &str,
    contenders: &[Contender],
    how: Rounds<'_>,
) -> Result<String, Box<dyn Error>> {
    let timed = rounds::measure(server, target, contenders, how)?;
    let mut text = String::new();
    write!(text, "{what}\n\n{}\n", rounds::table(&timed))?;
    Ok(text)
}
