//! B7: pgbench's default transaction, tpcb-like.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Part, Workload, contenders};
use crate::crowd::Size;
use crate::crowds;

pub const TPCB: Workload = Workload {
    name: "B7",
    of: |peer| peer.tpcb(),
    lengths: (50, 250),
};

pub const PART: Part = Part {
    name: "B7",
    title: "pgbench's tpcb-like transaction, checkout included",
    measure: |server| {
        let mut text = String::new();
        for callers in [1, 8, 32] {
            let size = Size {
                callers,
                sessions: callers,
            };
            let crowds = contenders(|peer| peer.crowd_tpcb());
            let turns = (3, Duration::from_secs(3));
            let table = crowds::table(&server.target, &crowds, size, turns, "pgbench -M prepared");
            write!(text, "{callers} at a time.\n\n{table}\n")?;
        }
        Ok(text)
    },
};
