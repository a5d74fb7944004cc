//! B13: a thousand tasks, each of which repeatedly finds a user.

use std::time::Duration;

use super::{Part, contenders};
use crate::crowd::Size;
use crate::crowds;

pub const PART: Part = Part {
    name: "B13",
    title: "1,000 tasks doing finds, 16 sessions, a runtime of two workers",
    measure: |server| {
        let size = Size {
            callers: 1_000,
            sessions: 16,
        };
        let finds = contenders(|peer| peer.task_find());
        let turns = (5, Duration::from_secs(2));
        Ok(crowds::table(&server.target, &finds, size, turns, "bowline").to_string())
    },
};
