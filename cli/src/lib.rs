//! The command `bowline`: migrations to a catalog, to a plan, to files; and the commands around it.

mod commands;
mod connection;
mod diagram;
mod emit;
mod error;
mod interrupt;
mod introspect;
mod migrations;
mod package;
mod plan;
mod project;
mod source;
mod sql_error;
mod step;
mod suggestion;
mod throwaway;
mod ui;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use commands::{
    catalog as catalog_command, completions, db, diff, doctor, drift, generate, init, man, migrate,
    new, schema, server, sql, verify,
};
use error::{CliError, exit_code};
use project::{Places, Project};

/// A PostgreSQL data layer from SQL migrations.
///
/// Example: bowline generate
#[derive(Debug, Parser)]
#[command(name = "bowline", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    places: Places,
    /// Colours: auto, always or never; auto heeds NO_COLOR, CLICOLOR_FORCE and whether it is a terminal.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    color: ColorChoice,
}

/// What a caller in a script has to know.
const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 it failed, or found a difference that it was asked to look for; 2 the command line was wrong.
Results go to standard output, everything about the run to standard error.";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    New(new::New),
    Generate(generate::Generate),
    Migrate(migrate::Migrate),
    Db(db::Db),
    Verify(verify::Verify),
    Drift(drift::Drift),
    Diff(diff::Diff),
    Catalog(catalog_command::Catalog),
    Schema(schema::Schema),
    Sql(sql::Sql),
    Server(server::Server),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs the command line; the exit code is 0 when done, 1 when it failed, 2 when the command line was wrong.
pub fn main() -> ExitCode {
    let colour = ui::choose(std::env::args_os());
    let parsed = command()
        .color(colour)
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
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
    let done = run(&arguments);
    match done.and_then(|()| ui::finish()) {
        Ok(()) => ExitCode::from(exit_code::DONE),
        Err(error) => {
            ui::failure(&error);
            let interrupted = interrupt::happened().map(interrupt::exit_code);
            ExitCode::from(interrupted.unwrap_or(error.exit_code))
        }
    }
}

/// The command line as clap has it, with every command and option: for what is made of it, such as man pages.
pub fn command() -> clap::Command {
    Arguments::command()
}

fn run(arguments: &Arguments) -> Result<(), CliError> {
    let here = std::env::current_dir()
        .map_err(|error| CliError::failed(format!("the working directory is gone: {error}")))?;
    let project = || Project::find(&here, &arguments.places);
    match &arguments.command {
        Command::Init(init) => init::run(init, &here, &arguments.places),
        Command::New(arguments) => new::run(arguments, &project()?),
        Command::Generate(arguments) => generate::run(arguments, &project()?),
        Command::Migrate(arguments) => {
            let project = project()?;
            interrupt::cancelling(|| migrate::run(arguments, &project))
        }
        Command::Db(arguments) => interrupt::cancelling(|| db::run(arguments, project)),
        Command::Verify(arguments) => verify::run(arguments, &project()?),
        Command::Drift(arguments) => drift::run(arguments, &project()?),
        Command::Diff(arguments) => diff::run(arguments, &project()?),
        Command::Catalog(arguments) => catalog_command::run(arguments, &project()?),
        Command::Schema(arguments) => schema::run(arguments, &project()?),
        Command::Sql(arguments) => interrupt::cancelling(|| sql::run(arguments)),
        Command::Server(server) => server::run(server, &here, &arguments.places),
        Command::Doctor(doctor) => doctor::run(doctor, &here, &arguments.places),
        Command::Completions(arguments) => {
            completions::run(arguments, command());
            Ok(())
        }
        Command::Man(arguments) => man::run(arguments, command()),
    }
}
