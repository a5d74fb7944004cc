//! The project: its settings, its migrations, and whether the generated code is up to date.

use std::path::Path;

use super::finding::Finding;
use crate::commands::generate;
use crate::error::CliError;
use crate::project::Project;
use crate::queries::read_folder;
use crate::ui::counted;
use bowline_plan::project::BOWLINE_TOML;

const AREA: &str = "project";

pub(super) fn check(project: &Result<Project, CliError>) -> Vec<Finding> {
    let project = match project {
        Ok(project) => project,
        Err(error) if error.hints.is_empty() => {
            return vec![Finding::warning(AREA, &*error.message, "fix that file")];
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
    let found: Vec<_> = ["Cargo.toml", "diesel.toml", BOWLINE_TOML]
        .into_iter()
        .filter(|file| is_there(file))
        .collect();
    let mut findings = vec![if found.is_empty() {
        Finding::warning(
            AREA,
            "there is no Cargo.toml and no diesel.toml",
            "run `bowline init` in a cargo package",
        )
    } else {
        Finding::ok(
            AREA,
            format!("{} in {}", found.join(", "), project.root.display()),
        )
    }];
    if let Some(note) = project.settings_note() {
        findings.push(Finding::warning(
            AREA,
            note,
            "run `bowline init --move-settings`",
        ));
    }
    let ineffective = project.ineffective_settings().into_iter();
    findings.extend(ineffective.map(|note| {
        let remedy = "move them to the file that applies, or remove them";
        Finding::warning(AREA, note, remedy)
    }));
    let folder = shown(&project.migrations, project);
    match project.read_migrations() {
        Ok([]) => {
            findings.push(Finding::warning(
                AREA,
                format!("no migrations in {folder}"),
                "write the first one: `bowline new create_things`",
            ));
        }
        Ok(migrations) => {
            let number = counted(migrations.len(), "migration");
            findings.push(Finding::ok(AREA, format!("{number} in {folder}")));
            findings.extend(query_files(project));
            findings.push(generated(project));
        }
        Err(error) => findings.push(Finding::problem(AREA, error.into())),
    }
    findings
}

/// Returns the number of query files; nothing if there are none.
fn query_files(project: &Project) -> Option<Finding> {
    let folder = shown(&project.queries, project);
    match read_folder(&project.queries, &project.root) {
        Ok(files) if files.is_empty() => None,
        Ok(files) => {
            let number = counted(files.len(), "query file");
            Some(Finding::ok(AREA, format!("{number} in {folder}")))
        }
        Err(error) => Some(Finding::problem(AREA, error.into())),
    }
}

fn generated(project: &Project) -> Finding {
    const REMEDY: &str = "run `bowline generate`";
    match generate::stale(project) {
        Ok(None) => Finding::warning(AREA, "no code has been generated", REMEDY),
        Ok(Some(stale)) if stale.is_empty() => {
            Finding::ok(AREA, "the generated code is up to date")
        }
        Ok(Some(stale)) => Finding::warning(
            AREA,
            format!(
                "the generated code does not match the migrations: {}",
                stale.join(", ")
            ),
            REMEDY,
        ),
        Err(error) => Finding::warning(
            AREA,
            format!(
                "cannot check whether the generated code is up to date: {}",
                error.message
            ),
            "run `bowline generate --check` for details",
        ),
    }
}

/// Returns a path relative to the project's folder, if it is in there.
fn shown(path: &Path, project: &Project) -> String {
    let within = path.strip_prefix(&project.root).unwrap_or(path);
    within.display().to_string()
}
