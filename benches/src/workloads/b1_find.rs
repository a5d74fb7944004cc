//! B1: a row by its primary key, all six columns of it.

use super::Workload;

pub const FIND: Workload = Workload {
    name: "B1",
    title: "find by primary key, checkout included",
    of: |peer| peer.find(),
    lengths: (200, 1_200),
};
