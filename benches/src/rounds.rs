//! Times in rounds: each contender works once per round, in a varying order, so that other load on
//! the machine affects all of them. The results are the ratios within each round.

use std::error::Error;
use std::time::{Duration, Instant};

use bowline::{Session, StatementDsl as _, sql_query};

use crate::contender::{Contender, Run};
use crate::server::Server;
use crate::table::Table;
use crate::target::{Numbers, Target};

/// The working time of a contender in a round, if an operation is shorter.
const TURN: Duration = Duration::from_millis(100);

/// The measurement of a workload in rounds.
#[derive(Debug, Clone, Copy)]
pub struct Rounds<'a> {
    pub rounds: usize,
    /// SQL that runs after each turn and is not measured.
    pub clean_up: Option<&'a str>,
    /// The content of an operation, such as 10,000 rows; times are per operation.
    pub pieces: usize,
}

/// The times of one operation, one for each round, in seconds.
#[derive(Debug)]
pub struct Timed {
    pub name: String,
    pub wall: Vec<f64>,
    /// User and system time of this process.
    pub cpu: Vec<f64>,
}

impl Timed {
    /// Returns a result without measurements.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            wall: Vec::new(),
            cpu: Vec::new(),
        }
    }
}

/// Measures contenders on this target.
pub fn measure(
    server: &Server,
    target: &Target,
    contenders: &[Contender],
    how: Rounds<'_>,
) -> Result<Vec<Timed>, Box<dyn Error>> {
    let mut session = Session::connect(&server.local.config("bench"))?;
    let mut clean_up = || {
        how.clean_up.map_or(Ok(0), |statement| {
            session.run(sql_query(statement).affected())
        })
    };
    let mut runs: Vec<(Timed, Run, usize)> = Vec::new();
    for contender in contenders {
        let mut run = contender.start(target);
        run(1);
        let times = turns(&mut run);
        clean_up()?;
        runs.push((Timed::new(contender.name), run, times));
    }
    let mut numbers = Numbers::series(7);
    for _ in 0..how.rounds {
        for index in shuffled(runs.len(), &mut numbers) {
            let (timed, run, times) = &mut runs[index];
            let (cpu, began) = (own_cpu(), Instant::now());
            run(*times);
            let (wall, cpu) = (began.elapsed(), own_cpu() - cpu);
            let operations = (*times * how.pieces) as f64;
            timed.wall.push(wall.as_secs_f64() / operations);
            timed.cpu.push(cpu.as_secs_f64() / operations);
            clean_up()?;
        }
    }
    Ok(runs.into_iter().map(|(timed, ..)| timed).collect())
}

/// Returns the number of operations that fit into the time of a turn.
fn turns(run: &mut Run) -> usize {
    let mut times = 1;
    loop {
        let began = Instant::now();
        run(times);
        let took = began.elapsed();
        if took >= TURN / 4 || times >= 1 << 24 {
            let wanted = TURN.as_secs_f64() / took.as_secs_f64().max(1e-9);
            return ((times as f64 * wanted) as usize).max(1);
        }
        times *= 4;
    }
}

/// Returns the indexes below `count` in random order (Fisher and Yates).
fn shuffled(count: usize, numbers: &mut Numbers) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let other = numbers.up_to(last as i64 + 1) as usize - 1;
        order.swap(last, other);
    }
    order
}

/// Returns the processor time of this process so far, without that of the server.
pub fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Returns the median of some numbers; 0 if there are none.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

pub fn least(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::INFINITY, f64::min)
}

pub fn most(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(0.0, f64::max)
}

/// Returns the ratios of one contender to another, one for each round.
pub fn ratios(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

/// Writes a table in which all are compared with the first contender.
pub fn table(timed: &[Timed]) -> Table {
    let mut table = Table::new(&[
        "contender",
        "best",
        "median",
        "client CPU",
        "time to the first's: median (least to most)",
        "",
    ]);
    let Some(first) = timed.first() else {
        return table;
    };
    for contender in timed {
        let ratios = ratios(&contender.wall, &first.wall);
        table.row([
            contender.name.clone(),
            time(least(&contender.wall)),
            time(median(&contender.wall)),
            time(median(&contender.cpu)),
            format!(
                "{:.2} ({:.2} to {:.2})",
                median(&ratios),
                least(&ratios),
                most(&ratios)
            ),
            verdict(&contender.name, &ratios).to_owned(),
        ]);
    }
    table
}

/// Returns true if a peer is faster than Bowline, by its ratios to Bowline's first contender. A
/// ratio below 1 means less time.
///
/// On a machine with other load, the median of a few rounds is no evidence if some rounds show the
/// opposite.
pub fn verdict(name: &str, ratios: &[f64]) -> &'static str {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quarter = sorted.len() / 4;
    let (Some(low), Some(high)) = (sorted.get(quarter), sorted.iter().rev().nth(quarter)) else {
        return "";
    };
    if name.starts_with("bowline") {
        ""
    } else if *high < 0.97 {
        "**ahead of Bowline**"
    } else if *low > 1.03 {
        "behind"
    } else {
        "not decided"
    }
}

/// Returns a time in a unit that needs few digits.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-4 => format!("{:.2} µs", s * 1e6),
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}
