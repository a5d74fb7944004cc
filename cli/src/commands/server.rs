//! `bowline server`: a throwaway PostgreSQL for development.

use std::path::Path;

use bowline::testing::{LocalServer, LocalServerError};
use clap::{Args, Subcommand};

use crate::error::CliError;
use crate::project::{Project, ProjectArgs};
use crate::ui;

/// Start, stop or show a throwaway PostgreSQL for this project.
///
/// Outside of a project it belongs to the working directory.
///
/// It runs the newest installed PostgreSQL, or the one in the folder that BOWLINE_PG_BIN names,
/// listens on a Unix socket that only you can access, and keeps its data until it is stopped.
///
/// Example: export DATABASE_URL=$(bowline server start)
#[derive(Debug, Args)]
pub(crate) struct Server {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start it, unless it is running, and print its URL.
    ///
    /// Example: export DATABASE_URL=$(bowline server start)
    Start,
    /// Stop it and remove its data.
    ///
    /// Example: bowline server stop
    Stop,
    /// Print its URL, process and version; exit with 1 if it is not running.
    ///
    /// Example: bowline server status
    Status,
}

pub(crate) fn run(arguments: &Server, here: &Path, project: &ProjectArgs) -> Result<(), CliError> {
    let folder = Project::root(here, project).unwrap_or_else(|| here.to_owned());
    match arguments.action {
        Action::Start => {
            let progress = ui::Progress::start("starting PostgreSQL");
            let server = LocalServer::of_project(&folder)?;
            drop(progress);
            ui::status(format!("PostgreSQL {} is running", server.version()));
            ui::result(server.url(DATABASE));
        }
        Action::Stop => match LocalServer::running_in_project(&folder)? {
            Some(server) => {
                server.stop()?;
                ui::status("stopped");
            }
            None => ui::status("no server is running"),
        },
        Action::Status => {
            let server = LocalServer::running_in_project(&folder)?;
            let server = server.ok_or_else(|| {
                CliError::failed("no server is running for this project")
                    .hint("run `bowline server start`")
            })?;
            let pid = server
                .pid()
                .map(|pid| format!(", process {pid}"))
                .unwrap_or_default();
            ui::status(format!("PostgreSQL {} is running{pid}", server.version()));
            ui::result(server.url(DATABASE));
        }
    }
    Ok(())
}

/// The database that a new server has.
const DATABASE: &str = "postgres";

impl From<LocalServerError> for CliError {
    fn from(error: LocalServerError) -> Self {
        Self::failed(error.message()).hint(error.hint())
    }
}
