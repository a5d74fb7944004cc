//! B4: ten updates by key as one unit, committed.

use super::Workload;

pub const TEN_UPDATES: Workload = Workload {
    name: "B4",
    title: "ten updates by key as one unit, checkout included",
    of: |peer| peer.ten_updates(),
    lengths: (50, 250),
};
