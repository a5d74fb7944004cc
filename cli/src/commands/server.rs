//! `bowline server`: a throwaway PostgreSQL for working on the project.

use std::path::Path;

use bowline::testing::{LocalServer, LocalServerError};
use clap::{Args, Subcommand};

use crate::error::CliError;
use crate::project::{Places, Project};
use crate::ui;

/// Start, stop or look at a throwaway PostgreSQL of this project's own.
///
/// Outside of a project it is one of this folder's own.
///
/// It is made from the newest installed PostgreSQL, or from the one whose folder BOWLINE_PG_BIN names,
/// listens on a Unix socket that only you can reach, and keeps its data until it is stopped.
///
/// Example: export DATABASE_URL=$(bowline server start)
#[derive(Debug, Args)]
pub(crate) struct Server {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start it, unless it runs, and print its URL.
    ///
    /// Example: export DATABASE_URL=$(bowline server start)
    Start,
    /// Stop it and remove its data.
    ///
    /// Example: bowline server stop
    Stop,
    /// Print its URL, process and version; exit with 1 if it does not run.
    ///
    /// Example: bowline server status
    Status,
}

pub(crate) fn run(arguments: &Server, here: &Path, places: &Places) -> Result<(), CliError> {
    let folder = Project::root(here, places).unwrap_or_else(|| here.to_owned());
    match arguments.action {
        Action::Start => {
            let progress = ui::Progress::start("starting PostgreSQL");
            let server = LocalServer::of_project(&folder)?;
            drop(progress);
            ui::status(format!("PostgreSQL {} runs", server.version()));
            ui::result(server.url(DATABASE));
        }
        Action::Stop => match LocalServer::running_in_project(&folder)? {
            Some(server) => {
                server.stop()?;
                ui::status("stopped");
            }
            None => ui::status("no server runs"),
        },
        Action::Status => {
            let server = LocalServer::running_in_project(&folder)?;
            let server = server.ok_or_else(|| {
                CliError::failed("no server runs for this project")
                    .hint("run `bowline server start`")
            })?;
            let pid = server
                .pid()
                .map(|pid| format!(", process {pid}"))
                .unwrap_or_default();
            ui::status(format!("PostgreSQL {} runs{pid}", server.version()));
            ui::result(server.url(DATABASE));
        }
    }
    Ok(())
}

/// The database that is there from the start.
const DATABASE: &str = "postgres";

impl From<LocalServerError> for CliError {
    fn from(error: LocalServerError) -> Self {
        Self::failed(error.message()).hint(error.hint())
    }
}
