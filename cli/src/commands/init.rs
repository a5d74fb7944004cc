//! `bowline init`: adds to a cargo package what a data layer needs.
//!
//! All changes are computed before the first file is written, so that an error or `--dry-run`
//! changes nothing.

mod attributes;
mod changes;
mod dependencies;
mod example_migration;
mod move_settings;
mod root;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::CliError;
use crate::migrations::Migration;
use crate::package::{BuildScript, Package, build_script};
use crate::project::{Project, ProjectArgs};
use crate::ui;
use bowline_plan::paths::{read_optional, relative};
use bowline_plan::project::BOWLINE_TOML;
use changes::Changes;
use root::Root;

/// Add to a cargo package what a data layer needs: dependencies, migrations, settings, a module.
///
/// Adds what is missing and changes nothing else, so it is safe to run twice. In a package that
/// already uses diesel, diesel.toml, schema.rs and the migrations are not changed.
///
/// Example: bowline init --dry-run
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Show what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The source of the dependency bowline: a folder with its code, or a version [default: the
    /// folder that this command was built in, if it exists, or the version of this command].
    #[arg(long, value_name = "PATH_OR_VERSION")]
    bowline: Option<String>,
    /// Move the settings of [package.metadata.bowline] in Cargo.toml to bowline.toml, and change
    /// nothing else.
    #[arg(long, conflicts_with = "bowline")]
    move_settings: bool,
}

pub(crate) fn run(arguments: &Init, here: &Path, project: &ProjectArgs) -> Result<(), CliError> {
    if arguments.move_settings {
        let root = Project::root(here, project).unwrap_or_else(|| here.to_owned());
        return move_settings::changes(&root)?.apply(arguments.dry_run);
    }
    let package = package(here)?;
    let project = Project::find(&package.folder, project)?;
    let changes = changes(arguments, here, &package, &project)?;
    changes.apply(arguments.dry_run)?;
    let is_generated = project.settings.folder.join("mod.rs").is_file();
    if changes.is_empty() {
        ui::status("nothing is missing");
    } else if !arguments.dry_run && !is_generated {
        ui::status("next: write your tables in the migrations, then run `bowline generate`");
    }
    Ok(())
}

/// Returns the package of the working directory.
fn package(here: &Path) -> Result<Package, CliError> {
    let mut folders = here.ancestors();
    let folder = folders.find(|folder| folder.join("Cargo.toml").is_file());
    let package = match folder {
        Some(folder) => Package::read(folder)?,
        None => None,
    };
    let package = package.ok_or_else(|| {
        CliError::failed(format!("no Cargo.toml in {} or above it", here.display()))
            .hint("create a package first: cargo new NAME")
    })?;
    if package.manifest.name().is_none() {
        let members = package.manifest.members().join(", ");
        return Err(CliError::failed(format!(
            "{} belongs to a workspace, which has no code of its own",
            package.manifest.path().display()
        ))
        .hint(format!(
            "run this in the folder of one of its members: {members}"
        )));
    }
    let edition = package.manifest.edition();
    if matches!(edition, "2015" | "2018") {
        return Err(CliError::failed(format!(
            "the package uses edition {edition} of Rust, and generated code needs 2021 or later"
        ))
        .hint("run `cargo fix --edition`, then set edition in Cargo.toml"));
    }
    Ok(package)
}

fn changes(
    arguments: &Init,
    here: &Path,
    package: &Package,
    project: &Project,
) -> Result<Changes, CliError> {
    let mut changes = Changes::new(&package.folder);
    let source = dependencies::source(arguments.bowline.as_deref(), here, package)?;
    let existing = if project.migrations.is_dir() {
        project.read_migrations()?.to_vec()
    } else {
        Vec::new()
    };
    let first = existing
        .is_empty()
        .then(|| example_migration::migration(&project.migrations));
    let migrations: Vec<Migration> = existing.into_iter().chain(first.clone()).collect();
    let root = root::root(package, project)?;
    let folder = folder(project, root.as_ref());

    dependencies::add(&mut changes, package, &source, &migrations, project)?;
    settings(&mut changes, package, project, &folder);
    if let Some(first) = &first {
        let files = [Some(&first.up), first.down.as_ref()];
        for file in files.into_iter().flatten() {
            changes.make(file.path.clone(), file.text.clone());
        }
    }
    let mut watched = vec![relative(&project.migrations, &package.folder)];
    if project.queries.is_dir() {
        watched.push(relative(&project.queries, &package.folder));
    }
    watch(&mut changes, package, &watched)?;
    root::declare_module(&mut changes, package, root, &folder)?;
    environment(&mut changes, package)?;
    attributes::add(&mut changes, package, project, &folder)?;
    project
        .settings_note()
        .into_iter()
        .chain(project.ineffective_settings())
        .for_each(|note| changes.note(note));
    if arguments.bowline.is_some() && package.manifest.has_bowline() {
        changes.note(
            "Cargo.toml has the dependency bowline already, so --bowline has no effect".to_owned(),
        );
    }
    Ok(changes)
}

/// Returns the folder for the generated code: that of the settings, or else a folder beside the
/// root file of the crate, where its modules are.
fn folder(project: &Project, root: Option<&Root>) -> PathBuf {
    let settings = &project.settings;
    let is_set = project.has_diesel_toml
        || schema(project).is_some()
        || settings
            .file
            .as_ref()
            .is_some_and(|file| file.keys().iter().any(|key| key == "folder"));
    match root {
        Some(root) if !is_set => root.folder().join("db"),
        _ => settings.folder.clone(),
    }
}

/// Returns the `schema.rs` that exists, if there is one.
fn schema(project: &Project) -> Option<PathBuf> {
    let outputs = project.settings.outputs.iter();
    outputs
        .filter_map(|output| output.file.clone())
        .find(|file| file.is_file())
}

/// Adds `diesel.toml`, if it is missing.
fn settings(changes: &mut Changes, package: &Package, project: &Project, folder: &Path) {
    let migrations = relative(&project.migrations, &package.folder);
    let names_migrations = migrations != relative(&project.usual_migrations, &package.folder);
    if project.has_diesel_toml {
        if names_migrations {
            changes.note(format!(
                "diesel.toml does not name the folder {migrations}: pass --migration-dir to each \
                 command, or set [migrations_directory] dir = {migrations:?}"
            ));
        }
        return;
    }
    let own = folder.join("schema.rs");
    let schema = relative(&schema(project).unwrap_or(own), &package.folder);
    let directory = if names_migrations {
        format!("\n[migrations_directory]\ndir = {migrations:?}\n")
    } else {
        String::new()
    };
    changes.make(
        package.folder.join("diesel.toml"),
        format!(
            "# Settings of bowline and of diesel's own command. Bowline's alone go into {BOWLINE_TOML}.\n\n\
             [print_schema]\n\
             file = \"{schema}\"\n\
             with_docs = \"only-database-comments\"\n\
             custom_type_derives = [\"diesel::query_builder::QueryId\", \"Clone\"]\n{directory}"
        ),
    );
}

/// Adds the lines to the build script that make cargo watch the folders.
fn watch(changes: &mut Changes, package: &Package, folders: &[String]) -> Result<(), CliError> {
    let (script, lines) = build_script(package, folders)?;
    let shown = lines.join(" ");
    let plural = if lines.len() == 1 {
        "this one"
    } else {
        "these"
    };
    match script {
        BuildScript::Watches => {}
        BuildScript::Missing(path) => {
            let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
            changes.make(path, format!("fn main() {{\n{lines}}}\n"));
        }
        BuildScript::Add(path, text) => changes.extend(path, text, &shown),
        BuildScript::ByHand(path) => changes.note(format!(
            "{} was not changed; if it has other rerun-if lines, add {plural} to its main function, so that cargo notices \
             a new migration: {shown}",
            relative(&path, &package.folder)
        )),
        BuildScript::Forbidden => changes.note(format!(
            "Cargo.toml has build = false, so cargo does not notice a new migration until code changes; a build script \
             would need this line: {shown}"
        )),
    }
    Ok(())
}

/// Adds `DATABASE_URL` to `.env.example`, and `.env` to `.gitignore`.
fn environment(changes: &mut Changes, package: &Package) -> Result<(), CliError> {
    let files = [".env.example", ".env.sample"].map(|name| package.folder.join(name));
    let texts = [read_optional(&files[0])?, read_optional(&files[1])?];
    let [example, _] = files;
    let name = package
        .manifest
        .name()
        .unwrap_or_default()
        .replace('-', "_");
    let line = format!("DATABASE_URL=postgres://user:password@localhost:5432/{name}");
    let has_url = |text: &Option<String>| {
        text.as_ref()
            .is_some_and(|text| text.contains("DATABASE_URL"))
    };
    match &texts[0] {
        _ if texts.iter().any(has_url) => {}
        None => changes.make(
            example,
            format!(
                "# Copy this file to .env, which is not committed, and set your own values.\n{line}\n"
            ),
        ),
        Some(text) => changes.extend(example, with_line(text, &line), &line),
    }
    let Some(repository) = repository(&package.folder) else {
        return Ok(());
    };
    let mut between = package
        .folder
        .ancestors()
        .take_while(|folder| folder.starts_with(repository));
    let is_ignored = between.any(|folder| {
        let text = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
        let mut lines = text
            .lines()
            .map(|line| line.trim().trim_start_matches("**/"));
        lines.any(|line| {
            matches!(line, ".env" | "*.env" | ".env*")
                || (line == "/.env" && folder == package.folder)
        })
    });
    if !is_ignored {
        let path = package.folder.join(".gitignore");
        match read_optional(&path)? {
            None => changes.make(path, ".env\n".to_owned()),
            Some(text) => changes.extend(path, with_line(&text, ".env"), ".env"),
        }
    }
    Ok(())
}

/// Returns the root of the git repository that a folder is in.
fn repository(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())
}

/// Returns a text with a line added at its end.
fn with_line(text: &str, line: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{end}{line}\n")
}
