//! B5: a connection is taken from a pool and given back.

use super::Workload;

pub const CHECKOUT: Workload = Workload {
    name: "B5",
    title: "checkout and return",
    of: |peer| peer.checkout(),
    lengths: (500, 5_500),
};
