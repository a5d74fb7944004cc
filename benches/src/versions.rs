//! Versions of the measured programs.

use std::process::Command;

use crate::server::Server;

/// The lock file of this package.
const LOCK: &str = include_str!("../Cargo.lock");

/// The libraries to list, as far as this program was built with them.
const LIBRARIES: &[(&str, bool)] = &[
    ("diesel", true),
    ("r2d2", true),
    ("tokio-postgres", cfg!(feature = "tokio-postgres")),
    ("deadpool-postgres", cfg!(feature = "tokio-postgres")),
    ("diesel-async", cfg!(feature = "diesel-async")),
    ("sqlx", cfg!(feature = "sqlx")),
    ("sea-orm", cfg!(feature = "sea-orm")),
    ("tokio", cfg!(feature = "asynchronous")),
];

/// Returns a sentence with the versions of server, libraries and compiler, and the machine's cores.
pub fn list(server: &Server) -> String {
    let mut words = vec![format!("PostgreSQL {}", server.local.version())];
    words.extend(bowline::session::client_libraries());
    for (name, is_built) in LIBRARIES {
        if *is_built {
            words.push(format!("{name} {}", version(name).unwrap_or("?")));
        }
    }
    for program in ["pgbench", "psql"] {
        words.push(answer(program, "--version"));
    }
    words.push(answer("rustc", "--version"));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}; {cores} cores.", words.join(", "))
}

/// Returns the newest version of a package in the lock file.
fn version(name: &str) -> Option<&'static str> {
    let head = format!("name = \"{name}\"\nversion = \"");
    LOCK.split(&head)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .last()
}

/// Returns the version that a program prints.
fn answer(program: &str, option: &str) -> String {
    let output = Command::new(program).arg(option).output();
    output.map_or_else(
        |_| format!("no {program}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
