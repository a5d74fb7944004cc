//! Compares Bowline with other libraries; `script/bench` and `script/bench-counts` run it.

mod allocations;
mod ceilings;
mod child;
mod contender;
mod counts;
mod crowd;
mod crowds;
mod db;
#[cfg(feature = "asynchronous")]
mod futures;
mod package;
mod peers;
mod rounds;
mod rows;
mod server;
mod table;
mod target;
mod versions;
mod workloads;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use ceilings::Ceiling;
use server::Server;
use table::Table;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

const USAGE: &str = "usage: bowline-bench ceilings | counts [WORKLOAD ..] | times [WORKLOAD ..]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = arguments
        .split_first()
        .map_or(("", &[][..]), |(command, rest)| (command.as_str(), rest));
    let done = match command {
        "ceilings" => compare_with_ceilings(),
        "counts" => count(rest),
        "child" => child::run(rest),
        "tasks" => child::run_tasks(rest),
        "times" => measure(rest),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts the costs that have a ceiling, and fails if one exceeds it.
fn compare_with_ceilings() -> Result<(), Box<dyn Error>> {
    let ceilings = Ceiling::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("ceilings.txt"))?;
    let server = Server::start(10_000, 1)?;
    let head: Vec<_> = ["workload", "contender"]
        .into_iter()
        .chain(ceilings::COUNTED)
        .collect();
    let mut table = Table::new(&head);
    let mut passed = Vec::new();
    for ceiling in &ceilings {
        let workload = workloads::named(&ceiling.workload)
            .ok_or_else(|| format!("there is no workload {}", ceiling.workload))?;
        let counts = counts::count(&server, workload, &ceiling.contender)?;
        let measure = ceiling
            .is_by_measure()
            .then(|| counts::count(&server, workload, ceilings::MEASURE))
            .transpose()?;
        let (cells, sentences) = ceiling.compare(&counts, measure.as_ref());
        let row = [ceiling.workload.clone(), ceiling.contender.clone()];
        table.row(row.into_iter().chain(cells));
        passed.extend(sentences);
    }
    print!("{table}");
    if passed.is_empty() {
        return Ok(());
    }
    Err(format!("a ceiling is passed\n{}", passed.join("\n")).into())
}

/// Counts all contenders of these parts, or of all parts.
fn count(names: &[String]) -> Result<(), Box<dyn Error>> {
    let chosen = |part: &str| names.is_empty() || names.iter().any(|name| name == part);
    let server = Server::start(10_000, 1)?;
    let mut table = Table::of_counts();
    for workload in workloads::all() {
        if !chosen(workload.part()) {
            continue;
        }
        let mut first = None;
        for contender in workload.contenders() {
            if contender.is_program {
                continue;
            }
            eprintln!("{} {}", workload.name, contender.name);
            let counts = counts::count(&server, workload, contender.name)?;
            let first = first.get_or_insert(counts);
            table.counts(workload.name, contender.name, &counts, first);
        }
    }
    println!("{}\n", versions::list(&server));
    print!("{table}");
    Ok(())
}

/// Measures the times of these parts, or of all parts.
fn measure(names: &[String]) -> Result<(), Box<dyn Error>> {
    let parts = workloads::parts();
    if let Some(name) = names
        .iter()
        .find(|name| parts.iter().all(|part| part.name != **name))
    {
        return Err(format!("there is no workload {name}\n{USAGE}").into());
    }
    let server = Server::start(1_000_000, 32)?;
    println!("{}\n", versions::list(&server));
    for part in parts {
        if names.is_empty() || names.iter().any(|name| name == part.name) {
            eprintln!("{}: {}", part.name, part.title);
            println!(
                "### {}: {}\n\n{}",
                part.name,
                part.title,
                (part.measure)(&server)?
            );
        }
    }
    Ok(())
}
