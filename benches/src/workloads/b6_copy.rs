//! B6: items by COPY.

use super::{Part, Workload, contenders, in_rounds};
use crate::rounds::Rounds;

pub const COPY: Workload = Workload {
    name: "B6 10,000 rows",
    of: |peer| peer.copy_in(10_000),
    lengths: (1, 4),
};

const ROWS: usize = 1_000_000;

pub const PART: Part = Part {
    name: "B6",
    title: "COPY of 1,000,000 items",
    measure: |server| {
        let how = Rounds {
            rounds: 3,
            clean_up: Some("TRUNCATE items"),
            pieces: ROWS,
        };
        let copies = contenders(|peer| peer.copy_in(ROWS));
        let what = "Times are of one row. The CPU of psql is not counted.";
        in_rounds(server, &server.target, what, &copies, how)
    },
};
