//! B13: a thousand tasks, and ten thousand, each of which repeatedly finds a user.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Part, contenders};
use crate::crowd::Size;
use crate::crowds;
use crate::table::thousands;

pub const PART: Part = Part {
    name: "B13",
    title: "tasks doing finds, 16 sessions, a runtime of two workers",
    measure: |server| {
        let mut text = String::new();
        for callers in [1_000, 10_000] {
            let size = Size {
                callers,
                sessions: 16,
            };
            let finds = contenders(|peer| peer.task_find());
            let turns = (5, Duration::from_secs(2));
            let table = crowds::table(&server.target, &finds, size, turns, "bowline");
            writeln!(text, "{} tasks.\n\n{table}", thousands(callers as f64))?;
        }
        Ok(text)
    },
};
