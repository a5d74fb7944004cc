//! Markdown tables.

use std::fmt;

use crate::counts::Counts;

/// A table; the first row is the header.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Self {
        let head = head.iter().map(|&word| word.to_owned()).collect();
        Self { rows: vec![head] }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Creates a table of counts.
    pub fn of_counts() -> Self {
        Self::new(&[
            "workload",
            "contender",
            "instructions",
            "allocations",
            "bytes allocated",
            "system calls",
            "round trips",
            "peak memory, MiB",
            "instructions by Bowline's first",
        ])
    }

    /// Adds a row to a table of counts; `first` are the counts of Bowline's first contender.
    pub fn counts(&mut self, workload: &str, contender: &str, counts: &Counts, first: &Counts) {
        let ratio = counts.instructions / first.instructions;
        let is_ahead = ratio < 0.97 && !contender.starts_with("bowline");
        self.row([
            workload.to_owned(),
            contender.to_owned(),
            thousands(counts.instructions),
            format!("{:.1}", counts.allocations),
            thousands(counts.allocated_bytes),
            format!("{:.1}", counts.system_calls),
            format!("{:.1}", counts.round_trips),
            format!("{:.1}", counts.peak_memory / 1024.0),
            format!("{ratio:.2}{}", if is_ahead { ", **ahead**" } else { "" }),
        ]);
    }
}

/// Returns a whole number with commas: `49,600`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if index == 0 {
                writeln!(f, "|{}", "---|".repeat(row.len()))?;
            }
        }
        Ok(())
    }
}
