//! The counts that Bowline must not exceed, in `ceilings.txt`.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::counts::Counts;
use crate::table::thousands;

/// The highest allowed cost of one operation of a contender.
#[derive(Debug)]
pub struct Ceiling {
    pub workload: String,
    pub contender: String,
    /// In the order of [`COUNTED`].
    limits: Vec<Limit>,
}

/// The ceiling of a count, and the goal towards which it is lowered.
#[derive(Debug, Clone, Copy)]
struct Limit {
    ceiling: f64,
    goal: Option<f64>,
}

/// The counts that have ceilings.
pub const COUNTED: [&str; 4] = ["instructions", "allocations", "system calls", "round trips"];

impl Ceiling {
    /// Reads the file; its first lines describe the format.
    pub fn read(file: &Path) -> Result<Vec<Self>, Box<dyn Error>> {
        let text = fs::read_to_string(file)?;
        text.lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
            .map(|line| Self::parse(line).ok_or_else(|| format!("not a ceiling: {line}").into()))
            .collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let mut cells = line.split('|').map(str::trim);
        let (workload, contender) = (cells.next()?.to_owned(), cells.next()?.to_owned());
        let limits: Vec<Limit> = cells.map(Limit::parse).collect::<Option<_>>()?;
        (limits.len() == COUNTED.len()).then_some(Self {
            workload,
            contender,
            limits,
        })
    }

    /// Returns a cell for each count, with its ceiling and goal, and a sentence for each exceeded
    /// ceiling.
    pub fn compare(&self, counts: &Counts) -> (Vec<String>, Vec<String>) {
        let counted = [
            counts.instructions,
            counts.allocations,
            counts.system_calls,
            counts.round_trips,
        ];
        let (mut cells, mut passed) = (Vec::new(), Vec::new());
        for ((what, counted), limit) in COUNTED.into_iter().zip(counted).zip(&self.limits) {
            let goal = limit.goal.map(|goal| format!(", goal {}", shown(goal)));
            let (counted_shown, ceiling) = (shown(counted), shown(limit.ceiling));
            cells.push(format!(
                "{counted_shown} (ceiling {ceiling}{})",
                goal.unwrap_or_default()
            ));
            if counted > limit.ceiling {
                let (workload, contender) = (&self.workload, &self.contender);
                passed.push(format!(
                    "{workload} {contender}: {counted_shown} {what}, and the ceiling is {ceiling}"
                ));
            }
        }
        (cells, passed)
    }
}

impl Limit {
    /// Parses `37,500` or, with a goal, `37,500 > 11,500`.
    fn parse(cell: &str) -> Option<Self> {
        let number = |text: &str| text.trim().replace(',', "").parse().ok();
        let (ceiling, goal) = match cell.split_once('>') {
            Some((ceiling, goal)) => (ceiling, Some(number(goal)?)),
            None => (cell, None),
        };
        Some(Self {
            ceiling: number(ceiling)?,
            goal,
        })
    }
}

/// Returns a count as text, with a decimal if it is small.
fn shown(count: f64) -> String {
    if count < 1_000.0 {
        format!("{count:.1}")
    } else {
        thousands(count)
    }
}
