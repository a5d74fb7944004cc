//! The project: its settings, its migrations, and whether the generated code is that of the migrations.

use std::path::Path;

use super::finding::Finding;
use crate::commands::generate;
use crate::error::CliError;
use crate::migrations::read_folder;
use crate::project::Project;
use crate::ui::counted;

const AREA: &str = "project";

pub(super) fn look(project: &Result<Project, CliError>) -> Vec<Finding> {
    let project = match project {
        Ok(project) => project,
        Err(error) if error.hints.is_empty() => {
            return vec![Finding::warning(
                AREA,
                &*error.message,
                "mend the file that is named",
            )];
        }
        Err(error) => {
            return vec![Finding::warning(
                AREA,
                &*error.message,
                error.hints.join("; "),
            )];
        }
    };
    let is_there = |file: &str| project.root.join(file).exists();
    let found: Vec<_> = ["Cargo.toml", "diesel.toml"]
        .into_iter()
        .filter(|file| is_there(file))
        .collect();
    let mut findings = vec![if found.is_empty() {
        Finding::warning(
            AREA,
            "there is neither Cargo.toml nor diesel.toml",
            "run `bowline init` in a cargo package",
        )
    } else {
        Finding::ok(
            AREA,
            format!("{} in {}", found.join(" and "), project.root.display()),
        )
    }];
    let folder = shown(&project.migrations, project);
    match read_folder(&project.migrations) {
        Ok(migrations) if migrations.is_empty() => {
            findings.push(Finding::warning(
                AREA,
                format!("there is no migration in {folder}"),
                "write the first one: `bowline new create_things`",
            ));
        }
        Ok(migrations) => {
            let number = counted(migrations.len(), "migration");
            findings.push(Finding::ok(AREA, format!("{number} in {folder}")));
            findings.push(generated(project));
        }
        Err(error) => findings.push(Finding::problem(AREA, error.into())),
    }
    findings
}

fn generated(project: &Project) -> Finding {
    const REMEDY: &str = "run `bowline generate`";
    match generate::stale(project) {
        Ok(None) => Finding::warning(AREA, "no code is generated yet", REMEDY),
        Ok(Some(stale)) if stale.is_empty() => {
            Finding::ok(AREA, "the generated code is that of the migrations")
        }
        Ok(Some(stale)) => Finding::warning(
            AREA,
            format!(
                "the generated code is not that of the migrations: {}",
                stale.join(", ")
            ),
            REMEDY,
        ),
        Err(error) => Finding::warning(
            AREA,
            format!(
                "whether the generated code is fresh is not known: {}",
                error.message
            ),
            "`bowline generate --check` says more",
        ),
    }
}

/// From the project's folder, where it is in there.
fn shown(path: &Path, project: &Project) -> String {
    let within = path.strip_prefix(&project.root).unwrap_or(path);
    within.display().to_string()
}
