//! B12: a connection is made and closed.

use super::{Part, Workload, contenders, in_rounds};
use crate::rounds::Rounds;

pub const CONNECT: Workload = Workload {
    name: "B12",
    of: |peer| peer.connect(),
    lengths: (2, 12),
};

pub const PART: Part = Part {
    name: "B12",
    title: "connect and disconnect",
    measure: |server| {
        let mut text = String::new();
        for milliseconds in [0, 1] {
            let how = Rounds {
                rounds: 9,
                clean_up: None,
                pieces: 1,
            };
            let target = server.at_distance(milliseconds)?;
            let connects = contenders(|peer| peer.connect());
            let what = format!("{milliseconds} ms for a round trip of the network.");
            text += &in_rounds(server, &target, &what, &connects, how)?;
        }
        Ok(text)
    },
};
