//! Runs the needs of the tracker in other libraries, `docs/side-by-side/tracker-with-*`.
//!
//! `script/side-by-side` builds the programs and runs this. A program is given as `NAME=COMMAND`.
//! It gets a database with the tracker's migrations, calls each need, and checks its result.

#![expect(clippy::print_stdout, reason = "it prints what the programs print")]

use std::path::Path;
use std::process::Command;

use bowline::testing::{LocalServer, TestDatabase};
use testkit::Proxy;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let migrations = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/tracker/migrations"
    );
    for program in std::env::args().skip(1) {
        let (name, command) = program.split_once('=').ok_or("NAME=COMMAND")?;
        println!("\n{name}");
        let database = TestDatabase::create(Path::new(migrations))?;
        let proxy = Proxy::start_tcp(&LocalServer::start()?)?;
        let ran = Command::new(command)
            .env("DATABASE_URL", proxy.url(database.name()))
            .output()?;
        println!("{}", String::from_utf8_lossy(&ran.stdout).trim_end());
        if !ran.status.success() {
            let failure = String::from_utf8_lossy(&ran.stderr);
            return Err(format!("{name}: {failure}").into());
        }
    }
    Ok(())
}
