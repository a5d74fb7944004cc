//! B4: ten updates by key in one transaction, with the commit.

use super::{Part, Workload, contenders, in_rounds};
use crate::rounds::Rounds;

pub const TEN_UPDATES: Workload = Workload {
    name: "B4",
    of: |peer| peer.ten_updates(),
    lengths: (50, 250),
};

pub const PART: Part = Part {
    name: "B4",
    title: "ten updates by key as one unit, checkout included",
    measure: |server| {
        let mut text = String::new();
        for milliseconds in [0, 1, 5] {
            let how = Rounds {
                rounds: if milliseconds == 0 { 15 } else { 7 },
                clean_up: None,
                pieces: 1,
            };
            let target = server.at_distance(milliseconds)?;
            let updates = contenders(|peer| peer.ten_updates());
            let what = format!("{milliseconds} ms for a round trip of the network.");
            text += &in_rounds(server, &target, &what, &updates, how)?;
        }
        Ok(text)
    },
};
