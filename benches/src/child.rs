//! One contender in a child process, so that counters of the whole process count nothing else.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::allocations;
use crate::crowd::Size;
use crate::target::Target;
use crate::workloads;

/// The number of repetitions before the measurement, in which statements are prepared and buffers
/// grow.
const WARM_UP: usize = 20;

/// Returns the command for a child that does a workload this many times, under another program such
/// as valgrind.
pub fn command(
    wrapper: &[OsString],
    target: &Target,
    workload: &str,
    contender: &str,
    times: usize,
) -> Result<Command, Box<dyn Error>> {
    let own = env::current_exe()?;
    let mut words = wrapper.to_vec();
    words.push(own.into());
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .args(["child", workload, contender, &times.to_string()])
        .env("BENCH_URL", &target.url)
        .env("BENCH_USERS", target.users.to_string())
        .env("BENCH_SCALE", target.scale.to_string());
    Ok(command)
}

/// Returns the peak memory, in KiB, of a child that does a workload once.
pub fn peak_memory_of(
    target: &Target,
    workload: &str,
    contender: &str,
) -> Result<f64, Box<dyn Error>> {
    let output = command(&[], target, workload, contender, 1)?.output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let peak = printed.split_whitespace().nth(2);
    Ok(peak.ok_or("the child printed no peak")?.parse()?)
}

/// Returns the peak memory, in KiB, of a child in which tasks find users for a second.
pub fn peak_memory_of_tasks(
    target: &Target,
    contender: &str,
    size: Size,
) -> Result<f64, Box<dyn Error>> {
    let output = Command::new(env::current_exe()?)
        .args(["tasks", contender])
        .args([size.callers.to_string(), size.sessions.to_string()])
        .env("BENCH_URL", &target.url)
        .env("BENCH_USERS", target.users.to_string())
        .env("BENCH_SCALE", target.scale.to_string())
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(printed.trim().parse()?)
}

/// Runs as the child of [`peak_memory_of_tasks`].
pub fn run_tasks(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [contender, callers, sessions] = arguments else {
        return Err("usage: tasks CONTENDER CALLERS SESSIONS".into());
    };
    let size = Size {
        callers: callers.parse()?,
        sessions: sessions.parse()?,
    };
    let crowd = workloads::task_finds()
        .into_iter()
        .find(|crowd| crowd.name == contender)
        .ok_or("no such contender")?;
    crowd.start(&target()?, size)(Duration::from_secs(1));
    println!("{}", peak_memory()?);
    Ok(())
}

/// Returns the target that the parent process named.
fn target() -> Result<Target, Box<dyn Error>> {
    Ok(Target {
        url: env::var("BENCH_URL")?,
        users: env::var("BENCH_USERS")?.parse()?,
        scale: env::var("BENCH_SCALE")?.parse()?,
    })
}

/// Runs as the child: does the work, and prints the allocations, their bytes, and the peak memory
/// in KiB.
pub fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [workload, contender, times] = arguments else {
        return Err("usage: child WORKLOAD CONTENDER TIMES".into());
    };
    let target = target()?;
    let workload = workloads::named(workload).ok_or("no such workload")?;
    let contender = workload.contender(contender).ok_or("no such contender")?;
    let mut run = contender.start(&target);
    // A long operation is repeated fewer times.
    run(WARM_UP.min(workload.lengths.0));
    let before = allocations::so_far();
    run(times.parse()?);
    let after = allocations::so_far();
    println!(
        "{} {} {}",
        after.0 - before.0,
        after.1 - before.1,
        peak_memory()?
    );
    Ok(())
}

/// Returns the largest resident set of this process so far, in KiB.
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string(Path::new("/proc/self/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("the kernel does not report VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
