//! B13: a thousand tasks, and ten thousand, each of which repeatedly finds a user.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Part, task_finds};
use crate::child;
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
            let turns = (5, Duration::from_secs(2));
            let table = crowds::table(&server.target, &task_finds(), size, turns, "bowline");
            writeln!(text, "{} tasks.\n\n{table}", thousands(callers as f64))?;
            text.push_str("Peak memory of a process that does this for a second:");
            for (place, crowd) in task_finds().iter().enumerate() {
                let peak = child::peak_memory_of_tasks(&server.target, crowd.name, size)?;
                let comma = if place > 0 { "," } else { "" };
                write!(text, "{comma} {} {:.1} MiB", crowd.name, peak / 1024.0)?;
            }
            text.push_str(".\n\n");
        }
        Ok(text)
    },
};
