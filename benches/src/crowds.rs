//! Crowds in rounds, as [`rounds`](crate::rounds) measures single callers.

use std::time::Duration;

use crate::crowd::{Callers, Crowd, Size};
use crate::rounds::{least, median, most, own_cpu, ratios, time};
use crate::table::{Table, thousands};
use crate::target::Target;

/// The results of one crowd, one for each round.
#[derive(Debug)]
struct Counted {
    name: &'static str,
    /// Operations per second.
    rates: Vec<f64>,
    /// The median duration of an operation, in seconds.
    median: Vec<f64>,
    percentile_99: Vec<f64>,
    longest: Vec<f64>,
    fairness: Vec<f64>,
    cpu: Vec<f64>,
}

/// Measures crowds of this size, and compares their rates with that of the contender `base`.
pub fn table(
    target: &Target,
    crowds: &[Crowd],
    size: Size,
    (rounds, turn): (usize, Duration),
    base: &str,
) -> Table {
    let mut all: Vec<(Counted, Callers)> = crowds
        .iter()
        .map(|crowd| (Counted::new(crowd.name), crowd.start(target, size)))
        .collect();
    for (_, callers) in &mut all {
        callers(turn / 10);
    }
    for round in 0..rounds {
        let count = all.len();
        for index in 0..count {
            let (counted, callers) = &mut all[(index + round) % count];
            counted.add(callers, turn);
        }
    }
    let counted: Vec<Counted> = all.into_iter().map(|(counted, _)| counted).collect();
    write(&counted, base)
}

impl Counted {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            rates: Vec::new(),
            median: Vec::new(),
            percentile_99: Vec::new(),
            longest: Vec::new(),
            fairness: Vec::new(),
            cpu: Vec::new(),
        }
    }

    fn add(&mut self, callers: &mut Callers, turn: Duration) {
        let cpu = own_cpu();
        let served = callers(turn);
        let cpu = (own_cpu() - cpu).as_secs_f64();
        self.rates.push(served.rate());
        self.cpu.push(cpu / served.done.max(1) as f64);
        if !served.times.is_empty() {
            self.median.push(served.within(0.5));
            self.percentile_99.push(served.within(0.99));
            self.longest.push(served.within(1.0));
            self.fairness.push(served.fairness());
        }
    }
}

fn write(all: &[Counted], base: &str) -> Table {
    let versus = format!("rate by that of {base}: median (least to most)");
    let mut table = Table::new(&[
        "contender",
        "a second",
        versus.as_str(),
        "p50",
        "p99",
        "longest",
        "least served by most",
        "client CPU",
        "",
    ]);
    let rates = |name: &str| all.iter().find(|counted| counted.name == name);
    let (Some(base), Some(first)) = (rates(base), all.first()) else {
        return table;
    };
    for counted in all {
        let by_base = ratios(&counted.rates, &base.rates);
        let is_program = counted.median.is_empty();
        let or_none = |shown: String| if is_program { "-".to_owned() } else { shown };
        table.row([
            counted.name.to_owned(),
            thousands(median(&counted.rates)),
            format!(
                "{:.2} ({:.2} to {:.2})",
                median(&by_base),
                least(&by_base),
                most(&by_base)
            ),
            or_none(time(median(&counted.median))),
            or_none(time(median(&counted.percentile_99))),
            or_none(time(most(&counted.longest))),
            or_none(format!("{:.2}", median(&counted.fairness))),
            or_none(time(median(&counted.cpu))),
            crate::rounds::verdict(counted.name, &ratios(&first.rates, &counted.rates)).to_owned(),
        ]);
    }
    table
}
