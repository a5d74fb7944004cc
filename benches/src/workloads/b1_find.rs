//! B1: a row by its primary key, with all of its six columns.

use super::{Part, Workload, contenders, in_rounds};
use crate::rounds::Rounds;

pub const FIND: Workload = Workload {
    name: "B1",
    of: |peer| peer.find(),
    lengths: (200, 1_200),
};

pub const PART: Part = Part {
    name: "B1",
    title: "find by primary key, checkout included",
    measure: |server| {
        let how = Rounds {
            rounds: 15,
            clean_up: None,
            pieces: 1,
        };
        let finds = contenders(|peer| peer.find());
        in_rounds(server, &server.target, "Unix socket.", &finds, how)
    },
};
