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
    /// Whether the ceiling is a multiple of the count of [`MEASURE`].
    by_measure: bool,
    goal: Option<f64>,
}

/// The contender whose counts measure those of others.
pub const MEASURE: &str = "tokio-postgres";

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

    /// Returns whether it is a multiple of the counts of [`MEASURE`].
    pub fn is_by_measure(&self) -> bool {
        self.limits.iter().any(|limit| limit.by_measure)
    }

    /// Returns a cell for each count, with its ceiling and goal, and a sentence for each exceeded
    /// ceiling.
    pub fn compare(&self, counts: &Counts, measure: Option<&Counts>) -> (Vec<String>, Vec<String>) {
        let counted = counts.with_ceilings();
        let measure = measure.map(Counts::with_ceilings).unwrap_or_default();
        let (mut cells, mut passed) = (Vec::new(), Vec::new());
        let all = COUNTED.into_iter().zip(counted).zip(measure);
        for (((what, counted), measure), limit) in all.zip(&self.limits) {
            let limit = limit.of(measure);
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
    /// Returns the limit of a count, where the measure's is this.
    fn of(self, measure: f64) -> Self {
        let unit = if self.by_measure { measure } else { 1.0 };
        Self {
            ceiling: self.ceiling * unit,
            goal: self.goal.map(|goal| goal * unit),
            ..self
        }
    }

    /// Parses `37,500` or, with a goal, `37,500 > 11,500`; and `1.35 x > 1.25 x`.
    fn parse(cell: &str) -> Option<Self> {
        let by_measure = cell.ends_with(" x");
        let number = |text: &str| {
            let digits = text.trim().trim_end_matches(" x").replace(',', "");
            digits.parse().ok()
        };
        let (ceiling, goal) = match cell.split_once('>') {
            Some((ceiling, goal)) => (ceiling, Some(number(goal)?)),
            None => (cell, None),
        };
        Some(Self {
            ceiling: number(ceiling)?,
            by_measure,
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
