//! The command `bowline`: from migrations to a catalog, a plan and files, and the other commands.

mod catalog_file;
mod commands;
mod connection;
mod diagram;
mod emit;
mod error;
mod git;
mod interrupt;
mod introspect;
mod migrations;
mod origin;
mod package;
mod project;
mod queries;
#[doc(hidden)]
pub mod smoke;
mod source;
mod sql_error;
mod step;
mod throwaway;
mod ui;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use commands::{
    catalog as catalog_command, check, completions, db, diff, doctor, drift, generate, init, lint,
    man, migrate, new, queries as queries_command, schema, server, sql, verify,
};
use error::{CliError, exit_code};
use project::{Project, ProjectArgs};

/// A PostgreSQL data layer from SQL migrations.
///
/// Example: bowline generate
#[derive(Debug, Parser)]
#[command(name = "bowline", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    project: ProjectArgs,
    /// When to use colours: auto, always or never. With auto it depends on NO_COLOR, CLICOLOR_FORCE
    /// and whether the output is a terminal.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    color: ColorChoice,
}

/// The end of the help: exit codes and streams, for scripts.
const AFTER_HELP: &str = "\
Exit codes: 0 success; 1 failure, or a difference was found; 2 invalid command line.
Results go to standard output, everything about the run to standard error.";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    New(new::New),
    Generate(generate::Generate),
    Queries(queries_command::Queries),
    Migrate(migrate::Migrate),
    Db(db::Db),
    Verify(verify::Verify),
    Lint(lint::Lint),
    Check(check::Check),
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

/// Runs the command line. The exit code is 0 for success, 1 for a failure, 2 for an invalid command
/// line.
pub fn main() -> ExitCode {
    ui::choose(std::env::args_os());
    let parsed = command()
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            ui::clap(&error);
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
            let interrupted = interrupt::signal().map(interrupt::exit_code);
            ExitCode::from(interrupted.unwrap_or(error.exit_code))
        }
    }
}

/// Returns clap's description of the command line, for man pages and completions.
pub fn command() -> clap::Command {
    Arguments::command()
}

fn run(arguments: &Arguments) -> Result<(), CliError> {
    let here = std::env::current_dir().map_err(|error| {
        CliError::failed(format!("cannot access the working directory: {error}"))
    })?;
    let project = || Project::find(&here, &arguments.project);
    match &arguments.command {
        Command::Init(init) => init::run(init, &here, &arguments.project),
        Command::New(arguments) => new::run(arguments, &project()?),
        Command::Generate(given) if given.workspace => {
            generate::run_workspace(given, &here, &arguments.project)
        }
        Command::Generate(arguments) => generate::run(arguments, &project()?),
        Command::Queries(queries) => {
            let project = Project::find_for_queries(&here, &arguments.project)?;
            queries_command::run(queries, &project)
        }
        Command::Check(checked) => {
            let project = Project::find_for_queries(&here, &arguments.project)?;
            check::run(checked, &project)
        }
        Command::Migrate(arguments) => {
            let project = project()?;
            interrupt::cancelling(|| migrate::run(arguments, &project))
        }
        Command::Db(arguments) => interrupt::cancelling(|| db::run(arguments, project)),
        Command::Verify(arguments) => verify::run(arguments, &project()?),
        Command::Lint(arguments) => lint::run(arguments, &project()?),
        Command::Drift(arguments) => drift::run(arguments, &project()?),
        Command::Diff(arguments) => diff::run(arguments, &project()?),
        Command::Catalog(arguments) => catalog_command::run(arguments, &project()?),
        Command::Schema(arguments) => schema::run(arguments, &project()?),
        Command::Sql(arguments) => interrupt::cancelling(|| sql::run(arguments)),
        Command::Server(server) => server::run(server, &here, &arguments.project),
        Command::Doctor(doctor) => doctor::run(doctor, &here, &arguments.project),
        Command::Completions(arguments) => {
            completions::run(arguments, command());
            Ok(())
        }
        Command::Man(arguments) => man::run(arguments, command()),
    }
}
