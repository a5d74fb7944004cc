//! Counts that hardly depend on the machine: instructions, allocations, system calls, round trips.
//!
//! Instructions, system calls and round trips are the difference between a long and a short run,
//! divided by the difference in operations, so connecting and preparing are not included. The
//! program counts its allocations itself.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use testkit::Proxy;

use crate::child;
use crate::server::Server;
use crate::target::Target;
use crate::workloads::Workload;

/// The cost of one operation of a contender.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Of all threads, by callgrind.
    pub instructions: f64,
    /// Reallocations included; those of libpq are not counted.
    pub allocations: f64,
    pub allocated_bytes: f64,
    /// Of all threads, by strace.
    pub system_calls: f64,
    pub round_trips: f64,
    /// The peak of the process's memory, in KiB; not per operation.
    pub peak_memory: f64,
}

impl Counts {
    /// Returns those that have ceilings, in the order of [`COUNTED`](crate::ceilings::COUNTED).
    pub fn with_ceilings(&self) -> [f64; 4] {
        [
            self.instructions,
            self.allocations,
            self.system_calls,
            self.round_trips,
        ]
    }
}

/// Counts one contender.
pub fn count(
    server: &Server,
    workload: Workload,
    contender: &str,
) -> Result<Counts, Box<dyn Error>> {
    let of = |target: &Target, wrapper: &[OsString], times| {
        let mut child = child::command(wrapper, target, workload.name, contender, times)?;
        let output = child
            .output()
            .map_err(|error| format!("{} does not run: {error}", child.get_program().display()))?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(format!("{} {contender}: {error}", workload.name).into());
        }
        Ok::<_, Box<dyn Error>>((String::from_utf8_lossy(&output.stdout).into_owned(), error))
    };
    let (short, long) = workload.lengths;
    let per_operation = |counted: &dyn Fn(usize) -> Result<f64, Box<dyn Error>>| {
        Ok::<_, Box<dyn Error>>((counted(long)? - counted(short)?) / (long - short) as f64)
    };

    let instructions = per_operation(&|times| {
        let file = scratch("callgrind");
        let mut option = OsString::from("--callgrind-out-file=");
        option.push(&file);
        let wrapper = ["valgrind".into(), "--tool=callgrind".into(), option];
        let (_, error) = of(&server.target, &wrapper, times)?;
        fs::remove_file(&file).ok();
        collected(&error).ok_or_else(|| format!("callgrind reported no count: {error}").into())
    })?;
    let system_calls = per_operation(&|times| {
        let file = scratch("strace");
        let wrapper = [
            "strace".into(),
            "-f".into(),
            "-c".into(),
            "-o".into(),
            file.clone().into(),
        ];
        of(&server.target, &wrapper, times)?;
        let summary = fs::read_to_string(&file)?;
        fs::remove_file(&file).ok();
        all_calls(&summary).ok_or_else(|| format!("strace reported no total: {summary}").into())
    })?;
    let proxy = Proxy::start(&server.local)?;
    let through = Target {
        url: proxy.url("bench"),
        ..server.target.clone()
    };
    let round_trips = per_operation(&|times| {
        proxy.take_round_trips();
        of(&through, &[], times)?;
        Ok(proxy.take_round_trips() as f64)
    })?;
    let (printed, _) = of(&server.target, &[], long)?;
    let numbers: Vec<f64> = printed
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [allocations, bytes, peak_memory] = numbers[..] else {
        return Err(format!("the child printed {printed}").into());
    };
    Ok(Counts {
        instructions,
        allocations: allocations / long as f64,
        allocated_bytes: bytes / long as f64,
        system_calls,
        round_trips,
        peak_memory,
    })
}

/// Returns the path of a temporary file of this process.
fn scratch(what: &str) -> PathBuf {
    env::temp_dir().join(format!("bowline-bench-{what}-{}", std::process::id()))
}

/// Returns the instructions in callgrind's output: `==17== Collected : 123456`.
fn collected(printed: &str) -> Option<f64> {
    let line = printed.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

/// Returns the calls in strace's last line: `100.00 0.012345 1 9876 12 total`. The errors may be
/// missing.
fn all_calls(summary: &str) -> Option<f64> {
    let line = summary.lines().rfind(|line| line.ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
