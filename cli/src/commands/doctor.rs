//! `bowline doctor`: what is found of all that a connection and a project rest on, and what to do about it.
//!
//! Each file below looks at one thing and gives findings; nothing is changed, and everything ends within seconds.

mod access;
mod finding;
mod origin;
mod programs;
mod project;
mod role;
mod server;

use std::path::Path;

use clap::Args;

use crate::error::CliError;
use crate::project::{Places, Project};
use crate::ui;
use finding::{Finding, Level};

/// Look at the programs, the project, the settings and the server, and say what to do about what is wrong.
///
/// Changes nothing. Each line is ok, a warning or a problem; with a problem the exit code is 1. No password is shown.
///
/// Example: bowline doctor
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The database; else DATABASE_URL, from the environment or from a file .env, and PG* variables.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Doctor, here: &Path, places: &Places) -> Result<(), CliError> {
    let mut findings = Vec::new();
    let mut tell = |of_one: Vec<Finding>| {
        if !arguments.json {
            finding::print(&of_one, findings.last());
        }
        findings.extend(of_one);
    };
    tell(programs::look());
    let project = Project::find(here, places);
    tell(project::look(&project));
    let (origin, config) = origin::look(arguments.database_url.as_deref(), here);
    tell(origin);
    if let Some(config) = config {
        tell(server::names(&config));
        let (server, connected) = server::look(&config);
        tell(server);
        if let Some(mut connected) = connected {
            tell(access::look(&connected));
            tell(role::look(&mut connected, project.as_ref().ok()));
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
