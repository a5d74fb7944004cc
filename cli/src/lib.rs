//! The command `bowline`: migrations to a catalog, to a plan, to files; and the commands around it.

mod catalog;
mod commands;
mod diagram;
mod emit;
mod error;
mod migrations;
mod package;
mod plan;
mod project;
mod source;
mod throwaway;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{
    catalog as catalog_command, diff, doctor, drift, generate, init, migrate, schema, server, top,
    verify,
};
use error::{CliError, exit_code};
use project::{Places, Project};

/// A PostgreSQL data layer from SQL migrations.
#[derive(Debug, Parser)]
#[command(name = "bowline", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    places: Places,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Generate(generate::Generate),
    Migrate(migrate::Migrate),
    Verify(verify::Verify),
    Drift(drift::Drift),
    Diff(diff::Diff),
    Catalog(catalog_command::Catalog),
    Schema(schema::Schema),
    Server(server::Server),
    Doctor(doctor::Doctor),
    Top(top::Top),
}

/// Runs the command line; the exit code is 0 when done, 1 when it failed, 2 when the command line was wrong.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed output is nobody's failure: there is nobody left to tell.
            error.print().ok();
            return ExitCode::from(if error.use_stderr() {
                exit_code::USAGE
            } else {
                exit_code::DONE
            });
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::from(exit_code::DONE),
        Err(error) => {
            ui::failure(&error);
            ExitCode::from(exit_code::FAILED)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), CliError> {
    let here = std::env::current_dir()
        .map_err(|error| CliError::failed(format!("the working directory is gone: {error}")))?;
    let project = || Project::find(&here, &arguments.places);
    match &arguments.command {
        Command::Init(init) => init::run(init, &here, &arguments.places),
        Command::Generate(arguments) => generate::run(arguments, &project()?),
        Command::Migrate(arguments) => migrate::run(arguments, &project()?),
        Command::Verify(arguments) => verify::run(arguments, &project()?),
        Command::Drift(arguments) => drift::run(arguments, &project()?),
        Command::Diff(arguments) => diff::run(arguments, &project()?),
        Command::Catalog(arguments) => catalog_command::run(arguments, &project()?),
        Command::Schema(arguments) => schema::run(arguments, &project()?),
        Command::Server(arguments) => server::run(arguments, &project()?),
        Command::Doctor(doctor) => doctor::run(doctor, &here, &arguments.places),
        Command::Top(arguments) => top::run(arguments),
    }
}
