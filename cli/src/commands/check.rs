//! `bowline check`: whether the migrations fit what runs beside them: the code of an older release,
//! or the migrations of another branch.
//!
//! During a rolling deploy both releases run, and after a rollback the older one runs alone, so a
//! migration has to leave the older code working.

pub(super) mod breaks;
mod onto;
pub(super) mod release;
mod result;

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use crate::error::CliError;
use crate::project::Project;
use crate::source::replay_of_migrations;
use crate::ui::{self, counted};
use bowline_catalog::Catalog;
use breaks::Break;
use release::{Function, Release};

/// Check the migrations against the code of an older release, or against another branch.
///
/// With --against: the release's generated functions, its query files, and its `query!` and
/// `query_as!` are checked on the schema that the migrations here make. Each statement is checked
/// as it was compiled: a table or column that is gone, a type that changed, a NULL where the
/// release expects none, a new column that its INSERT leaves out. Columns that no code uses any
/// more are listed. The exit code is 1 if a statement breaks.
///
/// With --onto: the migrations that this branch and another one have added since they parted are
/// replayed in both orders, and in that of their versions. The exit code is 1 if they do not end at
/// the same schema; the object and the migrations that change it are named. The order of columns
/// and the rows of tables do not count.
///
/// No database, no network.
///
/// Example: bowline check --against v1.2
/// Example: bowline check --onto main
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    what: What,
    /// Print JSON. With --against, an object with statements (their number), breaks (function, at,
    /// why, column), not_checked (function, at, why) and unused (columns that no code uses). With
    /// --onto, one with commutes, disputes (object, why, here, there), reordered, not_followed,
    /// here and there (the new migrations of this branch and of the other one).
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The release: a commit, tag or branch of git, the folder of a checkout, or a file with the
    /// output of `bowline queries --json`.
    #[arg(long, value_name = "REF|DIR|FILE")]
    against: Option<String>,
    /// The branch that this one is to be merged into: a branch, tag or commit of git.
    #[arg(long, value_name = "REF")]
    onto: Option<String>,
}

/// The result, as JSON.
#[derive(Serialize)]
struct Report<'r> {
    statements: usize,
    breaks: &'r [Break],
    not_checked: &'r [Break],
    unused: &'r [String],
}

pub(crate) fn run(arguments: &Check, project: &Project) -> Result<(), CliError> {
    match &arguments.what {
        What {
            onto: Some(reference),
            ..
        } => onto::run(reference, arguments.json, project),
        What { against, .. } => {
            let against = against.as_deref().unwrap_or_default();
            run_against(against, arguments.json, project)
        }
    }
}

fn run_against(against: &str, json: bool, project: &Project) -> Result<(), CliError> {
    let release = Release::read(against, project)?;
    let catalog = catalog(project)?;
    let found = breaks::find(&release, &catalog, project.settings.postgres);
    // The code here may not be changed yet for its own new schema.
    let unused = match release::statements(project, &catalog) {
        Ok(here) => breaks::unused(&release, &catalog, &here),
        Err(error) => {
            ui::note(format!(
                "columns that no code uses are not listed, since the code here does not fit the schema: {}",
                error.message
            ));
            Vec::new()
        }
    };
    if json {
        ui::json(&Report {
            statements: release.statements.len(),
            breaks: &found.breaks,
            not_checked: &found.not_checked,
            unused: &unused,
        })?;
    } else {
        found_by_cause(&found.breaks)
            .iter()
            .for_each(ui::coloured_result);
        for left in &found.not_checked {
            ui::note(format!("{} is not checked: {}", left.function, left.why));
        }
        for column in &unused {
            ui::note(format!("no code of either release uses {column}"));
        }
    }
    conclude(&release, &found.breaks)
}

/// Fails if a statement of a release does not work on the schema of these migrations.
pub(crate) fn refuse_breaks(against: &str, project: &Project) -> Result<(), CliError> {
    let release = Release::read(against, project)?;
    let found = breaks::find(&release, &catalog(project)?, project.settings.postgres);
    conclude(&release, &found.breaks).map_err(|error| {
        error
            .report(found_by_cause(&found.breaks).join("\n"))
            .hint("nothing was run: run this step when no program of that release is in use")
    })
}

fn catalog(project: &Project) -> Result<Catalog, CliError> {
    let replayed = replay_of_migrations(project.read_migrations()?)?;
    match replayed.refusals.is_empty() {
        true => Ok(replayed.catalog),
        false => Err(crate::source::refused(&replayed.refusals)),
    }
}

fn conclude(release: &Release, breaks: &[Break]) -> Result<(), CliError> {
    let all = counted(release.statements.len(), "statement");
    let name = &release.name;
    if breaks.is_empty() {
        ui::status(format!("{all} of {name} work on this schema"));
        return Ok(());
    }
    Err(CliError::failed(format!(
        "{} of {all} of {name} break on this schema",
        breaks.len()
    )))
}

/// Returns the functions that break, below what breaks them.
fn found_by_cause(breaks: &[Break]) -> Vec<String> {
    let mut causes: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
    for found in breaks {
        causes.entry(&found.why).or_default().push(&found.function);
    }
    let text = |(why, functions): (&str, Vec<&Function>)| {
        let verb = if functions.len() == 1 {
            "breaks"
        } else {
            "break"
        };
        // A list has a statement for its first page and others for the next ones.
        let list: String = functions
            .chunk_by(|one, other| one == other)
            .map(|same| {
                let function = same[0].to_string();
                let function = ui::escaped(&function);
                match same.len() {
                    1 => format!("\n  {function}"),
                    several => format!("\n  {function}, {several} statements"),
                }
            })
            .collect();
        let count = counted(functions.len(), "statement");
        format!("{}: {count} {verb}{list}", ui::escaped(why))
    };
    causes.into_iter().map(text).collect()
}
