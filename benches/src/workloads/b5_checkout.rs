//! B5: taking a connection from a pool, and returning it.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Part, Workload, contenders, in_rounds};
use crate::crowd::Size;
use crate::crowds;
use crate::rounds::Rounds;

pub const CHECKOUT: Workload = Workload {
    name: "B5",
    of: |peer| peer.checkout(),
    lengths: (500, 5_500),
};

const CROWD: Size = Size {
    callers: 16,
    sessions: 4,
};

pub const PART: Part = Part {
    name: "B5",
    title: "checkout and return",
    measure: |server| {
        let how = Rounds {
            rounds: 15,
            clean_up: None,
            pieces: 1,
        };
        let alone = contenders(|peer| peer.checkout());
        let mut text = in_rounds(server, &server.target, "One caller.", &alone, how)?;
        let turns = (5, Duration::from_secs(1));
        let nothing = contenders(|peer| peer.crowd_checkout());
        let table = crowds::table(&server.target, &nothing, CROWD, turns, "bowline");
        write!(text, "16 callers, 4 sessions, nothing held.\n\n{table}\n")?;
        let finds = contenders(|peer| peer.crowd_find());
        let table = crowds::table(&server.target, &finds, CROWD, turns, "bowline");
        write!(text, "16 callers, 4 sessions, a find each.\n\n{table}\n")?;
        Ok(text)
    },
};
