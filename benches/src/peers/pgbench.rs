//! pgbench, a program in C that comes with PostgreSQL.

use std::process::Command;
use std::time::Duration;

use super::Peer;
use crate::crowd::{Crowd, Served};

pub struct Pgbench;

impl Peer for Pgbench {
    fn crowd_tpcb(&self) -> Vec<Crowd> {
        vec![Crowd::program(
            "pgbench -M prepared",
            |target, size, limit| {
                let (clients, seconds) =
                    (size.callers.to_string(), limit.as_secs().max(1).to_string());
                let threads = size.callers.min(2).to_string();
                let output = Command::new("pgbench")
                    .args([
                        "-n", "-M", "prepared", "-c", &clients, "-j", &threads, "-T", &seconds,
                    ])
                    .arg(&target.url)
                    .output()
                    .expect("pgbench runs: it comes with PostgreSQL's server or contrib package");
                let printed = String::from_utf8_lossy(&output.stdout);
                let rate = number(&printed, "tps = ");
                let done = number(&printed, "number of transactions actually processed: ");
                assert!(output.status.success() && rate > 0.0, "{printed}");
                Served {
                    each: Vec::new(),
                    times: Vec::new(),
                    done: done as usize,
                    took: Duration::from_secs_f64(done / rate),
                }
            },
        )]
    }
}

/// Returns the number after these words.
fn number(printed: &str, words: &str) -> f64 {
    let rest = printed.split(words).nth(1).unwrap_or_default();
    let digits: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    digits.parse().unwrap_or(0.0)
}
