//! B2: a stream of all users, in constant memory.

use std::fmt::Write as _;

use super::{Part, Workload, contenders, in_rounds};
use crate::child;
use crate::rounds::Rounds;

/// One operation reads the 10,000 users of the counted runs.
pub const STREAM: Workload = Workload {
    name: "B2",
    of: |peer| peer.stream(),
    lengths: (1, 4),
};

pub const PART: Part = Part {
    name: "B2",
    title: "stream of all users, six columns, added up",
    measure: |server| {
        let how = Rounds {
            rounds: 3,
            clean_up: None,
            pieces: 1,
        };
        let streams = contenders(|peer| peer.stream());
        let what = format!("{} rows, Unix socket.", server.target.users);
        let mut text = in_rounds(server, &server.target, &what, &streams, how)?;
        text.push_str("Peak memory of a process that does nothing else:");
        for stream in &streams {
            let peak = child::peak_memory_of(&server.target, STREAM.name, stream.name)?;
            write!(text, " {} {:.1} MiB;", stream.name, peak / 1024.0)?;
        }
        text.pop();
        text.push_str(".\n");
        Ok(text)
    },
};
