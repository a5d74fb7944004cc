//! `bowline doctor`: checks everything that a connection and a project depend on.
//!
//! Each file below checks one area and returns findings. Nothing is changed, and each check ends
//! within seconds.

mod access;
mod finding;
mod origin;
mod programs;
mod project;
mod role;
mod server;

use std::path::Path;

use clap::Args;

use crate::connection::DatabaseArgs;
use crate::error::CliError;
use crate::project::{Project, ProjectArgs};
use crate::ui;
use finding::{Finding, Level};

/// Check the programs, the project, the connection and the server, with a hint for each problem.
///
/// Changes nothing. Each line is ok, a warning or a problem; with a problem the exit code is 1. No
/// password is shown.
///
/// Example: bowline doctor
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Doctor, here: &Path, project: &ProjectArgs) -> Result<(), CliError> {
    let mut findings = Vec::new();
    let mut add = |found: Vec<Finding>| {
        if !arguments.json {
            finding::print(&found, findings.last());
        }
        findings.extend(found);
    };
    add(programs::check());
    let project = Project::find(here, project);
    add(project::check(&project));
    let (origin, config) = origin::check(&arguments.database, here);
    add(origin);
    if let Some(config) = config {
        add(server::names(&config));
        let (server, connected) = server::check(&config);
        add(server);
        if let Some(mut connected) = connected {
            add(server::version(&connected, project.as_ref().ok()));
            add(access::check(&connected));
            add(role::check(&mut connected, project.as_ref().ok()));
        }
    }
    if arguments.json {
        ui::text(&ui::json_text(&finding::json(&findings)));
    }
    let count = |level| findings.iter().filter(|found| found.level == level).count();
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    let summary = format!(
        "{}, {}",
        ui::counted(problems, "problem"),
        ui::counted(warnings, "warning")
    );
    if problems > 0 {
        return Err(CliError::failed(summary));
    }
    ui::status(summary);
    Ok(())
}
