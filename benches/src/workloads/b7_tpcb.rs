//! B7: pgbench's default transaction, tpcb-like.

use super::Workload;

pub const TPCB: Workload = Workload {
    name: "B7",
    title: "pgbench's tpcb-like transaction, checkout included",
    of: |peer| peer.tpcb(),
    lengths: (50, 250),
};
